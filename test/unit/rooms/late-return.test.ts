// Clients that come back late, or to a node with other limits, as during a deploy.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRooms, type Rooms } from '../../../ts/rooms/index.ts';
import { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

it.each([0, 1])('R19 what was handled before a long sleep is not handled again on node %i', async (index) => {
  const handled: unknown[] = [];
  const rooms = await stage.cluster({
    resume: { windowMs: 1000 },
    message: (_connection, data) => void handled.push(data),
  });
  const { socket: before } = await stage.client(rooms[0]);
  before.tell(['send', 1, 'before the sleep']);
  await stage.mesh.settle();
  before.drop(); // its client has not read the acknowledgement
  await stage.mesh.pass(60_000);
  const { socket } = await stage.back(rooms[index] as Rooms, before, [], { awayMs: 60_000 });
  socket.tell(['send', 1, 'before the sleep']);
  socket.tell(['send', 2, 'after it']);
  await stage.mesh.settle();
  expect([socket.all('welcome')[0]?.[1].last, handled]).toEqual([1, ['before the sleep', 'after it']]);
});

it.each([
  [14, 1],
  [16, 2],
])(
  'R19 what was handled %i minutes ago is handled %i times when its acknowledgement was lost',
  async (away, times) => {
    const handled: unknown[] = [];
    const rooms = stage.alone({ message: (_connection, data) => void handled.push(data) });
    const { socket: before } = await stage.client(rooms);
    before.tell(['send', 1, 'x']);
    await stage.mesh.settle();
    before.drop();
    const awayMs = away * 60_000;
    await stage.mesh.pass(awayMs);
    const { socket } = await stage.back(rooms, before, [], { awayMs });
    const [, welcome] = socket.all('welcome')[0] ?? [];
    for (let number = (welcome?.last ?? 0) + 1; number <= 1; number++) socket.tell(['send', number, 'x']);
    await stage.mesh.settle();
    expect([welcome?.resumed, handled.length]).toEqual([true, times]);
  },
);

it('R12 a client whose old socket is still open keeps the presence that its new one was given at once', async () => {
  const rooms = stage.alone({ join: () => true, open: (connection) => connection.track('h', 'tracked') });
  const { socket: before, connection: old } = await stage.client(rooms, { key: 'ann', joins: ['g'] });
  old.track('g', 'old');
  const socket = new FakeClient(before);
  const connection = rooms.accept(socket, { key: 'ann' });
  connection.track('g', 'new'); // before its hello
  socket.hello(before.session, [before.place('g')]);
  await stage.mesh.settle();
  expect([before.closed?.code, connection.id]).toEqual([4001, old.id]);
  expect(['g', 'h'].map((room) => rooms.presence(room).metas('ann'))).toEqual([['new'], ['tracked']]);
});

describe('R16 a client that the server joins to a room before its hello', () => {
  async function back(room: string, live: readonly string[]): Promise<[Rooms, FakeClient]> {
    const rooms = stage.alone({ join: () => true });
    const { socket: before } = await stage.client(rooms, { joins: ['g'] });
    before.drop();
    await stage.mesh.settle();
    rooms.broadcast('g', 'missed');
    const socket = new FakeClient(before);
    void rooms.accept(socket).join(room);
    for (const text of live) rooms.broadcast('g', text);
    await stage.mesh.settle();
    socket.hello(before.session, [before.place('g')]);
    await stage.mesh.settle();
    return [rooms, socket];
  }

  it('has what it missed, if nothing has come since', async () => {
    const [rooms, socket] = await back('g', []);
    rooms.broadcast('g', 'later');
    await stage.mesh.settle();
    expect([socket.data('g'), socket.all('resync')]).toEqual([['missed', 'later'], []]);
  });

  it('is told resync if something has, and gets nothing twice', async () => {
    const [rooms, socket] = await back('g', ['live']);
    rooms.broadcast('g', 'later');
    await stage.mesh.settle();
    expect(socket.data('g')).toEqual(['live', 'later']);
    expect(socket.all('resync').map(([, room]) => room)).toEqual(['g']);
  });

  it('can resume that room, too', async () => {
    const [rooms, socket] = await back('new', []);
    socket.drop();
    await stage.mesh.settle();
    rooms.broadcast('new', 'missed');
    const { socket: again } = await stage.back(rooms, socket, ['new']);
    expect([again.data('new'), again.all('refused')]).toEqual([['missed'], []]);
  });
});

it('R20 a client in more rooms than its new node allows is refused some, and not closed', async () => {
  const [many, few] = [10, 2].map((most, index) =>
    createRooms(stage.node(index), { join: () => true, limits: { rooms: most } }),
  ) as [Rooms, Rooms];
  stage.mesh.connectAll();
  await stage.mesh.settle();
  const names = Array.from({ length: 10 }, (_, number) => `r${number}`);
  const { socket: before } = await stage.client(many, { joins: names });
  before.drop();
  await stage.mesh.settle();
  const { socket, connection } = await stage.back(few, before, names);
  expect([socket.closed, connection.rooms]).toEqual([undefined, ['r0', 'r1']]);
  expect(socket.all('refused').map(([, , room]) => room)).toEqual(expect.arrayContaining(names.slice(2)));
  expect(few.stats().misbehaved).toBe(0);
});
