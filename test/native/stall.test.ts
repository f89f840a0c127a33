// A blocked event loop is not a dead node (L13): ticks are answered, bytes are taken, order is kept.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Child, hasSignals, killChildren, startChild } from '../support/child.ts';
import { until } from '../support/deadline.ts';
import {
  DownCause,
  localOn,
  NativeEvent,
  RawLane,
  RawNode,
  type RawPeer,
  sendFrame,
  TICK_BYTES,
} from './raw-node.ts';

const file = new URL('./child.ts', import.meta.url);
let folder: string;
/** The blocked loop of a child turns again when this file is there. */
let go: string;
let node: RawNode | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snowmesh-stall-'));
  go = join(folder, 'go');
});
afterEach(async () => {
  await killChildren();
  await node?.close();
  node = undefined;
  rmSync(folder, { recursive: true });
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

/** Silence of `downMs` ends a session: long enough for threads that wait for a processor. */
const LIMITS: Limits = { tickMs: 50, downMs: 2000 };

async function obedient(
  reader: string,
  options: Limits,
): Promise<{ child: Child; name: string; port: number }> {
  const child = startChild(file, { args: ['obey', reader, JSON.stringify(options)] });
  return { child, ...(JSON.parse(await child.line('"port"')) as { name: string; port: number }) };
}

async function connected(reader: string, options: Limits, ours: Limits = options) {
  const { child, name, port } = await obedient(reader, options);
  node = new RawNode({ name: 'n@127.0.0.1:0', ...ours });
  return { node, child, peer: await node.connect(name, port) };
}

/**
 * Whether more ticks of a peer have come than it sends in its `downMs`: a PING and a PONG each interval. Ticks tell that the
 * time has passed, and that it was not silence.
 */
function outlasts({ tickMs, downMs }: Limits, us: RawNode, { session }: RawPeer): () => boolean {
  const bytes = (): number => us.native.sessionStats(us.handle, session)?.bytesIn ?? Number.NaN;
  const before = bytes();
  return () => bytes() - before > ((2 * downMs) / tickMs) * TICK_BYTES;
}

const answer = async (to: Child, verb: string): Promise<Answer> =>
  JSON.parse(await to.line(`"verb":"${verb}"`)) as Answer;

describe.each(['loop', 'thread'])('a peer whose loop is blocked, reader %s', (reader) => {
  it('L13 V7 stays up, is told to be stalled, and gets everything in order afterwards', async () => {
    const { node: us, child: peer, peer: to } = await connected(reader, LIMITS);
    peer.write(`block ${go}\n`);
    const stalled = await us.event(NativeEvent.PEER_LOOP, (entry) => entry.body[0] === 1);
    expect(stalled.body.readUInt32LE(1)).toBeGreaterThanOrEqual(LIMITS.tickMs);
    for (let value = 0; value < 1000; value++) us.send(to, value);
    await until('it ticks for longer than its limit', outlasts(LIMITS, us, to));
    for (let value = 1000; value < 2000; value++) us.send(to, value);
    writeFileSync(go, '');
    await us.event(NativeEvent.PEER_LOOP, (entry) => entry.body[0] === 0);
    peer.write('await 2000\n');
    const { numbers, downs, takeovers } = await answer(peer, 'await');
    expect(downs).toBe(0);
    expect(us.entries.some((entry) => entry.tag === NativeEvent.SESSION_DOWN)).toBe(false);
    expect(numbers).toEqual(Array.from({ length: 2000 }, (_, index) => index));
    // Once more for each time that the loop had to wait for a processor.
    if (reader === 'loop') expect(takeovers).toBeGreaterThan(0);
    else expect(takeovers).toBe(0);
  });

  it('L13 a flood that fills the inbox during the block neither ends the session nor grows without bound', async () => {
    const limits = { ...LIMITS, inboxBytes: 1 << 20 };
    const { node: us, child: peer, peer: to } = await connected(reader, limits);
    const all = 1_000_000;
    const frames = Array.from({ length: 5000 }, (_, value) => sendFrame(to.nc, 1, value));
    let sent = 0;
    /** Gives more whenever what was given has left; the bytes that wait. */
    const pour = (): number => {
      if (us.stats.outboxBytes === 0 && sent < all) {
        us.flush(to.session, ...frames);
        sent += frames.length;
      }
      return us.stats.outboxBytes;
    };
    peer.write(`block ${go}\n`);
    await us.event(NativeEvent.PEER_LOOP, (entry) => entry.body[0] === 1);
    await until('it takes no more', () => pour() > 0);
    await until('it ticks for longer than its limit', outlasts(limits, us, to));
    expect(sent, 'it has taken all, and was never full').toBeLessThan(all);
    writeFileSync(go, '');
    await until('all was taken', () => pour() === 0 && sent === all);
    peer.write(`await ${sent}\n`);
    const seen = await answer(peer, 'await');
    expect(seen.downs).toBe(0);
    expect(seen.numbers.length).toBe(sent);
    expect(seen.numbers.every((value, index) => value === index % 5000)).toBe(true);
  });

  it.runIf(hasSignals)('L12 a frozen peer is lost within its time, and one thawed early is not', async () => {
    const { node: us, child: peer, peer: to } = await connected(reader, { tickMs: 100, downMs: 3000 });
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
  const child = startChild(file, { args: ['count a turn', 'loop', `${bytes}`] });
  const { name, port } = JSON.parse(await child.line('"port"')) as { name: string; port: number };
  node = new RawNode({ name: 'n@127.0.0.1:0' });
  const us = node;
  const to = await us.connect(name, port);
  const frames = Array.from({ length: 8000 }, (_, value) => sendFrame(to.nc, 1, value));
  const refill = (): void => {
    for (let left = 8; left > 0 && us.stats.outboxBytes < 4 << 20; left--) us.flush(to.session, ...frames);
  };
  const timer = setInterval(refill, 1);
  const { most, turns } = JSON.parse(await child.line('"most"', 100_000)) as { most: number; turns: number };
  clearInterval(timer);
  expect(turns).toBeGreaterThan(60);
  expect(most).toBeLessThan(1 << 20);
});

describe('our own loop blocked', () => {
  it('L13 does not declare a living peer lost afterwards', async () => {
    const { node: us, peer: to, child: peer } = await connected('loop', LIMITS);
    const isOver = outlasts(LIMITS, us, to);
    // The thread of this very loop stands still, until the native one has heard enough, or has given the session up.
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    while (!isOver() && us.stats.sessions === 1) Atomics.wait(nothing, 0, 0, 10);
    us.send(to, 5);
    peer.write('await 1\n');
    expect((await answer(peer, 'await')).downs).toBe(0);
    expect(us.entries.some((entry) => entry.tag === NativeEvent.SESSION_DOWN)).toBe(false);
  });

  it.runIf(hasSignals)(
    'a process that stood still itself gives its peers a tick before it calls them lost',
    async () => {
      // Our ticks are too rare to help, and our own limit is long: what is proved is the patience of the peer alone.
      const limits = { tickMs: 700, downMs: 2800 };
      const {
        node: us,
        child: peer,
        peer: to,
      } = await connected('loop', limits, { tickMs: 60_000, downMs: 120_000 });
      // A stopped process does nothing that could be awaited: another one with the same limits tells by its ticks that they are over.
      const other = await obedient('loop', limits);
      const isOver = outlasts(limits, us, await us.connect(other.name, other.port, 2));
      peer.kill('SIGSTOP');
      await until('the other one ticks for longer than the limit', isOver);
      peer.kill('SIGCONT');
      peer.write('look\n');
      expect((await answer(peer, 'look')).downs).toBe(0);
      await until('it ticks for longer than its limit', outlasts(limits, us, to));
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
    // The loop stands still until the native thread has filled the inbox in its place.
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    for (let looks = 0; a.stats.inboxBytes < limits.inboxBytes && looks < 2000; looks++)
      Atomics.wait(nothing, 0, 0, 10);
    expect(a.stats.inboxBytes, 'the inbox was never full').toBeGreaterThanOrEqual(limits.inboxBytes);
    await until('all came', () => a.numbers().length === burst);
    await b.close();
  });

  it('P1 are handed over when the lane has room again', async () => {
    const { a, b, toA } = await pair();
    const lane = new RawLane();
    const local = localOn(lane.native.attach(a.handle, lane.rx, lane.onBatch));
    await lane.event(NativeEvent.SESSION_UP);
    for (let round = 1; round <= 5; round++) {
      b.flush(toA.session, ...Array.from({ length: burst }, (_, value) => sendFrame(toA.nc, local, value)));
      await until('all came', () => lane.numbers().length === round * burst);
    }
    await b.close();
  });
});
