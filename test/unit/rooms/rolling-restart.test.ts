// Nodes that stop in order, one after the other: each hands over the kept messages that no other node has.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRooms, type Rooms, type RoomsOptions } from '../../../ts/rooms/index.ts';
import { DEFAULT_RESUME, MAX_HANDED_BYTES, SETTLED_MS } from '../../../ts/rooms/limits.ts';
import type { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

type Three<T> = [T, T, T];

/** Of these some are copied to the second node, others to the third. */
const NAMES = Array.from({ length: 20 }, (_, number) => `room ${number}`);

let stage: Stage;
/** What nodes handed over: from, to, and how many messages. */
let handed: [from: number, to: number, count: number][];
beforeEach(() => {
  stage = new Stage();
  handed = [];
  stage.mesh.onSend = (from, to, value) => {
    const [tag, , messages] = value as readonly unknown[];
    const [at, next] = [stage.nodes.indexOf(from), stage.nodes.indexOf(to)];
    if (tag === 'copies') handed.push([at, next, (messages as unknown[]).length]);
  };
});
afterEach(() => stage.mesh.stop());

const count = (): number => handed.reduce((sum, [, , each]) => sum + each, 0);

function start(options: RoomsOptions = {}): Three<Rooms> {
  return stage.nodes.map((node) => createRooms(node, { join: () => true, ...options })) as Three<Rooms>;
}

async function close(...rooms: Rooms[]): Promise<void> {
  for (const each of rooms) {
    each.close();
    await stage.mesh.settle();
  }
}

/** A client on the first node that has left. It joined before the other nodes were known, so its position names the first node only. */
async function leave({ first = start()[0], names = NAMES } = {}): Promise<FakeClient> {
  const { socket } = await stage.client(first, { key: 'ann', joins: names });
  stage.mesh.connectAll();
  await stage.mesh.settle();
  socket.drop();
  return socket;
}

const resynced = (socket: FakeClient): string[] => socket.all('resync').map(([, room]) => room);

it('R16 a client misses no message whose copies were on nodes that have stopped, one after the other', async () => {
  const [first, second, third] = start();
  const before = await leave({ first });
  for (const name of NAMES) first.broadcast(name, 'missed');
  first.sendTo('ann', 'for ann');
  await stage.mesh.settle();
  await close(first);
  expect(handed).toEqual([]); // the others have copies
  await close(second);
  expect(new Set(handed.map(([from, to]) => `${from} ${to}`))).toEqual(new Set(['1 2']));
  createRooms(stage.node(0)); // a peer that answers
  await stage.mesh.settle();
  const { socket } = await stage.back(third, before, NAMES, { key: 'ann' });
  expect(resynced(socket)).toEqual([]);
  expect(NAMES.filter((name) => socket.data(name).join() !== 'missed')).toEqual([]);
});

it('R16 what was handed over is handed on, and is not kept longer for that', async () => {
  const [first, second, third] = start();
  const before = await leave({ first });
  for (const name of NAMES) first.broadcast(name, 'missed');
  await stage.mesh.settle();
  await stage.mesh.pass(10_000);
  await close(first);
  const again = createRooms(stage.node(0), { join: () => true });
  await stage.mesh.settle();
  await close(second, third);
  const { socket } = await stage.back(again, before, NAMES, { key: 'ann' });
  expect(resynced(socket)).toEqual([]);
  expect(NAMES.filter((name) => socket.data(name).join() !== 'missed')).toEqual([]);
  socket.drop();
  await stage.mesh.pass(DEFAULT_RESUME.windowMs * 1.25 - 10_000);
  expect(again.stats().rooms).toBe(0);
});

it('R16 two nodes that are replaced in turn tell nobody resync, and lose nothing', async () => {
  const pair = (at: number): Rooms => createRooms(stage.node(at), { join: () => true });
  const [first, second] = [pair(0), pair(1)];
  stage.mesh.connect(stage.node(0), stage.node(1));
  await stage.mesh.settle();
  const { socket: before } = await stage.client(first, { joins: NAMES });
  before.drop();
  const [, ...quiet] = NAMES;
  first.broadcast('room 0', 1);
  await stage.mesh.settle();
  await close(first);
  second.broadcast('room 0', 2); // its copy was on the node that has stopped, if it had one
  const again = pair(0);
  await stage.mesh.settle();
  await close(second);
  const { socket } = await stage.back(again, before, NAMES);
  expect(resynced(socket)).toEqual([]);
  expect(socket.data('room 0')).toEqual([1, 2]);
  expect(socket.all('joined').map(([, , room]) => room)).toEqual(expect.arrayContaining(quiet));
});

it('R16 a rolling restart of all nodes tells no client of a quiet room resync', async () => {
  const rooms = await stage.cluster({ join: () => true });
  const { socket: before } = await stage.client(rooms[0], { key: 'ann', joins: NAMES });
  before.drop();
  const fresh: Rooms[] = [];
  for (const [at, each] of rooms.entries()) {
    await close(each);
    fresh.push(createRooms(stage.node(at), { join: () => true }));
    await stage.mesh.settle();
  }
  const names = [...NAMES, '\0ann'];
  const { socket } = await stage.back(fresh[1] as Rooms, before, names, { key: 'ann' });
  expect(socket.all('welcome')[0]?.[1].resumed).toBe(true);
  expect(resynced(socket)).toEqual([]);
  expect(socket.all('joined')).toHaveLength(names.length);
  expect(handed).toEqual([]);
});

it('R16 a message that came before a peer had members is handed over', async () => {
  const [first, second, third] = start();
  const before = await leave({ first });
  for (const name of NAMES) first.broadcast(name, 'missed');
  await stage.mesh.settle();
  const { socket: late } = await stage.client(third, { joins: NAMES });
  await close(first, second);
  createRooms(stage.node(0));
  await stage.mesh.settle();
  const { socket } = await stage.back(third, before, NAMES, { key: 'ann' });
  expect(resynced(socket)).toEqual([]);
  expect(NAMES.filter((name) => socket.data(name).join() !== 'missed')).toEqual([]);
  expect([resynced(late), NAMES.filter((name) => late.data(name).length > 0)]).toEqual([[], []]);
});

it('what peers with members have, is not handed over', async () => {
  const rooms = await stage.cluster({ join: () => true });
  for (const each of rooms) await stage.client(each, { joins: ['g'] });
  await stage.mesh.pass(2 * SETTLED_MS);
  for (let number = 0; number < 10; number++) for (const each of rooms) each.broadcast('g', number);
  await stage.mesh.settle();
  await close(...rooms);
  expect(handed).toEqual([]);
});

it.each([2, 3])(
  'R16 members on %i nodes get a message of one that stops, although the outbox to them was full',
  async (size) => {
    const [first, ...others] = stage.nodes
      .slice(0, size)
      .map((node) => createRooms(node, { join: () => true }));
    stage.mesh.connectAll();
    await stage.mesh.settle();
    const clients: FakeClient[] = [];
    for (const each of others) clients.push((await stage.client(each, { joins: ['g'] })).socket);
    await stage.mesh.pass(2 * SETTLED_MS);
    stage.node(0).isFullFor = () => true;
    first?.broadcast('g', 'refused');
    await stage.mesh.settle();
    stage.node(0).isFullFor = () => false;
    await close(first as Rooms);
    await stage.mesh.pass(3000);
    for (const client of clients) expect([client.data('g'), resynced(client)]).toEqual([['refused'], []]);
  },
);

it('R16 without room in the outbox nothing is handed over, and clients are told resync', async () => {
  const [first, second, third] = start();
  const before = await leave({ first });
  for (const name of NAMES) first.broadcast(name, 'missed');
  await stage.mesh.settle();
  await close(first);
  stage.node(1).isFullFor = () => true;
  await close(second);
  expect(handed).toEqual([]);
  createRooms(stage.node(0));
  await stage.mesh.settle();
  const { socket } = await stage.back(third, before, NAMES, { key: 'ann' });
  const had = NAMES.filter((name) => socket.data(name).length > 0);
  expect([...resynced(socket), ...had].toSorted()).toEqual(NAMES.toSorted());
  expect(resynced(socket)).not.toEqual([]);
});

it('R16 a node hands over so much at once; beyond it clients are told resync', async () => {
  const options: RoomsOptions = { join: () => true, resume: { bytes: 2 * MAX_HANDED_BYTES } };
  const [first, second] = [createRooms(stage.node(0), options), createRooms(stage.node(1), options)];
  const { socket: before } = await stage.client(first, { joins: ['long', 'quiet'] });
  stage.mesh.connect(stage.node(0), stage.node(1));
  await stage.mesh.settle();
  before.drop();
  const long = new Uint8Array(MAX_HANDED_BYTES / 16);
  for (let number = 0; number < 16; number++) first.broadcast('long', long); // with the overhead, more than the limit
  await stage.mesh.settle();
  const third = createRooms(stage.node(2), options);
  stage.mesh.connectAll();
  await stage.mesh.settle();
  await close(first, second);
  expect(count()).toBeLessThan(16);
  const { socket } = await stage.back(third, before, ['quiet']);
  expect(resynced(socket)).toEqual(['quiet']);
});

it.each([
  ['longer than `resume.bytes`', { bytes: 1000 }],
  ['that all rooms together had no place for', { totalBytes: 2000 }],
])(
  'R16 clients that missed a message %s are told resync after two nodes have stopped',
  async (_what, resume) => {
    const [first, second, third] = start({ resume });
    const before = await leave({ first });
    for (const name of NAMES) first.broadcast(name, 'x'.repeat(2000));
    await stage.mesh.settle();
    await close(first, second);
    expect(handed).toEqual([]);
    const { socket } = await stage.back(third, before, NAMES, { key: 'ann' });
    expect(resynced(socket).toSorted()).toEqual(NAMES.toSorted());
  },
);

it.each([
  ['two nodes that stop at the same time', [0, 1], []],
  ['a node that stops, and one that is killed', [0], [1]],
  ['a node that is killed, and one that stops', [1], [0]],
] as const)('R16 after %s clients are told resync, or miss nothing', async (_what, stopped, killed) => {
  const rooms = start();
  const before = await leave({ first: rooms[0] });
  for (const name of NAMES) rooms[0].broadcast(name, 'missed');
  if (stopped.length === 1) await stage.mesh.settle();
  if (stopped[0] === 1) for (const each of killed) stage.mesh.crash(stage.node(each));
  for (const each of stopped) rooms[each].close();
  await stage.mesh.settle();
  if (stopped[0] === 0) for (const each of killed) stage.mesh.crash(stage.node(each));
  await stage.mesh.settle();
  const { socket } = await stage.back(rooms[2], before, NAMES, { key: 'ann' });
  const had = NAMES.filter((name) => socket.data(name).length > 0);
  expect([...resynced(socket), ...had].toSorted()).toEqual(NAMES.toSorted());
});

it('R16 a node that learnt only from a lost peer that others had ended does not say that nothing is missing', async () => {
  const [a, b, c] = stage.nodes as Three<(typeof stage.nodes)[0]>;
  const options: RoomsOptions = { join: () => true };
  const first = createRooms(a, options);
  createRooms(b, options);
  const { socket: before } = await stage.client(first, { joins: NAMES });
  stage.mesh.connect(a, b);
  await stage.mesh.settle();
  before.drop();
  for (const name of NAMES) first.broadcast(name, 'missed'); // the copies are on the second node
  await stage.mesh.settle();
  stage.mesh.crash(a);
  await stage.mesh.settle();
  const third = createRooms(c, options);
  stage.mesh.connect(b, c);
  await stage.mesh.settle();
  stage.mesh.crash(b);
  await stage.mesh.settle();
  createRooms(a, options);
  stage.mesh.connect(a, c);
  await stage.mesh.settle();
  const { socket } = await stage.back(third, before, NAMES);
  expect(resynced(socket).toSorted()).toEqual(NAMES.toSorted());
});

it('R16 a client is told resync where a peer that does not answer may have what is missing', async () => {
  const [first, second] = start();
  const before = await leave({ first });
  for (const name of NAMES) first.broadcast(name, 'missed');
  await stage.mesh.settle();
  stage.mesh.crash(stage.node(0));
  await stage.mesh.settle();
  stage.mesh.freeze(stage.node(2));
  const { socket } = await stage.back(second, before, NAMES, { key: 'ann' });
  await stage.mesh.pass(10_000);
  const had = NAMES.filter((name) => socket.data(name).length > 0);
  expect([...resynced(socket), ...had].toSorted()).toEqual(NAMES.toSorted());
});

it('without a window nothing is kept, and nothing handed over', async () => {
  const rooms = await stage.cluster({ join: () => true, resume: { windowMs: 0 } });
  await stage.client(rooms[0], { joins: ['g'] });
  rooms[0].broadcast('g', 'x');
  await close(...rooms);
  expect(handed).toEqual([]);
});

it('R16 a node that is killed alone loses nothing, and tells no client of a quiet room resync', async () => {
  const rooms = await stage.cluster({ join: () => true });
  const { socket: before } = await stage.client(rooms[0], { joins: NAMES });
  before.drop();
  stage.mesh.crash(stage.node(0));
  await stage.mesh.settle();
  const { socket } = await stage.back(rooms[1], before, NAMES);
  expect([resynced(socket), socket.all('joined').length]).toEqual([[], NAMES.length]);
});

it('R16 nodes that stop after messages were dropped which members elsewhere have, tell no client of a quiet room resync', async () => {
  const options: RoomsOptions = { join: () => true, resume: { bytes: 1000 } };
  const rooms = await stage.cluster(options);
  for (const each of rooms) await stage.client(each, { joins: ['busy'] });
  const { socket: before } = await stage.client(rooms[0], { joins: NAMES });
  before.drop();
  await stage.mesh.pass(2 * SETTLED_MS);
  rooms[0].broadcast('busy', 'x'.repeat(2000));
  await stage.mesh.settle();
  await close(rooms[0], rooms[1]);
  const { socket } = await stage.back(rooms[2], before, NAMES);
  expect(resynced(socket)).toEqual([]);
  expect(socket.all('joined')).toHaveLength(NAMES.length);
});
