// The client against rooms on a real HTTP server, over sockets of `ws`.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ClientOptions, connectRooms, KEY_ROOM, type RoomClient } from '../../../ts/client/index.ts';
import { type Node, startNode } from '../../../ts/node/index.ts';
import { type AttachOptions, createRooms, type Rooms, type RoomsOptions } from '../../../ts/rooms/index.ts';
import { turns, until } from '../../support/deadline.ts';
import { reservePort } from '../../support/ports.ts';
import { type TestWebSocket, WebSocket } from '../../support/websocket.ts';
import { FakeSocket } from '../rooms/fake-socket.ts';

let node: Node;
let server: Server;
let rooms: Rooms;
let url: string;
let clients: RoomClient[];
/** Sockets of clients, in order. */
let sockets: TestWebSocket[];

beforeEach(async () => {
  clients = [];
  sockets = [];
  node = await startNode();
});
afterEach(async () => {
  for (const client of clients) client.close();
  rooms.close();
  server.closeAllConnections();
  server.close();
  await node.stop();
});

class Recorded extends WebSocket {
  constructor(target: string, protocols: string) {
    super(target, protocols);
    sockets.push(this);
  }
}

async function serve(options: RoomsOptions = {}, attached: AttachOptions = {}, port = 0): Promise<void> {
  rooms = createRooms(node, { join: () => true, ...options });
  server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/rooms`;
  rooms.attach(server, attached);
}

/** Reconnects at once. */
function connect<T = unknown>(options: ClientOptions = {}, to: string | readonly string[] = url) {
  const client = connectRooms<T>(to, { WebSocket: Recorded as never, random: () => 0, ...options });
  clients.push(client as never);
  const log: unknown[][] = [];
  for (const event of [
    'status',
    'message',
    'direct',
    'joined',
    'left',
    'resync',
    'refused',
    'presence',
    'lost',
  ] as const)
    client.on(event, (value: unknown) => void log.push([event, value]));
  return {
    client,
    log,
    all: (event: string) => log.filter(([each]) => each === event).map(([, value]) => value),
    data: () =>
      log.filter(([each]) => each === 'message').map(([, value]) => (value as { data: unknown }).data),
    isOpen: () => until('the client is open', () => client.status === 'open'),
  };
}

describe('a client', () => {
  it('joins, sends, and gets text, bytes and JSON unchanged', async () => {
    await serve({ message: (connection, data) => connection.broadcast('g', data) });
    const { client, all, data } = connect();
    await client.join('g');
    const messages = ['text', { a: 1 }, Uint8Array.of(1, 255), null, [''], 'é'];
    for (const message of messages) expect(client.send(message)).toBe(true);
    await until(
      'all came back and were taken',
      () => data().length === messages.length && client.queued === 0,
    );
    expect(data()).toEqual(messages);
    expect(all('status')).toEqual(['connecting', 'open']);
    expect(client.joined()).toEqual(['g']);
    await client.leave('g');
    rooms.broadcast('g', 'late');
    await turns();
    expect([data().length, client.joined(), all('left')]).toEqual([messages.length, [], [{ room: 'g' }]]);
  });

  it('is told what is refused', async () => {
    await serve({ join: (_connection, room) => room === 'open' });
    const { client, all } = connect();
    const code = 'SNOW_ERR_ROOM_REFUSED';
    await expect(client.join('closed')).rejects.toMatchObject({ code, message: 'closed: not allowed' });
    await client.join('open');
    expect(all('refused')).toEqual([{ room: 'closed', reason: 'not allowed' }]);
  });

  it('gets what is sent to it, and to its key', async () => {
    await serve(
      { open: (connection) => connection.send({ hello: 1 }) },
      { authorize: () => ({ key: 'alice' }) },
    );
    const { all, isOpen } = connect();
    await isOpen();
    await until('its own room is joined', () => rooms.stats().rooms === 1);
    rooms.sendTo('alice', Uint8Array.of(7));
    rooms.sendTo('bob', 'no');
    await until('both came', () => all('direct').length === 2);
    expect(all('direct')).toEqual([{ hello: 1 }, Uint8Array.of(7)]);
  });

  it('gets the presence of a room', async () => {
    await serve({ message: (connection, meta) => connection.track('g', meta) });
    const [one, two] = [connect(), connect()];
    await Promise.all([one.client.join('g'), two.client.join('g')]);
    one.client.send({ name: 'one' });
    await until('two sees one', () => two.client.presence('g').size === 1);
    two.client.send({ name: 'two' });
    await until('one sees both', () => one.client.presence('g').size === 2);
    two.client.close();
    await until('one sees itself', () => one.client.presence('g').size === 1);
    expect([...one.client.presence('g').values()]).toEqual([[{ name: 'one' }]]);
  });

  it('R12 is told who has left, come and changed while it was offline', async () => {
    await serve();
    const present = new Map<string, ReturnType<typeof rooms.accept>>();
    const track = (key: string, meta: unknown): void => {
      const connection = present.get(key) ?? rooms.accept(new FakeSocket(), { key });
      present.set(key, connection);
      connection.track('g', meta);
    };
    for (const key of ['leaves', 'changes', 'stays']) track(key, 1);
    const { client, all } = connect();
    await client.join('g');
    await until('it sees all', () => client.presence('g').size === 3);
    sockets.at(-1)?.terminate();
    present.get('leaves')?.untrack('g');
    track('changes', 2);
    track('comes', 1);
    await until('it is told', () => all('presence').length === 2);
    const entry = (key: string, meta: number) => ({ key, metas: [meta] });
    expect(all('presence')[1]).toMatchObject({
      diff: { joins: [entry('comes', 1)], updates: [entry('changes', 2)], leaves: [entry('leaves', 1)] },
    });
    expect([...client.presence('g').keys()].sort()).toEqual(['changes', 'comes', 'stays']);
    sockets.at(-1)?.terminate();
    for (const connection of present.values()) connection.untrack('g');
    await until('it is told', () => all('presence').length === 3);
    expect(client.presence('g').size).toBe(0);
  });

  it('gets what it missed after each reconnect, once and in order', async () => {
    await serve();
    const { client, data, all } = connect();
    await client.join('g');
    let sent = 0;
    for (let round = 0; round < 5; round++) {
      rooms.broadcast('g', sent++);
      sockets.at(-1)?.terminate();
      rooms.broadcast('g', sent++);
      await until('it is back', () => sockets.length === round + 2 && client.status === 'open');
      rooms.broadcast('g', sent++);
    }
    await until('all came', () => data().length >= sent);
    expect(data()).toEqual(Array.from({ length: sent }, (_, number) => number));
    expect(all('resync')).toEqual([]);
    expect(rooms.stats().resumed).toBe(5);
  });

  it('stores what it sends while it is offline, up to a limit, and the server handles each message once', async () => {
    const taken: unknown[] = [];
    await serve({ message: (_connection, data) => void taken.push(data) });
    const { client, isOpen } = connect({ queue: 4 });
    await isOpen();
    client.send(0);
    await until('it is taken', () => client.queued === 0);
    sockets.at(-1)?.terminate();
    await until('it is offline', () => client.status !== 'open');
    expect([1, 2, 3, 4, 5].map((number) => client.send(number))).toEqual([true, true, true, true, false]);
    await until('all are taken', () => client.queued === 0);
    expect(taken).toEqual([0, 1, 2, 3, 4]);
  });

  it('does not send again a message whose handler threw, but what came after it', async () => {
    const taken: unknown[] = [];
    await serve({
      message: (_connection, data) => {
        taken.push(data);
        if (data === 'bad') throw new Error('on purpose');
      },
    });
    const { client, isOpen } = connect();
    await isOpen();
    client.send('bad');
    client.send('good');
    await until('nothing waits', () => client.queued === 0);
    expect(taken).toEqual(['bad', 'good']);
    expect(sockets).toHaveLength(2);
  });

  it('sends again what was not acknowledged, and the server drops repeats', async () => {
    const taken: unknown[] = [];
    let go = (): void => {};
    await serve({
      message: (_connection, data) => {
        taken.push(data);
        if (data === 'slow') return new Promise<void>((resolve) => (go = resolve));
        return undefined;
      },
    });
    const { client, isOpen } = connect();
    await isOpen();
    client.send('slow');
    await until('it is being handled', () => taken.length === 1);
    sockets.at(-1)?.terminate();
    await until('it is back', () => sockets.length === 2 && client.status === 'open');
    client.send('next');
    await until('all are taken', () => client.queued === 0);
    go();
    expect(taken).toEqual(['slow', 'next']);
  });

  it('continues from the state of an earlier client, as after a page reload', async () => {
    await serve({ message: (connection, data) => connection.broadcast('g', data) });
    const first = connect();
    await first.client.join('g');
    first.client.send(1);
    await until('it came back', () => first.data().length === 1 && first.client.queued === 0);
    const { state } = first.client;
    first.client.close();
    rooms.broadcast('g', 2);
    const second = connect({ state });
    await second.isOpen();
    second.client.send(3);
    await until('all came', () => second.data().length === 2);
    expect(second.data()).toEqual([2, 3]);
    expect(second.client.joined()).toEqual(['g']);
  });

  it('resumes more rooms than fit into one message', async () => {
    await serve({ limits: { messageBytes: 32 * 1024, messagesPerSecond: 1000 } });
    const first = connect();
    const names = Array.from({ length: 250 }, (_, number) => `room ${number} ${'x'.repeat(100)}`);
    await Promise.all(names.map((room) => first.client.join(room)));
    sockets[0]?.terminate();
    await until('it is back', () => rooms.stats().resumed === 1 && first.client.status === 'open');
    await until('it is in its rooms', () => rooms.members(names.at(-1) as string).local === 1);
    for (const room of names) rooms.broadcast(room, 'again');
    await until('all have come', () => first.all('message').length === names.length);
    expect([first.all('resync'), rooms.stats().misbehaved]).toEqual([[], 0]);
  });

  it('resumes as many rooms as it may be in, and that of its user', async () => {
    await serve({ limits: { rooms: 2 } }, { authorize: () => ({ key: 'ann' }) });
    const { client, all } = connect();
    await Promise.all(['a', 'b'].map((room) => client.join(room)));
    await until('it is in the room of its user', () => rooms.stats().rooms === 3);
    sockets[0]?.terminate();
    await until('it is back', () => sockets.length === 2 && rooms.members('b').local === 1);
    rooms.sendTo('ann', 'hello');
    await until('it came', () => all('direct').length === 1);
    expect([all('resync'), all('refused'), rooms.stats().misbehaved]).toEqual([[], [], 0]);
  });

  it('R16 is not slow because it asks for more rooms at once than its buffer can take', async () => {
    await serve({ limits: { bufferBytes: 8 * 1024, messagesPerSecond: 1000 } });
    const { client, all } = connect();
    const names = Array.from({ length: 200 }, (_, number) => `room ${number} ${'x'.repeat(100)}`);
    await Promise.all(names.map((room) => client.join(room)));
    sockets[0]?.terminate();
    const last = names.at(-1) as string;
    await until(
      'it is in its rooms again',
      () => rooms.stats().resumed === 1 && rooms.members(last).local === 1,
    );
    expect([all('resync'), rooms.stats().closedSlow, sockets.length]).toEqual([[], 0, 2]);
  });

  it('resumes its rooms also where messages must be shorter than their list', async () => {
    await serve({ limits: { messageBytes: 256 } });
    const { client, all } = connect();
    const names = Array.from({ length: 20 }, (_, number) => `room ${number}`);
    await Promise.all(names.map((room) => client.join(room)));
    sockets[0]?.terminate();
    await until(
      'it is in its rooms again',
      () => rooms.members('room 19').local === 1 && rooms.stats().resumed === 1,
    );
    expect([all('resync'), all('refused'), rooms.stats().misbehaved]).toEqual([[], [], 0]);
    await client.join('r'.repeat(255)); // a name cannot be shortened
    expect(rooms.stats().misbehaved).toBe(0);
  });

  it('sends what an earlier page could not send, and what was sent before it is open', async () => {
    const taken: unknown[] = [];
    await serve({ message: (_connection, data) => void taken.push(data) });
    const first = connect();
    await first.isOpen();
    for (const number of [1, 2, 3]) first.client.send(number);
    await until('three were taken', () => first.client.queued === 0);
    // The server takes these two, but the page is gone before it hears so.
    first.client.send(4);
    first.client.send(Uint8Array.of(5));
    const { state } = first.client;
    await until('five were taken', () => taken.length === 5);
    first.client.close();
    const second = connect({ state });
    expect(second.client.queued).toBe(2);
    second.client.send(6);
    await until('all were taken', () => second.client.queued === 0);
    expect(taken).toEqual([1, 2, 3, 4, Buffer.of(5), 6]);

    // These two never left.
    second.client.close();
    second.client.send('seven');
    second.client.send(Uint8Array.of(8));
    const third = connect({ state: second.client.state });
    await until('all were taken', () => third.client.queued === 0);
    expect(taken.slice(6)).toEqual(['seven', Buffer.of(8)]);
  });

  it.each([
    '',
    'x',
    '{}',
    '[]',
    '[1,[],0,[0,[]]]',
    '["s",[1],0,[0,[]]]',
    '["s",[["g","t",{"a":"b"}]],0,[0,[]]]',
    '["s",[],0]',
    '["s",[],0,[0]]',
    '["s",[],0,["0",[]]]',
    '["s",[],0,[1,[["1","x"]]]]',
    '["s",[],0,[1,[[1,"x",1]]]]',
  ])('refuses the damaged state %j', (state) => {
    expect(() => connectRooms('ws://127.0.0.1:1', { state })).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }),
    );
  });

  it('tells how long it was offline, also with the state of an earlier client', async () => {
    await serve({ resume: { windowMs: 1000 } });
    const first = connect();
    await first.client.join('g');
    const [session, places, at, outbox] = JSON.parse(first.client.state) as [
      string,
      unknown,
      number,
      unknown,
    ];
    first.client.close();
    const second = connect({ state: JSON.stringify([session, places, at - 2000, outbox]) });
    await until('it is told', () => second.all('resync').length === 1);
    expect(second.all('resync')).toEqual([{ room: 'g', reason: 'window' }]);
  });

  it('works beside another client with the same state', async () => {
    await serve();
    const first = connect();
    await first.client.join('g');
    const second = connect({ state: first.client.state });
    await second.isOpen();
    await until('the first is back as a fork', () => sockets.length === 3 && first.client.status === 'open');
    await until('both are members', () => rooms.members('g').local === 2);
    rooms.broadcast('g', 1);
    await until('both have it', () => first.data().length === 1 && second.data().length === 1);
    expect([first.client.status, second.client.status, sockets.length]).toEqual(['open', 'open', 3]);
  });

  it('R19 beside another client with the same state has all that it sends handled, also what it sent while offline', async () => {
    const taken: unknown[] = [];
    await serve({ message: (_connection, data) => void taken.push(data) });
    const first = connect({ minDelay: 60_000, random: () => 1 });
    await first.isOpen();
    first.client.send('before');
    await until('it was taken', () => first.client.queued === 0);
    const { state } = first.client;
    first.client.send('of the first');
    await until('it was taken', () => first.client.queued === 0);
    const second = connect({ state });
    second.client.send('of the second'); // with the number of the message before
    await until('it was taken', () => taken.length === 3);
    // The first one is offline: it does not know that its session is continued.
    await until('it waits', () => first.client.status === 'waiting');
    expect(taken).toEqual(['before', 'of the first', 'of the second']);
  });

  it('R19 with a state from before another client continued it has all that it sends handled', async () => {
    const taken: unknown[] = [];
    await serve({ message: (_connection, data) => void taken.push(data) });
    const first = connect();
    await first.client.join('g');
    first.client.send('before');
    await until('it was taken', () => first.client.queued === 0);
    const { state } = first.client;
    first.client.close();
    const second = connect({ state });
    second.client.send('of the second');
    await until('it was taken', () => taken.length === 2);
    second.client.close();
    const third = connect({ state });
    third.client.send('of the third');
    await until('it was taken', () => third.client.queued === 0);
    expect(taken).toEqual(['before', 'of the second', 'of the third']);
    rooms.broadcast('g', 1);
    await until('it is in the room of the state', () => third.data().length === 1);
    expect(third.all('resync')).toEqual([]);
  });

  it('joins its rooms again, and reports resync, when its session is no longer known', async () => {
    const keyed = { authorize: () => ({ key: 'ann' }) };
    const port = await reservePort();
    await serve({}, keyed, port);
    const { client, all, data } = connect();
    await client.join('g');
    await until('it is in the room of its user', () =>
      client.state.includes(JSON.stringify(`${KEY_ROOM}ann`)),
    );
    rooms.close();
    server.closeAllConnections();
    server.close();
    await until('it is offline', () => client.status !== 'open');
    await node.stop();
    node = await startNode();
    rooms = createRooms(node, { join: () => true });
    server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    rooms.attach(server, keyed);
    await until('it is a member again', () => rooms.members('g').local === 1);
    rooms.broadcast('g', 'new');
    await until('it came', () => data().length === 1);
    expect(all('resync')).toHaveLength(2);
    expect(all('resync')).toContainEqual({ room: 'g', reason: 'window' });
    expect(all('resync')).toContainEqual({ room: '', reason: 'window' }); // that of its user
  });

  it('connects to the URL that a draining server names, and tries the next of several servers', async () => {
    await serve();
    const second = createRooms(node);
    second.attach(server, { path: '/second' });
    // Two `createRooms` of a node without a name do not know of each other: that is enough to see where a client goes.
    const { client, isOpen } = connect({}, ['ws://127.0.0.1:1/rooms', url]);
    await isOpen();
    expect(rooms.stats().connections).toBe(1);
    await rooms.drain({ over: 0, to: url.replace('/rooms', '/second') });
    await until('it has moved', () => second.stats().connections === 1 && client.status === 'open');
    second.close();
  });

  it('is closed for good', async () => {
    await serve();
    const { client, isOpen, all } = connect();
    await isOpen();
    client.close();
    await until('it is gone', () => rooms.stats().connections === 0);
    await turns();
    expect([client.status, sockets.length, all('status')]).toEqual([
      'closed',
      1,
      ['connecting', 'open', 'closed'],
    ]);
    await expect(client.join('g')).rejects.toThrow('closed');
  });
});
