// Rooms that are closed while their tables are being told to a peer: nothing is read or told any more.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createRooms, type Rooms } from '../../../ts/rooms/index.ts';
import { Peers } from '../../../ts/rooms/peers.ts';
import { RoomTable } from '../../../ts/rooms/room-table.ts';
import { turns } from '../../support/deadline.ts';
import { LoneNode } from '../global/lone-node.ts';
import { FakeSocket } from './fake-socket.ts';

const COUNT = 5000;
let node: LoneNode;
let rooms: Rooms;
beforeEach(() => {
  node = new LoneNode();
  rooms = createRooms(node, { limits: { rooms: COUNT } });
});
afterEach(() => {
  vi.restoreAllMocks();
  node.kit.stop();
});

const connect = (name: string, origin: string): ReturnType<LoneNode['up']> =>
  node.up(name, 256, ['hello', 1, origin, [[`key of ${origin}`, new Uint8Array(32)]], false]);

it('P6 the presence of the node is told no further', async () => {
  const connection = rooms.accept(new FakeSocket());
  for (let at = 0; at < COUNT; at++) connection.track(`r${at}`, 'here');
  await turns(2);
  connect('peer@fake:1', 'first');
  const told = vi.spyOn(Peers.prototype, 'send');
  await turns(1);
  expect(told).toHaveBeenCalled();
  rooms.close();
  told.mockClear();
  await turns(20);
  expect(told).not.toHaveBeenCalled();
});

it('P6, R18 the messages of a lost node are compared with a peer no further', async () => {
  const [peer, other] = [connect('peer@fake:1', 'first'), connect('other@fake:1', 'second')];
  for (let at = 0; at < COUNT; at += 500)
    node.say(peer, ['interest', Array.from({ length: 500 }, (_, index) => [`r${at + index}`, 1])]);
  node.say(peer, ['lost', 'second']);
  node.down(other);
  const read = vi.spyOn(RoomTable.prototype, 'get');
  await turns(1);
  expect(read).toHaveBeenCalled();
  rooms.close();
  read.mockClear();
  await turns(20);
  expect(read).not.toHaveBeenCalled();
});
