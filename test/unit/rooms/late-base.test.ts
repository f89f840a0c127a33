// A node that says where its broadcasts in a room begin, and whose word comes late.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Rooms } from '../../../ts/rooms/index.ts';
import { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

/** A client comes back to the second node while what the first one says of the room is on its way, and held back. */
async function withLateBase(): Promise<{ rooms: Rooms[]; before: FakeClient; socket: FakeClient }> {
  const { mesh } = stage;
  const rooms = await stage.cluster({ join: () => true });
  const [origin, goal] = [stage.node(0), stage.node(1)];
  const { socket: before } = await stage.client(rooms[2], { joins: ['g'] });
  await stage.client(rooms[2], { joins: ['g'] });
  rooms[0].broadcast('g', 1);
  await mesh.settle();
  before.drop();
  const socket = new FakeClient(before);
  rooms[1].accept(socket);
  socket.hello(before.session, [before.place('g')]);
  let based = 0;
  mesh.onSend = (from, to, value) => {
    if (from === origin && to === goal && (value as unknown[])[0] === 'based') based++;
  };
  while (based === 0) if (!mesh.step()) await nextTurn();
  mesh.hold(origin, goal);
  rooms[0].broadcast('g', 2);
  rooms[0].broadcast('g', 3);
  await mesh.pass(10_000);
  return { rooms, before, socket };
}

it('R16 what a node has broadcast since comes by way of another one first: nothing is repeated', async () => {
  const { mesh } = stage;
  const { rooms, before, socket } = await withLateBase();
  mesh.release(stage.node(0), stage.node(1));
  await mesh.settle();
  rooms[0]?.broadcast('g', 4);
  await mesh.settle();
  expect(socket.all('forget')).toEqual([]);
  expect(socket.all('resync')).toEqual([]);
  expect(socket.closed).toBeUndefined();
  expect([...before.data('g'), ...socket.data('g')]).toEqual([1, 2, 3, 4]);
});

it('a node that is asked once more and stands still is asked again a few times, and nothing is lost', async () => {
  const { mesh } = stage;
  const { rooms, before, socket } = await withLateBase();
  const [origin, goal] = [stage.node(0), stage.node(1)];
  const asked = new Map<unknown, number>();
  mesh.onSend = (from, to, value) => {
    const [tag] = value as unknown[];
    if (from === goal && to === origin) asked.set(tag, (asked.get(tag) ?? 0) + 1);
  };
  mesh.release(origin, goal);
  while (!asked.has('interest')) if (!mesh.deliver(origin, goal)) await nextTurn();
  mesh.hold(origin, goal);
  await mesh.pass(12_000);
  expect([asked.get('interest'), asked.get('ask')]).toEqual([1, 3]); // at once, and after 2 and 4 s more
  mesh.release(origin, goal);
  await mesh.settle();
  rooms[0]?.broadcast('g', 4);
  await mesh.settle();
  expect(socket.all('resync')).toEqual([]);
  expect(socket.all('forget')).toEqual([]);
  expect(socket.closed).toBeUndefined();
  expect([...before.data('g'), ...socket.data('g')]).toEqual([1, 2, 3, 4]);
});
