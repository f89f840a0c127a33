// Clients that come back, here and on other nodes.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Rooms, RoomsOptions } from '../../../ts/rooms/index.ts';
import { TokenSigner } from '../../../ts/rooms/token-signer.ts';
import { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
let rooms: [Rooms, Rooms, Rooms];
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

const OPEN: RoomsOptions = { join: () => true };

/** Rooms on all nodes, and a client on the first that is in `g`. */
async function joined(options: RoomsOptions = {}): Promise<FakeClient> {
  rooms = await stage.cluster({ ...OPEN, ...options });
  const { socket } = await stage.client(rooms[0], { joins: ['g'] });
  expect(socket.all('joined')).toHaveLength(1);
  return socket;
}

/** What it would have had without the break: its own, then what came after. */
const both = (before: FakeClient, after: FakeClient): unknown[] => [...before.data('g'), ...after.data('g')];

describe('a client that reconnects', () => {
  it.each([0, 1])('R16 to node %i gets what it missed, in order, without repeats', async (where) => {
    const before = await joined();
    rooms[0].broadcast('g', 1);
    rooms[1].broadcast('g', 2);
    await stage.mesh.settle();
    before.drop();
    rooms[0].broadcast('g', 3);
    rooms[0].broadcast('h', 'other room');
    rooms[0].broadcast('g', 4);
    await stage.mesh.settle();
    const { socket } = await stage.back(rooms[where] as Rooms, before, ['g']);
    rooms[0].broadcast('g', 5);
    await stage.mesh.settle();
    expect(socket.all('welcome')[0]?.[1].resumed).toBe(true);
    expect(socket.all('resync')).toEqual([]);
    expect(both(before, socket)).toEqual([1, 2, 3, 4, 5]);
  });

  it.each([1, 2])(
    'to node %i after its node was killed also gets what the killed node broadcast',
    async (where) => {
      const before = await joined();
      rooms[0].broadcast('g', 1);
      rooms[1].broadcast('g', 2);
      await stage.mesh.settle();
      before.isStuck = true; // what its node sends it now is lost
      const place = before.place('g');
      rooms[0].broadcast('g', 3);
      await stage.mesh.settle();
      stage.mesh.crash(stage.node(0));
      await stage.mesh.settle();
      rooms[1].broadcast('g', 4);
      await stage.mesh.settle();
      const socket = new FakeClient();
      rooms[where]?.accept(socket);
      socket.hello(before.session, [place]);
      await stage.mesh.settle();
      rooms[2].broadcast('g', 5);
      await stage.mesh.settle();
      expect(socket.all('resync')).toEqual([]);
      expect([...socket.data('g')].sort()).toEqual([3, 4, 5]);
    },
  );

  it('several times in a row without traffic between misses nothing', async () => {
    let last = await joined();
    rooms[1].broadcast('g', 1);
    await stage.mesh.settle();
    const all: unknown[] = [...last.data('g')];
    for (const where of [1, 2, 2, 0]) {
      last.drop();
      const { socket } = await stage.back(rooms[where] as Rooms, last, ['g']);
      expect(socket.all('resync')).toEqual([]);
      all.push(...socket.data('g'));
      last = socket;
    }
    rooms[1].broadcast('g', 2);
    await stage.mesh.settle();
    all.push(...last.data('g'));
    expect(all).toEqual([1, 2]);
  });

  it('R16 resumes each room once: a second request sends nothing again', async () => {
    const before = await joined();
    before.drop();
    for (let message = 1; message <= 3; message++) rooms[0].broadcast('g', message);
    await stage.mesh.settle();
    const place = before.place('g');
    const socket = new FakeClient(before);
    rooms[0].accept(socket);
    socket.hello(before.session, [place, place, place]);
    socket.tell(['resume', [place, place]]);
    await stage.mesh.settle();
    expect(socket.data('g')).toEqual([1, 2, 3]);
    expect(socket.all('refused')).toEqual(Array(4).fill(['refused', 0, 'g', 'ticket']));
  });

  it('can request as many rooms as it may be in: further signatures are not verified', async () => {
    const before = await joined({ limits: { rooms: 3 } });
    before.drop();
    const verify = vi.spyOn(TokenSigner.prototype, 'readTicket');
    const [, ticket] = before.place('g');
    const socket = new FakeClient(before);
    rooms[0].accept(socket);
    socket.hello(before.session, [['r0', ticket, {}]]);
    for (let round = 1; round < 20; round++) socket.tell(['resume', [[`r${round}`, ticket, {}]]]);
    await stage.mesh.settle();
    expect(socket.all('refused')).toHaveLength(20);
    expect(verify).toHaveBeenCalledTimes(4);
    vi.restoreAllMocks();
  });

  it('before the first message was sent gets all of them', async () => {
    const before = await joined();
    before.drop();
    rooms[2].broadcast('g', 1);
    const { socket } = await stage.back(rooms[1], before, ['g']);
    rooms[2].broadcast('g', 2);
    await stage.mesh.settle();
    expect(socket.all('resync')).toEqual([]);
    expect(socket.data('g')).toEqual([1, 2]);
  });

  it('R16 after the window is told resync if it missed something', async () => {
    const before = await joined({ resume: { windowMs: 10_000 } });
    rooms[1].broadcast('g', 1);
    await stage.mesh.settle();
    before.drop();
    rooms[1].broadcast('g', 2);
    await stage.mesh.pass(20_000);
    const { socket } = await stage.back(rooms[1], before, ['g']);
    rooms[1].broadcast('g', 3);
    await stage.mesh.settle();
    expect(socket.all('resync').map(([, room, , , reason]) => [room, reason])).toEqual([['g', 'window']]);
    expect(socket.data('g')).toEqual([3]);
    const again = await stage.back(rooms[2], socket, ['g']);
    expect(again.socket.all('resync')).toEqual([]);
  });

  it.each([
    ['count', { count: 5 }, 10],
    ['bytes', { bytes: 100 }, 20],
  ])('after more messages than the %s of its ring is told so', async (_what, resume, many) => {
    const before = await joined({ resume });
    before.drop();
    for (let number = 0; number < many; number++) rooms[1].broadcast('g', `message ${number}`);
    await stage.mesh.settle();
    const { socket } = await stage.back(rooms[2], before, ['g']);
    expect(socket.all('resync')).toHaveLength(1);
    expect(socket.data('g')).toEqual([]);
  });

  it('R16 is told resync if more nodes were lost than there are copies', async () => {
    const before = await joined();
    const place = before.place('g');
    stage.mesh.crash(stage.node(0));
    stage.mesh.crash(stage.node(1));
    await stage.mesh.settle();
    const socket = new FakeClient();
    rooms[2].accept(socket);
    socket.hello(before.session, [place]);
    await stage.mesh.settle();
    expect(socket.all('resync').map(([, room, , , reason]) => [room, reason])).toEqual([['g', 'lost']]);
  });

  it('misses nothing that its new node did not get because of a split', async () => {
    const before = await joined();
    await stage.client(rooms[1], { joins: ['g'] });
    stage.mesh.cut(stage.node(0), stage.node(1));
    await stage.mesh.settle();
    rooms[0].broadcast('g', 1);
    await stage.mesh.settle();
    rooms[0].broadcast('g', 2);
    before.drop();
    stage.mesh.connect(stage.node(0), stage.node(1));
    await stage.mesh.settle();
    const { socket } = await stage.back(rooms[1], before, ['g']);
    expect(both(before, socket)).toEqual([1, 2]);
    expect(socket.all('resync')).toEqual([]);
  });

  it.each([0, 2])(
    'misses nothing although a client that joined later was on its new node first (%i is offline)',
    async (away) => {
      const early = await joined();
      early.drop();
      rooms[2].broadcast('g', 1);
      await stage.mesh.settle();
      const { socket: late } = await stage.client(rooms[0], { joins: ['g'] });
      for (const other of [0, 2]) stage.mesh.cut(stage.node(1), stage.node(other));
      await stage.mesh.settle();
      late.drop();
      const { socket: lateThere } = await stage.back(rooms[1], late, ['g']);
      const { socket: earlyThere } = await stage.back(rooms[1], early, ['g']);
      for (const other of [2 - away, away]) stage.mesh.connect(stage.node(1), stage.node(other));
      await stage.mesh.settle();
      rooms[2].broadcast('g', 2);
      await stage.mesh.settle();
      expect([both(early, earlyThere), both(late, lateThere)]).toEqual([[1, 2], [2]]);
    },
  );

  it('does not get messages from which it was excluded', async () => {
    const before = await joined();
    const connection = rooms[0].localMembers('g')[0]!;
    before.drop();
    rooms[1].broadcastExcept('g', 'not you', { connection: connection.id });
    rooms[1].broadcast('g', 'you');
    await stage.mesh.settle();
    const { socket } = await stage.back(rooms[2], before, ['g']);
    expect(socket.data('g')).toEqual(['you']);
  });

  it('gets what was sent to its key', async () => {
    rooms = await stage.cluster(OPEN);
    const { socket: before } = await stage.client(rooms[0], { key: 'alice' });
    rooms[1].sendTo('alice', 1);
    await stage.mesh.settle();
    before.drop();
    rooms[2].sendTo('alice', 2);
    await stage.mesh.settle();
    const { socket } = await stage.back(rooms[1], before, ['\0alice'], { key: 'alice' });
    rooms[2].sendTo('alice', 3);
    await stage.mesh.settle();
    expect([...before.data('\0alice'), ...socket.data('\0alice')]).toEqual([1, 2, 3]);
  });

  it('must be allowed again by the join hook', async () => {
    const asked: unknown[] = [];
    let may = true;
    const before = await joined({
      join: (_connection, room, { resumed }) => {
        asked.push([room, resumed]);
        return may;
      },
    });
    may = false;
    const { socket } = await stage.back(rooms[1], before, ['g']);
    expect(asked).toEqual([
      ['g', false],
      ['g', true],
    ]);
    expect(socket.all('refused')).toEqual([['refused', 0, 'g', 'ticket']]);
    expect(rooms[1].members('g').local).toBe(0);
  });
});

describe('a session', () => {
  it('that is resumed on another node closes its older connection', async () => {
    const before = await joined();
    const { socket } = await stage.back(rooms[1], before, ['g']);
    expect(before.closed?.code).toBe(4001);
    rooms[2].broadcast('g', 1);
    await stage.mesh.settle();
    expect([before.data('g'), socket.data('g')]).toEqual([[], [1]]);
  });

  it('is not taken over by a socket that is closed before its hello is answered', async () => {
    const rooms = stage.alone({ join: () => true });
    const { socket } = await stage.client(rooms, { joins: ['g'] });
    for (const [end, code] of [
      [(late: FakeClient) => late.drop(), undefined],
      [(late: FakeClient) => late.say('nonsense'), 1008],
    ] as const) {
      const late = new FakeClient(socket);
      rooms.accept(late);
      late.hello(socket.session);
      end(late);
      await stage.mesh.settle();
      expect(late.closed?.code).toBe(code);
    }
    rooms.broadcast('g', 'x');
    await stage.mesh.settle();
    expect([socket.closed, socket.data('g')]).toEqual([undefined, ['x']]);
  });

  it('that is resumed twice at once continues once; the other client continues as a fork, and both get everything', async () => {
    const before = await joined();
    before.drop();
    rooms[1].broadcast('g', 1);
    await stage.mesh.settle();
    const tabs = [new FakeClient(), new FakeClient()];
    for (const [index, tab] of tabs.entries()) {
      rooms[index + 1]?.accept(tab);
      tab.hello(before.session, [before.place('g')]);
    }
    await stage.mesh.settle();
    const closed = tabs.filter(({ closed }) => closed?.code === 4001);
    expect(closed).toHaveLength(1);
    const [stays] = tabs.filter((tab) => !closed.includes(tab));
    const { socket: fork } = await stage.back(rooms[0], before, ['g'], { fork: true });
    rooms[1].broadcast('g', 2);
    await stage.mesh.settle();
    expect([stays?.data('g'), fork.data('g')]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(fork.all('welcome')[0]?.[1].id).not.toBe(stays?.all('welcome')[0]?.[1].id);
    expect([stays?.closed, fork.closed]).toEqual([undefined, undefined]);
  });

  it('knows on every node which messages of its client were taken', async () => {
    const taken: unknown[] = [];
    const before = await joined({
      message: (connection, message) => {
        taken.push(message);
        connection.broadcast('g', message);
      },
    });
    await stage.client(rooms[2], { joins: ['g'] });
    before.tell(['send', 1, 'a']);
    before.tell(['send', 2, 'b']);
    await stage.mesh.settle();
    const elsewhere = await stage.back(rooms[1], before, ['g']);
    expect(elsewhere.socket.all('welcome')[0]?.[1].last).toBe(2);
    elsewhere.socket.tell(['send', 3, 'c']);
    await stage.mesh.settle();
    stage.mesh.crash(stage.node(1));
    await stage.mesh.settle();
    const after = new FakeClient();
    rooms[2].accept(after);
    after.hello(elsewhere.socket.session, [before.place('g')]);
    await stage.mesh.settle();
    expect(after.all('welcome')[0]?.[1].last).toBe(3);
    after.tell(['send', 3, 'c']);
    await stage.mesh.settle();
    expect(taken).toEqual(['a', 'b', 'c']);
    expect(after.data('g')).toEqual(['c']);
  });

  it('cannot be forged, used by another user, or used for another room', async () => {
    rooms = await stage.cluster(OPEN);
    const { socket: alice } = await stage.client(rooms[0], { key: 'alice', joins: ['g'] });
    const place = alice.place('g');
    const mallory = await stage.back(rooms[1], alice, ['g'], { key: 'mallory' });
    expect(mallory.socket.all('welcome')[0]?.[1].resumed).toBe(false);
    expect(mallory.socket.all('refused')).toHaveLength(1);
    expect(alice.closed).toBeUndefined();
    const [id, body = '', mac] = alice.session.split('.');
    const forged = Buffer.from(Buffer.from(body, 'base64url').toString().replace('alice', 'alicf')).toString(
      'base64url',
    );
    for (const token of [
      '',
      'x',
      '..',
      `${id}.${body}.`,
      `${id}.${forged}.${mac}`,
      place[1],
      `${alice.session}.`,
    ]) {
      const socket = new FakeClient();
      rooms[1].accept(socket, { key: 'alice' });
      socket.hello(token, [place]);
      await stage.mesh.settle();
      expect(socket.all('welcome')[0]?.[1].resumed, token).toBe(false);
      expect(socket.all('joined').map(([, , room]) => room)).toEqual(['\0alice']);
    }
    const socket = new FakeClient();
    rooms[1].accept(socket, { key: 'alice' });
    socket.hello(alice.session, [
      ['h', place[1], place[2]],
      ['\0bob', place[1], {}],
      ['g', 'x', {}],
    ]);
    await stage.mesh.settle();
    expect(socket.all('refused').map(([, , room]) => room)).toEqual(['h', '\0bob', 'g']);
  });

  it('gets nothing from before its join, whatever position it claims', async () => {
    rooms = await stage.cluster(OPEN);
    await stage.client(rooms[1], { joins: ['g'] });
    rooms[1].broadcast('g', 'secret');
    await stage.mesh.settle();
    const { socket: before } = await stage.client(rooms[0], { joins: ['g'] });
    rooms[1].broadcast('g', 'open');
    await stage.mesh.settle();
    before.drop();
    const [room, ticket, cursor] = before.place('g');
    const lower = Object.fromEntries(Object.keys(cursor).map((origin) => [origin, 0]));
    const socket = new FakeClient();
    rooms[1].accept(socket);
    socket.hello(before.session, [[room, ticket, lower]]);
    await stage.mesh.settle();
    expect(socket.data('g')).toEqual(['open']);
  });

  it('that claims to have seen messages that do not exist changes nothing for others', async () => {
    const before = await joined();
    const { socket: other } = await stage.client(rooms[1], { joins: ['g'] });
    rooms[2].broadcast('g', 1);
    await stage.mesh.settle();
    const [room, ticket, cursor] = before.place('g');
    const absurd = Object.fromEntries([...Object.keys(cursor), 'zzz'].map((origin) => [origin, 2 ** 47]));
    let liar = new FakeClient();
    rooms[1].accept(liar);
    liar.hello(before.session, [[room, ticket, absurd]]);
    await stage.mesh.settle();
    const again = await stage.back(rooms[1], liar, ['g']);
    liar = again.socket;
    rooms[2].broadcast('g', 2);
    rooms[0].broadcast('g', 3);
    await stage.mesh.settle();
    other.drop();
    const { socket: back } = await stage.back(rooms[1], other, ['g']);
    rooms[2].broadcast('g', 4);
    await stage.mesh.settle();
    expect(back.all('resync')).toEqual([]);
    expect([...other.data('g'), ...back.data('g')].sort()).toEqual([1, 2, 3, 4]);
  });

  it('with an invalid cursor is refused, and nothing else changes', async () => {
    const before = await joined();
    const [, ticket] = before.place('g');
    for (const cursor of [
      [],
      { A: 1 },
      { a: -1 },
      { a: 'x' },
      Object.fromEntries(Array.from({ length: 1025 }, (_, n) => [`o${n}`, 1])),
    ]) {
      const socket = new FakeClient();
      rooms[1].accept(socket);
      socket.hello(before.session, [['g', ticket, cursor as never]]);
      await stage.mesh.settle();
      expect(socket.all('refused')).toHaveLength(1);
      expect(socket.closed).toBeUndefined();
    }
  });
});

it('a room whose members have been gone for longer than the window keeps nothing', async () => {
  const before = await joined({ resume: { windowMs: 10_000 } });
  for (let number = 0; number < 10; number++) rooms[1].broadcast('g', number);
  await stage.mesh.settle();
  before.drop();
  await stage.mesh.pass(30_000);
  expect(rooms.map((each) => each.stats().rooms)).toEqual([0, 0, 0]);
});

describe('drain', () => {
  it('waits for the handlers of what clients sent before they were closed', async () => {
    const begun: unknown[] = [];
    const handled: unknown[] = [];
    const waiting: (() => void)[] = [];
    const rooms = stage.alone({
      message: async (_connection, data) => {
        begun.push(data);
        await new Promise<void>((resolve) => waiting.push(resolve));
        handled.push(data);
      },
      close: () => void handled.push('close'),
    });
    const { socket } = await stage.client(rooms);
    socket.tell(['send', 1, 'a']);
    socket.tell(['send', 2, 'b']);
    await stage.mesh.settle();
    let isDrained = false;
    void rooms.drain({ over: 0 }).then(() => (isDrained = true));
    await stage.mesh.pass(1000);
    expect([socket.closed?.code, begun, isDrained]).toEqual([1012, ['a'], false]);
    waiting.shift()?.();
    await stage.mesh.pass(1000);
    expect([begun, handled, isDrained]).toEqual([['a', 'b'], ['a'], false]);
    waiting.shift()?.();
    await stage.mesh.pass(1000);
    expect([handled, isDrained]).toEqual([['a', 'b', 'close'], true]);
  });

  it('does not wait longer than 5 s for a handler that does not end', async () => {
    const rooms = stage.alone({ message: () => new Promise(() => {}) });
    const { socket } = await stage.client(rooms);
    socket.tell(['send', 1, 'a']);
    await stage.mesh.settle();
    let isDrained = false;
    void rooms.drain({ over: 0 }).then(() => (isDrained = true));
    await stage.mesh.pass(4900);
    expect(isDrained).toBe(false);
    await stage.mesh.pass(300);
    expect(isDrained).toBe(true);
  });
});
