// A blocked event loop is not a dead node (L13): ticks are answered, bytes are taken, order is kept.
import { afterEach, describe, expect, it } from 'vitest';
import { type Child, hasSignals, startChild } from '../support/child.ts';
import { until } from '../support/deadline.ts';
import { DownCause, localOn, NativeEvent, RawLane, RawNode, sendFrame, TICK_BYTES } from './raw-node.ts';

const file = new URL('./child.ts', import.meta.url);
let child: Child | undefined;
let node: RawNode | undefined;

afterEach(async () => {
  if (hasSignals) child?.kill('SIGCONT');
  child?.kill('SIGKILL');
  await node?.close();
  node = undefined;
});

interface Answer {
  readonly numbers: number[];
  readonly downs: number;
  readonly takeovers: number;
}

interface Limits {
  readonly tickMs: number;
  readonly downMs: number;
  readonly inboxBytes?: number;
}

async function connected(reader: string, options: Limits, ours: Limits = options) {
  child = startChild(file, { args: ['obey', reader, JSON.stringify(options)] });
  const { name, port } = JSON.parse(await child.line('"port"')) as { name: string; port: number };
  node = new RawNode({ name: 'n@127.0.0.1:0', ...ours });
  return { node, child, peer: await node.connect(name, port) };
}

const answer = async (to: Child, verb: string, ms = 20_000): Promise<Answer> =>
  JSON.parse(await to.line(`"verb":"${verb}"`, ms)) as Answer;

describe.each(['loop', 'thread'])('a peer whose loop is blocked, reader %s', (reader) => {
  it('L13 V7 stays up, is told to be stalled, and gets everything in order afterwards', async () => {
    const { node: us, child: peer, peer: to } = await connected(reader, { tickMs: 100, downMs: 600 });
    peer.write('block 3000\n');
    let sent = 0;
    const timer = setInterval(() => {
      for (let i = 0; i < 50; i++) us.send(to, sent++);
    }, 20);
    const stalled = await us.event(NativeEvent.PEER_LOOP, (entry) => entry.body[0] === 1);
    expect(stalled.body.readUInt32LE(1)).toBeGreaterThanOrEqual(100);
    await us.event(NativeEvent.PEER_LOOP, (entry) => entry.body[0] === 0);
    clearInterval(timer);
    peer.write('look\n');
    const { numbers, downs, takeovers } = await answer(peer, 'look');
    expect(downs).toBe(0);
    expect(us.entries.some((entry) => entry.tag === NativeEvent.SESSION_DOWN)).toBe(false);
    expect(numbers.every((value, index) => value === index)).toBe(true);
    expect(numbers.length).toBeGreaterThan(1000);
    expect(takeovers).toBe(reader === 'loop' ? 1 : 0);
  });

  it('L13 a flood that fills the inbox during the block neither ends the session nor grows without bound', async () => {
    const limits = { tickMs: 100, downMs: 500, inboxBytes: 1 << 20 };
    const { node: us, child: peer, peer: to } = await connected(reader, limits);
    peer.write('block 2500\n');
    const frames = Array.from({ length: 5000 }, (_, value) => sendFrame(to.nc, 1, value));
    let sent = 0;
    await until(
      'the block is over and all was taken',
      () => {
        if (us.stats.outboxBytes === 0 && sent < 1_000_000) {
          us.flush(to.session, ...frames);
          sent += frames.length;
        }
        return sent >= 1_000_000 && us.stats.outboxBytes === 0;
      },
      30_000,
    );
    peer.write(`await ${sent}\n`);
    const seen = await answer(peer, 'await', 30_000);
    expect(seen.downs).toBe(0);
    expect(seen.numbers.length).toBe(sent);
    expect(seen.numbers.every((value, index) => value === index % 5000)).toBe(true);
  });

  it.runIf(hasSignals)('L12 a frozen peer is lost within its time, and one thawed early is not', async () => {
    const { node: us, child: peer, peer: to } = await connected(reader, { tickMs: 100, downMs: 800 });
    const ticks = (count: number): Promise<unknown> => {
      const sent = us.stats.bytesOut;
      return until(`${count} ticks were sent`, () => us.stats.bytesOut - sent >= count * TICK_BYTES);
    };
    peer.kill('SIGSTOP');
    await ticks(2);
    peer.kill('SIGCONT');
    peer.write('look\n');
    expect((await answer(peer, 'look')).downs).toBe(0);
    // The last sign of life is from now on.
    peer.write('send 1\n');
    await until('a message', () => us.numbers().length === 1);
    peer.kill('SIGSTOP');
    await ticks(2);
    expect(us.stats.sessions, 'two ticks without an answer are no end').toBe(1);
    expect(await us.down(to.session)).toBe(DownCause.TIMEOUT);
  });
});

it('P6 the loop turns while a stream pours in that does not end', async () => {
  const bytes = 64 << 20;
  child = startChild(file, { args: ['count a turn', 'loop', `${bytes}`] });
  const { name, port } = JSON.parse(await child.line('"port"')) as { name: string; port: number };
  node = new RawNode({ name: 'n@127.0.0.1:0' });
  const us = node;
  const to = await us.connect(name, port);
  const frames = Array.from({ length: 8000 }, (_, value) => sendFrame(to.nc, 1, value));
  const refill = (): void => {
    for (let left = 8; left > 0 && us.stats.outboxBytes < 4 << 20; left--) us.flush(to.session, ...frames);
  };
  const timer = setInterval(refill, 1);
  const { most, turns } = JSON.parse(await child.line('"most"', 30_000)) as { most: number; turns: number };
  clearInterval(timer);
  expect(turns).toBeGreaterThan(60);
  expect(most).toBeLessThan(1 << 20);
});

describe('our own loop blocked', () => {
  it('L13 does not declare a living peer lost afterwards', async () => {
    const { node: us, peer: to, child: peer } = await connected('loop', { tickMs: 100, downMs: 500 });
    const end = performance.now() + 2000;
    while (performance.now() < end);
    us.send(to, 5);
    peer.write('look\n');
    expect((await answer(peer, 'look')).downs).toBe(0);
    expect(us.entries.some((entry) => entry.tag === NativeEvent.SESSION_DOWN)).toBe(false);
  });

  it.runIf(hasSignals)(
    'a process that stood still itself gives its peers a tick before it calls them lost',
    async () => {
      // Our ticks are too rare to help, and our own limit is long: what is proved is the peer's patience alone.
      const limits = { tickMs: 200, downMs: 500 };
      const { node: us, child: peer } = await connected('loop', limits, { tickMs: 60_000, downMs: 120_000 });
      peer.kill('SIGSTOP');
      // Longer than its limit. A stopped process does nothing that could be awaited.
      await new Promise((resolve) => setTimeout(resolve, 1500));
      peer.kill('SIGCONT');
      peer.write('look\n');
      expect((await answer(peer, 'look')).downs).toBe(0);
      const heard = us.stats.bytesIn;
      await until('it ticks for longer than its limit', () => us.stats.bytesIn - heard >= 4 * TICK_BYTES);
      expect(us.entries.some((entry) => entry.tag === NativeEvent.SESSION_DOWN)).toBe(false);
    },
  );
});

describe('frames that were received before an inbox was full', () => {
  // No socket announces them any more, and the peers' ticks are far too rare to help.
  const limits = { inboxBytes: 65_536, tickMs: 60_000, downMs: 120_000 };
  const burst = 4000;

  async function pair() {
    node = new RawNode({ name: 'a@127.0.0.1:0', ...limits });
    const sender = new RawNode({ name: 'b@127.0.0.1:0', ...limits });
    return { a: node, b: sender, toA: await sender.connect(node.name, node.port) };
  }

  it('L13 are handed over when the loop turns again', async () => {
    const { a, b, toA } = await pair();
    b.flush(toA.session, ...Array.from({ length: burst }, (_, value) => sendFrame(toA.nc, 1, value)));
    const end = performance.now() + 2500;
    while (performance.now() < end);
    expect(a.stats.takeovers).toBe(1);
    await until('all came', () => a.numbers().length === burst, 5_000);
    await b.close();
  });

  it('P1 are handed over when the lane has room again', async () => {
    const { a, b, toA } = await pair();
    const lane = new RawLane();
    const local = localOn(lane.native.attach(a.handle, lane.rx, lane.onBatch));
    await lane.event(NativeEvent.SESSION_UP);
    for (let round = 1; round <= 5; round++) {
      b.flush(toA.session, ...Array.from({ length: burst }, (_, value) => sendFrame(toA.nc, local, value)));
      await until('all came', () => lane.numbers().length === round * burst, 5_000);
    }
    await b.close();
  });
});
