// Whole tables that are written to peers, a step in each turn of the event loop.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Snapshots, type Work } from '../../../ts/peer/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { deferred, turns } from '../../support/deadline.ts';

const STEP = 1000;
const MOST_BEHIND = 65_536;

let kit: TestRuntime;
let snapshots: Snapshots<string, string>;
/** What was sent, in order: the peer and the message. */
let sent: string[];
let blocked: Map<string, Promise<void>>;
beforeEach(() => {
  kit = startTestRuntime();
  sent = [];
  blocked = new Map();
  snapshots = new Snapshots(kit.runtime, {
    send: (peer, message) => void sent.push(`${peer} ${message}`),
    whenWritable: (peer) => blocked.get(peer),
  });
});
afterEach(() => kit.stop());

/** A snapshot of so many entries, in parts of `size`. */
function* table(peer: string, entries: number, size = 1): Work & Generator<number> {
  for (let at = 0; at < entries; at += size) {
    sent.push(`${peer} entry`);
    yield size;
  }
}

/** How many messages each turn sent, until a turn sends none. */
async function perTurn(): Promise<number[]> {
  const counts: number[] = [];
  for (let before = sent.length; ; before = sent.length) {
    await nextTurn();
    if (sent.length === before) return counts;
    counts.push(sent.length - before);
  }
}

/** Makes the outbox of a peer full; the result makes room. */
function block(peer: string): () => void {
  const room = deferred();
  blocked.set(peer, room.promise);
  return () => {
    blocked.delete(peer);
    room.resolve();
  };
}

it('P6 a step of a snapshot is written at once, and one in each turn of the event loop', async () => {
  snapshots.begin('a', table('a', 3 * STEP + 1));
  expect(sent).toHaveLength(STEP);
  expect(await perTurn()).toEqual([STEP, STEP, 1]);
});

it('P6 a message of several entries makes the step shorter', async () => {
  snapshots.begin('a', table('a', 3 * STEP, STEP / 2));
  expect(sent).toHaveLength(2);
  expect(await perTurn()).toEqual([2, 2]);
});

it('P6 peers are written to in turn, one step in each turn of the event loop', async () => {
  for (const peer of ['a', 'b', 'c']) snapshots.begin(peer, table(peer, 2 * STEP, STEP));
  await turns();
  expect(sent).toEqual(['a', 'a', 'b', 'c', 'b', 'c'].map((peer) => `${peer} entry`));
});

it('B1 what is sent meanwhile follows the snapshot in order, and is written in steps, too', async () => {
  snapshots.begin('a', table('a', 2 * STEP, STEP));
  for (let at = 0; at < 2 * STEP; at++) snapshots.send('a', String(at));
  snapshots.send('b', 'passes');
  expect(sent).toEqual(['a entry', 'b passes']);
  await nextTurn();
  snapshots.send('a', 'last');
  await turns();
  expect(sent.slice(2)).toEqual([
    'a entry',
    ...Array.from({ length: 2 * STEP }, (_, at) => `a ${at}`),
    'a last',
  ]);
  snapshots.send('a', 'at once');
  expect(sent.at(-1)).toBe('a at once');
});

it('B1 what is sent after a snapshot of one step does not wait', () => {
  snapshots.begin('a', table('a', 1));
  snapshots.send('a', 'next');
  expect(sent).toEqual(['a entry', 'a next']);
});

it('P7 waits for room in the outbox of a peer, and writes to the others meanwhile', async () => {
  const free = block('a');
  snapshots.begin('a', table('a', 2 * STEP, STEP));
  snapshots.begin('b', table('b', 2 * STEP, STEP));
  snapshots.send('a', 'later');
  await turns();
  expect(sent).toEqual(['b entry', 'b entry']);
  free();
  await turns();
  expect(sent.slice(2)).toEqual(['a entry', 'a entry', 'a later']);
});

it('P7 holds no more than a limit for a peer that does not read: its outbox has one, too', () => {
  block('a');
  snapshots.begin('a', table('a', 3 * STEP));
  for (let at = 0; at < MOST_BEHIND; at++) snapshots.send('a', 'change');
  expect(sent).toEqual([]);
  snapshots.send('a', 'last');
  expect(sent).toHaveLength(3 * STEP + MOST_BEHIND + 1);
  expect([sent[3 * STEP - 1], sent[3 * STEP], sent.at(-1)]).toEqual(['a entry', 'a change', 'a last']);
});

it('R4 a snapshot that begins anew, or whose peer is lost, leaves nothing of the one before', async () => {
  const free = block('a');
  snapshots.begin('a', table('a', 2 * STEP, STEP));
  snapshots.send('a', 'old');
  snapshots.begin('a', table('a', STEP, STEP));
  snapshots.send('a', 'new');
  snapshots.begin('b', table('b', 2 * STEP, STEP));
  snapshots.send('b', 'old');
  snapshots.end('b');
  free();
  await turns();
  expect(sent).toEqual(['b entry', 'a entry', 'a new']);
  snapshots.begin('a', table('a', 2 * STEP, STEP));
  snapshots.close();
  await turns();
  expect(sent).toHaveLength(4);
});

it('P7 a snapshot that a peer has begun again and again costs one step in each turn of the event loop', async () => {
  for (let count = 0; count < 100; count++) snapshots.begin('a', table('a', STEP / 2));
  snapshots.begin('b', table('b', 1));
  expect(sent).toHaveLength(STEP / 2);
  expect(await perTurn()).toEqual([STEP / 2, 1]);
});

it('does nothing more when the node has stopped', async () => {
  snapshots.begin('a', table('a', 2 * STEP, STEP));
  kit.stop();
  await turns();
  expect(sent).toEqual(['a entry']);
});

it('logs an error, and sends what follows', async () => {
  function* failing(): Generator<number> {
    yield STEP;
    throw new Error('on purpose');
  }
  snapshots.begin('a', failing());
  snapshots.send('a', 'next');
  await turns();
  expect(sent).toEqual(['a next']);
  expect(kit.logs.map(({ facts }) => facts['event'])).toEqual(['callback_failed']);
});

it('P6 one step is written in a turn of the event loop, to however many peers', async () => {
  for (const peer of ['a', 'b', 'c', 'd']) snapshots.begin(peer, table(peer, 2 * STEP - 1));
  expect(Math.max(...(await perTurn()))).toBe(STEP);
  expect(sent).toHaveLength(4 * (2 * STEP - 1));
});

it('P6 what follows a snapshot is sent in steps, too', async () => {
  snapshots.begin('a', table('a', STEP + 1));
  for (let n = 0; n < 5 * STEP; n++) snapshots.send('a', `${n}`);
  const counts = await perTurn();
  expect(Math.max(...counts)).toBeLessThanOrEqual(STEP + 1);
  expect(sent.slice(STEP + 1)).toEqual(Array.from({ length: 5 * STEP }, (_, n) => `a ${n}`));
});

it('P7 a snapshot stops when the outbox is full meanwhile, and goes on when there is room', async () => {
  snapshots.begin('a', table('a', 3 * STEP));
  const makeRoom = block('a');
  await turns();
  expect(sent).toHaveLength(STEP);
  makeRoom();
  await turns();
  expect(sent).toHaveLength(3 * STEP);
});
