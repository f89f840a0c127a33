// The kept messages of a room are on several nodes, and the node of a client that comes back does not know of all of them.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRooms, type Rooms } from '../../../ts/rooms/index.ts';
import type { FakeNode } from '../global/fake-mesh.ts';
import type { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

/** Of these some are copied to the second node, others to the third. */
const NAMES = Array.from({ length: 20 }, (_, number) => `room ${number}`);

let stage: Stage;
let nodes: [FakeNode, FakeNode, FakeNode];
let rooms: [Rooms, Rooms, Rooms];
beforeEach(() => {
  stage = new Stage();
  nodes = stage.nodes as typeof nodes;
  rooms = nodes.map((node) => createRooms(node, { join: () => true })) as typeof rooms;
});
afterEach(() => stage.mesh.stop());

/** A client on the first node that has left. It joined before the other nodes were known, so its position names the first node only. */
async function leave(...met: FakeNode[]): Promise<FakeClient> {
  const { socket } = await stage.client(rooms[0], { joins: NAMES });
  for (const node of met) stage.mesh.connect(nodes[0], node);
  await stage.mesh.settle();
  socket.drop();
  return socket;
}

async function lose(node: FakeNode): Promise<void> {
  await stage.mesh.settle();
  stage.mesh.crash(node);
  await stage.mesh.settle();
}

const outcomes = (socket: FakeClient): unknown[] =>
  NAMES.map((name) =>
    socket.all('resync').some(([, room]) => room === name) ? 'resync' : socket.data(name).join(),
  );

it('R16 a client gets the messages of a lost node whose copies are on two others', async () => {
  const before = await leave(nodes[1]);
  for (const name of NAMES) rooms[0].broadcast(name, 1);
  stage.mesh.connectAll();
  await stage.mesh.settle();
  for (const name of NAMES) rooms[0].broadcast(name, 2); // the third one now keeps copies, too
  await lose(nodes[0]);
  const { socket } = await stage.back(rooms[1], before, NAMES);
  expect(outcomes(socket)).toEqual(NAMES.map(() => '1,2'));
});

it('R16 a client gets the messages of a node that it has never known and that is lost', async () => {
  const before = await leave(nodes[1], nodes[2]);
  stage.mesh.connectAll();
  await stage.mesh.settle();
  for (const name of NAMES) rooms[2].broadcast(name, 'new'); // only the first one wants it
  await lose(nodes[2]);
  const { socket } = await stage.back(rooms[1], before, NAMES);
  expect(outcomes(socket)).toEqual(NAMES.map(() => 'new'));
});

it('R16 a client is told resync where a peer that does not answer may have what is missing', async () => {
  const before = await leave(nodes[1], nodes[2]);
  stage.mesh.connectAll();
  await stage.mesh.settle();
  for (const name of NAMES) rooms[0].broadcast(name, 'missed');
  await lose(nodes[0]);
  stage.mesh.freeze(nodes[2]);
  const { socket } = await stage.back(rooms[1], before, NAMES);
  await stage.mesh.pass(10_000);
  expect(outcomes(socket)).toEqual(NAMES.map(() => 'resync'));
});
