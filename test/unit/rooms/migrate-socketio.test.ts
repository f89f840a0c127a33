// Runs what docs/guides/migrate-socketio.md shows: each server block beside its client block, on a real HTTP server.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { transformSync } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectRooms, type RoomClient } from '../../../ts/client/index.ts';
import { staticList } from '../../../ts/discovery/index.ts';
import { type Node, startNode } from '../../../ts/node/index.ts';
import { createRooms, type Rooms } from '../../../ts/rooms/index.ts';
import { root } from '../../support/child.ts';
import { until } from '../../support/deadline.ts';
import { WebSocket } from '../../support/websocket.ts';

const markdown = readFileSync(`${root}docs/guides/migrate-socketio.md`, 'utf8');
/** The blocks of one kind, by name. */
const blocks = (kind: string): Map<string, string> =>
  new Map(
    [...markdown.matchAll(new RegExp(`<!-- ${kind}: (\\w+) -->\\n\`\`\`js\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
      ([, name = '', text = '']) => [name, text],
    ),
  );
const [before, servers, clients] = ['before', 'server', 'client'].map(blocks) as [
  Map<string, string>,
  Map<string, string>,
  Map<string, string>,
];

/** What a block declares. */
interface Made {
  readonly client: RoomClient;
  readonly notify: (id: string) => void;
  readonly order: unknown;
  readonly names: () => string[];
}

let node: Node;
let server: Server;
let rooms: Rooms;
let opened: RoomClient[];
/** What the blocks did with what came. */
let shown: unknown[][];

beforeEach(async () => {
  opened = [];
  shown = [];
  node = await startNode();
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  for (const client of opened) client.close();
  rooms?.close();
  server.closeAllConnections();
  server.close();
  await node.stop();
});

const url = (): string => `ws://127.0.0.1:${(server.address() as AddressInfo).port}/rooms`;

/** Runs a block with what it presumes; gives what it declares under these names. */
async function run(text: string, names: string, user: string): Promise<Made> {
  const around: Record<string, unknown> = {
    startNode: () => node,
    staticList,
    nodes: [],
    node,
    server,
    createRooms: (...args: Parameters<typeof createRooms>) => {
      rooms = createRooms(...args);
      return rooms;
    },
    connectRooms: () => {
      const client = connectRooms(`${url()}?user=${user}`, { WebSocket: WebSocket as never, minDelay: 20 });
      opened.push(client);
      return client;
    },
    userOf: async (request: { url: string }) => {
      const id = new URL(request.url, 'http://x').searchParams.get('user');
      return id === 'nobody' ? undefined : { id, name: `Mx ${id}` };
    },
    mayJoin: async (_key: string, room: string) => room !== 'secret',
    placeOrder: async (item: number) => `order of ${item}`,
    show: (...what: unknown[]) => void shown.push([user, ...what]),
    warn: (...what: unknown[]) => void shown.push([user, 'warned', ...what]),
    reload: (room: string) => void shown.push([user, 'reload', room]),
    process: { env: {}, once: () => {} },
  };
  const body = `return (async () => { ${text}\n return { ${names} }; })()`;
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
  return new Function(...Object.keys(around), body)(...Object.values(around));
}

async function serve(name: string, names = ''): Promise<Made> {
  const made = await run(servers.get(name) as string, names, 'server');
  // Blocks that leave it out have a server as that of the block about users.
  if (!(servers.get(name) as string).includes('rooms.attach'))
    rooms.attach(server, {
      authorize: ({ url = '' }) => ({ key: new URL(url, 'http://x').searchParams.get('user') ?? '' }),
    });
  return made;
}
const open = (name: string, user: string, names = 'client'): Promise<Made> =>
  run(clients.get(name) as string, names, user);
const shows = (...wanted: unknown[]): Promise<unknown> =>
  until(`${JSON.stringify(wanted)}, shown: ${JSON.stringify(shown)}`, () =>
    shown.some((each) => JSON.stringify(each) === JSON.stringify(wanted)),
  );
const member = async (user: string, room: string): Promise<unknown[]> => {
  const got: unknown[] = [];
  const client = connectRooms(`${url()}?user=${user}`, { WebSocket: WebSocket as never });
  opened.push(client);
  client.on('message', ({ data }) => void got.push(data));
  client.on('direct', (data) => void got.push(data));
  await (room === '' ? until('it is open', () => client.status === 'open') : client.join(room));
  return got;
};

describe('docs/guides/migrate-socketio.md', () => {
  it('has eight pairs of blocks, and the old ones can be parsed', () => {
    const names = ['server', 'authorize', 'events', 'rooms', 'user', 'answers', 'presence', 'recovery'];
    expect([[...before.keys()], [...servers.keys()]]).toEqual([names, names]);
    expect([...clients.keys()]).toEqual(names.slice(2));
    const fences = markdown.match(/^```js$/gm)?.length;
    expect(fences).toBe(before.size + servers.size + clients.size);
    for (const text of before.values()) transformSync(text, { format: 'esm', logLevel: 'silent' });
  });

  it('1: a server', async () => {
    await serve('server');
    const got = await member('ann', '');
    await until('it is in the room', () => rooms.members('news').local === 1);
    rooms.broadcast('news', 1);
    await until('it comes', () => got.length === 1);
  });

  it('2: who may connect', async () => {
    await serve('authorize');
    const got = await member('ann', '');
    await until('it comes', () => got.length === 1);
    expect(got).toEqual([{ type: 'welcome', name: 'Mx ann' }]);
    const refused = new WebSocket(`${url()}?user=nobody`);
    const [error] = (await once(refused as never, 'error')) as [Error];
    expect(error.message).toContain('401');
  });

  it('3: events', async () => {
    await serve('events');
    const { client } = await open('events', 'ann');
    await shows('ann', 'ann', 'hello');
    client.send({ type: 'nonsense' });
    await shows('ann', 'warned', 'the message was refused: unknown message');
  });

  it('4: rooms, and all members except the sender', async () => {
    await serve('rooms');
    const got = await member('bob', 'lobby');
    await open('rooms', 'ann');
    await until('it comes', () => got.length === 1);
    expect(got).toEqual([{ type: 'came', name: 'ann' }]);
    expect(shown).toEqual([['ann', 'warned', 'secret: not allowed']]);
  });

  it('5: all sockets of one user', async () => {
    const { notify } = await serve('user', 'notify');
    await open('user', 'ann');
    const other = await member('bob', '');
    await until('both are there', () => rooms.stats().connections === 2 && opened[0]?.status === 'open');
    notify('ann');
    await shows('ann', 'notice', 'your order is on its way');
    expect(other).toEqual([]);
  });

  it('6: answers', async () => {
    await serve('answers');
    const { order } = await open('answers', 'ann', 'order');
    expect(order).toBe('order of 7');
  });

  it('7: presence', async () => {
    const { names } = await serve('presence', 'names');
    const { client } = await open('presence', 'ann');
    await shows('ann', 'ann', 'online');
    await shows('ann', 'ann', 'away');
    expect(names()).toEqual(['ann']);
    client.close();
    await until('she is gone', () => names().length === 0);
  });

  it('8: reconnect', async () => {
    await serve('recovery');
    await open('recovery', 'ann');
    for (const connection of rooms.connections()) connection.terminate({ code: 1006, reason: 'cut' });
    rooms.broadcast('lobby', 'missed');
    await shows('ann', 'message', 'missed');
    expect(shown.filter(([, what]) => what === 'reload')).toEqual([]);
  });
});
