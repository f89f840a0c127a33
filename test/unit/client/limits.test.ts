// Clients of a real server that have more to send than it takes, or something that it does not take.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { connectRooms, type RoomClient } from '../../../ts/client/index.ts';
import { type Node, startNode } from '../../../ts/node/index.ts';
import { createRooms, type Rooms, type RoomsOptions } from '../../../ts/rooms/index.ts';
import { until } from '../../support/deadline.ts';
import { type TestWebSocket, WebSocket } from '../../support/websocket.ts';

let node: Node;
let server: Server;
let rooms: Rooms;
let client: RoomClient;
/** What the client was told is refused. */
let refused: unknown[];
/** What handlers were called with. */
let taken: unknown[];
let sockets: TestWebSocket[];

class Recorded extends WebSocket {
  constructor(target: string, protocols: string) {
    super(target, protocols);
    sockets.push(this);
  }
}

/** A client that reconnects at once. */
async function connect(limits: NonNullable<RoomsOptions['limits']>): Promise<void> {
  refused = [];
  taken = [];
  sockets = [];
  node = await startNode();
  rooms = createRooms(node, {
    join: () => true,
    message: (_connection, data) => void taken.push(data),
    limits,
  });
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  rooms.attach(server);
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/rooms`;
  client = connectRooms(url, { WebSocket: Recorded as never, random: () => 0 });
  client.on('refused', (what) => void refused.push(what));
}
afterEach(async () => {
  client.close();
  rooms.close();
  server.closeAllConnections();
  server.close();
  await node.stop();
});
const isTaken = (): Promise<unknown> => until('nothing waits', () => client.queued === 0);
const isOpen = (): Promise<unknown> => until('the client is open', () => client.status === 'open');

it('R19, R20 a client refuses a message that the server would close it for, and goes on', async () => {
  await connect({ messageBytes: 256 });
  client.send('é'.repeat(128)); // before it knows
  client.send(new Uint8Array(252));
  client.send('after');
  await isOpen();
  await isTaken();
  expect(refused).toEqual(new Array(2).fill({ room: '', reason: 'too long' }));
  for (const long of ['é'.repeat(128), new Uint8Array(252)])
    expect(() => client.send(long)).toThrow(expect.objectContaining({ code: 'SNOW_ERR_TOO_LARGE' }));
  client.send('x'.repeat(234));
  client.send(new Uint8Array(251));
  await isTaken();
  expect(taken).toEqual(['after', 'x'.repeat(234), Buffer.alloc(251)]);
  expect([sockets.length, rooms.stats().misbehaved]).toEqual([1, 0]);
});

it('R19, R20 a client is not closed for its rate, however much it has to send when it is back', async () => {
  await connect({ messagesPerSecond: 500 });
  await isOpen();
  sockets[0]?.terminate();
  await until('it is offline', () => client.status !== 'open');
  const all = Array.from({ length: 1000 }, (_, number) => number);
  expect(all.map((number) => client.send(number))).not.toContain(false);
  await Promise.all(Array.from({ length: 300 }, (_, number) => client.join(`room ${number}`)));
  await isTaken();
  expect(taken).toEqual(all);
  expect([sockets.length, rooms.stats().misbehaved]).toEqual([2, 0]);
});
