// A token in the URL of a client that expires while the client is offline.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { type ClientOptions, connectRooms } from '../../../ts/client/index.ts';
import { startNode } from '../../../ts/node/index.ts';
import { createRooms } from '../../../ts/rooms/index.ts';
import { until } from '../../support/deadline.ts';
import { type TestWebSocket, WebSocket } from '../../support/websocket.ts';

it('R16, R19 a new client with the state of the old one and a new URL misses nothing, and sends what waits', async () => {
  const sockets: TestWebSocket[] = [];
  class Recorded extends WebSocket {
    constructor(url: string, protocols: string) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  const taken: unknown[] = [];
  const node = await startNode();
  const rooms = createRooms(node, {
    join: () => true,
    message: (_connection, data) => void taken.push(data),
  });
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  let valid = 'first';
  rooms.attach(server, {
    authorize: ({ url }) =>
      url?.endsWith(`?token=${valid}`) === true
        ? { key: 'ann' }
        : { status: 401, reason: `expired ${'ä'.repeat(200)}` },
  });
  const connect = (token: string, options: ClientOptions = {}) =>
    connectRooms(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/rooms?token=${token}`, {
      WebSocket: Recorded as never,
      random: () => 0,
      ...options,
    });
  const old = connect('first');
  await old.join('g');
  valid = 'second';
  const denied: unknown[] = [];
  const statuses: unknown[] = [];
  old.on('denied', (refusal) => void denied.push(refusal));
  old.on('status', (status) => void statuses.push(status));
  const pending = old.join('h').catch((error) => error);
  old.send('said offline');
  sockets[0]?.terminate();
  await until('it was refused', () => denied.length > 0);
  expect(denied).toEqual([{ status: 401, reason: `expired ${'ä'.repeat(56)}` }]);
  expect([statuses, sockets.length, old.status]).toEqual([['waiting', 'connecting', 'closed'], 2, 'closed']);
  expect(await pending).toMatchObject({
    code: 'SNOW_ERR_CLIENT_CLOSED',
    message: expect.stringMatching('refused the connection: expired'),
  });
  rooms.broadcast('g', 'missed');
  rooms.sendTo('ann', 'missed, too');
  const client = connect('second', { state: old.state });
  const got: unknown[] = [];
  client.on('message', ({ data }) => void got.push(data));
  client.on('direct', (data) => void got.push(data));
  client.on('resync', (what) => void got.push(what));
  await until('all has come', () => got.length === 2 && taken.length === 1);
  expect([got.sort(), taken, client.joined()]).toEqual([['missed', 'missed, too'], ['said offline'], ['g']]);
  client.close();
  rooms.close();
  server.closeAllConnections();
  server.close();
  await node.stop();
});
