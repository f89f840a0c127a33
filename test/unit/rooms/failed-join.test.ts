// A handler `join` that throws fails one room of one client: nothing else ends, and the client is not told why.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

const logged = (): unknown[] =>
  stage
    .node(0)
    .kit.logs.filter(({ facts }) => facts['event'] === 'rooms_join')
    .map(({ facts }) => facts);

it.each([
  ['throws', true],
  ['rejects', false],
])('a join whose handler %s is answered with `failed`, and logged', async (_how, isSync) => {
  const error = new Error('password of the database');
  const rooms = stage.alone({
    join: (_connection, room) => {
      if (room !== 'bad') return true;
      if (isSync) throw error;
      return Promise.reject(error);
    },
  });
  const { socket, connection } = await stage.client(rooms, { joins: ['a', 'bad', 'b'] });
  expect(socket.all('refused')).toEqual([['refused', 2, 'bad', 'failed']]);
  expect([socket.closed, connection.rooms]).toEqual([undefined, ['a', 'b']]);
  expect(socket.texts.join()).not.toContain('password');
  expect(logged()).toEqual([expect.objectContaining({ err: error, room: 'bad' })]);
  socket.tell(['send', 1, 'x']);
  await stage.mesh.settle();
  expect(socket.all('ack')).toEqual([['ack', 1]]);
});

it('a client that asks again and again for a room that fails does not fill the log', async () => {
  const rooms = stage.alone({
    join: () => {
      throw new Error('on purpose');
    },
  });
  await stage.client(rooms, { joins: Array.from({ length: 50 }, () => 'bad') });
  expect(logged()).toHaveLength(1);
});

it('a room whose join fails when a client comes back is refused, its other rooms are resumed, and nothing is left behind', async () => {
  let isBack = false;
  const rooms = await stage.cluster({
    join: (_connection, room) => {
      if (isBack && room === 'b') throw new Error('on purpose');
      return true;
    },
    resume: { windowMs: 10_000 },
  });
  const { socket: before } = await stage.client(rooms[0], { joins: ['a', 'b', 'c'] });
  before.drop();
  rooms[0].broadcast('c', 'missed');
  isBack = true;
  const { socket } = await stage.back(rooms[2], before, ['a', 'b', 'c']);
  await stage.mesh.pass(5000);
  expect(socket.all('refused')).toEqual([['refused', 0, 'b', 'failed']]);
  expect(socket.all('joined').map(([, , room]) => room)).toEqual(['a', 'c']);
  expect([socket.data('c'), socket.closed]).toEqual([['missed'], undefined]);
  socket.drop();
  await stage.mesh.pass(60_000);
  expect(rooms.map((each) => each.stats().rooms)).toEqual([0, 0, 0]);
});

it.each([
  ['throws', 'failed'],
  ['returns false', 'not allowed'],
])(
  'a handler that joins the client to that room and another one and then %s leaves it in the other one only',
  async (how, reason) => {
    const rooms = stage.alone({
      join: async (connection, room) => {
        await connection.join(room);
        await connection.join('other');
        if (how === 'throws') throw new Error('on purpose');
        return false;
      },
    });
    const { socket, connection } = await stage.client(rooms, { joins: ['a'] });
    expect(connection.rooms).toEqual(['other']);
    expect(rooms.members('a').local).toBe(0);
    const told = (['joined', 'left', 'refused'] as const).map((event) => socket.all(event));
    expect(told).toEqual([
      [expect.arrayContaining(['joined', 0, 'a']), expect.arrayContaining(['joined', 0, 'other'])],
      [['left', 0, 'a']],
      [['refused', 1, 'a', reason]],
    ]);
  },
);

it('a refused request leaves a client in a room that the server joined it to before', async () => {
  const rooms = stage.alone({ join: () => false });
  const { socket, connection } = await stage.client(rooms);
  void connection.join('a');
  socket.tell(['join', 1, 'a']);
  await stage.mesh.settle();
  expect([socket.all('refused'), connection.rooms]).toEqual([[['refused', 1, 'a', 'not allowed']], ['a']]);
});
