// The loss of a node with more memberships than are removed at once: they are gone at once for who asks, and the event loop goes on.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { GroupJoin, GroupLeave, type Groups, startGroups } from '../../../ts/groups/index.ts';
import { sourcesOf } from '../../../ts/introspect/index.ts';
import type { ChannelPeer } from '../../../ts/node/index.ts';
import { Pid } from '../../../ts/term/index.ts';
import { LoneNode } from '../global/lone-node.ts';

const COUNT = 5000;
/** Entries that are removed before the event loop runs again. */
const STEP = 1024;
const PEER = 'peer@fake:1';
const NC = 256;

let node: LoneNode;
let groups: Groups;
beforeEach(() => {
  node = new LoneNode();
  groups = startGroups(node);
});
afterEach(() => node.kit.stop());

/** A peer with one member in each of COUNT groups. */
function fullPeer(nc: number = NC): ChannelPeer {
  const peer = node.up(PEER, nc, ['hello', 1], ['sync', [], true]);
  for (let at = 0; at < COUNT; at++) join(peer, at);
  return peer;
}
const join = (peer: ChannelPeer, at: number): void =>
  node.say(peer, ['join', [[`g${at}`, [new Pid(peer.nc, at + 1)]]]]);
const actor = (): Pid<unknown> => node.runtime.spawnHandler(() => ({ onMessage() {} }));

/** An actor that keeps what it gets. */
function watcher(): { pid: Pid<unknown>; got: unknown[]; of(group: string): string[] } {
  const got: unknown[] = [];
  const pid = node.runtime.spawnHandler(() => ({ onMessage: (message: unknown) => void got.push(message) }));
  const of = (group: string): string[] =>
    got
      .filter((event): event is GroupJoin | GroupLeave => (event as GroupJoin).group === group)
      .map((event) => `${event instanceof GroupJoin ? 'join' : 'leave'} ${event.pids.map(String).join()}`);
  return { pid, got, of };
}
const told = (nc: number, at: number, what: 'join' | 'leave'): string => `${what} ${new Pid(nc, at + 1)}`;
/** Groups in the table, with those that nobody sees any more. */
const inTable = (): number => sourcesOf(node.runtime).groups.get('')?.size ?? 0;

it('P6, R2 the event loop turns while very many memberships are removed, and nobody sees them meanwhile', async () => {
  const all = watcher();
  groups.monitorAll(all.pid);
  const peer = fullPeer();
  await node.kit.settle();
  all.got.length = 0;
  node.down(peer);
  const removed = [COUNT - inTable()];
  expect(groups.which()).toEqual([]);
  expect(groups.members('g0')).toEqual([]);
  expect(
    sourcesOf(node.runtime)
      .groups.get('')
      ?.describe(`g${COUNT - 1}`),
  ).toBeUndefined();
  for (let before = inTable(); before > 0; before = inTable()) {
    await nextTurn();
    removed.push(before - inTable());
  }
  expect(Math.max(...removed)).toBeLessThanOrEqual(STEP);
  await node.kit.settle();
  expect(
    all.got.map((event) => (event as GroupLeave).pids[0]?.local).sort((a, b) => Number(a) - Number(b)),
  ).toEqual(Array.from({ length: COUNT }, (_, at) => at + 1));
  expect(all.got.every((event) => event instanceof GroupLeave)).toBe(true);
});

it.each([
  ['the same incarnation', NC],
  ['a new incarnation', 2 * NC],
])('R4 %s that connects meanwhile keeps its members, and those before are gone', async (_what, nc) => {
  const all = watcher();
  groups.monitorAll(all.pid);
  node.down(fullPeer());
  const again = node.up(PEER, nc, ['hello', 1], ['sync', [], true]);
  expect(inTable()).toBe(COUNT - STEP);
  for (const at of [0, COUNT - 2, COUNT - 1]) join(again, at);
  expect(groups.which().sort()).toEqual(['g0', `g${COUNT - 2}`, `g${COUNT - 1}`]);
  const seen = (): unknown[] => [0, COUNT - 2, COUNT - 1].map((at) => groups.members(`g${at}`));
  const wanted = [0, COUNT - 2, COUNT - 1].map((at) => [new Pid(nc, at + 1)]);
  expect(seen()).toEqual(wanted);
  while (inTable() > 3) await nextTurn();
  await node.kit.settle();
  expect(seen()).toEqual(wanted);
  for (const at of [0, COUNT - 1])
    expect(all.of(`g${at}`)).toEqual([told(NC, at, 'join'), told(NC, at, 'leave'), told(nc, at, 'join')]);
  node.down(again);
  expect(groups.which()).toEqual([]);
});

it('P7 a node that is lost again meanwhile has one removal under way', async () => {
  node.down(fullPeer());
  node.down(fullPeer());
  expect(inTable()).toBeLessThan(COUNT);
  while (inTable() > 0) await nextTurn();
  expect(groups.which()).toEqual([]);
});

it('R2 a monitor that begins meanwhile is not told of members that it was not shown', async () => {
  const [one, all] = [watcher(), watcher()];
  node.down(fullPeer());
  expect(groups.monitor(`g${COUNT - 1}`, one.pid).members).toEqual([]);
  expect(inTable()).toBe(COUNT - STEP - 1);
  expect(groups.monitorAll(all.pid).groups.size).toBe(0);
  await node.kit.settle();
  expect([...one.got, ...all.got]).toEqual([]);
});

it('R1, R6 own members of such a group come, get broadcasts and go, after the leaves of the lost ones', async () => {
  const last = COUNT - 1;
  const [own, one] = [watcher(), watcher()];
  const peer = fullPeer();
  groups.join(`g${last - 2}`, own.pid);
  groups.monitor(`g${last}`, one.pid);
  groups.monitor(`g${last - 2}`, one.pid);
  node.down(peer);
  groups.leave(`g${last - 2}`, own.pid);
  groups.join(`g${last}`, own.pid);
  node.sent.length = 0;
  groups.broadcast(`g${last}`, 'hi');
  groups.broadcast(`g${last - 1}`, 'nobody');
  expect(() => groups.broadcast(`g${last - 1}`, () => {})).toThrow(
    expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }),
  );
  await node.kit.settle();
  expect(node.sent).toEqual([]);
  expect(node.runtime.deadLetters.counts.noconnection).toBe(0);
  expect(own.got).toEqual(['hi']);
  expect(groups.leave(`g${last}`, own.pid)).toBe(true);
  await node.kit.settle();
  expect(one.of(`g${last}`)).toEqual([told(NC, last, 'leave'), `join ${own.pid}`, `leave ${own.pid}`]);
  expect(one.of(`g${last - 2}`)).toEqual([told(NC, last - 2, 'leave'), `leave ${own.pid}`]);
});

it('R2 groups that are closed meanwhile tell every leave, and the stop of the node is clean', async () => {
  const all = watcher();
  const peer = fullPeer();
  groups.join('mine', actor());
  groups.monitorAll(all.pid);
  node.down(peer);
  groups.close();
  expect(inTable()).toBe(0);
  await node.kit.settle();
  expect(all.got).toHaveLength(COUNT + 1);
  groups = startGroups(node);
  node.down(fullPeer());
  node.kit.stop();
  const left = inTable();
  expect(left).toBe(COUNT - STEP);
  await nextTurn();
  await nextTurn();
  expect(inTable()).toBe(left);
  expect(groups.which()).toEqual([]);
  expect(node.kit.logs).toEqual([]);
});
