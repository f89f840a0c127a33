// The loss of a node with more rooms and connections than are removed at once: nobody sees them, and the event loop goes on.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PresenceDiff } from '../../../ts/client/index.ts';
import { sourcesOf } from '../../../ts/introspect/index.ts';
import type { ChannelPeer } from '../../../ts/node/index.ts';
import { createRooms, type Rooms, type RoomsOptions } from '../../../ts/rooms/index.ts';
import { MAX_ROOM_ORIGINS } from '../../../ts/rooms/limits.ts';
import { MAX_METAS } from '../../../ts/rooms/presence-table.ts';
import { Room } from '../../../ts/rooms/room.ts';
import { countWork } from '../../support/work.ts';
import { LoneNode } from '../global/lone-node.ts';
import { FakeClient, FakeSocket } from './fake-socket.ts';

const COUNT = 5000;
/** Entries that are removed before the event loop runs again. */
const STEP = 1024;
const TURNS = Math.ceil(COUNT / STEP);
const PEER = 'peer@fake:1';

let node: LoneNode;
beforeEach(() => void (node = new LoneNode()));
afterEach(() => node.kit.stop());

const start = (options: RoomsOptions = {}): Rooms => createRooms(node, { join: () => true, ...options });

/** A peer that takes part. Each life of a node has an origin of its own. */
function peerOf(name: string = PEER, origin: string = 'first'): ChannelPeer {
  const keys = [[`key of ${origin}`, new Uint8Array(32)]];
  return node.up(name, 256, ['hello', 1, origin, keys, false]);
}
const want = (peer: ChannelPeer, room: string, members: number): void =>
  node.say(peer, ['interest', [[room, members]]]);
/** It shows, or with null hides, a connection. */
const show = (peer: ChannelPeer, room: string, at: number, meta: string | null = '1'): void =>
  node.say(peer, ['presence', [[room, `k${at}`, `c${at}`, meta]]]);
/** Rooms in the table. */
const inTable = (): number => sourcesOf(node.runtime).rooms?.size ?? 0;
const pass = async (turns: number): Promise<void> => {
  for (let turn = 0; turn < turns; turn++) await nextTurn();
};

describe('the rooms that a lost node wanted', () => {
  const NO_WINDOW = { resume: { windowMs: 0 } };

  it('P6, R3 are removed some in each turn of the event loop, and count no member meanwhile', async () => {
    const rooms = start(NO_WINDOW);
    const peer = peerOf();
    for (let at = 0; at < COUNT; at++) want(peer, `r${at}`, 2);
    const last = `r${COUNT - 1}`;
    expect(rooms.members(last).all).toBe(2);
    node.down(peer);
    const removed = [COUNT - inTable()];
    expect(rooms.members(last).all).toBe(0);
    for (let before = inTable(); before > 0; before = inTable()) {
      await nextTurn();
      removed.push(before - inTable());
    }
    expect(Math.max(...removed)).toBeLessThanOrEqual(STEP);
    expect(removed).toHaveLength(TURNS);
  });

  it('R4, R15 are those that it wants when it connects again meanwhile', async () => {
    const rooms = start(NO_WINDOW);
    const peer = peerOf();
    for (let at = 0; at < COUNT; at++) want(peer, `r${at}`, 2);
    node.down(peer);
    const again = peerOf();
    expect(inTable()).toBe(COUNT - STEP);
    const [last, other] = [`r${COUNT - 1}`, `r${COUNT - 2}`];
    want(again, last, 1);
    want(again, 'r0', 1);
    await pass(TURNS);
    expect([last, 'r0', other].map((room) => rooms.members(room).all)).toEqual([1, 1, 0]);
    expect(inTable()).toBe(2);
    node.sent.length = 0;
    for (const room of [last, 'r0', other]) rooms.broadcast(room, 'x');
    expect(node.sent).toEqual([
      [again.connection, last],
      [again.connection, 'r0'],
    ]);
  });

  it('R15 are those that it wants when its rooms are created again meanwhile, in the same session', async () => {
    const rooms = start();
    const peer = peerOf();
    for (let at = 0; at < COUNT; at++) want(peer, `r${at}`, 2);
    node.say(peer, ['bye', [], []]);
    node.say(peer, ['hello', 1, 'second', [['another key', new Uint8Array(32)]], false]);
    const last = `r${COUNT - 1}`;
    want(peer, last, 1);
    await pass(TURNS);
    expect(rooms.members(last).all).toBe(1);
    node.sent.length = 0;
    rooms.broadcast(last, 'x');
    expect(node.sent).toEqual([[peer.connection, last]]);
  });

  it('R16 are wanted here on, for members that come back, although the last member here leaves meanwhile', async () => {
    const rooms = start();
    const [peer, other] = [peerOf(), peerOf('other@fake:1', 'second')];
    for (let at = 0; at < COUNT; at++) want(peer, `r${at}`, 2);
    const last = `r${COUNT - 1}`;
    const connection = rooms.accept(new FakeSocket());
    void connection.join(last);
    await pass(1);
    node.down(peer);
    node.sent.length = 0;
    connection.leave(last);
    void connection.join('a new room, which peers are told at once');
    await pass(1);
    const told = node.sent.filter(
      ([to, value]) => to === other.connection && (value as [string])[0] === 'interest',
    );
    expect(told.flatMap(([, value]) => (value as [string, unknown[]])[1])).toContainEqual([last, 0]);
  });

  it('R13, R16 get no broadcast for it, and another node keeps a copy for members that come back', () => {
    const rooms = start();
    const [peer, other] = [peerOf(), peerOf('other@fake:1', 'second')];
    for (let at = 0; at < COUNT; at++) want(peer, `r${at}`, 2);
    node.down(peer);
    node.sent.length = 0;
    rooms.broadcast(`r${COUNT - 1}`, 'x');
    expect(node.sent).toEqual([[other.connection, `r${COUNT - 1}`]]);
    expect(rooms.stats().refusedByPeers).toBe(0);
  });

  it('R13, R16 get no list of forgotten origins for it, and another node keeps a copy of that', async () => {
    const rooms = start();
    const [peer, other] = [peerOf(), peerOf('other@fake:1', 'second')];
    const last = `r${COUNT - 1}`;
    for (let at = 0; at < COUNT; at++) want(peer, `r${at}`, 2);
    void rooms.accept(new FakeSocket()).join(last);
    await pass(1);
    node.down(peer);
    node.sent.length = 0;
    // The other node's rooms are created again and again, and broadcast once in each life.
    for (let life = 0; life < 2 * MAX_ROOM_ORIGINS; life++) {
      node.say(other, ['hello', 1, `life${life}`, [[`key ${life}`, new Uint8Array(32)]], false]);
      node.say(other, ['based', [[last, 1, 1]]]);
    }
    expect(node.sent).toContainEqual([other.connection, last]);
    expect(rooms.stats().refusedByPeers).toBe(0);
  });

  it('P6, R18 take no memory for messages that they do not have, also when another node is lost', async () => {
    const ring = vi.spyOn(Room.prototype, 'ring', 'get');
    try {
      start();
      const [peer, other] = [peerOf(), peerOf('other@fake:1', 'second')];
      for (let at = 0; at < 10; at++) want(peer, `r${at}`, 2);
      node.down(other);
      node.say(peer, ['lost', 'second']);
      for (let at = 0; at < 5; at++) want(peer, `r${at}`, -1);
      node.down(peer);
      await pass(1);
      expect(ring).not.toHaveBeenCalled();
    } finally {
      ring.mockRestore();
    }
  });
});

describe('the presence of a lost node', () => {
  it('P6, R12 leaves some keys in each turn of the event loop, and is not shown meanwhile', async () => {
    const rooms = start();
    const peer = peerOf();
    const presence = rooms.presence('g');
    const diffs: PresenceDiff[] = [];
    presence.onDiff((diff) => void diffs.push(diff));
    for (let at = 0; at < COUNT; at++) show(peer, 'g', at);
    await pass(2);
    expect(diffs.map(({ joins }) => joins.length)).toEqual([COUNT]);
    diffs.length = 0;
    node.down(peer);
    await pass(TURNS + 1);
    expect(diffs).toHaveLength(TURNS);
    expect(Math.max(...diffs.map(({ leaves }) => leaves.length))).toBeLessThanOrEqual(STEP);
    const left = diffs.flatMap(({ leaves }) => leaves.map(({ key }) => key));
    expect(left).toEqual(Array.from({ length: COUNT }, (_, at) => `k${at}`));
  });

  it('R12 is not shown from the loss on, in any way of looking at it', async () => {
    const rooms = start();
    const peer = peerOf();
    for (let at = 0; at < COUNT; at++) show(peer, `r${at}`, at);
    await nextTurn();
    node.down(peer);
    expect(rooms.presence(`r${COUNT - 1}`).size).toBe(0);
    expect(rooms.presence(`r${COUNT - 2}`).entries()).toEqual([]);
    expect(rooms.presence(`r${COUNT - 3}`).metas(`k${COUNT - 3}`)).toEqual([]);
    const client = new FakeClient();
    rooms.accept(client);
    client.hello();
    client.tell(['join', 1, `r${COUNT - 4}`]);
    await node.kit.settle();
    expect(client.all('present')).toEqual([]);
  });

  it('R12 is not shown either of a second node that is lost meanwhile', async () => {
    const rooms = start();
    const [peer, other] = [peerOf(), peerOf('other@fake:1', 'second')];
    const presence = rooms.presence('g');
    for (let at = 0; at < COUNT; at++) show(peer, `r${at}`, at);
    show(other, 'g', COUNT);
    show(peer, 'g', COUNT);
    node.down(peer);
    expect([presence.size, presence.metas(`k${COUNT}`)]).toEqual([1, [1]]);
    node.down(other);
    expect([presence.size, presence.metas(`k${COUNT}`)]).toEqual([0, []]);
    await pass(2 * TURNS);
    expect(presence.entries()).toEqual([]);
  });

  it('R12 that a member was shown leaves once, whatever happens to its keys meanwhile', async () => {
    const rooms = start();
    const [peer, other] = [peerOf(), peerOf('other@fake:1', 'second')];
    for (let at = 0; at < COUNT; at++) show(peer, 'g', at);
    const last = COUNT - 1;
    node.say(other, ['presence', [['g', `k${last - 1}`, 'other', '2']]]);
    const seen = new Map<string, readonly unknown[]>();
    let isLost = false;
    rooms.presence('g').onDiff(({ joins, updates, leaves }) => {
      for (const { key, metas } of joins) {
        expect(seen.has(key)).toBe(false);
        seen.set(key, metas);
      }
      for (const { key, metas } of updates) {
        expect(seen.has(key)).toBe(true);
        // A connection of the lost node has the meta 1.
        if (isLost) expect(metas).not.toContain(1);
        seen.set(key, metas);
      }
      for (const { key } of leaves) expect(seen.delete(key)).toBe(true);
    });
    const own = rooms.accept(new FakeSocket(), { key: `k${last - 4}` });
    own.track('g', 6);
    await pass(2);
    expect(seen.size).toBe(COUNT);
    node.down(peer);
    isLost = true;
    own.untrack('g');
    const again = peerOf(PEER, 'third');
    show(again, 'g', last, '3');
    show(again, 'g', 0, '3');
    rooms.accept(new FakeSocket(), { key: `k${last - 2}` }).track('g', 4);
    node.say(other, ['presence', [['g', `k${last - 3}`, 'other too', '5']]]);
    const wanted = [
      { key: `k${last - 1}`, metas: [2] },
      { key: `k${last}`, metas: [3] },
      { key: 'k0', metas: [3] },
      { key: `k${last - 2}`, metas: [4] },
      { key: `k${last - 3}`, metas: [5] },
    ].sort((a, b) => (a.key < b.key ? -1 : 1));
    const shown = (): unknown[] =>
      rooms
        .presence('g')
        .entries()
        .sort((a, b) => (a.key < b.key ? -1 : 1));
    for (const { key, metas } of wanted) expect(rooms.presence('g').metas(key)).toEqual(metas);
    await pass(TURNS + 2);
    expect(shown()).toEqual(wanted);
    expect(new Map(wanted.map(({ key, metas }) => [key, metas]))).toEqual(seen);
    show(again, 'g', 0, null);
    node.down(again);
    expect(rooms.presence('g').size).toBe(3);
  });

  it('P7 costs no more to look at while it is removed, but for the first time', async () => {
    const rooms = start();
    const [peer, other] = [peerOf(), peerOf('other@fake:1', 'second')];
    for (let at = 0; at < 2 * COUNT; at++) {
      node.say(at % 2 === 0 ? peer : other, ['presence', [['one key', 'guest', `c${at}`, '1']]]);
      show(at % 2 === 0 ? peer : other, 'many keys', at);
    }
    await nextTurn();
    const look = (): unknown[] => [
      rooms.presence('one key').metas('guest'),
      rooms.presence('many keys').size,
    ];
    const repeat = (): Promise<number> =>
      countWork(() => {
        for (let times = 0; times < 20; times++) look();
      });
    await repeat();
    const before = await repeat();
    node.down(peer);
    expect(look()).toEqual([new Array(MAX_METAS).fill(1), COUNT]);
    const during = await repeat();
    expect(during).toBeLessThan(2 * before);
    await pass(2 * TURNS);
    expect(look()).toEqual([new Array(MAX_METAS).fill(1), COUNT]);
  });

  it('is left alone when the rooms are closed, or the node stops, meanwhile', async () => {
    for (const end of [(rooms: Rooms): unknown => rooms.close(), () => node.kit.stop()]) {
      const rooms = start();
      const peer = peerOf();
      for (let at = 0; at < COUNT; at++) {
        want(peer, `r${at}`, 1);
        show(peer, `r${at}`, at);
      }
      await nextTurn();
      node.down(peer);
      await end(rooms);
      await pass(3 * TURNS);
      expect(rooms.presence(`r${COUNT - 1}`).size).toBe(0);
    }
    expect(node.kit.logs).toEqual([]);
  });
});
