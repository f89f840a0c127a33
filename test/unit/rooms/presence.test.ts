import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PresenceDiff } from '../../../ts/client/index.ts';
import { createRooms, type Rooms } from '../../../ts/rooms/index.ts';
import { MAX_METAS, PresenceTable } from '../../../ts/rooms/presence-table.ts';
import { FakeClient, FakeSocket } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

/** All diffs of a room from now on. */
function diffs(rooms: Rooms, room = 'g'): PresenceDiff[] {
  const all: PresenceDiff[] = [];
  rooms.presence(room).onDiff((diff) => void all.push(diff));
  return all;
}
const NONE = { joins: [], updates: [], leaves: [] };

describe('presence', () => {
  it('R12 has a user once with the metas of its connections, and each change once', async () => {
    const rooms = await stage.cluster();
    const seen = diffs(rooms[2]);
    const { connection: one } = await stage.plain(rooms[0], ['g'], 'alice');
    const { connection: two } = await stage.plain(rooms[1], ['g'], 'alice');
    const { connection: three, socket } = await stage.plain(rooms[1], ['g'], 'alice');
    one.track('g', { tab: 1 });
    await stage.mesh.settle();
    two.track('g', { tab: 2 });
    await stage.mesh.settle();
    three.track('g', { tab: 3 });
    await stage.mesh.settle();
    const all = [{ tab: 1 }, { tab: 2 }, { tab: 3 }];
    for (const each of rooms) {
      expect(each.presence('g').size).toBe(1);
      expect(
        [...each.presence('g').metas('alice')].sort((a, b) =>
          JSON.stringify(a) < JSON.stringify(b) ? -1 : 1,
        ),
      ).toEqual(all);
    }
    expect(seen).toEqual([
      { ...NONE, joins: [{ key: 'alice', metas: [{ tab: 1 }] }] },
      { ...NONE, updates: [{ key: 'alice', metas: [{ tab: 1 }, { tab: 2 }] }] },
      { ...NONE, updates: [{ key: 'alice', metas: all }] },
    ]);
    seen.length = 0;
    two.track('g', { tab: 2, typing: true });
    two.track('g', { tab: 2 });
    await stage.mesh.settle();
    expect(seen).toEqual([]); // nothing is different at the end of the turn
    socket.drop();
    one.leave('g');
    await stage.mesh.settle();
    two.untrack('g');
    await stage.mesh.settle();
    expect(seen.at(-1)).toEqual({ ...NONE, leaves: [{ key: 'alice', metas: [{ tab: 2 }] }] });
    expect(rooms.map((each) => each.presence('g').entries())).toEqual([[], [], []]);
  });

  it('R12 does not show a connection that was closed, also by the `toJSON` of its meta', async () => {
    const rooms = await stage.cluster();
    const { connection } = await stage.plain(rooms[0], ['g'], 'alice');
    connection.track('g', {
      toJSON() {
        connection.close();
        return {};
      },
    });
    connection.track('g');
    await stage.mesh.settle();
    expect(rooms.map((each) => each.presence('g').entries())).toEqual([[], [], []]);
  });

  it('R12 has a leave when a node or its session is lost, and a join when it is connected again', async () => {
    const rooms = await stage.cluster();
    const seen = diffs(rooms[0]);
    const { connection } = await stage.plain(rooms[1], ['g'], 'bob');
    const { connection: other } = await stage.plain(rooms[2], ['g'], 'carol');
    connection.track('g', 1);
    other.track('g', 2);
    await stage.mesh.settle();
    seen.length = 0;
    stage.mesh.cut(stage.node(0), stage.node(1));
    await stage.mesh.settle();
    connection.track('g', 3); // while apart
    await stage.mesh.settle();
    stage.mesh.connect(stage.node(0), stage.node(1));
    await stage.mesh.settle();
    stage.mesh.crash(stage.node(2));
    await stage.mesh.settle();
    expect(seen).toEqual([
      { ...NONE, leaves: [{ key: 'bob', metas: [1] }] },
      { ...NONE, joins: [{ key: 'bob', metas: [3] }] },
      { ...NONE, leaves: [{ key: 'carol', metas: [2] }] },
    ]);
    expect(rooms[1].presence('g').entries()).toEqual([{ key: 'bob', metas: [3] }]);
  });

  it('R12 does not restore what a node had before it created its rooms again', async () => {
    const rooms = await stage.cluster();
    const { connection } = await stage.plain(rooms[1], ['g'], 'bob');
    connection.track('g', 1);
    await stage.mesh.settle();
    rooms[1].close();
    createRooms(stage.node(1));
    await stage.mesh.settle();
    expect(rooms[0].presence('g').entries()).toEqual([]);
  });

  it('keeps a connection that was tracked before its hello resumed a session, until it ends', async () => {
    const rooms = await stage.cluster();
    const { socket: before } = await stage.client(rooms[0]);
    before.drop();
    const socket = new FakeClient(before);
    const connection = rooms[0].accept(socket);
    connection.track('g', 1);
    await stage.mesh.settle();
    const seen = diffs(rooms[1]);
    socket.hello(before.session);
    await stage.mesh.settle();
    for (const each of rooms)
      expect(each.presence('g').entries()).toEqual([{ key: connection.id, metas: [1] }]);
    expect(seen).toHaveLength(1);
    socket.drop();
    await stage.mesh.settle();
    for (const each of rooms) expect(each.presence('g').entries()).toEqual([]);
  });

  it('does not announce a connection that joined and left within a turn, and announces the leave of one that joined again', async () => {
    const rooms = await stage.cluster();
    const { connection } = await stage.plain(rooms[0], [], 'bob');
    connection.track('g', 1);
    await stage.mesh.settle();
    const told: unknown[] = [];
    stage.mesh.onSend = (_from, to, value) => void (to === stage.node(1) && told.push(value));
    for (let times = 0; times < 3; times++) {
      connection.untrack('g');
      connection.track('g', 2);
      connection.track('other', 2);
      connection.untrack('other');
    }
    await stage.mesh.settle();
    const { id } = connection;
    expect(told).toEqual([
      [
        'presence',
        [
          ['g', 'bob', id, null],
          ['g', 'bob', id, '2'],
        ],
      ],
    ]);
    expect(rooms[1].presence('g').entries()).toEqual([{ key: 'bob', metas: [2] }]);
  });

  it('is sent to clients that are members: first all of it, then changes', async () => {
    const rooms = await stage.cluster({ join: () => true });
    const { connection } = await stage.plain(rooms[1], ['g'], 'bob');
    connection.track('g', { name: 'Bob' });
    await stage.mesh.settle();
    const { socket } = await stage.client(rooms[0], { joins: ['g'] });
    const { socket: outside } = await stage.client(rooms[0]);
    connection.track('g', { name: 'Bob', typing: true });
    await stage.mesh.settle();
    expect(socket.all('present')).toEqual([['present', 'g', [{ key: 'bob', metas: [{ name: 'Bob' }] }]]]);
    expect(socket.all('presence')).toEqual([
      ['presence', 'g', { ...NONE, updates: [{ key: 'bob', metas: [{ name: 'Bob', typing: true }] }] }],
    ]);
    expect(outside.all('presence')).toEqual([]);
  });

  it('is sent whole before its changes also while peers have not answered the join', async () => {
    const rooms = await stage.cluster({ join: () => true });
    const { connection } = await stage.plain(rooms[0], [], 'bob');
    const { connection: other } = await stage.plain(rooms[0], [], 'carol');
    connection.track('g', 1);
    await stage.mesh.settle();
    stage.mesh.hold(stage.node(0), stage.node(1));
    const { socket } = await stage.client(rooms[0], { joins: ['g'] });
    other.track('g', 2);
    await stage.mesh.settle();
    expect(socket.all('joined')).toEqual([]);
    stage.mesh.release(stage.node(0), stage.node(1));
    await stage.mesh.settle();
    expect(socket.all('joined')).toHaveLength(1);
    expect(socket.heard.filter(([tag]) => tag.startsWith('presen'))).toEqual([
      ['present', 'g', [{ key: 'bob', metas: [1] }]],
      ['presence', 'g', { ...NONE, joins: [{ key: 'carol', metas: [2] }] }],
    ]);
  });

  it('R12 is sent again after a resume, also when everybody has left meanwhile', async () => {
    const rooms = await stage.cluster({ join: () => true });
    const { connection } = await stage.plain(rooms[0], [], 'bob');
    connection.track('g', 1);
    await stage.mesh.settle();
    const { socket: before } = await stage.client(rooms[0], { joins: ['g'] });
    before.drop();
    connection.untrack('g');
    await stage.mesh.settle();
    const { socket } = await stage.back(rooms[1], before, ['g']);
    expect(socket.all('present')).toEqual([['present', 'g', []]]);
  });

  it('accepts metas that JSON can represent, of at most 4 KiB', async () => {
    const rooms = stage.alone();
    const { connection } = await stage.plain(rooms, ['g']);
    expect(() => connection.track('g', () => {})).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }),
    );
    expect(() => connection.track('g', 1n)).toThrow(expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }));
    expect(() => connection.track('g', Promise.resolve(1))).toThrow(
      'JSON cannot represent this meta: a promise (did you forget await?)',
    );
    expect(() => connection.track('g', 'x'.repeat(4095))).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_TOO_LARGE' }),
    );
    expect(rooms.presence('g').size).toBe(0);
  });
});

describe('the table of presences', () => {
  it.each([
    ['one room of many', (_number: number) => 'g'],
    ['many rooms of one', (number: number) => `r${number}`],
  ])('does as much for each change in %s as in a small one', (_what, roomOf) => {
    const parse = vi.spyOn(JSON, 'parse');
    const stringify = vi.spyOn(JSON, 'stringify');
    try {
      /** JSON that is read and written for a join, an update and a leave among so many. */
      const workAmong = (many: number): readonly number[] => {
        const owner = {};
        const table = new PresenceTable();
        for (let number = 0; number < many; number++)
          table.set(owner, roomOf(number), `k${number}`, `c${number}`, '{}');
        table.takeChanges();
        parse.mockClear();
        stringify.mockClear();
        table.set(owner, roomOf(many), `k${many}`, `c${many}`, '{}');
        table.takeChanges();
        table.set(owner, roomOf(0), 'k0', 'c0', '1');
        table.takeChanges();
        table.remove(owner, roomOf(1), 'c1');
        expect(table.takeChanges()).toHaveLength(1);
        return [parse.mock.calls.length, stringify.mock.calls.length];
      };
      const few = workAmong(10);
      expect(workAmong(10_000)).toEqual(few);
      expect(Math.max(...few)).toBeLessThan(10);
    } finally {
      parse.mockRestore();
      stringify.mockRestore();
    }
  });

  it('sends peers and members only the change, however many connections there are', async () => {
    const rooms = await stage.cluster({ join: () => true });
    const { socket } = await stage.client(rooms[1], { joins: ['g'] });
    const { connection } = await stage.plain(rooms[0], ['g'], 'first');
    for (let number = 0; number < 500; number++)
      rooms[0].accept(new FakeSocket(), { key: `k${number}` }).track('g');
    connection.track('g', 1);
    await stage.mesh.settle();
    const told: unknown[] = [];
    stage.mesh.onSend = (_from, _to, value) => void told.push(value);
    const heard = socket.heard.length;
    connection.track('g', 2);
    await stage.mesh.settle();
    expect(told).toEqual(Array.from({ length: 2 }, () => ['presence', [['g', 'first', connection.id, '2']]]));
    expect(socket.heard.slice(heard)).toEqual([
      ['presence', 'g', { ...NONE, updates: [{ key: 'first', metas: [2] }] }],
    ]);
  });

  it('has a limited number of metas of one key, whose presence ends with its last connection', () => {
    const table = new PresenceTable();
    const owner = {};
    const count = 2 * MAX_METAS;
    for (let n = 0; n < count; n++) table.set(owner, 'room', 'ada', `c${n}`, JSON.stringify(n));
    const shown = Array.from({ length: MAX_METAS }, (_, n) => n);
    expect(table.takeChanges()).toEqual([
      ['room', { joins: [{ key: 'ada', metas: shown }], updates: [], leaves: [] }],
    ]);
    table.set(owner, 'room', 'ada', `c${count - 1}`, '"not shown"');
    expect(table.takeChanges()).toEqual([]);
    for (let n = 0; n < count - 1; n++) table.remove(owner, 'room', `c${n}`);
    expect(table.entries('room')).toEqual([{ key: 'ada', metas: ['not shown'] }]);
    table.remove(owner, 'room', `c${count - 1}`);
    expect(table.has('room')).toBe(false);
  });

  it('holds 10 000 in one room and 100 000 rooms of one, and drops them all with their owner', () => {
    const owner = {};
    const table = new PresenceTable();
    for (let number = 0; number < 10_000; number++) table.set(owner, 'g', `k${number}`, `c${number}`, '{}');
    expect(table.takeChanges()[0]?.[1].joins).toHaveLength(10_000);
    table.set(owner, 'g', 'k1', 'c1', '1');
    expect(table.takeChanges()).toEqual([['g', { ...NONE, updates: [{ key: 'k1', metas: [1] }] }]]);
    for (let number = 0; number < 100_000; number++) table.set(owner, `r${number}`, 'k', `c${number}`, '{}');
    expect(table.takeChanges()).toHaveLength(100_000);
    table.drop(owner);
    expect([table.has('g'), table.has('r1'), table.count(owner)]).toEqual([false, false, 0]);
  });
});
