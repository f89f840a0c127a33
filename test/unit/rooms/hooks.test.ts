// What hooks and listeners of users do at bad moments: too late, in the middle of a delivery, or again from within.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Connection } from '../../../ts/rooms/index.ts';
import { deferred } from '../../support/deadline.ts';
import { FakeClient, FakeSocket } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

it('R2 a client whose join is allowed after its socket was closed is no member', async () => {
  const allowed = deferred<boolean>();
  const rooms = stage.alone({ join: (_connection, room) => room === 'at once' || allowed.promise });
  const { socket, connection } = await stage.client(rooms);
  socket.tell(['join', 1, 'later']);
  await stage.mesh.settle();
  socket.tell(['join', 2, 'at once']);
  socket.drop();
  allowed.resolve(true);
  await stage.mesh.settle();
  expect(stage.node(0).runtime.isAlive(connection.pid)).toBe(false);
  expect(['later', 'at once'].map((room) => rooms.members(room).local)).toEqual([0, 0]);
  expect(connection.rooms).toEqual([]);
});

it.each(['close', 'slow'] as const)(
  'R7, R16 what a listener of %s broadcasts about a slow client overtakes no message of the burst',
  async (event) => {
    const rooms = stage.alone({ join: () => true, limits: { bufferBytes: 1000 } });
    const { socket: stuck } = await stage.client(rooms, { joins: ['a', 'b'] });
    const { socket: reads, connection } = await stage.client(rooms, { joins: ['a', 'b'] });
    rooms.on(event, () => {
      rooms.broadcast('a', 'from the listener');
      connection.send('at once');
    });
    stuck.bufferedAmount = 2000;
    for (const [room, text] of [
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
    ] as const)
      rooms.broadcast(room, text);
    await stage.mesh.settle();
    expect(stuck.closed?.code).toBe(1013);
    expect([reads.data('a'), reads.data('b')]).toEqual([['1', '3', 'from the listener'], ['2']]);
    expect(reads.all('d')).toEqual([['d', 'at once']]);
  },
);

it('R16 a slow client that is closed gets nothing that comes after what it did not get', async () => {
  const rooms = stage.alone({ join: () => true, limits: { bufferBytes: 1000 } });
  const { socket } = await stage.client(rooms, { joins: ['a', 'b'] });
  socket.bufferedAmount = 500;
  rooms.broadcast('a', 'x'.repeat(600));
  rooms.broadcast('b', 'short');
  await stage.mesh.settle();
  expect([socket.closed?.code, socket.data('a'), socket.data('b')]).toEqual([1013, [], []]);
});

/** A socket whose other end answers while it is written to. */
class Answering extends FakeClient {
  answer: (() => void) | undefined;

  override send(data: string | Uint8Array): void {
    super.send(data);
    if (this.texts.at(-1)?.startsWith('["d"')) this.answer?.();
  }
}

it('what is sent to a socket while it is being written to is sent', async () => {
  const rooms = stage.alone();
  const socket = new Answering();
  const connection = rooms.accept(socket);
  socket.hello();
  await stage.mesh.settle();
  socket.answer = () => socket.tell(['beat']);
  connection.send('x');
  await stage.mesh.settle();
  expect(socket.heard.slice(1)).toEqual([['d', 'x'], ['beat']]);
});

it('a socket that breaks the protocol while it is being written to is closed once, and written to once', async () => {
  const rooms = stage.alone();
  const socket = new Answering();
  const connection = rooms.accept(socket);
  socket.hello();
  await stage.mesh.settle();
  socket.answer = () => socket.say('nonsense');
  connection.send('x');
  await stage.mesh.settle();
  expect([socket.all('d'), socket.closed?.code]).toEqual([[['d', 'x']], 1008]);
  expect(rooms.stats().misbehaved).toBe(1);
});

it('a client whose place is taken by its own join hook is refused the room, and stays open', async () => {
  let isBack = false;
  const rooms = stage.alone({
    join: async (connection) => {
      if (isBack) await connection.join('other');
      return true;
    },
    limits: { rooms: 1 },
  });
  const { socket: before } = await stage.client(rooms, { joins: ['g'] });
  before.drop();
  isBack = true;
  const { socket, connection } = await stage.back(rooms, before, ['g']);
  expect([socket.closed, connection.rooms]).toEqual([undefined, ['other']]);
  expect(socket.all('refused')).toEqual([['refused', 0, 'g', 'ticket']]);
});

it('a client whose join hook returns nothing is refused, also when it comes back', async () => {
  let isBanned = false;
  const rooms = stage.alone({
    join: ((_connection: unknown, room: string) =>
      isBanned || room === 'other' ? undefined : true) as () => boolean,
  });
  const { socket: before, connection } = await stage.client(rooms, { joins: ['g', 'other'] });
  expect(before.all('refused')).toEqual([['refused', 2, 'other', 'not allowed']]);
  await connection.join('server');
  before.drop();
  isBanned = true;
  const { socket, connection: after } = await stage.back(rooms, before, ['g', 'server']);
  expect([socket.all('refused').map(([, , room]) => room), after.rooms]).toEqual([['g', 'server'], []]);
});

it('A4 neither a join that nobody awaits nor a listener that rejects ends the process', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  try {
    const rooms = stage.alone({
      limits: { rooms: 1 },
      message: (connection: Connection, room) => void connection.join(String(room)),
    });
    const called: string[] = [];
    rooms.on('close', async () => {
      throw new Error('oops');
    });
    rooms.on('close', () => void called.push('the next listener'));
    const socket = new FakeSocket();
    rooms.accept(socket);
    for (const room of ['a', 'b', '']) socket.say(room);
    await stage.mesh.settle();
    expect(rooms.members('a').local).toBe(1);
    socket.drop();
    await stage.mesh.settle();
    expect([called, unhandled]).toEqual([['the next listener'], []]);
    const failed = stage.node(0).kit.logs.filter(({ facts }) => facts['event'] === 'callback_failed');
    expect(failed).toHaveLength(1);
  } finally {
    process.off('unhandledRejection', note);
  }
});

it('a handler `join` that joins the client itself makes it a member once; the client is told of both joins', async () => {
  const rooms = stage.alone({
    join: async (connection, room) => {
      await connection.join(room);
      return true;
    },
  });
  const { socket } = await stage.client(rooms, { joins: ['g'] });
  expect(socket.all('joined').map(([, ref, room]) => [ref, room])).toEqual([
    [0, 'g'],
    [1, 'g'],
  ]);
  rooms.broadcast('g', 'x');
  await stage.mesh.settle();
  expect([rooms.members('g').local, socket.data('g')]).toEqual([1, ['x']]);
});
