// Sentences of docs/rooms.md and of the docstrings that no other test would contradict.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startNode } from '../../../ts/node/index.ts';
import { createRooms, type RoomsOptions } from '../../../ts/rooms/index.ts';
import { answerOf, Tap } from '../../support/websocket.ts';
import { FakeClient, FakeSocket } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

const oops = (): never => {
  throw new Error('on purpose');
};
const reject = (): Promise<never> => Promise.reject(new Error('on purpose'));

describe.each([
  ['throws', oops],
  ['rejects', reject],
])('a handler that %s', (_how, fail) => {
  it.each(['open', 'message', 'mail'] as const)(
    '%s: its socket closes with 1011, and no other',
    async (name) => {
      let isBad = false;
      const options: RoomsOptions = { [name]: () => (isBad ? fail() : undefined) };
      const rooms = stage.alone(options);
      const { socket: other } = await stage.client(rooms);
      isBad = true;
      const { socket, connection } = await stage.client(rooms);
      if (name === 'message') socket.tell(['send', 1, 'x']);
      if (name === 'mail') stage.node(0).runtime.send(connection.pid, 'x');
      await stage.mesh.settle();
      expect([socket.closed?.code, other.closed]).toEqual([1011, undefined]);
      await rooms.drain({ over: 0 });
      expect(rooms.stats().connections).toBe(0);
    },
  );

  it('close: its actor ends, and a drain does not wait for it', async () => {
    const rooms = stage.alone({ close: fail });
    const { connection } = await stage.client(rooms);
    await rooms.drain({ over: 0 });
    expect(stage.node(0).runtime.isAlive(connection.pid)).toBe(false);
  });
});

it('`open` is called for each connection, also one that resumes, once its rooms are joined', async () => {
  const opened: unknown[] = [];
  const rooms = stage.alone({ join: () => true, open: ({ rooms: joined }) => void opened.push(joined) });
  const { socket: before } = await stage.client(rooms, { joins: ['g'] });
  before.drop();
  await stage.back(rooms, before, ['g']);
  expect(opened).toEqual([[], ['g']]);
});

it('without the handler `join` clients join nothing, but resume what the server joined them to', async () => {
  const rooms = stage.alone();
  const { socket: before, connection } = await stage.client(rooms, { joins: ['g'] });
  expect(before.all('refused')).toEqual([['refused', 1, 'g', 'not allowed']]);
  await connection.join('g');
  await stage.mesh.settle();
  before.drop();
  const { connection: after } = await stage.back(rooms, before, ['g']);
  expect(after.rooms).toEqual(['g']);
});

it('a connection has no PID before its hello, and is closed with 1001 unless another code is given', async () => {
  const rooms = stage.alone();
  const socket = new FakeClient();
  const connection = rooms.accept(socket);
  expect(() => connection.pid).toThrow(expect.objectContaining({ code: 'SNOW_ERR_ACTOR_DEAD' }));
  socket.hello();
  await stage.mesh.settle();
  expect(stage.node(0).runtime.isAlive(connection.pid)).toBe(true);
  connection.close();
  expect(socket.closed).toEqual({ code: 1001, reason: '' });
});

it('a drain waits 5 s for a handler, and kills it then', async () => {
  const rooms = stage.alone({ message: () => new Promise<never>(() => {}) });
  const { socket, connection } = await stage.client(rooms);
  const { pid } = connection;
  socket.tell(['send', 1, 'x']);
  await stage.mesh.settle();
  let isDrained = false;
  void rooms.drain({ over: 0 }).then(() => (isDrained = true));
  await stage.mesh.settle();
  await stage.mesh.pass(4900);
  expect([stage.node(0).runtime.isAlive(pid), isDrained]).toEqual([true, false]);
  await stage.mesh.pass(200);
  expect([stage.node(0).runtime.isAlive(pid), isDrained]).toEqual([false, true]);
});

it('a connection without a key is in a presence under its id, with the meta {} unless another is given', () => {
  const rooms = stage.alone();
  const connection = rooms.accept(new FakeSocket());
  connection.track('g');
  expect(rooms.presence('g').entries()).toEqual([{ key: connection.id, metas: [{}] }]);
});

it('a listener for changes of a presence that was removed is not called any more', async () => {
  const rooms = stage.alone();
  const told: string[] = [];
  const presence = rooms.presence('g');
  const off = presence.onDiff(() => void told.push('one'));
  presence.onDiff(() => void told.push('two'));
  rooms.accept(new FakeSocket(), { key: 'a' }).track('g');
  await stage.mesh.settle();
  off();
  rooms.accept(new FakeSocket(), { key: 'b' }).track('g');
  await stage.mesh.settle();
  expect(told).toEqual(['one', 'two', 'two']);
});

it('a message for one node is not sent when that node has no rooms', async () => {
  const [first] = stage.nodes.map((node, index) => (index === 2 ? undefined : createRooms(node)));
  stage.mesh.connectAll();
  await stage.mesh.settle();
  expect(first?.broadcastOn(stage.node(1).name, 'g', 'x')).toBe(true);
  expect(first?.broadcastOn(stage.node(2).name, 'g', 'x')).toBe(false);
});

it('each call on a node without a name gives rooms of its own', async () => {
  const node = await startNode();
  const [one, two] = [createRooms(node), createRooms(node)];
  const sockets = [new FakeSocket(), new FakeSocket()];
  await Promise.all([one, two].map((rooms, index) => rooms.accept(sockets[index] as FakeSocket).join('g')));
  one.broadcast('g', 'x');
  await new Promise(setImmediate);
  expect(sockets.map(({ sent }) => sent)).toEqual([['x'], []]);
  await node.stop();
});

it('a path that is detached accepts nothing more; open connections stay, and it can be attached again', async () => {
  const node = await startNode();
  const rooms = createRooms(node, { message: (connection, text) => connection.send(text) });
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const detach = rooms.attach(server);
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/rooms`;
  const tap = await Tap.open(url);
  detach();
  expect(await answerOf(url)).toMatchObject({ status: 404 });
  tap.socket.send('still here');
  await tap.count(1);
  expect(tap.got).toEqual(['still here']);
  rooms.attach(server);
  detach(); // of before: it does nothing
  const again = await Tap.open(url);
  for (const each of [tap, again]) each.socket.terminate();
  rooms.close();
  server.closeAllConnections();
  server.close();
  await node.stop();
});
