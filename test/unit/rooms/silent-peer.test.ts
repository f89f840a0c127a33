// A peer that answers nothing, and whose end is not noticed yet: what clients ask for waits for it once.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRooms, type Rooms } from '../../../ts/rooms/index.ts';
import { Interest } from '../../../ts/rooms/interest.ts';
import { COUNT_MS, DEFAULT_RESUME } from '../../../ts/rooms/limits.ts';
import { Peers } from '../../../ts/rooms/peers.ts';
import { RoomTable } from '../../../ts/rooms/room-table.ts';
import { turns } from '../../support/deadline.ts';
import { kit } from '../../support/kit.ts';
import { LoneNode } from '../global/lone-node.ts';
import { type FakeClient, FakeSocket } from './fake-socket.ts';
import { Stage } from './stage.ts';

const NAMES = Array.from({ length: 40 }, (_, number) => `r${number}`);

let stage: Stage;
let rooms: [Rooms, Rooms, Rooms];
beforeEach(async () => {
  stage = new Stage();
  rooms = await stage.cluster({ join: () => true });
});
afterEach(() => stage.mesh.stop());

const hold = (): void => stage.mesh.hold(stage.node(0), stage.node(1));
const joined = (socket: FakeClient): string[] => socket.all('joined').map(([, , room]) => room);

it('R15 first joins of many rooms wait for it together', async () => {
  const { socket } = await stage.client(rooms[0]);
  hold();
  for (const [index, room] of NAMES.entries()) socket.tell(['join', index + 1, room]);
  await stage.mesh.pass(4750);
  expect(joined(socket)).toEqual([]);
  await stage.mesh.pass(250);
  expect(joined(socket)).toEqual(NAMES);
});

it('R15 a later join does not wait for it again before something has come from it', async () => {
  const { socket } = await stage.client(rooms[0]);
  hold();
  socket.tell(['join', 1, 'first']);
  await stage.mesh.pass(5000);
  socket.tell(['join', 2, 'second']);
  await stage.mesh.settle();
  expect(joined(socket)).toEqual(['first', 'second']);
  stage.mesh.release(stage.node(0), stage.node(1));
  await stage.mesh.settle();
  hold();
  socket.tell(['join', 3, 'third']);
  await stage.mesh.pass(4750);
  expect(joined(socket)).toEqual(['first', 'second']);
  await stage.mesh.pass(250);
  expect(joined(socket)).toEqual(['first', 'second', 'third']);
});

it('R15 a join waits its whole time for a peer that is slow, but answers', async () => {
  const node = new LoneNode();
  const lone = createRooms(node);
  const peer = node.up('peer@fake:1', 256, ['hello', 1, 'first', [['key', new Uint8Array(32)]], false]);
  const connection = lone.accept(new FakeSocket());
  const ended: string[] = [];
  const join = (room: string): void => void connection.join(room).then(() => ended.push(room));
  join('a');
  await node.kit.advance(4000);
  join('b');
  await node.kit.advance(900);
  node.say(peer, ['based', [['a', 0, 0]]]);
  await node.kit.advance(4000);
  expect(ended).toEqual(['a']);
  node.say(peer, ['based', [['b', 0, 0]]]);
  await turns(1);
  expect(ended).toEqual(['a', 'b']);
  join('c');
  await node.kit.advance(5000);
  expect(ended).toEqual(['a', 'b', 'c']);
  node.kit.stop();
});

it('R16 a client that comes back to many rooms waits for it once', async () => {
  const { socket: before } = await stage.client(rooms[0], { joins: NAMES });
  before.drop();
  await stage.mesh.settle();
  stage.mesh.hold(stage.node(2), stage.node(1));
  const { socket } = await stage.back(rooms[2], before, NAMES);
  await stage.mesh.pass(2000);
  expect(socket.all('welcome')).toHaveLength(1); // its session was asked for
  await stage.mesh.pass(3000);
  expect(joined(socket).length + socket.all('resync').length).toBe(NAMES.length);
});

it('a client whose join waits, and that the server removes meanwhile, is told so', async () => {
  const { socket, connection } = await stage.client(rooms[0]);
  hold();
  socket.tell(['join', 1, 'g']);
  await stage.mesh.settle();
  connection.leave('g');
  await stage.mesh.pass(5000);
  expect([joined(socket), socket.all('refused')]).toEqual([[], [['refused', 1, 'g', 'left meanwhile']]]);
});

it('a room is remembered as not answered only while it is wanted', async () => {
  const { runtime } = kit;
  const peers = new Peers(runtime);
  const peer = peers.up({ node: 'peer', incarnation: 1n, nc: 1, hidden: false, connection: 1 });
  peer.takesPart = true;
  const table = new RoomTable(runtime, 'own', DEFAULT_RESUME, { unwanted() {}, backupDropped() {} });
  const interest = new Interest(runtime, table, peers, 0, undefined);
  const [first = '', ...others] = NAMES;
  for (const name of NAMES) await interest.open(table.getOrCreate(name));
  expect([...peer.unanswered]).toEqual(NAMES);
  table.getOrCreate(first).addMember({} as never);
  for (const name of others) interest.changed(table.getOrCreate(name)); // nobody is in it
  await kit.advance(COUNT_MS);
  expect([...peer.unanswered]).toEqual([first]);
});
