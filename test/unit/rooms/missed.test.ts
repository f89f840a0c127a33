// What peers are asked for a client that resumes, while nodes stop: what a node that stops hands over may still be on its way to another one.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRooms, type Rooms } from '../../../ts/rooms/index.ts';
import { COUNT_MS, HISTORY_MS } from '../../../ts/rooms/limits.ts';
import type { FakeNode } from '../global/fake-mesh.ts';
import type { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

/** Of these some are copied to the second node, others to the third. */
const NAMES = Array.from({ length: 20 }, (_, number) => `room ${number}`);

type Three<T> = [T, T, T];

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

const resynced = (socket: FakeClient): string[] => socket.all('resync').map(([, room]) => room);

it('R16 a client that comes back while a peer that was asked for it stops is told no resync, and misses nothing', async () => {
  const rooms = await stage.cluster({ join: () => true });
  const { socket: before } = await stage.client(rooms[0], { key: 'ann', joins: NAMES });
  before.drop();
  const [, ...quiet] = NAMES;
  rooms[0].broadcast('room 0', 'missed');
  await stage.mesh.settle();
  rooms[0].close();
  await stage.mesh.settle();
  let isAsked = false;
  stage.mesh.onSend = (from, to, value) => {
    const [tag] = value as readonly unknown[];
    if (isAsked || tag !== 'ask' || from !== stage.node(2) || to !== stage.node(1)) return;
    isAsked = true;
    queueMicrotask(() => rooms[1].close());
  };
  const { socket } = await stage.back(rooms[2], before, [...NAMES, '\0ann'], { key: 'ann' });
  expect(isAsked).toBe(true);
  expect(resynced(socket)).toEqual([]);
  expect(socket.data('room 0')).toEqual(['missed']);
  expect(socket.all('joined').map(([, , room]) => room)).toEqual(expect.arrayContaining(quiet));
});

/** Clients that left before the only node that knows their messages stopped; its copies for the third node are held back. */
async function handOverHeld(): Promise<{ readonly again: Rooms; readonly before: FakeClient }> {
  const [a, b, c] = stage.nodes as Three<FakeNode>;
  const [first, second] = stage.nodes.map((node) => createRooms(node, { join: () => true })) as Three<Rooms>;
  // It joins before the other nodes are known, so its position names the first one only.
  const { socket: before } = await stage.client(first, { key: 'ann', joins: NAMES });
  stage.mesh.connectAll();
  await stage.mesh.settle();
  before.drop();
  for (const name of NAMES) first.broadcast(name, 'missed');
  await stage.mesh.settle();
  first.close();
  await stage.mesh.settle();
  const again = createRooms(a, { join: () => true });
  await stage.mesh.settle();
  stage.mesh.hold(b, c);
  second.close();
  await stage.mesh.settle();
  return { again, before };
}

it('R16 a client misses nothing of what a node that has stopped handed over, although another one has not read it yet', async () => {
  const { again, before } = await handOverHeld();
  const { socket } = await stage.back(again, before, NAMES, { key: 'ann' });
  stage.mesh.release(stage.node(1), stage.node(2));
  await stage.mesh.settle();
  expect(resynced(socket)).toEqual([]);
  expect(NAMES.filter((name) => socket.data(name).join() !== 'missed')).toEqual([]);
});

it('R16 a client does not wait for a peer that has read what was handed over to it since its answer', async () => {
  const { again, before } = await handOverHeld();
  const [a, b, c] = stage.nodes as Three<FakeNode>;
  createRooms(b); // it answers last
  await stage.mesh.settle();
  let isHeld = false;
  stage.mesh.onSend = (from, to, value) => {
    if (isHeld || from !== b || to !== a || (value as readonly unknown[])[0] !== 'told') return;
    stage.mesh.hold(a, b);
    isHeld = true;
  };
  const { socket } = await stage.back(again, before, NAMES, { key: 'ann' });
  expect(isHeld).toBe(true);
  stage.mesh.release(b, c);
  await stage.mesh.settle();
  stage.mesh.release(a, b);
  await stage.mesh.settle();
  expect(NAMES.filter((name) => socket.data(name).join() !== 'missed')).toEqual([]);
});

it('R16 a client is told resync if a peer does not read in time what was handed over to it', async () => {
  const { again, before } = await handOverHeld();
  const { socket } = await stage.back(again, before, NAMES, { key: 'ann' });
  await stage.mesh.pass(10_000);
  const had = NAMES.filter((name) => socket.data(name).length > 0);
  expect([...resynced(socket), ...had].toSorted()).toEqual(NAMES.toSorted());
  expect(socket.all('resync')).not.toEqual([]);
});

it.each([
  ['are too long to be kept', { bytes: 200, windowMs: 4000 }, 1, 300],
  ['are more than a node hands over', { bytes: 32 * 2 ** 20, windowMs: 4000 }, 18, 2 ** 19],
] as const)(
  'R16 a member is told resync if a node stops whose outbox was full for messages that %s',
  async (_why, resume, count, length) => {
    const rooms = await stage.cluster({ join: () => true, resume });
    const { socket } = await stage.client(rooms[1], { joins: ['g'] });
    stage.node(0).isFullFor = () => true;
    for (let number = 0; number < count; number++) rooms[0].broadcast('g', 'x'.repeat(length));
    stage.node(0).isFullFor = () => false;
    rooms[0].close();
    await stage.mesh.pass(9000);
    expect(socket.data('g')).toEqual([]);
    expect(resynced(socket)).toEqual(['g']);
  },
);

it('R16 a client waits for a message that a peer may still get from a node that is lost here, and that its rooms did not follow', async () => {
  const [a, b, c] = stage.nodes as Three<FakeNode>;
  const [first, second, third] = stage.nodes.map((node) =>
    createRooms(node, { join: () => true }),
  ) as Three<Rooms>;
  const { socket: before } = await stage.client(first, { joins: ['g'] }); // its position names the first node only
  stage.mesh.connectAll();
  await stage.mesh.settle();
  before.drop();
  stage.mesh.hold(a, b);
  second.broadcast('g', 'missed');
  stage.mesh.cut(b, c);
  await stage.mesh.settle();
  const { socket } = await stage.back(third, before, ['g']);
  expect(socket.all('joined')).toEqual([]);
  stage.mesh.release(a, b);
  await stage.mesh.settle();
  stage.mesh.cut(a, b);
  await stage.mesh.settle();
  expect([socket.data('g'), resynced(socket)]).toEqual([['missed'], []]);
});

/**
 * Clients that left before the only node with members stopped. It handed nothing over for rooms whose copies are on the second node, which stands
 * still and has not met the new rooms of the third one.
 */
async function unmetKeeper(): Promise<{ readonly again: Rooms; readonly before: FakeClient }> {
  const [first, , third] = await stage.cluster({ join: () => true });
  const { socket: before } = await stage.client(first, { key: 'ann', joins: NAMES });
  before.drop();
  for (const name of NAMES) first.broadcast(name, 'missed');
  await stage.mesh.settle();
  stage.mesh.freeze(stage.node(1));
  third.close();
  await stage.mesh.settle();
  const again = createRooms(stage.node(2), { join: () => true });
  await stage.mesh.settle();
  first.close();
  await stage.mesh.settle();
  return { again, before };
}

it('R16 a client misses nothing of what a node keeps that introduces itself after the client came back', async () => {
  const { again, before } = await unmetKeeper();
  const { socket } = await stage.back(again, before, NAMES, { key: 'ann' });
  expect(socket.all('joined')).toEqual([]);
  stage.mesh.thaw(stage.node(1));
  await stage.mesh.settle();
  expect(resynced(socket)).toEqual([]);
  expect(NAMES.filter((name) => socket.data(name).join() !== 'missed')).toEqual([]);
});

it('R16 a client is told resync if a node that may keep what it missed does not introduce itself in time', async () => {
  const { again, before } = await unmetKeeper();
  const { socket } = await stage.back(again, before, NAMES, { key: 'ann' });
  await stage.mesh.pass(HISTORY_MS);
  expect(resynced(socket).toSorted()).toEqual(NAMES.toSorted());
});

it('R16 a member misses nothing of what a node handed over of one that stopped before, although its node reads the end of that one last', async () => {
  const [a, , c] = stage.nodes as Three<FakeNode>;
  const [first, second, third] = await stage.cluster({ join: () => true });
  const { socket } = await stage.client(third, { joins: ['g'] });
  a.isFullFor = ({ node }) => node === c.name;
  first.broadcast('g', 'missed');
  stage.mesh.hold(a, c);
  first.close();
  await stage.mesh.settle();
  second.close();
  await stage.mesh.settle();
  expect(socket.data('g')).toEqual([]);
  stage.mesh.release(a, c);
  await stage.mesh.settle();
  expect([socket.data('g'), resynced(socket)]).toEqual([['missed'], []]);
});

it('R16 a client is told resync if a node stopped that had not introduced itself to the new rooms of another one', async () => {
  const [first, , third] = await stage.cluster({ join: () => true });
  const { socket: before } = await stage.client(third, { joins: ['g'] });
  before.drop();
  stage.mesh.hold(stage.node(0), stage.node(2));
  third.close();
  const again = createRooms(stage.node(2), { join: () => true });
  first.broadcast('g', 'missed');
  first.close();
  await stage.mesh.settle();
  stage.mesh.release(stage.node(0), stage.node(2));
  await stage.mesh.settle();
  const { socket } = await stage.back(again, before, ['g']);
  await stage.mesh.pass(HISTORY_MS);
  expect([socket.data('g'), resynced(socket)]).toEqual([[], ['g']]);
  expect(stage.node(2).kit.logs.filter(({ facts }) => facts['event'] === 'rooms_bad_message')).toEqual([]);
});

it('rooms that are closed while clients wait for a peer wait no longer', async () => {
  const { again, before } = await handOverHeld();
  await stage.back(again, before, NAMES, { key: 'ann' });
  again.close();
  await stage.mesh.settle();
  const { clock } = stage.node(0).kit;
  while (clock.step(COUNT_MS));
  expect(clock.next).toBeGreaterThan(HISTORY_MS);
});

it('R16 a client is told resync by a node without peers that has never met a node that the client knows', async () => {
  const [a, b, c] = stage.nodes as Three<FakeNode>;
  const [first, second, third] = stage.nodes.map((node) =>
    createRooms(node, { join: () => true }),
  ) as Three<Rooms>;
  stage.mesh.connect(a, b);
  stage.mesh.connect(b, c);
  await stage.mesh.settle();
  const { socket: before } = await stage.client(second, { joins: ['g'] });
  first.broadcast('g', 'of the first');
  await stage.mesh.settle();
  expect(before.data('g')).toEqual(['of the first']);
  before.drop();
  first.broadcast('g', 'missed');
  await stage.mesh.settle();
  stage.mesh.crash(b);
  const { socket } = await stage.back(third, before, ['g']);
  await stage.mesh.pass(HISTORY_MS);
  expect([socket.data('g'), resynced(socket)]).toEqual([[], ['g']]);
});

it('R16 peers are asked once for all clients that come back to a room after a node was lost', async () => {
  const [first, , third] = stage.nodes.map((node) => createRooms(node, { join: () => true })) as Three<Rooms>;
  // They join before the other nodes are known, so their positions name the first one only.
  const left: FakeClient[] = [];
  for (const key of ['ann', 'bob', 'cid'])
    left.push((await stage.client(first, { key, joins: ['g'] })).socket);
  stage.mesh.connectAll();
  await stage.mesh.settle();
  for (const each of left) each.drop();
  stage.mesh.crash(stage.node(1));
  await stage.mesh.pass(250);
  const asked: string[] = [];
  for (const key of ['ann', 'bob', 'cid']) {
    stage.mesh.onSend = (_from, _to, value) => {
      if ((value as readonly unknown[])[0] === 'ask') asked.push(key);
    };
    const { socket } = await stage.back(third, left.shift() as FakeClient, ['g'], { key, awayMs: 1000 });
    expect(resynced(socket)).toEqual([]);
  }
  expect(asked).toEqual(['ann']);
});
