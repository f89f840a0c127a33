// Runs the JavaScript of docs/rooms.md: the server and the client together, the hook in React, the bridge over a broker that is none.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectRooms, type RoomClient } from '../../../ts/client/index.ts';
import { type Node, startNode } from '../../../ts/node/index.ts';
import { createRooms, type RoomBridge, type Rooms } from '../../../ts/rooms/index.ts';
import { root } from '../../support/child.ts';
import { until } from '../../support/deadline.ts';
import { load, WebSocket } from '../../support/websocket.ts';

const markdown = readFileSync(`${root}docs/rooms.md`, 'utf8');
const blocks = new Map(
  [...markdown.matchAll(/^<!-- (\w+) -->\n```js\n([\s\S]*?)^```$/gm)].map(([, name = '', text = '']) => [
    name,
    text,
  ]),
);

let node: Node;
let server: Server;
let rooms: Rooms;
let clients: RoomClient[];
beforeEach(async () => {
  clients = [];
  node = await startNode();
  server = createServer();
});
afterEach(async () => {
  for (const client of clients) client.close();
  rooms?.close();
  server.closeAllConnections();
  server.close();
  await node.stop();
});

/** Runs a block with what it imports and presumes; gives what it declares under these names. */
async function run<T>(name: string, around: Readonly<Record<string, unknown>>, names: string): Promise<T> {
  const text = blocks.get(name)?.replace(/^import .*$/gm, '');
  const body = `return (async () => { ${text}\n return { ${names} }; })()`;
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
  return new Function(...Object.keys(around), body)(...Object.values(around)) as Promise<T>;
}

const makeRooms = (...args: Parameters<typeof createRooms>): Rooms => (rooms = createRooms(...args));

function connect(): RoomClient {
  const { port } = server.address() as AddressInfo;
  const client = connectRooms(`ws://127.0.0.1:${port}/rooms`, {
    WebSocket: WebSocket as never,
    minDelay: 20,
  });
  clients.push(client);
  return client;
}

describe('docs/rooms.md', () => {
  it('has four blocks of JavaScript, each of which is run here', () => {
    expect([...blocks.keys()]).toEqual(['server', 'client', 'bridge', 'hook']);
    expect(markdown.match(/^```js$/gm)).toHaveLength(blocks.size);
  });

  it('server and client: a message reaches everybody in the room, and SIGTERM ends the server', async () => {
    const stops: (() => Promise<void>)[] = [];
    await run(
      'server',
      {
        startNode: () => node,
        createRooms: makeRooms,
        createServer: () => ({ listen: () => server.listen(0, '127.0.0.1') }),
        userOf: async () => 'ann',
        process: { env: {}, on: (_signal: string, stop: () => Promise<void>) => void stops.push(stop) },
      },
      '',
    );
    await once(server, 'listening');
    const [shown, people, statuses]: [unknown[], unknown[], string[]] = [[], [], []];
    const { client } = await run<{ client: RoomClient }>(
      'client',
      {
        connectRooms: connect,
        show: (...what: unknown[]) => void shown.push(what),
        showPeople: (...what: unknown[]) => void people.push(what),
        reload: (room: string) => void shown.push(['reload', room]),
        showStatus: (status: string) => void statuses.push(status),
      },
      'client',
    );
    await until('the message is shown', () => shown.length > 0);
    expect(shown).toEqual([['public:lobby', { from: 'ann', text: 'hello' }]]);
    await until('somebody is shown', () => people.length > 0);
    expect(people.at(-1)).toEqual(['public:lobby', new Map([['ann', [{ name: 'ann' }]]])]);
    await expect(client.join('private')).rejects.toThrow();
    await until('it is seen as open', () => statuses.includes('open'));
    client.close();
    await until('it is gone', () => rooms.stats().connections === 0);
    await stops[0]?.();
    expect(() => node.spawn(() => {})).toThrow(expect.objectContaining({ code: 'SNOW_ERR_STOPPED' }));
  });

  it('bridge: only rooms whose name begins with world: use it', async () => {
    const published: string[] = [];
    const via: RoomBridge = {
      open: (listener) => listener.up(),
      publish: (room) => published.push(room) > 0,
      subscribe() {},
      unsubscribe() {},
      close() {},
    };
    await run(
      'bridge',
      {
        redisBridge: ({ url }: { url: string }) => (expect(url).toMatch(/^rediss:/), via),
        createRooms: makeRooms,
        node,
      },
      '',
    );
    rooms.broadcast('world:1', 'hello');
    rooms.broadcast('town:1', 'hello');
    await until('something is published', () => published.length > 0);
    expect(published).toEqual(['world:1']);
  });

  it('hook: shows the messages of its room, of another room after a change, and leaves at the end', async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    makeRooms(node, { join: () => true }).attach(server);
    const client = connect();
    const { document, render, unmount, react } = page();
    const { useRoom } = await run<{ useRoom: (client: RoomClient, room: string) => string[] }>(
      'hook',
      react,
      'useRoom',
    );
    const List = ({ room }: { room: string }): unknown =>
      react.createElement('p', null, useRoom(client, room).join(' '));
    // React mounts, unmounts and mounts again in strict mode.
    const show = (room: string): void =>
      render(react.createElement(react.StrictMode, null, react.createElement(List, { room })));
    const isIn = (...wanted: [a: number, b: number]): Promise<unknown> =>
      until(
        `${wanted.join(' and ')} are in a and b`,
        () => ['a', 'b'].map((room) => rooms.members(room).local).join() === wanted.join(),
      );
    const shows = (text: string): Promise<unknown> =>
      until(`${text} is shown`, () => document.querySelector('p')?.textContent === text);
    try {
      show('a');
      await isIn(1, 0);
      for (const text of ['one', 'two']) rooms.broadcast('a', text);
      rooms.broadcast('b', 'not for it');
      await shows('one two');
      show('b');
      await isIn(0, 1);
      await shows('');
      rooms.broadcast('b', 'three');
      await shows('three');
      (client as unknown as { emit(event: string, value: unknown): void }).emit('resync', { room: 'b' });
      await shows('');
    } finally {
      unmount();
    }
    await isIn(0, 0);
  });
});

interface React {
  createElement(type: unknown, properties: object | null, ...children: unknown[]): unknown;
  readonly StrictMode: unknown;
}

/** A page with React in it. */
function page(): {
  readonly document: Document;
  readonly react: React & Record<string, unknown>;
  render(element: unknown): void;
  unmount(): void;
} {
  const { Window } = load('happy-dom') as { Window: new () => Window };
  const window = new Window();
  const { document, navigator } = window;
  // They stay: React looks for them in later turns. Node.js has a navigator of its own from 21 on.
  const made = 'navigator' in globalThis ? { window, document } : { window, document, navigator };
  Object.assign(globalThis, made);
  const { createRoot } = load('react-dom/client') as { createRoot(container: unknown): Root };
  const place = document.createElement('div');
  document.body.append(place);
  const shown = createRoot(place);
  return {
    document,
    react: { ...(load('react') as object) } as React & Record<string, unknown>,
    render: (element) => shown.render(element),
    unmount: () => shown.unmount(),
  };
}

interface Window {
  readonly document: Document;
  readonly navigator: object;
}

interface Root {
  render(element: unknown): void;
  unmount(): void;
}

interface Document {
  readonly body: { append(element: unknown): void };
  createElement(name: string): unknown;
  querySelector(selector: string): { readonly textContent: string } | null;
}
