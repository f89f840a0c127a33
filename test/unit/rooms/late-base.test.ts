// A node that says where its broadcasts in a room begin, and whose word comes late.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

it('R16 what a node has broadcast since comes by way of another one first: nothing is repeated', async () => {
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
  // The new node of the client asks for the room. What the origin answers is on its way from now on.
  let asked = 0;
  mesh.onSend = (from, to, value) => {
    if (from === origin && to === goal && (value as unknown[])[0] === 'based') asked++;
  };
  while (asked === 0) if (!mesh.step()) await nextTurn();
  mesh.hold(origin, goal);
  rooms[0].broadcast('g', 2);
  rooms[0].broadcast('g', 3);
  await mesh.pass(20_000);
  mesh.release(origin, goal);
  await mesh.settle();
  rooms[0].broadcast('g', 4);
  await mesh.settle();
  expect(socket.all('forget')).toEqual([]);
  expect(socket.all('resync')).toEqual([]);
  expect([...before.data('g'), ...socket.data('g')]).toEqual([1, 2, 3, 4]);
});
