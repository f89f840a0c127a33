// A peer connects to a node with more names than are written at once: the event loop goes on, and what happens meanwhile follows the names.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type GlobalNames, startGlobalNames } from '../../../ts/global/index.ts';
import type { ChannelPeer } from '../../../ts/node/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { deferred, turns } from '../../support/deadline.ts';
import { LoneNode } from './lone-node.ts';

const COUNT = 5000;
/** Entries that are written before the event loop runs again. */
const STEP = 1000;
const PART = 500;
/** A node that is silent for five rounds, a second each, is not waited for. */
const ROUNDS = 6;
const PEER = 'peer@fake:1';

let node: LoneNode;
let names: GlobalNames;
let owner: Pid<unknown>;
beforeEach(async () => {
  node = new LoneNode();
  names = startGlobalNames(node);
  owner = actor();
  const all = Array.from({ length: COUNT }, (_, at) => names.register(`n${at}`, owner));
  expect(new Set(await Promise.all(all))).toEqual(new Set([true]));
});
afterEach(() => node.kit.stop());

const actor = (): Pid<unknown> => node.runtime.spawnHandler(() => ({ onMessage() {} }));
const connect = (): ChannelPeer => node.up(PEER, 256, ['hello', 1], ['sync', []]);

type Message = readonly [string, ...unknown[]];
type SyncEntry = readonly [name: string, pid: Pid, stamp: number, replaced: unknown];
const toldOn = ({ connection }: ChannelPeer): Message[] =>
  node.sent
    .filter(([to, value]) => to === connection && (value as Message)[0] !== 'hello')
    .map(([, value]) => value as Message);
const entriesOf = ([what, part]: Message): readonly SyncEntry[] =>
  what === 'sync' ? (part as readonly SyncEntry[]) : [];
const size = (told: readonly Message[]): number => told.flatMap(entriesOf).length;
const kinds = (told: readonly Message[]): string[] => told.map(([what]) => what);

/** The names that the peer has, when it has heard everything. A name that it is told must not be older than the one that it has. */
function seenBy(peer: ChannelPeer): Map<string, Pid> {
  const seen = new Map<string, readonly [Pid, number]>();
  const add = (name: string, pid: Pid, stamp: number): void => {
    expect(stamp).toBeGreaterThanOrEqual(seen.get(name)?.[1] ?? 0);
    seen.set(name, [pid, stamp]);
  };
  for (const message of toldOn(peer)) {
    for (const [name, pid, stamp] of entriesOf(message)) add(name, pid, stamp);
    if (message[0] === 'commit') add(message[2] as string, message[3] as Pid, message[4] as number);
    if (message[0] === 'drop' && seen.get(message[2] as string)?.[1] === message[3])
      seen.delete(message[2] as string);
  }
  return new Map([...seen].map(([name, [pid]]) => [name, pid]));
}
const own = (): Map<string, Pid> => new Map(names.names().map((name) => [name, names.whereis(name) as Pid]));
/** The peer votes for, and acknowledges, everything that it is asked. */
function agree(peer: ChannelPeer): void {
  for (let at = 0; at < toldOn(peer).length; at++) {
    const [what, id] = toldOn(peer)[at] as Message;
    if (what === 'claim') node.say(peer, ['vote', id, 'yes', 0, []]);
    if (what === 'commit' || (what === 'drop' && id !== 0)) node.say(peer, ['ack', id]);
  }
}

it('P6, Q5 are all told, some in each turn of the event loop, the first of them at once', async () => {
  const peer = connect();
  const told = [size(toldOn(peer))];
  for (let before = 0; before < COUNT; ) {
    before = size(toldOn(peer));
    await nextTurn();
    told.push(size(toldOn(peer)) - before);
  }
  expect(told.filter((each) => each > 0)).toEqual(new Array(COUNT / STEP).fill(STEP));
  expect(toldOn(peer).map((message) => [message[0], entriesOf(message).length])).toEqual([
    ...new Array(COUNT / PART).fill(['sync', PART]),
    ['sync', 0],
  ]);
  expect(seenBy(peer)).toEqual(own());
});

it('Q1 answers follow the names: a ping is not answered before all of them are sent', async () => {
  const peer = connect();
  node.say(peer, ['ping', 1]);
  node.say(peer, ['claim', 7, 'n1', 1, false]);
  expect(new Set(kinds(toldOn(peer)))).toEqual(new Set(['sync']));
  await turns(2 * (COUNT / STEP));
  expect(kinds(toldOn(peer).slice(COUNT / PART))).toEqual(['sync', 'pong', 'vote']);
});

it('Q5, Q7 names that come, move and end meanwhile are told once, and the peer has none that is old', async () => {
  const peer = connect();
  const other = actor();
  const moved = ['n0', `n${COUNT - 1}`].map((name) => names.reregister(name, other));
  const fresh = names.register('new', other);
  const freed = ['n1', `n${COUNT - 2}`].map((name) => names.unregister(name));
  await turns(2 * (COUNT / STEP));
  agree(peer);
  expect(await Promise.all([...moved, fresh, ...freed])).toEqual(new Array(5).fill(true));
  expect(seenBy(peer)).toEqual(own());
  const synced = toldOn(peer)
    .flatMap(entriesOf)
    .map(([name]) => name);
  expect(new Set(synced).size).toBe(synced.length);
  // Its end follows: nobody is to see it in between.
  expect(synced).not.toContain(`n${COUNT - 2}`);
});

it('Q5 names of an actor that dies meanwhile are not revived', async () => {
  const peer = connect();
  node.runtime.sendExit(owner, 'kill');
  await turns(2 * (COUNT / STEP));
  for (let before = -1; before < node.sent.length; ) {
    before = node.sent.length;
    await nextTurn();
  }
  expect(size(toldOn(peer))).toBe(STEP);
  expect(seenBy(peer)).toEqual(new Map());
});

it('Q5 a new session, and names that the peer starts again, begin anew, and the one before gets nothing more', async () => {
  const peer = connect();
  node.say(peer, ['ping', 1]);
  node.down(peer);
  const before = toldOn(peer).length;
  const again = connect();
  node.say(again, ['ping', 1]);
  const first = toldOn(again).length;
  node.say(again, ['hello', 1]);
  node.say(again, ['ping', 2]);
  await turns(2 * (COUNT / STEP));
  expect(toldOn(peer)).toHaveLength(before);
  expect(seenBy(again)).toEqual(own());
  expect(kinds(toldOn(again).slice(first + COUNT / PART))).toEqual(['sync', 'pong']);
});

it('Q5 names that are closed meanwhile say so, and nothing after that', async () => {
  const peer = connect();
  node.say(peer, ['ping', 1]);
  names.close();
  await turns(2 * (COUNT / STEP));
  expect(size(toldOn(peer))).toBe(STEP);
  expect(kinds(toldOn(peer)).filter((what) => what !== 'sync')).toEqual(['bye']);
});

describe('a peer that is silent while it is written to', () => {
  let room = deferred();
  /** Its outbox has room for so many steps more. */
  function read(steps: number): Promise<void> {
    const before = room;
    room = deferred();
    let left = steps;
    node.whenWritable = () => (left-- > 0 ? undefined : room.promise);
    before.resolve();
    return turns(steps + 2);
  }
  const quiet = (): boolean => node.kit.logs.some(({ facts }) => facts['event'] === 'global_names_quiet');

  it('P7, Q1 is waited for: it has not been asked yet', async () => {
    const peer = connect();
    await read(0);
    const registered = names.register('new', owner);
    for (let round = 0; round < ROUNDS; round++) {
      await node.kit.advance(1000);
      if (round % 2 === 0) await read(1);
    }
    expect(size(toldOn(peer))).toBe((1 + ROUNDS / 2) * STEP);
    expect(kinds(toldOn(peer))).not.toContain('claim');
    expect(quiet()).toBe(false);
    await read(COUNT / STEP);
    expect(kinds(toldOn(peer)).slice(1 + COUNT / PART)).toEqual(['claim', 'ping']);
    agree(peer);
    expect(await registered).toBe(true);
    expect(seenBy(peer)).toEqual(own());
  });

  it('Q1 is not waited for when it does not read', async () => {
    const peer = connect();
    await read(0);
    const registered = names.register('new', owner);
    for (let round = 0; round < ROUNDS; round++) {
      await node.kit.advance(1000);
    }
    expect(await registered).toBe(true);
    expect(quiet()).toBe(true);
    expect(size(toldOn(peer))).toBe(STEP);
  });
});
