// A member of the cluster that hands over what it does not have, or says wrong things as it stops.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ChannelPeer } from '../../../ts/node/index.ts';
import { createRooms, type Rooms, type RoomsOptions } from '../../../ts/rooms/index.ts';
import {
  COPIES_BYTES,
  MAX_COPIES,
  MAX_CURSOR,
  MAX_ENDED,
  MAX_HANDED_BYTES,
  MESSAGE_OVERHEAD_BYTES,
} from '../../../ts/rooms/limits.ts';
import { parseMessage } from '../../../ts/rooms/messages.ts';
import type { RoomService } from '../../../ts/rooms/room-service.ts';
import type { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
let rooms: Rooms;
let other: Rooms;
/** What the peer says. */
let say: (...messages: (readonly unknown[])[]) => Promise<void>;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

/** Two honest nodes and a peer that takes part by hand, and a client on the first that is in `g`. */
async function meet(options: RoomsOptions = {}): Promise<FakeClient> {
  const all = { join: () => true, ...options };
  [rooms, other] = [createRooms(stage.node(0), all), createRooms(stage.node(1), all)];
  const far = stage.node(2).channel('rooms', {
    up: (peer) => far.send(peer, ['hello', 1, 'far', [['key', new Uint8Array(32)]], false]),
    down: () => {},
    message: (peer, value) => {
      const [tag, entries] = value as [string, [string, number][]];
      if (tag === 'interest') far.send(peer, ['based', entries.map(([room]) => [room, 0, 0])]);
    },
  });
  say = async (...messages) => {
    for (const each of messages) far.send(stage.node(2).peers.get(stage.node(0)) as ChannelPeer, each);
    await stage.mesh.settle();
  };
  stage.mesh.connectAll();
  await stage.mesh.settle();
  return (await stage.client(rooms, { joins: ['g'] })).socket;
}

const service = (at: number): RoomService => stage.node(at).listener as RoomService;
const told = (origin: string, sequence: number, text = 'x', age = 0): unknown[] => [
  origin,
  sequence,
  sequence - 1,
  0,
  Buffer.from(text),
  [],
  age,
];
const logged = (): unknown[] =>
  stage
    .node(0)
    .kit.logs.filter(({ facts }) => facts['event'] === 'rooms_bad_message')
    .map(({ facts }) => facts['what']);

it('what is no hand-over is an invalid message', async () => {
  const good = [told('gone', 1)];
  for (const right of [
    ['copies', 'g', good],
    ['bye', [], []],
    ['bye', ['abc'], [['abc', true]]],
  ])
    expect(parseMessage(right)).toEqual(right);
  for (const wrong of [
    ['copies'],
    ['copies', 'g'],
    ['copies', '', good],
    ['copies', 'g', []],
    ['copies', 'g', good, 1],
    ['copies', 'g', [told('gone', 0)]],
    ['copies', 'g', [told('constructor', 1)]],
    ['copies', 'g', [told('gone', 1, 'x', -1)]],
    ['copies', 'g', [['gone', 1, 0, 1, Buffer.from('no JSON'), [], 0]]],
    ['copies', 'g', Array.from({ length: MAX_COPIES + 1 }, (_, at) => told('gone', at + 1))],
    ['bye'],
    ['bye', []],
    ['bye', ['no origin'], []],
    ['bye', [], [['abc', 1]]],
    ['bye', [], [], true],
    ['bye', Array.from({ length: MAX_ENDED + 1 }, (_, at) => `o${at}`), []],
    ['bye', [], Array.from({ length: MAX_ENDED + 1 }, (_, at) => [`o${at}`, true])],
  ])
    expect(parseMessage(wrong)).toBeUndefined();
  await meet();
  await say(['copies', 'new', [told('gone', 0)]]);
  expect([logged(), service(0).table.get('new')]).toEqual([['an invalid message'], undefined]);
});

it('a part of a hand-over of short messages is a valid message', () =>
  expect(COPIES_BYTES / MESSAGE_OVERHEAD_BYTES).toBeLessThanOrEqual(MAX_COPIES));

it('of nodes that are connected nothing can be handed over', async () => {
  const client = await meet();
  const [own, present] = [service(0).table.origin, service(1).table.origin];
  rooms.broadcast('g', 'mine');
  other.broadcast('g', 'theirs');
  await stage.mesh.settle();
  await say(['copies', 'g', [own, present].flatMap((origin) => [2, 1000].map((at) => told(origin, at)))]);
  rooms.broadcast('g', 'mine');
  other.broadcast('g', 'theirs');
  await stage.mesh.settle();
  expect(client.data('g').toSorted()).toEqual(['mine', 'mine', 'theirs', 'theirs']);
  expect([client.all('resync'), service(0).table.get('g')?.ring.newest(present)]).toEqual([[], 2]);
});

it('so much is taken of one peer, whatever it hands over, and the rooms keep no more than their limits', async () => {
  await meet({ resume: { count: 10, totalBytes: 100_000 } });
  const part = Array.from({ length: MAX_COPIES }, (_, at) => told('gone', at + 1));
  const most = Math.floor(MAX_HANDED_BYTES / (MAX_COPIES * (MESSAGE_OVERHEAD_BYTES + 1)));
  for (let at = 0; at < most; at++) await say(['copies', `room ${at}`, part]);
  expect(logged()).toEqual([]);
  expect(service(0).table.get(`room ${most - 1}`)?.kept).toBe(10);
  await say(['copies', 'last', part], ['copies', 'last', [told('gone', 1)]]);
  expect([logged(), service(0).table.get('last')]).toEqual([
    ['more copies than a node hands over'],
    undefined,
  ]);
  const kept = [...service(0).table].reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  expect(kept).toBeLessThanOrEqual(100_000);
});

it('a room learns of so many nodes by copies', async () => {
  await meet();
  for (let from = 0; from < 2; from++) {
    const origins = Array.from({ length: MAX_COPIES }, (_, at) => told(`o${from * MAX_COPIES + at}`, 1));
    await say(['copies', 'g', origins]);
  }
  expect(Object.keys(service(0).table.get('g')?.ring.cursor() ?? {}).length).toBeLessThanOrEqual(
    MAX_CURSOR / 2,
  );
});

it('after its bye a peer can hand over nothing', async () => {
  await meet();
  await say(['bye', [], []], ['copies', 'late', [told('far', 1)]]);
  expect([logged(), service(0).table.get('late')]).toEqual([['a message before its hello'], undefined]);
});

it('copies that are as old as the window are not kept', async () => {
  await meet();
  await say(['copies', 'old', [told('gone', 1, 'x', 1e12)]]);
  await stage.mesh.pass(40_000);
  expect(service(0).table.get('old')).toBeUndefined();
});

it('what a peer says to have ended does not count of nodes that are connected', async () => {
  await meet();
  const [own, present] = [service(0).table.origin, service(1).table.origin];
  await say(['bye', [own, present], [own, present, 'gone'].map((origin) => [origin, true])]);
  expect(service(0).history.recentlyEnded()).toEqual([
    ['gone', true],
    ['far', false],
  ]);
});

it('what is handed over of a connected node counts when that one ends within the window, whatever else is handed over of it', async () => {
  await meet({ resume: { windowMs: 8000 } });
  const present = service(1).table.origin;
  await say(['copies', 'early', [told(present, 1)]]);
  await stage.mesh.pass(9000);
  await say(['copies', 'late', [told(present, 2)]]);
  expect([service(0).table.get('early'), service(0).table.get('late')]).toEqual([undefined, undefined]);
  other.close();
  await stage.mesh.settle();
  expect([service(0).table.get('early')?.kept, service(0).table.get('late')?.kept]).toEqual([undefined, 1]);
});

it('so much is kept of what is handed over of connected nodes, and a node that drops some says that its copies are lost', async () => {
  await meet();
  const { table, history } = service(0);
  const present = service(1).table.origin;
  const text = 'x'.repeat(2 ** 20);
  const hello = ['hello', 1, 'far', [['key', new Uint8Array(32)]], false];
  for (let at = 0; at < 14; at++) {
    if (at === 7) await say(hello);
    await say(['copies', `room ${at}`, [told(present, at + 1, text)]]);
  }
  expect(logged()).toEqual([]);
  expect(history.recentlyEnded()).toEqual([[table.origin, true]]);
  other.close();
  await stage.mesh.settle();
  expect([...table].map(({ name }) => name).toSorted()).toEqual(
    ['g', ...Array.from({ length: 7 }, (_, at) => `room ${at}`)].toSorted(),
  );
});
