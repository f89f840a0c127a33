// What a client asked for may be longer than what may wait for it: the presence of a room, or what it missed there. It is not slow for that.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Rooms, RoomsOptions } from '../../../ts/rooms/index.ts';
import { until } from '../../support/deadline.ts';
import { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

const BUFFER_BYTES = 4096;
const KEYS = 100;

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

const alone = (options: RoomsOptions = {}): Rooms =>
  stage.alone({ join: () => true, ...options, limits: { bufferBytes: BUFFER_BYTES, ...options.limits } });

/** Fills the presence of a room, to about three times what may wait for a client. */
function fill(rooms: Rooms, room: string): void {
  for (let number = 0; number < KEYS; number++)
    rooms.accept(new FakeClient(), { key: `user ${number}` }).track(room, { text: 'x'.repeat(100) });
}

/** The kinds of what a client heard of a room, and for a presence the number of keys. */
const heard = (socket: FakeClient, room: string): unknown[] =>
  socket.heard.flatMap((message) => {
    if (message[0] === 'present' && message[1] === room) return [`all ${message[2].length}`];
    if (message[0] === 'presence' && message[1] === room) return [`diff of ${message[2].updates.length}`];
    return message[0] === 'joined' && message[2] === room ? ['joined'] : [];
  });

function read(socket: FakeClient): void {
  socket.isStuck = false;
  socket.bufferedAmount = 0;
}

describe('a presence that is longer than what may wait', () => {
  it('is sent to a client that joins, and its changes after it', async () => {
    const rooms = alone();
    fill(rooms, 'g');
    const [one] = rooms.connections();
    await stage.mesh.settle();
    const { socket } = await stage.client(rooms, { joins: ['g'] });
    one?.track('g', 'changed');
    await stage.mesh.settle();
    expect([socket.closed, heard(socket, 'g')]).toEqual([undefined, [`all ${KEYS}`, 'joined', 'diff of 1']]);
  });

  it('is sent room by room to a client that the server joins to many, each whole before its changes', async () => {
    const names = ['a', 'b', 'c'];
    const rooms = alone({ open: (connection) => void names.map((name) => connection.join(name)) });
    for (const name of names) fill(rooms, name);
    const all = [...rooms.connections()];
    await stage.mesh.settle();
    const socket = new FakeClient();
    socket.isStuck = true;
    const connection = rooms.accept(socket);
    socket.hello();
    await stage.mesh.settle();
    expect(names.map((name) => heard(socket, name))).toEqual([
      [`all ${KEYS}`, 'joined'],
      ['joined'],
      ['joined'],
    ]);
    for (const [index, name] of names.entries()) all[index * KEYS]?.track(name, 'changed');
    await stage.mesh.settle();
    read(socket);
    await until('it has all', () => connection.waiting === 0 && socket.all('present').length === 3);
    expect([socket.closed, names.map((name) => heard(socket, name))]).toEqual([
      undefined,
      [
        [`all ${KEYS}`, 'joined', 'diff of 1'],
        ['joined', `all ${KEYS}`],
        ['joined', `all ${KEYS}`],
      ],
    ]);
  });

  it('is not sent any more to a client that has left meanwhile, or is gone', async () => {
    const rooms = alone({ open: (connection) => void ['a', 'b'].map((name) => connection.join(name)) });
    for (const name of ['a', 'b']) fill(rooms, name);
    await stage.mesh.settle();
    const sockets = [new FakeClient(), new FakeClient()];
    const connections = sockets.map((socket) => {
      socket.isStuck = true;
      const connection = rooms.accept(socket);
      socket.hello();
      return connection;
    });
    await stage.mesh.settle();
    connections[0]?.leave('b');
    sockets[1]?.drop();
    for (const socket of sockets) read(socket);
    await until('it has all', () => connections[0]?.waiting === 0);
    expect(sockets.map((socket) => socket.all('present').length)).toEqual([1, 1]);
  });
});

it('R16 a client that missed more in a room than may wait gets it, and the presence after it', async () => {
  const rooms = alone();
  fill(rooms, 'g');
  const { socket: before } = await stage.client(rooms, { joins: ['g'] });
  before.drop();
  const texts = Array.from({ length: 40 }, (_, number) => `${number} ${'x'.repeat(300)}`);
  for (const text of texts) rooms.broadcast('g', text);
  const { socket } = await stage.back(rooms, before, ['g']);
  await until('it has all', () => socket.all('present').length === 1);
  expect([socket.closed, socket.data('g')]).toEqual([undefined, texts]);
});

describe('a message that is longer than what may wait', () => {
  it('is not counted while it is read', async () => {
    const rooms = alone();
    const { socket } = await stage.client(rooms, { joins: ['g'] });
    socket.isStuck = true;
    const long = 'x'.repeat(3 * BUFFER_BYTES);
    rooms.broadcast('g', long);
    await stage.mesh.settle();
    rooms.broadcast('g', 'short');
    socket.tell(['send', 1, 'x']);
    await stage.mesh.settle();
    expect([socket.closed, socket.data('g')]).toEqual([undefined, [long, 'short']]);
    expect(socket.all('ack')).toEqual([['ack', 1]]);
  });

  it('R10 lets nothing more wait than otherwise: a second one is refused, and many short ones', async () => {
    for (const [count, bytes] of [
      [1, 2 * BUFFER_BYTES],
      [12, 300],
    ] as const) {
      const rooms = new Stage();
      const alone = rooms.alone({ join: () => true, limits: { bufferBytes: BUFFER_BYTES } });
      const { socket, connection } = await rooms.client(alone, { joins: ['g'] });
      socket.isStuck = true;
      alone.broadcast('g', 'x'.repeat(3 * BUFFER_BYTES));
      for (let number = 0; number < count; number++) {
        await rooms.mesh.settle();
        alone.broadcast('g', 'x'.repeat(bytes));
      }
      expect(connection.waiting).toBeLessThan(4 * BUFFER_BYTES + 1000);
      await rooms.mesh.settle();
      expect(socket.closed?.code).toBe(1013);
      rooms.mesh.stop();
    }
  });
});
