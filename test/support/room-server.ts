// A chat server, for the process of a test node: what a client sends goes to all members of `g`.
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connectRooms } from '../../ts/client/index.ts';
import type { Node } from '../../ts/index.ts';
import { createRooms, type Rooms, type RoomsOptions } from '../../ts/rooms/index.ts';
import { redisBridge } from '../../ts/rooms/redis.ts';
import type { ClusterNode } from './cluster.ts';
import { until } from './deadline.ts';
import { WebSocket } from './websocket.ts';

/** @param broker of a bridge to other clusters; without it there is none. @param port 0: any. */
export async function serveRooms(
  node: Node,
  options: RoomsOptions = {},
  broker?: { readonly url: string; readonly cluster: string },
  port = 0,
): Promise<{ readonly rooms: Rooms; readonly url: string }> {
  const rooms = createRooms(node, {
    join: () => true,
    message: (connection, data) => connection.broadcast('g', data),
    ...(broker === undefined
      ? {}
      : { bridge: { via: redisBridge({ url: broker.url }), cluster: broker.cluster } }),
    ...options,
  });
  return { rooms, url: await attach(rooms, port) };
}

/** Rooms that any user may join. A client names its user behind the URL, as `?NAME`. */
export async function serveUsers(node: Node): Promise<{ readonly rooms: Rooms; readonly url: string }> {
  const rooms = createRooms(node, { join: () => true });
  const url = await attach(rooms, 0, ({ url = '' }) => ({ key: url.slice(url.indexOf('?') + 1) }));
  return { rooms, url };
}

async function attach(
  rooms: Rooms,
  port: number,
  authorize?: (request: IncomingMessage) => { readonly key: string },
): Promise<string> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  rooms.attach(server, authorize === undefined ? {} : { authorize });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/rooms`;
}

/**
 * Called in the process of the test. Resolves when each node knows that the others have rooms, which it learns after it is connected: until then
 * a join does not wait for them. @param nodes with their rooms in `box.rooms`. @param urls of these rooms.
 */
export async function roomsKnown(nodes: readonly ClusterNode[], urls: readonly string[]): Promise<void> {
  const room = 'known';
  const clients = urls.map((url) => connectRooms(url, { WebSocket: WebSocket as never }));
  try {
    await Promise.all(clients.map((client) => client.join(room)));
    for (const node of nodes)
      await until(`${node.name} knows the rooms of all`, async () => {
        const { all } = await node.run((bench, name) => bench.box['rooms'].members(name), room);
        return all === nodes.length;
      });
  } finally {
    for (const client of clients) client.close();
  }
}

/** A client in `g` in this process. Gives the list of the messages that it gets. */
export async function joinChat(url: string): Promise<string[]> {
  const got: string[] = [];
  const client = connectRooms<string, string>(url, { WebSocket: WebSocket as never, minDelay: 50 });
  client.on('message', ({ data }) => void got.push(data));
  await client.join('g');
  return got;
}

/**
 * Blocks this process once, after the heartbeat looked at the first of two connections when the second one had not answered its ping. The
 * file `blocked` says that it has begun. It ends after `ms`, and not before the file `answered` is there.
 */
export function blockBetweenLooks(rooms: Rooms, folder: string, ms: number): void {
  const [first, second] = rooms.connections();
  if (first === undefined || second === undefined) throw new Error('two connections are needed');
  const ask = first.ping.bind(first);
  first.ping = () => {
    ask();
    if (second.isAlive) return;
    first.ping = ask;
    setImmediate(() => block(folder, ms)); // after it timers run, and then sockets are read
  };
}

function block(folder: string, ms: number): void {
  writeFileSync(join(folder, 'blocked'), '');
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; waited < ms || !existsSync(join(folder, 'answered')); waited += 5)
    Atomics.wait(pause, 0, 0, 5);
}
