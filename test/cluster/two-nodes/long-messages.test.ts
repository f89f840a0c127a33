// Long messages that one actor sends to another node without a pause.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pid } from '../../../ts/index.ts';
import { Cluster } from '../../support/cluster.ts';

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

describe('long messages', () => {
  it('P1 counts a long message as waiting until it is sent, also when its sender always has one on its way', async () => {
    const MIB = 1024 * 1024;
    const [a, b] = await cluster.nodes({ name: 'a', outbox: { limit: 16 * MIB } }, { name: 'b' });
    await b!.run((bench) => {
      bench.node.spawn(async (self) => {
        self.register('sink');
        for (;;) {
          const [from, number] = (await self.receive()) as [Pid<number>, number, Uint8Array];
          self.send(from, number);
        }
      });
    });
    const seen = await a!.run(async (bench, peer) => {
      await bench.node.connect(peer);
      let last = -1;
      const over = new Promise<void>((resolve) => {
        bench.node.spawn(async (self) => {
          const give = (number: number): void =>
            self.send({ name: 'sink', node: peer }, [self.pid, number, new Uint8Array(1024 * 1024)] as never);
          for (let number = 0; number < 8; number++) give(number);
          for (let number = 8; number < 136; number++) {
            const answer = await self.receive(Number.isInteger, { timeout: 10_000 });
            if (typeof answer !== 'number') break;
            last = answer;
            if (number < 128) give(number);
          }
          resolve();
        });
      });
      await over;
      return { last, lost: bench.node.stats().deadLetters.remote_full };
    }, b!.name);
    expect(seen).toEqual({ last: 127, lost: 0 });
  });
});
