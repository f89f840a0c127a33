// What strangers can do to a listening server. When they have used up the file descriptors, accepting fails: that must not end the process.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { connect, type Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { startPortmap } from '../../../ts/discovery/index.ts';
import { startHealthServer } from '../../../ts/health/index.ts';
import { type Node, silentLogger, startNode } from '../../../ts/index.ts';
import { startObserver } from '../../../ts/observe/index.ts';
import { within } from '../../support/deadline.ts';

/** Published by Node.js for each accepted connection. */
const ACCEPTED = 'net.server.socket';
const host = '127.0.0.1';
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** The server behind a port. */
async function serverOf(port: number): Promise<Server> {
  let server: Server | undefined;
  const accepted = (message: unknown): void => {
    const { socket } = message as { socket: { server: Server; localPort: number } };
    if (socket.localPort === port) ({ server } = socket);
  };
  subscribe(ACCEPTED, accepted);
  const client = connect(port, host).on('error', () => {});
  client.end('\n\n');
  await once(client.resume(), 'close');
  unsubscribe(ACCEPTED, accepted);
  return server as Server;
}

it.each<[string, (node: Node) => Promise<{ port: number; close(): Promise<void> }>]>([
  ['a port mapper', () => startPortmap({ port: 0 })],
  ['a health server', (node) => startHealthServer(node, { port: 0, host })],
  ['an observer', (node) => startObserver(node, { host })],
])('T5 %s survives that a connection could not be accepted, and accepts the next', async (_what, start) => {
  const node = await startNode({ logger: silentLogger });
  closers.push(() => node.stop({ timeout: 0 }));
  const { port, close } = await start(node);
  closers.push(close);
  const server = await serverOf(port);
  server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
  expect(await serverOf(port)).toBe(server);
});

it.each<[string, number, (node: Node) => Promise<{ port: number; close(): Promise<void> }>]>([
  ['a health server', 5000, (node) => startHealthServer(node, { port: 0, host })],
  ['an observer', 10_000, (node) => startObserver(node, { host })],
])('T5 %s gives a slow request no more than %d ms, and a second', async (_what, ms, start) => {
  const node = await startNode({ logger: silentLogger });
  closers.push(() => node.stop({ timeout: 0 }));
  const { port, close } = await start(node);
  closers.push(close);
  const { headersTimeout, requestTimeout } = (await serverOf(port)) as HttpServer;
  expect([headersTimeout, requestTimeout]).toEqual([ms, ms]);
  const slow = connect(port, host).on('error', () => {});
  slow.write('GET /livez HTTP/1.1\r\nhost: a\r\nx: ');
  // Node.js looks at its connections every 30 s, unless told otherwise.
  await within('the end of a slow request', once(slow.resume(), 'close'), ms + 10_000);
});
