// `sendWait` between two operating-system processes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster } from '../../support/cluster.ts';

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

describe('sendWait', () => {
  it('waits for room in the mailbox of an actor on another node: by PID, name and alias nothing is lost', async () => {
    const [a, b] = await cluster.nodes({ name: 'a' }, { name: 'b' });
    await a!.run(async (bench) => {
      bench.box['addresses'] = await bench.probe('addresses');
    });
    await b!.run(async (bench, peer) => {
      bench.box['got'] = [];
      const mailbox = { max: 1, policy: 'block' } as const;
      bench.node.spawnWith({ mailbox, name: 'slow' }, async (self) => {
        self.send({ name: 'addresses', node: peer }, [self.pid, self.alias()]);
        for (;;) {
          bench.box['got'].push(await self.receive());
          await self.sleep(1);
        }
      });
    }, a!.name);
    await a!.run(async (bench, peer) => {
      await bench.box['addresses'].count(1);
      const [pid, alias] = bench.box['addresses'].messages[0];
      const { node } = bench;
      const all: Promise<unknown>[] = [];
      const actor = (to: never, how: string): Promise<void> =>
        new Promise((resolve) => {
          node.spawn(async (self) => {
            for (let number = 0; number < 20; number++) await self.sendWait(to, `${how} ${number}` as never);
            resolve();
          });
        });
      all.push(actor(pid as never, 'pid'), actor(alias as never, 'alias'));
      all.push(actor({ name: 'slow', node: peer } as never, 'name'));
      for (let number = 0; number < 20; number++) all.push(node.sendWait(pid, `outside ${number}`));
      await Promise.all(all);
    }, b!.name);
    const got = (await b!.run(async (bench) => {
      await bench.until('all of them', () => bench.box['got'].length === 80);
      return bench.box['got'];
    })) as string[];
    for (const how of ['pid', 'alias', 'name', 'outside']) {
      const numbers = Array.from({ length: 20 }, (_, number) => `${how} ${number}`);
      expect(got.filter((line) => line.startsWith(how))).toEqual(numbers);
    }
    expect(await b!.run((bench) => bench.node.stats().deadLetters.dropped_new)).toBe(0);
  });

  it('does not wait for the answer of a node that is out of reach: the message is lost, and counted', async () => {
    const a = await cluster.node({ name: 'a' });
    const lost = await a.run(async (bench) => {
      await bench.node.sendWait({ name: 'inbox', node: 'nobody@127.0.0.1:1' }, 1);
      return bench.node.stats().deadLetters.noconnection;
    });
    expect(lost).toBe(1);
  });
});
