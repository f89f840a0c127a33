// What rooms remember stays bounded, and whoever is the loser of a bound is told so.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRooms, type Rooms, type RoomsOptions } from '../../../ts/rooms/index.ts';
import { DEFAULT_RESUME } from '../../../ts/rooms/limits.ts';
import { contentOf, RoomMessage } from '../../../ts/rooms/room-message.ts';
import { RoomTable } from '../../../ts/rooms/room-table.ts';
import { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
let rooms: [Rooms, Rooms, Rooms];
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

const OPEN: RoomsOptions = { join: () => true };

/** The third node's rooms start anew so many times, and broadcast once in each life. */
async function manyLives(count: number, options: RoomsOptions = OPEN): Promise<unknown[]> {
  const sent: unknown[] = [];
  for (let life = 0; life < count; life++) {
    rooms[2].close();
    rooms[2] = createRooms(stage.node(2), options);
    await stage.mesh.settle();
    rooms[2].broadcast('g', life);
    sent.push(life);
    await stage.mesh.settle();
  }
  return sent;
}

const originsOf = (client: FakeClient): number => Object.keys(client.place('g')[2]).length;

it('a room that has known many nodes forgets the ended ones: its members miss nothing', async () => {
  rooms = await stage.cluster(OPEN);
  const { socket: before } = await stage.client(rooms[0], { joins: ['g'] });
  const { socket: other } = await stage.client(rooms[1], { joins: ['g'] });
  const sent = await manyLives(300);
  for (const client of [before, other]) expect(client.data('g')).toEqual(sent);
  for (const client of [before, other]) expect(originsOf(client)).toBeLessThan(140);
  before.drop();
  rooms[1].broadcast('g', 'missed');
  await stage.mesh.settle();
  const { socket: back } = await stage.back(rooms[1], before, ['g']);
  rooms[2].broadcast('g', 'last');
  await stage.mesh.settle();
  expect(back.all('refused')).toEqual([]);
  expect(back.all('resync')).toEqual([]);
  expect(back.data('g')).toEqual(['missed', 'last']);
  expect(originsOf(back)).toBeLessThan(140);
});

it('plain sockets get no message about forgotten origins', async () => {
  rooms = await stage.cluster(OPEN);
  const { socket } = await stage.plain(rooms[0], ['g']);
  const sent = await manyLives(140);
  expect(socket.texts).toEqual(sent.map(String));
});

it('a client that was offline when origins were forgotten is told when it reconnects, and misses nothing', async () => {
  rooms = await stage.cluster({ ...OPEN, resume: { windowMs: 1_000_000 } });
  const { socket: before } = await stage.client(rooms[0], { joins: ['g'] });
  await stage.client(rooms[1], { joins: ['g'] });
  const options = { ...OPEN, resume: { windowMs: 1_000_000, count: 20 } };
  await manyLives(120, options);
  before.drop();
  await manyLives(10, options);
  const { socket: back } = await stage.back(rooms[1], before, ['g']);
  expect(back.all('resync')).toEqual([]);
  expect(back.data('g')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(originsOf(back)).toBeLessThan(80);
});

it('a client that has missed a message of a forgotten origin is told resync', async () => {
  rooms = await stage.cluster(OPEN);
  const { socket: before } = await stage.client(rooms[0], { joins: ['g'] });
  await stage.client(rooms[1], { joins: ['g'] });
  before.drop();
  await manyLives(140);
  const { socket: back } = await stage.back(rooms[1], before, ['g']);
  expect(back.all('resync')).toHaveLength(1);
  const again = await stage.back(rooms[0], back, ['g']);
  expect(again.socket.all('resync')).toEqual([]);
});

it('a cursor with many origins that no node knows is shortened', async () => {
  rooms = await stage.cluster(OPEN);
  const { socket: before } = await stage.client(rooms[0], { joins: ['g'] });
  const [room, ticket, cursor] = before.place('g');
  before.drop();
  const strange = Object.fromEntries(Array.from({ length: 200 }, (_, number) => [`o${number}`, 1]));
  const client = new FakeClient();
  rooms[1].accept(client);
  client.hello(before.session, [[room, ticket, { ...cursor, ...strange }]]);
  await stage.mesh.settle();
  expect(originsOf(client)).toBeLessThan(10);
});

it('a client that was offline for longer than the window is told resync, also when all nodes have forgotten the room', async () => {
  rooms = await stage.cluster({ ...OPEN, resume: { windowMs: 10_000 } });
  const { socket: before } = await stage.client(rooms[0], { joins: ['g'] });
  before.drop();
  rooms[2].broadcast('g', 'missed');
  await stage.mesh.settle();
  stage.mesh.crash(stage.node(2));
  await stage.mesh.pass(40_000);
  const { socket: back } = await stage.back(rooms[1], before, ['g'], { awayMs: 40_000 });
  expect(back.all('resync').map(([, room, , , reason]) => [room, reason])).toEqual([['g', 'window']]);
});

it('the kept messages of all rooms together are limited: the rooms without a message for the longest time lose theirs, and their clients are told resync', async () => {
  const alone = stage.alone({ ...OPEN, resume: { totalBytes: 20_000 } });
  const { socket: before } = await stage.client(alone, { joins: ['a', 'b', 'c'] });
  before.drop();
  alone.broadcast('a', 'first');
  alone.broadcast('c', 'x'.repeat(1000));
  for (let number = 0; number < 52; number++) alone.broadcast('b', 'x'.repeat(100));
  await stage.mesh.settle();
  const { socket: back } = await stage.back(alone, before, ['a', 'b', 'c']);
  expect(back.all('resync').map(([, room]) => room)).toEqual(['a']);
  expect([back.data('b').length, back.data('c').length]).toEqual([52, 1]);
});

it('the rooms whose messages a node keeps for others are limited, and a client that would miss a message is told resync', async () => {
  rooms = await stage.cluster({ ...OPEN, resume: { totalBytes: 30_000 } });
  const names = Array.from({ length: 60 }, (_, number) => `room ${number}`);
  const { socket: before } = await stage.client(rooms[0], { joins: names });
  const places = names.map((name) => before.place(name));
  before.drop();
  for (const name of names) rooms[0].broadcast(name, 'x'.repeat(1000));
  await stage.mesh.settle();
  stage.mesh.crash(stage.node(0));
  await stage.mesh.settle();
  const client = new FakeClient();
  rooms[1].accept(client);
  client.hello(before.session, places);
  await stage.mesh.settle();
  const had = names.filter((name) => client.data(name).length === 1);
  const told = names.filter((name) => client.all('resync').some(([, room]) => room === name));
  expect([...had, ...told].sort()).toEqual([...names].sort());
  expect(had.length).toBeGreaterThan(10);
  expect(had.length).toBeLessThan(50);
});

it('a room whose messages were dropped is told of as lost once it is removed, but not after the window', () => {
  let lost = 0;
  const limits = { ...DEFAULT_RESUME, bytes: 10 };
  const listener = { unwanted: () => {}, backupDropped: () => void lost++ };
  const table = new RoomTable(stage.node(0).runtime, 'own', limits, listener);
  const keep = (bytes: number, age: number): void => {
    const arrivedAt = stage.node(0).runtime.now() - age;
    const id = { origin: 'other', sequence: 1, previous: 0 };
    const room = table.getOrCreate('g');
    room.ring.push(new RoomMessage(id, contentOf('x'.repeat(bytes)), [], arrivedAt), {
      ...DEFAULT_RESUME,
      bytes: 10,
    });
    table.release(room);
  };
  keep(11, DEFAULT_RESUME.windowMs + 1);
  expect([lost, table.size]).toEqual([0, 0]);
  keep(11, 0);
  expect([lost, table.size]).toEqual([1, 0]);
  keep(10, 0);
  expect([lost, table.size]).toEqual([1, 1]);
});

it('a user that is in as many rooms as allowed keeps the room of its key', async () => {
  rooms = await stage.cluster({ ...OPEN, limits: { rooms: 3 } });
  const { socket: before } = await stage.client(rooms[0], { key: 'alice', joins: ['a', 'b'] });
  before.tell(['leave', 9, 'a']);
  before.tell(['join', 10, 'c']);
  await stage.mesh.settle();
  before.tell(['leave', 11, 'b']);
  before.tell(['join', 12, 'd']);
  await stage.mesh.settle();
  const names = ['a', 'b', 'c', 'd'];
  const places = names.map((name) => before.place(name));
  before.drop();
  const client = new FakeClient();
  rooms[1].accept(client, { key: 'alice' });
  client.hello(before.session, places.slice(0, 3));
  client.tell(['resume', places.slice(3)]);
  await stage.mesh.settle();
  expect(client.closed).toBeUndefined();
  expect(client.all('joined').map(([, , room]) => room)).toEqual(['a', 'b', 'c', '\0alice']);
  expect(client.all('refused').map(([, , room]) => room)).toEqual(['d']);
});
