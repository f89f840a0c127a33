// A peer connects to a node with more memberships than are written at once: the event loop goes on, and each change is told once.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Groups, startGroups } from '../../../ts/groups/index.ts';
import type { ChannelPeer } from '../../../ts/node/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { deferred, turns } from '../../support/deadline.ts';
import { LoneNode } from '../global/lone-node.ts';

const COUNT = 5000;
/** Entries that are written before the event loop runs again. */
const STEP = 1000;
const PEER = 'peer@fake:1';

let node: LoneNode;
let groups: Groups;
let actors: Pid<unknown>[];
beforeEach(() => {
  node = new LoneNode();
  groups = startGroups(node);
  actors = [actor(), actor()];
});
afterEach(() => node.kit.stop());

const actor = (): Pid<unknown> => node.runtime.spawnHandler(() => ({ onMessage() {} }));
const first = (): Pid<unknown> => actors[0] as Pid<unknown>;
const second = (): Pid<unknown> => actors[1] as Pid<unknown>;
const connect = (): ChannelPeer => node.up(PEER, 256, ['hello', 1], ['sync', [], true]);
/** One member in each of COUNT groups. */
const fill = (): void => {
  for (let at = 0; at < COUNT; at++) groups.join(`g${at}`, first());
};

type Told = readonly ['sync' | 'join' | 'leave', (readonly [string, readonly Pid[]])[], boolean?];
const toldOn = ({ connection }: ChannelPeer): Told[] =>
  node.sent
    .filter(
      ([to, value]) => to === connection && !['hello', 'bye'].includes((value as string[])[0] as string),
    )
    .map(([, value]) => value as Told);
const size = (told: readonly Told[]): number =>
  told.reduce((sum, [, entries]) => sum + entries.reduce((all, [, pids]) => all + pids.length, 0), 0);

/** What the peer makes of what it is told: the members of each group by local id. A leave of who is no member is a mistake. */
function seenBy(peer: ChannelPeer): Map<string, number[]> {
  const seen = new Map<string, number[]>();
  for (const [what, entries, isFirst] of toldOn(peer)) {
    if (what === 'sync' && isFirst === true) seen.clear();
    for (const [group, pids] of entries) {
      const members = seen.get(group) ?? [];
      seen.set(group, members);
      for (const { local } of pids) {
        if (what !== 'leave') members.push(local);
        else
          expect(members.splice(members.indexOf(local), 1), `${group} is left by a member`).toEqual([local]);
      }
      if (members.length === 0) seen.delete(group);
    }
  }
  return seen;
}
const own = (): Map<string, number[]> =>
  new Map(groups.whichLocal().map((group) => [group, groups.localMembers(group).map(({ local }) => local)]));
const sorted = (seen: Map<string, number[]>): unknown =>
  [...seen].map(([group, members]) => [group, members.toSorted((a, b) => a - b)]).sort();
/** Lets turns pass until nothing more is told. */
async function quiet(): Promise<void> {
  for (let before = -1; before < node.sent.length; ) {
    before = node.sent.length;
    await turns(2);
  }
}

it('P6, R4 are all told, some in each turn of the event loop, in the first of which is the beginning', async () => {
  fill();
  const peer = connect();
  const counts = [size(toldOn(peer))];
  for (let before = 0; before < COUNT; ) {
    before = size(toldOn(peer));
    await nextTurn();
    counts.push(size(toldOn(peer)) - before);
  }
  expect(counts.filter((each) => each > 0)).toEqual(new Array(COUNT / STEP).fill(STEP));
  expect(toldOn(peer).map(([what, , isFirst]) => [what, isFirst])).toEqual(
    Array.from({ length: COUNT / 500 }, (_, at) => ['sync', at === 0]),
  );
  expect(sorted(seenBy(peer))).toEqual(sorted(own()));
});

it('R1, R4 a change of a group is told once, wherever the snapshot is', async () => {
  fill();
  groups.join('g1', first());
  const peer = connect();
  const written = toldOn(peer).length;
  // The first and the last group, one each of which ends, a new one, and one that ends and begins again.
  for (const at of [0, 1, COUNT - 1, COUNT - 2]) groups.join(`g${at}`, second());
  for (const at of [1, 2, COUNT - 2, COUNT - 3]) groups.leave(`g${at}`, first());
  groups.join('new', [first(), second()]);
  for (const at of [3, COUNT - 4]) {
    groups.leave(`g${at}`, first());
    groups.join(`g${at}`, second());
  }
  expect(toldOn(peer)).toHaveLength(written);
  await quiet();
  expect(sorted(seenBy(peer))).toEqual(sorted(own()));
  const after = toldOn(peer).filter(([what]) => what !== 'sync');
  expect(after.map(([what, entries]) => [what, ...entries.map(([group]) => group)])).toEqual([
    ['join', 'g0'],
    ['join', 'g1'],
    ['leave', 'g1'],
    ['leave', 'g2'],
    ['join', 'new'],
    ['leave', 'g3'],
    ['join', 'g3'],
    ['join', `g${COUNT - 4}`],
  ]);
});

it('R1, R4 a change of a group that is half written follows the other half', async () => {
  const many = Array.from({ length: 3 * STEP }, actor);
  groups.join('large', many);
  const peer = connect();
  groups.leave('large', many.slice(0, 2));
  groups.leave('large', many.slice(-2));
  groups.join('large', many.slice(-1));
  node.runtime.sendExit(many[STEP] as Pid<unknown>, 'kill');
  await quiet();
  expect(sorted(seenBy(peer))).toEqual(sorted(own()));
  expect(toldOn(peer).map(([what]) => what)).toEqual([
    ...new Array<string>(6).fill('sync'),
    'leave',
    'leave',
    'join',
    'leave',
  ]);
});

it('R2 an actor that dies meanwhile leaves all its groups, those that were told and those that were not', async () => {
  fill();
  groups.join('g0', second());
  groups.join(`g${COUNT - 1}`, second());
  const peer = connect();
  node.runtime.sendExit(first(), 'kill');
  await quiet();
  expect(sorted(seenBy(peer))).toEqual([
    ['g0', [second().local]],
    [`g${COUNT - 1}`, [second().local]],
  ]);
});

it('R4 a new session begins anew, with what there is then, and the one before gets nothing more', async () => {
  fill();
  const peer = connect();
  groups.leave('g0', first());
  node.down(peer);
  const before = toldOn(peer).length;
  const again = connect();
  const asked: ChannelPeer[] = [];
  node.whenWritable = (each) => void asked.push(each);
  groups.leave(`g${COUNT - 1}`, first());
  await quiet();
  expect(new Set(asked)).toEqual(new Set([again]));
  expect(toldOn(peer)).toHaveLength(before);
  expect(sorted(seenBy(again))).toEqual(sorted(own()));
  expect(toldOn(again).every(([what]) => what === 'sync')).toBe(true);
});

it('R4 groups that the peer starts again meanwhile are told all anew, and those it closes nothing more', async () => {
  fill();
  const peer = connect();
  groups.join('g0', second());
  node.say(peer, ['hello', 1]);
  groups.leave('g1', first());
  await quiet();
  expect(sorted(seenBy(peer))).toEqual(sorted(own()));
  node.say(peer, ['hello', 1]);
  node.say(peer, ['bye']);
  const before = node.sent.length;
  groups.join('g2', second());
  await quiet();
  expect(node.sent).toHaveLength(before);
});

it('P7 wait for room in the outbox of the peer', async () => {
  fill();
  const room = deferred();
  node.whenWritable = () => room.promise;
  const peer = connect();
  groups.join('g0', second());
  await quiet();
  expect(toldOn(peer)).toEqual([]);
  node.whenWritable = () => undefined;
  room.resolve();
  await quiet();
  expect(sorted(seenBy(peer))).toEqual(sorted(own()));
});

it('R2 groups that are closed meanwhile say so, and nothing after that', async () => {
  fill();
  const peer = connect();
  groups.join('g0', second());
  groups.close();
  await quiet();
  expect(node.sent.at(-1)).toEqual([peer.connection, ['bye']]);
  expect(size(toldOn(peer))).toBe(STEP);
});
