// A peer connects to a node with more rooms and connections than are told at once: the event loop goes on, and nothing is told out of order.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChannelPeer } from '../../../ts/node/index.ts';
import { type Connection, createRooms, type Rooms, type RoomsOptions } from '../../../ts/rooms/index.ts';
import { deferred, turns } from '../../support/deadline.ts';
import { LoneNode } from '../global/lone-node.ts';
import { FakeSocket } from './fake-socket.ts';

const COUNT = 5000;
/** Entries that are told before the event loop runs again. */
const STEP = 1000;
const PART = 500;
const PEER = 'peer@fake:1';
const OTHER = 'other@fake:1';

let node: LoneNode;
let rooms: Rooms;
beforeEach(() => void (node = new LoneNode()));
afterEach(() => node.kit.stop());

const start = (options: RoomsOptions = {}): Rooms =>
  (rooms = createRooms(node, { join: () => true, limits: { rooms: 2 * COUNT }, ...options }));
const accept = (key?: string): Connection => rooms.accept(new FakeSocket(), key === undefined ? {} : { key });
/** A peer that takes part. Each life of a node has an origin of its own. */
const connect = (name: string = PEER, origin: string = 'first'): ChannelPeer =>
  node.up(name, 256, ['hello', 1, origin, [[`key of ${origin}`, new Uint8Array(32)]], false]);
const pass = (): Promise<void> => turns(3 * (COUNT / STEP));

type Message = readonly [string, ...unknown[]];
const toldOn = ({ connection }: ChannelPeer, ...whats: string[]): Message[] =>
  node.sent
    .filter(([to, value]) => to === connection && whats.includes((value as Message)[0]))
    .map(([, value]) => value as Message);
const entriesOf = <E>(told: readonly Message[]): E[] => told.flatMap(([, entries]) => entries as E[]);

/** How many entries of a kind each turn told to a peer, the first step included, until a turn tells none. */
async function perTurn(peer: ChannelPeer, what: string): Promise<number[]> {
  const told = (): number => entriesOf(toldOn(peer, what)).length;
  const counts = [told()];
  for (let before = -1; before < told(); ) {
    before = told();
    await nextTurn();
    if (told() > before) counts.push(told() - before);
  }
  return counts;
}

describe('the rooms that a node wants', () => {
  type Wanted = readonly [room: string, members: number];
  /** What the peer makes of it: a room that it is told not to want any more is forgotten. */
  function seenBy(peer: ChannelPeer): Map<string, number> {
    const seen = new Map<string, number>();
    for (const [room, members] of entriesOf<Wanted>(toldOn(peer, 'interest'))) {
      if (members < 0) seen.delete(room);
      else seen.set(room, members);
    }
    return seen;
  }
  const own = (): Map<string, number> =>
    new Map(
      Array.from({ length: COUNT }, (_, at) => [`r${at}`, rooms.members(`r${at}`).local] as const).filter(
        ([, members]) => members > 0,
      ),
    );
  async function fill(): Promise<Connection> {
    const connection = accept();
    for (let at = 0; at < COUNT; at++) await connection.join(`r${at}`);
    await node.kit.settle();
    return connection;
  }

  it('P6, R15 are told some in each turn of the event loop', async () => {
    start();
    await fill();
    const peer = connect();
    expect(await perTurn(peer, 'interest')).toEqual(new Array(COUNT / STEP).fill(STEP));
    expect(seenBy(peer)).toEqual(own());
  });

  it('R3, R15 are those that it wants in the end, with their members, and none is told after it ended', async () => {
    start({ resume: { windowMs: 0 } });
    const first = await fill();
    const peer = connect();
    const second = accept();
    for (const at of [0, COUNT - 1]) await second.join(`r${at}`);
    for (const at of [1, COUNT - 2, 2, COUNT - 3]) first.leave(`r${at}`);
    await node.kit.advance(100); // changed members are told then
    for (const at of [2, COUNT - 3]) void first.join(`r${at}`);
    await pass();
    await node.kit.advance(100);
    expect(seenBy(peer)).toEqual(own());
    const ended = entriesOf<Wanted>(toldOn(peer, 'interest')).findLastIndex(
      ([room]) => room === `r${COUNT - 2}`,
    );
    expect(entriesOf<Wanted>(toldOn(peer, 'interest'))[ended]?.[1]).toBe(-1);
  });

  it('R15 a join of a new room meanwhile does not wait for the others to be told', async () => {
    start();
    const connection = await fill();
    const peer = connect();
    let isJoined = false;
    const joined = connection.join('new').then(() => (isJoined = true));
    await nextTurn();
    const told = entriesOf<Wanted>(toldOn(peer, 'interest'));
    expect(told.map(([room]) => room)).toContain('new');
    expect(told.length).toBeLessThan(COUNT);
    expect(isJoined).toBe(false);
    node.say(peer, ['based', [['new', 0, 0]]]);
    await joined;
  });

  it('R4 are told anew in a new session, and when the peer creates its rooms again; none is told to who is gone', async () => {
    start();
    await fill();
    const peer = connect();
    node.down(peer);
    const before = node.sent.length;
    await pass();
    expect(node.sent).toHaveLength(before);
    const again = connect(PEER, 'second');
    node.say(again, ['bye', [], []]);
    const first = toldOn(again, 'interest').length;
    await pass();
    expect(toldOn(again, 'interest')).toHaveLength(first);
    node.say(again, ['hello', 1, 'third', [['another key', new Uint8Array(32)]], false]);
    await nextTurn();
    node.say(again, ['hello', 1, 'fourth', [['a fourth key', new Uint8Array(32)]], false]);
    const old = toldOn(again, 'interest').length;
    await pass();
    expect(toldOn(again, 'interest')).toHaveLength(old + COUNT / PART);
    expect(seenBy(again)).toEqual(own());
    rooms.close();
  });

  it('R18 a lost origin is told after all of them, once: the peer answers with the rooms that it knows', async () => {
    start();
    await fill();
    const other = connect(OTHER, 'second');
    await pass();
    const peer = connect();
    node.down(other);
    await nextTurn();
    expect(toldOn(peer, 'lost')).toEqual([]);
    await pass();
    expect(toldOn(peer, 'lost')).toEqual([['lost', 'second']]);
    expect(toldOn(peer, 'interest', 'lost').at(-1)?.[0]).toBe('lost');
    node.down(connect(OTHER, 'third'));
    expect(toldOn(peer, 'lost').at(-1)).toEqual(['lost', 'third']);
    // So it is when the peer asks for them anew.
    node.say(peer, ['hello', 1, 'fifth', [['a fifth key', new Uint8Array(32)]], false]);
    node.down(connect(OTHER, 'fourth'));
    expect(toldOn(peer, 'lost').at(-1)).toEqual(['lost', 'third']);
    await pass();
    expect(toldOn(peer, 'lost').filter(([, origin]) => origin === 'fourth')).toHaveLength(1);
  });
});

describe('the presence of a node', () => {
  type Present = readonly [room: string, key: string, connection: string, meta: string | null];
  /** What the peer makes of it: the metas by room. */
  function seenBy(peer: ChannelPeer): Map<string, string> {
    const seen = new Map<string, string>();
    for (const [room, key, connection, meta] of entriesOf<Present>(toldOn(peer, 'presence'))) {
      if (meta === null) seen.delete(`${room} ${key} ${connection}`);
      else seen.set(`${room} ${key} ${connection}`, meta);
    }
    return seen;
  }
  /** The metas in a room that are told to the peer, in order. One that has come meanwhile may be told twice. */
  const metasIn = (peer: ChannelPeer, room: string): (string | null)[] =>
    entriesOf<Present>(toldOn(peer, 'presence'))
      .filter(([each]) => each === room)
      .map(([, , , meta]) => meta)
      .filter((meta, at, all) => meta !== all[at - 1]);
  async function fill(): Promise<Connection> {
    const connection = accept();
    for (let at = 0; at < COUNT; at++) connection.track(`r${at}`, 'old');
    await nextTurn();
    await nextTurn();
    return connection;
  }

  it('P6, R12 is told some in each turn of the event loop', async () => {
    start();
    await fill();
    const peer = connect();
    expect(await perTurn(peer, 'presence')).toEqual(new Array(COUNT / STEP).fill(STEP));
    expect(seenBy(peer).size).toBe(COUNT);
  });

  it('R12 that changes meanwhile is never told as it was before', async () => {
    start();
    const connection = await fill();
    const peer = connect();
    for (const at of [0, COUNT - 1]) connection.track(`r${at}`, 'new');
    for (const at of [1, COUNT - 2, 2, COUNT - 3]) connection.untrack(`r${at}`);
    await nextTurn();
    for (const at of [2, COUNT - 3]) connection.track(`r${at}`, 'back');
    const other = accept();
    for (const at of [3, COUNT - 4]) other.track(`r${at}`, 'other');
    await pass();
    expect(metasIn(peer, 'r0')).toEqual(['"old"', '"new"']);
    expect(new Set(metasIn(peer, `r${COUNT - 1}`))).toEqual(new Set(['"new"']));
    expect(metasIn(peer, 'r1')).toEqual(['"old"', null]);
    expect(metasIn(peer, `r${COUNT - 2}`)).toEqual([null]);
    expect(metasIn(peer, 'r2')).toEqual(['"old"', null, '"back"']);
    expect(metasIn(peer, `r${COUNT - 3}`)[0]).toBe(null);
    expect(seenBy(peer).size).toBe(COUNT);
    expect(new Set(seenBy(peer).values())).toEqual(new Set(['"old"', '"new"', '"back"', '"other"']));
  });

  it('R12 of connections that end meanwhile is not revived, nor hidden when they come back', async () => {
    start();
    // Each is in two rooms: the second of them is told in the step after the first.
    const connections = Array.from({ length: STEP }, () => accept());
    for (const [at, connection] of connections.entries()) {
      if (at > 0) connection.track(`${at} a`, 'old');
      connection.track(`${at} b`, 'old');
    }
    const last = connections[STEP / 2] as Connection;
    await nextTurn();
    await nextTurn();
    const peer = connect();
    const half = entriesOf<Present>(toldOn(peer, 'presence')).at(-1)?.[0];
    expect(half).toBe(`${STEP / 2} a`);
    const room = deferred();
    node.whenWritable = () => room.promise;
    for (const what of ['a', 'b']) last.untrack(`${STEP / 2} ${what}`);
    last.track(`${STEP / 2} b`, 'back');
    await pass();
    node.whenWritable = () => undefined;
    room.resolve();
    await pass();
    expect(metasIn(peer, `${STEP / 2} a`)).toEqual(['"old"', null]);
    expect(metasIn(peer, `${STEP / 2} b`)).toEqual([null, '"back"']);
    expect(seenBy(peer).size).toBe(2 * STEP - 2);
  });
});

describe('the messages of a lost node', () => {
  it('P6, R18 are compared with a peer that lost it too, some rooms in each turn of the event loop', async () => {
    start();
    const [peer, other] = [connect(), connect(OTHER, 'second')];
    const details = (sequence: number): unknown => [sequence, 0, 0, [], null, true];
    for (let at = 0; at < COUNT; at++) {
      node.say(peer, ['interest', [[`r${at}`, 1]]]);
      node.broadcast(other, `r${at}`, Buffer.from('x'), details(at + 1));
    }
    node.say(peer, ['lost', 'second']);
    expect(toldOn(peer, 'newest')).toEqual([]);
    node.down(other);
    const told = (): number => toldOn(peer, 'newest').flatMap(([, , entries]) => entries as unknown[]).length;
    const counts = [told()];
    for (let before = 0; before < told(); ) {
      before = told();
      await nextTurn();
      if (told() > before) counts.push(told() - before);
    }
    expect(Math.max(...counts)).toBeLessThanOrEqual(1.5 * STEP);
    expect(counts.reduce((sum, each) => sum + each)).toBe(COUNT);
    expect(toldOn(peer, 'newest').at(-1)?.[1]).toBe('second');
  });

  it('R18 are compared no further when it connects again, or the peer is lost', async () => {
    start();
    for (const end of [(peer: ChannelPeer) => node.down(peer), () => void connect(OTHER, 'second')]) {
      const [peer, other] = [connect(PEER, `p${node.sent.length}`), connect(OTHER, 'second')];
      for (let at = 0; at < COUNT; at++) {
        node.say(peer, ['interest', [[`r${at}`, 1]]]);
        node.broadcast(other, `r${at}`, Buffer.from('x'), [at + 1, 0, 0, [], null, true]);
      }
      node.say(peer, ['lost', 'second']);
      node.down(other);
      const before = toldOn(peer, 'newest').length;
      expect(before).toBeGreaterThan(0);
      end(peer);
      await pass();
      expect(toldOn(peer, 'newest')).toHaveLength(before);
    }
  });
});
