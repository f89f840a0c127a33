// Runs the blocks "Before" of docs/guides/migrate-socketio.md with socket.io itself: what they do is what the blocks "Here" do, which
// test/unit/rooms/migrate-socketio.test.ts runs. Differences that the page names are here, too.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../support/deadline.ts';
import { RedisServer, whyNoRedis } from '../support/redis.ts';
import { beforesOf, runText } from '../unit/examples/guide-programs.ts';
import { installOtherSystems, type OtherSystems } from './other-systems.ts';

interface Events {
  on(event: string, listener: (...args: never[]) => unknown): this;
  once(event: string, listener: (...args: never[]) => unknown): this;
  emit(event: string, ...args: unknown[]): unknown;
}
interface ServerSocket extends Events {
  readonly id: string;
  readonly data: Record<string, unknown>;
  readonly recovered: boolean;
  join(room: string): void;
}
interface Io extends Events {
  to(room: string): Events;
  in(room: string): { fetchSockets(): Promise<unknown[]> };
  close(): Promise<void>;
}
interface ClientSocket extends Events {
  readonly connected: boolean;
  readonly recovered: boolean;
  readonly io: { readonly engine: { close(): void } };
  connect(): void;
  close(): void;
}
interface Redis {
  duplicate(): Redis;
  quit(): Promise<unknown>;
}

const blocks = beforesOf('migrate-socketio');
let systems: OtherSystems;
let servers: Server[];
let ios: Io[];
let clients: ClientSocket[];
beforeAll(() => {
  systems = installOtherSystems('socketio');
}, 600_000);
beforeEach((context) => {
  if (systems.missing !== undefined) context.skip(systems.missing);
  [servers, ios, clients] = [[], [], []];
});
afterEach(async () => {
  for (const client of clients) client.close();
  for (const io of ios) await io.close();
  for (const server of servers) server.close();
});
afterAll(() => systems?.remove());

/** Runs a block, or one side of it, with what it presumes. */
const run = <T>(text: string | undefined, around: object, declared = ''): Promise<T> =>
  runText<T>(text ?? '', { ...around }, declared);

/** The part of a block for one side. */
function side(name: string, which: 'client' | 'server'): string {
  const parts = (blocks.get(name) ?? '').split(/^\/\/ (client|server)$/m);
  return parts[parts.indexOf(which) + 1] ?? '';
}

async function listen(): Promise<Server> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return server;
}

interface SocketIo {
  readonly Server: new (server: Server, options?: object) => Io;
}

/** A class that remembers its servers, so that they are closed. */
function serverClass(): SocketIo['Server'] {
  const Their = systems.load<SocketIo>('socket.io').Server;
  return class extends (Their as new (...args: unknown[]) => Events) {
    constructor(...args: unknown[]) {
      super(...args);
      ios.push(this as unknown as Io);
    }
  } as unknown as SocketIo['Server'];
}

async function startIo(options?: object): Promise<{ io: Io; server: Server }> {
  const server = await listen();
  return { io: new (serverClass())(server, options), server };
}

/** A client that is not connected yet when this returns. */
function open(server: Server, user = 'ann'): ClientSocket {
  const { io } = systems.load<{ io(url: string, options: object): ClientSocket }>('socket.io-client');
  const { port } = server.address() as AddressInfo;
  const client = io(`http://127.0.0.1:${port}`, { query: { user }, forceNew: true, reconnection: false });
  clients.push(client);
  return client;
}

async function connected(server: Server, user = 'ann'): Promise<ClientSocket> {
  const client = open(server, user);
  await until('it is connected', () => client.connected);
  return client;
}

/** What comes of one kind, oldest first. */
function record(client: Events, event: string): unknown[][] {
  const got: unknown[][] = [];
  client.on(event, (...args: unknown[]) => void got.push(args));
  return got;
}

const userOf = async (request: { url: string }): Promise<unknown> => {
  const id = new URL(request.url, 'http://x').searchParams.get('user');
  return id === 'nobody' ? undefined : { id, name: `Mx ${id}` };
};

/** Each connection gets a user, and this block. */
function serve(io: Io, text: string, around: object = {}): void {
  io.on('connection', async (socket: ServerSocket & { readonly request: { url: string } }) => {
    socket.data['user'] = await userOf(socket.request);
    await run(text, { io, socket, user: socket.data['user'], ...around });
    socket.emit('served');
  });
}

/** A client whose connection has run the block. */
async function served(server: Server, user?: string): Promise<ClientSocket> {
  const client = open(server, user);
  const got = record(client, 'served');
  await until('it is served', () => got.length > 0);
  return client;
}

describe('before: socket.io', () => {
  it('2: who may connect', async () => {
    const { io, server } = await startIo();
    await run(blocks.get('authorize'), { io, userOf });
    await connected(server);
    const refused = record(open(server, 'nobody'), 'connect_error');
    await until('it is refused', () => refused.length > 0);
    expect(refused[0]).toMatchObject([{ message: 'log in first' }]);
  });

  it('3: events', async () => {
    const { io, server } = await startIo();
    serve(io, `socket.join('lobby');\n${side('events', 'server')}`);
    const shown: unknown[][] = [];
    const socket = await served(server);
    await run(side('events', 'client'), { socket, show: (...what: unknown[]) => void shown.push(what) });
    await until('it is shown', () => shown.length > 0);
    expect(shown).toEqual([['Mx ann', 'hello']]);
  });

  it('4: rooms, and everybody but me', async () => {
    const { io, server } = await startIo();
    serve(io, blocks.get('rooms') ?? '', {
      mayJoin: async (_user: unknown, room: string) => room !== 'secret',
    });
    const [bob, ann] = [await served(server, 'bob'), await served(server, 'ann')];
    const got = { ann: record(ann, 'came'), bob: record(bob, 'came') };
    const join = (socket: ClientSocket, room: string): Promise<unknown> =>
      new Promise((resolve) => socket.emit('join', room, resolve));
    await join(bob, 'lobby');
    await join(ann, 'lobby');
    expect(await join(ann, 'secret')).toBe('not allowed');
    await until('it comes', () => got.bob.length > 0);
    expect(got).toEqual({ ann: [], bob: [['Mx ann']] });
  });

  it('5: all sockets of one user', async () => {
    const { io, server } = await startIo();
    io.on('connection', async (socket: ServerSocket & { readonly request: { url: string } }) => {
      socket.data['user'] = await userOf(socket.request);
      socket.emit('served');
    });
    // The first line takes connections; the second sends.
    const [connection = '', send = ''] = (blocks.get('user') ?? '').split('\n');
    const wait = 'await new Promise((done) => setImmediate(done));';
    await run(connection.replace('(socket) => ', `async (socket) => { ${wait} `).replace(/\);$/, '; });'), {
      io,
    });
    const [first, second, other] = [await served(server), await served(server), await served(server, 'bob')];
    const got = [first, second, other].map((socket) => record(socket, 'notice'));
    await until(
      'the sockets are in their rooms',
      async () => (await io.in('user:ann').fetchSockets()).length === 2,
    );
    await run(send, { io, id: 'ann' });
    await until('both get it', () => got[0]?.length === 1 && got[1]?.length === 1);
    other.emit('anything');
    expect(got.map((each) => each.length)).toEqual([1, 1, 0]);
  });

  it('6: answers', async () => {
    const { io, server } = await startIo();
    serve(io, side('answers', 'server'), { placeOrder: async (item: number) => `order of ${item}` });
    const socket = await served(server);
    const { order } = await run<{ order: string }>(side('answers', 'client'), { socket }, 'order');
    expect(order).toBe('order of 7');
  });

  it('7: who is here', async () => {
    const { io, server } = await startIo();
    serve(io, blocks.get('presence') ?? '');
    const ann = await served(server, 'ann');
    const [people, left] = [record(ann, 'people'), record(ann, 'left')];
    const bob = await served(server, 'bob');
    await until('both are shown', () => people.length > 0);
    expect(people.at(-1)).toEqual([['Mx ann', 'Mx bob']]);
    bob.close();
    await until('the other one is told', () => left.length > 0);
    expect(left).toEqual([['Mx bob']]);
  });
});

/** A client whose connection was cut, and what it got of what was sent meanwhile. */
async function comeBack(io: Io, server: Server): Promise<{ recovered: boolean; got: unknown[] }> {
  io.on('connection', (socket: ServerSocket) => {
    socket.join('lobby');
    if (!socket.recovered) socket.emit('served'); // an offset, from which to go on
  });
  let reloads = 0;
  const socket = open(server);
  const text = (blocks.get('recovery') ?? '').split('\n').slice(1, 4).join('\n');
  await run(text, { socket, reload: () => void reloads++ });
  const [ready, got] = [record(socket, 'served'), record(socket, 'message')];
  await until('it is served', () => ready.length > 0);
  expect(reloads).toBe(1);
  const gone = new Promise<void>((resolve) => void socket.once('disconnect', () => resolve()));
  socket.io.engine.close();
  await gone;
  await until('the server knows', async () => (await io.in('lobby').fetchSockets()).length === 0);
  io.to('lobby').emit('message', 'missed');
  socket.connect();
  await until('it is back', () => socket.connected);
  io.to('lobby').emit('message', 'later');
  await until('the later one comes', () => got.some(([text]) => text === 'later'));
  expect(reloads).toBe(socket.recovered ? 1 : 2);
  return { recovered: socket.recovered, got: got.map(([text]) => text) };
}

describe('before: coming back', () => {
  it('8: works on the server that the client was on', async () => {
    const server = await listen();
    const text = (blocks.get('recovery') ?? '').split('\n')[0] ?? '';
    const { io } = await run<{ io: Io }>(text, { Server: serverClass(), server }, 'io');
    expect(await comeBack(io, server)).toEqual({ recovered: true, got: ['missed', 'later'] });
  });
});

describe.skipIf(whyNoRedis !== undefined)('before: socket.io with Redis', () => {
  let redis: RedisServer;
  let connections: Redis[];
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  beforeEach(() => {
    connections = [];
  });
  afterEach(async () => {
    for (const client of clients) client.close();
    for (const io of ios.splice(0)) await io.close();
    // The adapter's close waits for none of its commands; QUIT is answered after them.
    for (const each of connections) await each.quit();
  });
  afterAll(() => redis?.stop());

  function adapter(): { createAdapter: unknown; pubClient: Redis; subClient: Redis } {
    const IoRedis = systems.load<{ Redis: new (url: string) => Redis }>('ioredis').Redis;
    const pubClient = new IoRedis(redis.url);
    const subClient = pubClient.duplicate();
    connections.push(pubClient, subClient);
    const { createAdapter } = systems.load<{ createAdapter: unknown }>('@socket.io/redis-adapter');
    return { createAdapter, pubClient, subClient };
  }

  it('1: a message reaches the clients of another server', async () => {
    const start = async (): Promise<{ io: Io; server: Server }> => {
      const server = await listen();
      const { io } = await run<{ io: Io }>(
        blocks.get('server'),
        { Server: serverClass(), server, ...adapter() },
        'io',
      );
      return { io, server };
    };
    const [one, two] = [await start(), await start()];
    const got = record(await connected(two.server), 'headline');
    await until('it comes', () => {
      one.io.to('news').emit('headline', { text: 'hello' }); // the servers may not know each other yet
      return got.length > 0;
    });
    expect(got[0]).toEqual([{ text: 'hello' }]);
  });

  it('8: nothing is recovered with the pub/sub adapter', async () => {
    const { createAdapter, pubClient, subClient } = adapter();
    const make = createAdapter as (pub: Redis, sub: Redis) => unknown;
    const { io, server } = await startIo({
      adapter: make(pubClient, subClient),
      connectionStateRecovery: { maxDisconnectionDuration: 120_000 },
    });
    expect(await comeBack(io, server)).toEqual({ recovered: false, got: ['later'] });
  });
});
