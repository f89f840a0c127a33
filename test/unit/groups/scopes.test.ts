// The groups of one scope on one node: what they share with others, what a peer that breaks the protocol costs, and what their end leaves.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GroupJoin, GroupLeave, startGroups } from '../../../ts/groups/index.ts';
import { Watchers } from '../../../ts/groups/watchers.ts';
import { sourcesOf } from '../../../ts/introspect/index.ts';
import { cellOf } from '../../../ts/kernel/index.ts';
import { LOG_PAUSE_MS } from '../../../ts/kernel/throttled-log.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { LoneNode } from '../global/lone-node.ts';
import { alone } from './alone.ts';

let kit: TestRuntime;
beforeEach(() => void (kit = startTestRuntime()));
afterEach(() => kit.stop());

const [far, farther] = [new Pid(256, 5), new Pid(256, 6)];

function collector(): { pid: Pid<unknown>; got: unknown[] } {
  const got: unknown[] = [];
  const pid = kit.runtime.spawnHandler(() => ({ onMessage: (message: unknown) => void got.push(message) }));
  return { pid, got };
}

/** How many callbacks wait for the end of an actor. */
function callbacks(pid: Pid<unknown>): number {
  const waiting = cellOf(pid)?.extra?.deathCallbacks ?? null;
  if (waiting === null) return 0;
  return typeof waiting === 'function' ? 1 : waiting.size;
}

const listed = (): string[] => [...sourcesOf(kit.runtime).groups.keys()];

const listedGroups = (): number => sourcesOf(kit.runtime).groups.get('')?.size ?? 0;

describe('a scope', () => {
  it('has a channel and a list of groups of its own', () => {
    const scopes = [undefined, 'chat', 'jobs'].map((scope) =>
      alone(kit.runtime, false, scope === undefined ? {} : { scope }),
    );
    expect(scopes.flatMap(({ channels }) => channels)).toEqual(['groups', 'groups:chat', 'groups:jobs']);
    expect(listed()).toEqual(['', 'chat', 'jobs']);
    scopes[1]?.groups.join('g', collector().pid);
    expect(scopes.map(({ groups }) => groups.which())).toEqual([[], ['g'], []]);
  });

  it('is not listed any more when it is closed, unless it was started again', () => {
    const host = { name: 'nonode@nohost', isStopping: false, runtime: kit.runtime, channel: () => undefined };
    const [first, second] = [startGroups(host), startGroups(host)];
    first.close();
    expect(listed()).toEqual(['']);
    second.close();
    expect(listed()).toEqual([]);
  });
});

it('R3 a group that nobody joins does not exist', () => {
  const { groups, say, sent } = alone(kit.runtime);
  say(['hello', 1]);
  sent.length = 0;
  groups.join('g', []);
  expect([groups.which(), groups.whichLocal(), listedGroups()]).toEqual([[], [], 0]);
  expect(sent).toEqual([]);
});

it('R3 nothing is kept of a group that its last member has left, here or elsewhere', () => {
  const { groups, say } = alone(kit.runtime);
  const { pid } = collector();
  groups.join('g', pid);
  say(['join', [['h', [far]]]]);
  expect(listedGroups()).toBe(2);
  groups.leave('g', pid);
  say(['leave', [['h', [far]]]]);
  expect(listedGroups()).toBe(0);
});

it('R1, R2 an actor that has left one group, and joined another twice, leaves all others when it ends', () => {
  const { groups } = alone(kit.runtime);
  const { pid } = collector();
  for (const group of ['g', 'h', 'h', 'i']) groups.join(group, pid);
  for (const group of ['g', 'h']) groups.leave(group, pid);
  expect(groups.whichLocal()).toEqual(['h', 'i']);
  kit.runtime.sendExit(pid, 'kill');
  expect([groups.whichLocal(), listedGroups()]).toEqual([[], 0]);
});

it('R2 each monitor has a list of its own, and nothing is kept of those that ended', async () => {
  const watchers = new Watchers(kit.runtime);
  const { pid, got } = collector();
  const refs = ['g', 'g', undefined].map((group) => watchers.add(pid, group));
  watchers.joined('g', [far]);
  await kit.settle();
  expect(new Set(got.map((event) => (event as GroupJoin).pids)).size).toBe(3);
  for (const { id } of refs) expect(watchers.remove(new Ref(far.nc, far.local, id))).toBe(false);
  for (const ref of refs) expect(watchers.remove(ref)).toBe(true);
  expect(watchers.size).toBe(0);
});

it('a group that is typed for its messages is the group of that name', async () => {
  const { groups } = alone(kit.runtime);
  const lobby = groups.of<string>('lobby');
  const [watcher, one, other] = [collector(), collector(), collector()];
  const { ref, members } = lobby.monitor(watcher.pid);
  lobby.join([one.pid, other.pid]);
  lobby.broadcast('to all', one.pid);
  lobby.broadcastLocal('to those here');
  expect([lobby.name, members, lobby.members(), lobby.localMembers(), groups.members('lobby')]).toEqual([
    'lobby',
    [],
    [one.pid, other.pid],
    [one.pid, other.pid],
    [one.pid, other.pid],
  ]);
  expect([lobby.leave(one.pid), lobby.leave(one.pid)]).toEqual([true, false]);
  await kit.settle();
  expect([one.got, other.got]).toEqual([
    ['to all', 'to those here'],
    ['to all', 'to those here'],
  ]);
  expect(watcher.got).toEqual([
    new GroupJoin(ref, 'lobby', [one.pid, other.pid]),
    new GroupLeave(ref, 'lobby', [one.pid]),
  ]);
});

describe('R2 an actor that has left a group', () => {
  it('does not leave it again when it ends', async () => {
    const { groups, say, sent } = alone(kit.runtime);
    const [watcher, member] = [collector(), collector()];
    const { ref } = groups.monitor('g', watcher.pid);
    say(['hello', 1]);
    groups.join('g', member.pid);
    groups.leave('g', member.pid);
    kit.runtime.sendExit(member.pid, 'kill');
    await kit.settle();
    expect(watcher.got).toEqual([
      new GroupJoin(ref, 'g', [member.pid]),
      new GroupLeave(ref, 'g', [member.pid]),
    ]);
    expect(sent.filter((message) => (message as unknown[])[0] === 'leave')).toHaveLength(1);
  });

  it('leaves no callback for its end', () => {
    const { groups } = alone(kit.runtime);
    const { pid } = collector();
    const before = callbacks(pid);
    for (const name of ['g', 'h']) groups.join(name, [pid, pid]);
    for (const name of ['g', 'h']) groups.leave(name, [pid, pid]);
    expect(callbacks(pid)).toBe(before);
  });
});

describe('R6 a broadcast', () => {
  it('reaches those that are members when it is sent', async () => {
    const { groups } = alone(kit.runtime);
    const [one, other] = [collector(), collector()];
    groups.join('g', one.pid);
    groups.broadcast('g', 'one');
    groups.join('g', other.pid);
    groups.broadcast('g', 'both');
    groups.leave('g', one.pid);
    groups.broadcast('g', 'other');
    await kit.settle();
    expect([one.got, other.got]).toEqual([
      ['one', 'both'],
      ['both', 'other'],
    ]);
  });

  it('R13 to a node that is lost is a dead letter for each member there, as one to a group that has no members here', () => {
    const { groups, say, full } = alone(kit.runtime);
    const counts = (): unknown => {
      const { noconnection, no_name: noName } = kit.runtime.deadLetters.counts;
      return { noconnection, noName };
    };
    say(['join', [['g', [far, far, farther]]]]);
    Object.assign(full, { now: true, isLost: true });
    groups.broadcast('g', 1);
    expect(counts()).toEqual({ noconnection: 2, noName: 0 });
    say(['cast', 'g', 1]);
    expect(counts()).toEqual({ noconnection: 2, noName: 1 });
  });
});

describe('R8 a broadcast to the members on this node', () => {
  it('gives each a copy, and none to the members elsewhere', async () => {
    const { groups, say, sent } = alone(kit.runtime);
    say(['join', [['g', [far]]]]);
    const { pid, got } = collector();
    groups.join('g', pid);
    const message = { list: [1] };
    sent.length = 0;
    groups.broadcastLocal('g', message);
    message.list.push(2);
    await kit.settle();
    expect(got).toEqual([{ list: [1] }]);
    expect(sent).toEqual([]);
  });

  it('throws without members, too, for what cannot be sent, and is no dead letter', () => {
    const { groups } = alone(kit.runtime);
    const before = kit.runtime.deadLetters.total;
    groups.broadcastLocal('nobody', 1);
    expect(kit.runtime.deadLetters.total).toBe(before);
    expect(() => groups.broadcastLocal('nobody', () => {})).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }),
    );
  });
});

describe('a peer', () => {
  it('R4 without groups says so first: what it said before it closed them is void', async () => {
    const { say, sent, groups } = alone(kit.runtime);
    sent.length = 0;
    say(['hello', 1]);
    expect(sent).toEqual([['sync', [], true]]);
    say(['sync', [['g', [far]]], true]);
    say(['sync', [['h', [farther]]], false]);
    expect(groups.which()).toEqual(['g', 'h']);
    say(['sync', [], true]);
    expect(groups.which()).toEqual([]);
  });

  it('R4 that says nothing new after its first part keeps what it said in it', () => {
    const { say, groups } = alone(kit.runtime);
    say(['sync', [['g', [far]]], true]);
    say(['sync', [['g', [farther]]], false]);
    expect(groups.members('g')).toEqual([far, farther]);
  });

  it('R4 is told of changes from its greeting on, or from the first that it says of its own groups', () => {
    const { groups, say, sent } = alone(kit.runtime);
    const { pid } = collector();
    groups.join('g', pid);
    expect(sent).toEqual([['hello', 1]]);
    say(['sync', [], true]);
    groups.leave('g', pid);
    expect(sent.slice(1)).toEqual([
      ['sync', [['g', [pid]]], true],
      ['leave', [['g', [pid]]]],
    ]);
  });

  it('R4 that starts groups again may have as many memberships as before', () => {
    const { groups, say } = alone(kit.runtime, false, { maxMembershipsPerNode: 2 });
    for (const group of ['g', 'h']) {
      say(['hello', 1]);
      say(['sync', [[group, [far, farther]]], true]);
      expect(groups.members(group)).toEqual([far, farther]);
    }
    expect(groups.which()).toEqual(['h']);
  });

  it('P7 that is lost is not kept', async () => {
    const node = new LoneNode();
    const groups = startGroups(node);
    const connectAndLose = (): WeakRef<object> => {
      const peer = node.up('p@fake:1', 256, ['hello', 1], ['sync', [['g', [far]]], true]);
      expect(groups.which()).toEqual(['g']);
      node.down(peer);
      return new WeakRef(peer);
    };
    const peer = connectAndLose();
    await new Promise(setImmediate); // a WeakRef keeps its target until the end of the turn
    (globalThis as unknown as { gc: () => void }).gc();
    expect(peer.deref()).toBeUndefined();
    return node.kit.stop();
  });

  it('T12 is logged once for all that makes no sense, and what it says goes on to count', async () => {
    const { say, groups } = alone(kit.runtime, false, { maxMembershipsPerNode: 2 });
    for (let round = 0; round < 3; round++) say(['nonsense']);
    say(['join', [['g', [far, far, far]]]]);
    await kit.advance(2 * LOG_PAUSE_MS);
    say(['nonsense']);
    expect(kit.logs.filter(({ facts }) => facts['event'] === 'groups_bad_message')).toHaveLength(1);
    say(['join', [['g', [far, far]]]]);
    expect(groups.members('g')).toEqual([far, far]);
  });

  it('R2 that is lost leaves all groups, and nothing of its session counts afterwards', () => {
    const { say, down, groups } = alone(kit.runtime);
    say(['join', [['g', [far]]]]);
    down();
    expect(groups.which()).toEqual([]);
    say(['join', [['g', [far]]]]);
    expect(groups.which()).toEqual([]);
  });

  it('K10 that has connected again keeps what it says when its earlier session ends', () => {
    const node = new LoneNode();
    const groups = startGroups(node);
    const [first, second] = [node.up('p@fake:1', 256), node.up('p@fake:1', 256)];
    node.say(second, ['join', [['g', [far]]]]);
    node.say(first, ['join', [['h', [far]]]]);
    node.down(first);
    expect(groups.which()).toEqual(['g']);
    return node.kit.stop();
  });

  it('L2 that is hidden and takes no part may be lost', () => {
    const { down, say, groups } = alone(kit.runtime, true);
    down();
    say(['join', [['g', [far]]]]);
    expect(groups.which()).toEqual([]);
  });
});

describe('groups that are closed', () => {
  it('say so once, and leave the channel, the peer, the monitors and the actors', async () => {
    const { groups, say, sent, closed } = alone(kit.runtime);
    const [watcher, member] = [collector(), collector()];
    const before = [callbacks(watcher.pid), callbacks(member.pid)];
    const { ref } = groups.monitorAll(watcher.pid);
    groups.join('g', member.pid);
    say(['join', [['h', [far]]]]);
    sent.length = 0;
    for (let round = 0; round < 2; round++) groups.close();
    expect(sent).toEqual([['bye']]);
    expect(closed()).toBe(1);
    expect(groups.demonitor(ref)).toBe(false);
    expect([callbacks(watcher.pid), callbacks(member.pid)]).toEqual(before);
    say(['join', [['h', [far]]]]);
    expect(groups.which()).toEqual([]);
    await kit.settle();
    expect(watcher.got).toEqual([
      new GroupJoin(ref, 'g', [member.pid]),
      new GroupJoin(ref, 'h', [far]),
      new GroupLeave(ref, 'h', [far]),
      new GroupLeave(ref, 'g', [member.pid]),
    ]);
  });
});
