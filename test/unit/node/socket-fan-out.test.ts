// The same bytes to many real sockets.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SocketFanOut } from '../../../ts/node/index.ts';
import { until } from '../../support/deadline.ts';

interface Pair {
  readonly here: Socket;
  readonly there: Socket;
  readonly received: () => Buffer;
  /** Bytes that came. */
  readonly count: () => number;
}

let server: Server;
let pairs: Pair[];
beforeEach(async () => {
  pairs = [];
  server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  for (const { here, there } of pairs) {
    here.destroy();
    there.destroy();
  }
  server.close();
});

async function pair(): Promise<Pair> {
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const there = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [here] = await accepted;
  const chunks: Buffer[] = [];
  let count = 0;
  there.on('data', (chunk) => {
    chunks.push(chunk);
    count += chunk.length;
  });
  here.on('error', () => {});
  const made = { here, there, received: () => Buffer.concat(chunks), count: () => count };
  pairs.push(made);
  return made;
}

const all = async (count: number): Promise<Pair[]> => {
  for (let number = 0; number < count; number++) await pair();
  return pairs;
};

it('writes to all of them without a write of their streams', async () => {
  const fanOut = new SocketFanOut();
  const writes = (await all(30)).map(({ here }) => vi.spyOn(here, 'write'));
  const [one, two] = [Buffer.from('one'), Buffer.from('two')];
  for (const [index, { here }] of pairs.entries()) fanOut.add(here, index % 2 === 0 ? one : two);
  fanOut.run();
  await until('all have come', () => pairs.every(({ received }) => received().length === 3));
  for (const [index, { received }] of pairs.entries())
    expect(received().toString()).toBe(index % 2 === 0 ? 'one' : 'two');
  for (const write of writes) expect(write).not.toHaveBeenCalled();
  fanOut.run(); // nothing is left
  expect(pairs[0]?.received().toString()).toBe('one');
});

it('what a socket does not take goes through its stream, whole and in order, and delays no other', async () => {
  const fanOut = new SocketFanOut();
  const [slow, quick] = (await all(2)) as [Pair, Pair];
  slow.there.pause();
  const sent: Buffer[] = [];
  for (let number = 0; number < 200; number++) {
    const bytes = Buffer.alloc(100_000, number);
    sent.push(bytes);
    for (const { here } of pairs) fanOut.add(here, bytes);
    fanOut.run();
    await until('the other has it', () => quick.count() === 100_000 * (number + 1));
  }
  expect(slow.here.writableLength).toBeGreaterThan(0);
  slow.there.resume();
  await until('all has come', () => slow.count() === 200 * 100_000);
  expect(slow.received().equals(Buffer.concat(sent))).toBe(true);
});

it('stays behind what the stream has under way, and passes by sockets that are gone', async () => {
  const fanOut = new SocketFanOut();
  const [corked, destroyed, reset, good] = (await all(4)) as [Pair, Pair, Pair, Pair];
  corked.here.cork();
  corked.here.write('first ');
  destroyed.here.destroy();
  reset.there.resetAndDestroy();
  const bytes = Buffer.from('second');
  for (const { here } of pairs) fanOut.add(here, bytes);
  fanOut.run();
  corked.here.uncork();
  await until('both have come', () => corked.received().length === 12 && good.received().length === 6);
  expect(corked.received().toString()).toBe('first second');
});
