// WebSockets of real HTTP servers.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import Module from 'node:module';
import { type AddressInfo, connect } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, expect, it, vi } from 'vitest';
import { SUBPROTOCOL } from '../../../ts/client/index.ts';
import { silentLogger } from '../../../ts/kernel/index.ts';
import { type Node, type NodeOptions, SocketFanOut, startNode } from '../../../ts/node/index.ts';
import { type AttachOptions, createRooms, type Rooms, type RoomsOptions } from '../../../ts/rooms/index.ts';
import { VirtualClock } from '../../../ts/testing/index.ts';
import { selfSigned } from '../../support/certificate.ts';
import { until } from '../../support/deadline.ts';
import { answerOf, load, Tap, type WebSocketOptions } from '../../support/websocket.ts';
import { FakeSocket } from './fake-socket.ts';

let node: Node | undefined;
let server: Server | undefined;
let rooms: Rooms;

afterEach(async () => {
  rooms?.close();
  await node?.stop();
  server?.closeAllConnections();
  server?.close();
  server = node = undefined;
});

const ECHO: RoomsOptions = {
  open: (connection) => connection.join('g'),
  message: (connection, message) => connection.broadcast('g', message),
};

async function serve(
  options: RoomsOptions = ECHO,
  attached: AttachOptions = {},
  made: Server = createServer((_request, response) => void response.end('page')),
  of: NodeOptions = {},
): Promise<string> {
  node = await startNode(of);
  rooms = createRooms(node, options);
  server = made;
  if (!server.listening) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  rooms.attach(server, attached);
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('rooms.attach brings text and bytes of any length to every member, and a burst in order', async () => {
  const host = await serve();
  const [a, b] = [await Tap.open(`ws://${host}/rooms`), await Tap.open(`ws://${host}/rooms?x=1`)];
  const messages = ['x', 'é'.repeat(62), 'y'.repeat(126), 'z'.repeat(60_000), Buffer.alloc(10, 255), ''];
  await until('both are members', () => rooms.members('g').local === 2);
  for (const message of messages) a.socket.send(message);
  for (let number = 0; number < 100; number++) rooms.broadcast('g', `${number}`);
  rooms.broadcast('g', 'w'.repeat(70_000));
  await Promise.all([a.count(107), b.count(107)]);
  for (const tap of [a, b]) {
    const burst = tap.got.filter((text) => /^\d+$/.test(String(text)));
    expect(burst).toEqual(Array.from({ length: 100 }, (_, number) => `${number}`));
    expect(tap.got.filter((text) => !/^\d+$/.test(String(text)) && !String(text).startsWith('w'))).toEqual(
      messages,
    );
  }
});

it('rooms.attach writes a burst once to each socket, and the same bytes to all', async () => {
  const host = await serve();
  const taps = await Promise.all(Array.from({ length: 5 }, () => Tap.open(`ws://${host}/rooms`)));
  await until('all are members', () => rooms.members('g').local === 5);
  const add = vi.spyOn(SocketFanOut.prototype, 'add');
  try {
    for (let number = 0; number < 10; number++) rooms.broadcast('g', `${number}`);
    await Promise.all(taps.map((tap) => tap.count(10)));
    expect(add.mock.calls).toHaveLength(5);
    expect(new Set(add.mock.calls.map(([stream]) => stream)).size).toBe(5);
    expect(new Set(add.mock.calls.map(([, bytes]) => bytes)).size).toBe(1);
  } finally {
    add.mockRestore();
  }
});

it('a message is written before the close of its socket, also if a listener closes it because another one fails', async () => {
  const host = await serve();
  const tap = await Tap.open(`ws://${host}/rooms`);
  await until('it is a member', () => rooms.members('g').local === 1);
  const [connection] = rooms.connections();
  const broken = new FakeSocket();
  rooms.accept(broken);
  await until('both are members', () => rooms.members('g').local === 2);
  broken.send = () => {
    throw new Error('on purpose');
  };
  rooms.on('close', () => connection?.close());
  rooms.broadcast('g', 'x');
  const { code } = await tap.end();
  expect([tap.got, code]).toEqual([['x'], 1001]);
});

it('rooms.attach works over TLS', async () => {
  const host = await serve(ECHO, {}, createTlsServer(selfSigned()) as unknown as Server);
  const insecure = { rejectUnauthorized: false } as WebSocketOptions;
  const taps = await Promise.all([0, 1].map(() => Tap.open(`wss://${host}/rooms`, [], insecure)));
  await until('both are members', () => rooms.members('g').local === 2);
  const messages = [
    'x',
    'z'.repeat(60_000),
    Buffer.alloc(10, 255),
    ...Array.from({ length: 20 }, (_, n) => `${n}`),
  ];
  for (const message of messages) rooms.broadcast('g', message);
  for (const tap of taps) {
    await tap.count(messages.length);
    expect(tap.got).toEqual(messages);
  }
});

it.each(['express', 'fastify', 'hono', 'http'])(
  'rooms.attach works with %s, beside its pages',
  async (name) => {
    let made: Server | undefined;
    if (name === 'express') {
      const app = (load('express') as () => { get(path: string, handler: unknown): void })();
      app.get('/', (_request: unknown, response: { send(text: string): void }) => response.send('page'));
      made = createServer(app as never);
    } else if (name === 'fastify') {
      const app = (load('fastify') as () => { server: Server; get: Function; ready(): Promise<void> })();
      app.get('/', async () => 'page');
      await app.ready();
      made = app.server;
    } else if (name === 'hono') {
      const { Hono } = load('hono') as { Hono: new () => { get: Function; fetch: unknown } };
      const { createAdaptorServer } = load('@hono/node-server') as {
        createAdaptorServer(options: object): Server;
      };
      const app = new Hono();
      app.get('/', (context: { text(text: string): unknown }) => context.text('page'));
      made = createAdaptorServer({ fetch: app.fetch });
    }
    const host = await serve(ECHO, {}, made);
    expect(await (await fetch(`http://${host}/`)).text()).toBe('page');
    const tap = await Tap.open(`ws://${host}/rooms`);
    tap.socket.send('x');
    await tap.count(1);
    expect(tap.got).toEqual(['x']);
  },
);

/** What `require` calls. */
interface Loader {
  _load(request: string): unknown;
}

it('rooms.attach without the package ws says what to install, and does not change the server', async () => {
  node = await startNode();
  rooms = createRooms(node, ECHO);
  server = createServer();
  const missing = Object.assign(new Error("Cannot find module 'ws'"), { code: 'MODULE_NOT_FOUND' });
  const loading = vi.spyOn(Module as unknown as Loader, '_load').mockImplementation((request) => {
    if (request === 'ws') throw missing;
    throw new Error(`${request} is loaded, too`);
  });
  try {
    expect(() => rooms.attach(server as Server)).toThrow(
      expect.objectContaining({
        code: 'SNOW_ERR_NO_WS',
        message: expect.stringMatching(/npm install ws, .*rooms\.accept/),
        cause: missing,
      }),
    );
  } finally {
    loading.mockRestore();
  }
  expect(server.listenerCount('upgrade')).toBe(0);
  const socket = new FakeSocket();
  rooms.accept(socket);
  await until('it is a member', () => rooms.members('g').local === 1);
  rooms.attach(server);
  expect(server.listenerCount('upgrade')).toBe(1);
});

it('rooms.attach handles only upgrades of its own path', async () => {
  const host = await serve();
  expect((await answerOf(`ws://${host}/other`)).status).toBe(404);
  const second = createRooms(await startNode());
  second.attach(server as Server, { path: '/second' });
  expect(() => second.attach(server as Server, { path: '/second' })).toThrow(
    expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }),
  );
  (server as Server).on('upgrade', (request, socket) => {
    if (request.url === '/other') socket.end('HTTP/1.1 418 Other\r\n\r\n');
  });
  expect((await answerOf(`ws://${host}/other`)).status).toBe(418);
  expect((await answerOf(`ws://${host}/rooms`)).status).toBe(101);
  expect((await answerOf(`ws://${host}/second`)).status).toBe(101);
  second.close();
});

it('authorize gives the connection its user, or refuses before the upgrade with a reason', async () => {
  const users: unknown[] = [];
  const host = await serve(
    { open: (connection) => void users.push([connection.key, connection.user, connection.address]) },
    {
      authorize: async (request) => {
        const { authorization } = request.headers;
        if (authorization === undefined) return { status: 401, reason: 'who are you?' };
        if (authorization === 'bad') return { status: 403 };
        if (authorization === 'broken') throw new Error('database');
        return { key: authorization, user: { name: authorization } };
      },
    },
  );
  const url = `ws://${host}/rooms`;
  const as = (authorization: string) => ({ headers: { authorization } });
  expect(await answerOf(url)).toMatchObject({ status: 401, text: 'who are you?' });
  expect(await answerOf(url, as('bad'))).toMatchObject({ status: 403, text: 'not authorized' });
  expect(await answerOf(url, as('broken'))).toMatchObject({ status: 500 });
  expect(rooms.stats().connections).toBe(0);
  await Tap.open(url, [], as('alice'));
  await until('alice is there', () => users.length === 1);
  expect(users).toEqual([['alice', { name: 'alice' }, '127.0.0.1']]);
});

it('a client of the rooms learns of a final refusal by a close code, because a page cannot read the status', async () => {
  const host = await serve(
    {},
    { authorize: ({ url }) => ({ status: Number(url?.slice(-3)) as 401, reason: `because of ${url}` }) },
  );
  const tap = (query: string, options?: WebSocketOptions): Tap => {
    const made = new Tap(`ws://${host}/rooms?${query}`, ['x', SUBPROTOCOL], options);
    // Too long: the error of this socket must end nothing else.
    made.socket.on('open', () => made.socket.send('x'.repeat(1_000_000)));
    return made;
  };
  const taps = [tap('401'), tap('403'), tap('401', { origin: 'https://other.example' })];
  await until('all are closed', () => taps.every(({ closed }) => closed !== undefined));
  expect(taps.map(({ closed }) => closed)).toEqual([
    { code: 4401, reason: 'because of /rooms?401' },
    { code: 4403, reason: 'because of /rooms?403' },
    { code: 4403, reason: 'pages of https://other.example may not connect' },
  ]);
  expect(await answerOf(`ws://${host}/rooms?503`)).toMatchObject({ status: 503 });
  expect(rooms.stats().connections).toBe(0);
});

it('a refused client that does not answer the close frame is cut off', async () => {
  const [name, port] = (await serve({}, { authorize: () => ({ status: 401 }) })).split(':');
  const raw = connect(Number(port), name);
  raw.write(upgradeRequest(`Sec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n`));
  await once(raw, 'data');
  await once(
    raw.on('error', () => {}),
    'close',
  );
}, 10_000);

it.each(['', 'k'.repeat(255), '\ud800'])('an invalid key is refused before the upgrade: %j', async (key) => {
  const host = await serve({}, { authorize: () => ({ key }) });
  expect(await answerOf(`ws://${host}/rooms`)).toMatchObject({ status: 500 });
  expect(rooms.stats().connections).toBe(0);
});

it('an upgrade is refused with 503 when the rooms are closed while it is authorized', async () => {
  let close = (): void => {};
  const host = await serve({}, { authorize: () => Promise.resolve().then(() => (close(), {})) });
  close = () => rooms.close();
  expect(await answerOf(`ws://${host}/rooms`)).toMatchObject({ status: 503, text: 'the server stops' });
});

it('an upgrade is refused with 503 when a drain begins, and ends, while it is authorized', async () => {
  let drain = (): Promise<void> => Promise.resolve();
  const host = await serve({}, { authorize: () => drain().then(() => ({})) });
  drain = () => rooms.drain({ over: 0 });
  const { status, retryAfter } = await answerOf(`ws://${host}/rooms`);
  expect([status, Number(retryAfter) >= 1]).toEqual([503, true]);
  expect(rooms.stats().connections).toBe(0);
});

it('a function that decides about origins must return true: a promise of true refuses the page', async () => {
  const host = await serve(ECHO, { origins: (origin) => origin === 'https://example.com' });
  rooms.attach(server as Server, { path: '/late', origins: (async () => true) as never });
  const from = { origin: 'https://example.com' };
  expect((await answerOf(`ws://${host}/rooms`, from)).status).toBe(101);
  expect((await answerOf(`ws://${host}/rooms`, { origin: 'https://other.example' })).status).toBe(403);
  expect((await answerOf(`ws://${host}/late`, from)).status).toBe(403);
});

it('pages of other origins are refused unless they are listed', async () => {
  const host = await serve(ECHO, {});
  rooms.attach(server as Server, { path: '/listed', origins: ['https://example.com'] });
  rooms.attach(server as Server, { path: '/any', origins: '*' });
  const from = (origin: string) => ({ origin });
  expect((await answerOf(`ws://${host}/rooms`, from('https://example.com'))).status).toBe(403);
  expect((await answerOf(`ws://${host}/rooms`, from('nonsense'))).status).toBe(403);
  expect((await answerOf(`ws://${host}/rooms`, from(`http://${host}`))).status).toBe(101);
  expect((await answerOf(`ws://${host}/listed`, from('https://example.com'))).status).toBe(101);
  expect((await answerOf(`ws://${host}/listed`, from(`http://${host}`))).status).toBe(403);
  expect((await answerOf(`ws://${host}/any`, from('https://example.com'))).status).toBe(101);
});

it('the default compares only Origin with Host: another name of this server is accepted, and a list refuses it', async () => {
  const host = await serve(ECHO, {});
  rooms.attach(server as Server, { path: '/listed', origins: [`http://${host}`] });
  const { port } = new URL(`http://${host}`);
  const name = `evil.example:${port}`;
  const rebound = { headers: { host: name }, origin: `http://${name}` };
  expect((await answerOf(`ws://${host}/rooms`, rebound)).status).toBe(101);
  expect((await answerOf(`ws://${host}/listed`, rebound)).status).toBe(403);
  const otherPort = { origin: `http://${host.split(':')[0]}:1` };
  expect((await answerOf(`ws://${host}/rooms`, otherPort)).status).toBe(403);
  expect((await answerOf(`ws://${host}/rooms`, { origin: `https://${host}` })).status).toBe(101);
  expect((await answerOf(`ws://${host}/rooms`)).status).toBe(101);
});

it('the connections of one address are limited', async () => {
  const host = await serve({ ...ECHO, limits: { connectionsPerAddress: 2 } });
  const url = `ws://${host}/rooms`;
  const [a] = [await Tap.open(url), await Tap.open(url)];
  expect(await answerOf(url)).toMatchObject({ status: 429, retryAfter: '10' });
  a?.socket.close();
  await until('it is gone', () => rooms.stats().connections === 1);
  expect((await answerOf(url)).status).toBe(101);
});

it('a client that disconnects during authorize leaves no state behind', async () => {
  let go = (): void => {};
  let asked = (): void => {};
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  const host = await serve(ECHO, {
    authorize: () => {
      asked();
      return new Promise((resolve) => (go = () => resolve({})));
    },
  });
  const [name, port] = host.split(':');
  const raw = connect(Number(port), name);
  raw.write(upgradeRequest());
  await isAsked;
  raw.destroy();
  await once(raw, 'close');
  go();
  await until('nothing is open', async () => {
    const count = await new Promise<number>((resolve) => server?.getConnections((_e, n) => resolve(n)));
    return count === 0 && rooms.stats().connections === 0;
  });
});

it('rooms.attach counts the connections of an address that wait for authorize', async () => {
  const waiting: (() => void)[] = [];
  const host = await serve(
    { ...ECHO, limits: { connectionsPerAddress: 2 } },
    { authorize: () => new Promise((resolve) => waiting.push(() => resolve({}))) },
  );
  const url = `ws://${host}/rooms`;
  const taps = [Tap.open(url), Tap.open(url)];
  await until('two are asked for', () => waiting.length === 2);
  expect(await answerOf(url)).toMatchObject({ status: 429 });
  for (const go of waiting) go();
  await Promise.all(taps);
});

it.each(['/rooms', '/other'])(
  'a client that has disconnected when its upgrade of %s is refused affects nothing else',
  async (url) => {
    await serve(ECHO, { authorize: () => ({ status: 401 }) });
    const socket = new Duplex({
      read: () => {},
      write: (_chunk, _encoding, done) => done(new Error('reset')),
    });
    const closed = new Promise((resolve) => socket.on('close', resolve));
    server?.emit('upgrade', { url, headers: {}, socket: {} }, socket, Buffer.alloc(0));
    // Without a listener its error would be thrown, and end the process.
    expect(socket.listenerCount('error')).toBeGreaterThan(0);
    await closed;
  },
);

it('an invalid or too long WebSocket frame closes only its own socket', async () => {
  const host = await serve({ ...ECHO, limits: { messageBytes: 100 } });
  const other = await Tap.open(`ws://${host}/rooms`);
  const long = await Tap.open(`ws://${host}/rooms`);
  long.socket.send('x'.repeat(101));
  expect((await long.end()).code).toBe(1009);
  const bad = await Tap.open(`ws://${host}/rooms`);
  // oxlint-disable-next-line no-underscore-dangle -- `ws` names it so
  (bad.socket as never as { _socket: { write(bytes: Buffer): void } })._socket.write(Buffer.alloc(20, 0xff));
  expect((await bad.end()).code).toBe(1002);
  const many = await Tap.open(`ws://${host}/rooms`);
  for (let count = 0; count < 1023; count++) many.socket.send('', { fin: false });
  many.socket.send('in parts');
  await many.count(1);
  for (let count = 0; count < 1025; count++) many.socket.send('', { fin: false });
  expect((await many.end()).code).toBe(1008);
  await until('they are gone', () => rooms.members('g').local === 1);
  rooms.broadcast('g', 'still here');
  await other.count(1);
});

it('permessage-deflate: a long message is compressed once for all receivers', async () => {
  const host = await serve(ECHO, { compress: true });
  const [zipped, plain] = [
    await Tap.open(`ws://${host}/rooms`, [], { perMessageDeflate: true }),
    await Tap.open(`ws://${host}/rooms`, [], { perMessageDeflate: false }),
  ];
  await until('both are members', () => rooms.members('g').local === 2);
  const messages = ['short', 'long '.repeat(2000), Buffer.alloc(5000, 7), 'long '.repeat(2000)];
  for (const message of messages) rooms.broadcast('g', message);
  await Promise.all([zipped.count(4), plain.count(4)]);
  expect(zipped.got).toEqual(messages);
  expect(plain.got).toEqual(messages);
});

it('permessage-deflate: the same compressed bytes go to all readers', async () => {
  const host = await serve(ECHO, { compress: true });
  const open = () => Tap.open(`ws://${host}/rooms`, [], { perMessageDeflate: true });
  const taps = await Promise.all([open(), open(), open()]);
  await until('all are members', () => rooms.members('g').local === 3);
  const add = vi.spyOn(SocketFanOut.prototype, 'add');
  try {
    rooms.broadcast('g', 'long '.repeat(2000));
    await Promise.all(taps.map((tap) => tap.count(1)));
    const written = add.mock.calls.map(([, bytes]) => bytes);
    expect(written).toHaveLength(3);
    expect(new Set(written).size).toBe(1);
    expect(written[0]?.length).toBeLessThan(500);
  } finally {
    add.mockRestore();
  }
});

it('authorize that takes more than 10 s is a failure of the server, and leaves nothing behind', async () => {
  const timers = vi.spyOn(globalThis, 'setTimeout');
  try {
    const host = await serve(ECHO, { authorize: () => new Promise<never>(() => {}) }, undefined, {
      logger: silentLogger,
    });
    const answer = answerOf(`ws://${host}/rooms`);
    const limit = () => timers.mock.calls.find(([, ms]) => ms === 10_000);
    await until('it waits', () => limit() !== undefined);
    limit()?.[0]();
    expect((await answer).status).toBe(500);
    expect(rooms.stats().connections).toBe(0);
  } finally {
    timers.mockRestore();
  }
});

it('drain closes all connections with 1012, spread over its time, and refuses new ones', async () => {
  const clock = new VirtualClock();
  const host = await serve(ECHO, {}, createServer(), { clock });
  const taps = await Promise.all(Array.from({ length: 6 }, () => Tap.open(`ws://${host}/rooms`)));
  await until('all are members', () => rooms.members('g').local === 6);
  const done = rooms.drain({ over: 200 });
  const { status, retryAfter } = await answerOf(`ws://${host}/rooms`);
  expect([status, Number(retryAfter) >= 1]).toEqual([503, true]);
  expect(rooms.stats().connections).toBeGreaterThan(0);
  let isDrained = false;
  void done.then(() => (isDrained = true));
  await until('all are gone, and their handlers are finished', () => {
    clock.step(60_000);
    return isDrained;
  });
  expect(rooms.stats().connections).toBe(0);
  expect(new Set((await Promise.all(taps.map((tap) => tap.end()))).map(({ code }) => code))).toEqual(
    new Set([1012]),
  );
  expect(() => rooms.drain({ over: -1 })).toThrow(expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }));
});

function upgradeRequest(more = ''): string {
  return (
    'GET /rooms HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${more}\r\n`
  );
}
