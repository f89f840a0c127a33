import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GroupJoin, GroupLeave, type Groups, startGroups } from '../../../ts/groups/index.ts';
import { MAX_SYNCS } from '../../../ts/groups/limits.ts';
import { parseMessage } from '../../../ts/groups/messages.ts';
import { LOG_PAUSE_MS } from '../../../ts/kernel/throttled-log.ts';
import { Pid } from '../../../ts/term/index.ts';
import { turns } from '../../support/deadline.ts';
import { randomFrom } from '../../support/seed.ts';
import { FakeMesh, type FakeNode } from '../global/fake-mesh.ts';
import { alone } from './alone.ts';

let mesh: FakeMesh;
let groups: Groups[];
let nodes: FakeNode[];

beforeEach(() => {
  mesh = new FakeMesh(3, randomFrom());
  nodes = mesh.nodes;
  groups = nodes.map((node) => startGroups(node));
});
afterEach(() => mesh.stop());

async function connected(): Promise<[Groups, Groups, Groups]> {
  mesh.connectAll();
  await mesh.settle();
  return groups as [Groups, Groups, Groups];
}

const at = (index: number): FakeNode => nodes[index] as FakeNode;
/** An actor and what it received. */
function collector(node: FakeNode): { pid: Pid<unknown>; got: unknown[] } {
  const got: unknown[] = [];
  const pid = node.runtime.spawnHandler(() => ({ onMessage: (message: unknown) => void got.push(message) }));
  return { pid, got };
}
/** The members of a group as every node spells them, by node. */
const seen = (group: string): string[][] =>
  groups.map((each, index) =>
    each
      .members(group)
      .map((pid) => at(index).spelt(pid))
      .sort(),
  );
const kill = (node: FakeNode, pid: Pid<unknown>): void => node.runtime.sendExit(pid, 'kill');

describe('a group', () => {
  it('R1 has the members that joined on all nodes, a double one twice', async () => {
    const [a, b] = await connected();
    const [x, y] = [at(0).actor(), at(1).actor()];
    a.join('g', x);
    a.join('g', x);
    b.join('g', y);
    await mesh.settle();
    const all = [at(0).spelt(x), at(0).spelt(x), at(1).spelt(y)].sort();
    expect(seen('g')).toEqual([all, all, all]);
    expect(a.localMembers('g')).toEqual([x, x]);
    expect(b.localMembers('g')).toEqual([y]);
    expect(a.leave('g', x)).toBe(true);
    await mesh.settle();
    expect(seen('g')[2]).toEqual([at(0).spelt(x), at(1).spelt(y)].sort());
  });

  it('R1 takes an actor by its self as by its PID', async () => {
    const [a] = await connected();
    const joined = new Promise<boolean>((done) => {
      at(0).runtime.spawn((self) => {
        a.join('g', self);
        a.join('g', [self, self.pid]);
        done(a.leave('g', self) && a.localMembers('g').length === 2);
      });
    });
    await mesh.settle();
    expect(await joined).toBe(true);
  });

  it('R1 takes actors of its own node only, all or none', async () => {
    const [a, b] = await connected();
    const mine = at(0).actor();
    const theirs = at(0).pid(at(1).actor(), at(1)) as Pid<unknown>;
    const dead = at(0).actor();
    kill(at(0), dead);
    const code = 'SNOW_ERR_NOT_LOCAL';
    expect(() => a.join('g', theirs)).toThrow(expect.objectContaining({ code }));
    expect(() => a.join('g', [mine, dead])).toThrow(expect.objectContaining({ code }));
    expect(() => a.leave('g', theirs)).toThrow(expect.objectContaining({ code }));
    expect(() => a.monitor('g', theirs)).toThrow(expect.objectContaining({ code }));
    expect(() => a.join('g', 'x' as never)).toThrow(expect.objectContaining({ code }));
    expect([a.which(), b.which()]).toEqual([[], []]);
  });

  it('R1 has a name of 1 to 255 bytes', () => {
    const [a] = groups as [Groups];
    const pid = at(0).actor();
    const longest = `${'é'.repeat(127)}x`;
    for (const name of ['', `${longest}x`, '\ud800', 7 as never])
      expect(() => a.join(name, pid)).toThrow(expect.objectContaining({ code: 'SNOW_ERR_BAD_NAME' }));
    a.join(longest, pid);
    expect(a.which()).toEqual([longest]);
  });

  it('R2, R3 loses members that die, and is gone with the last', async () => {
    const [a] = await connected();
    const [x, y] = [at(0).actor(), at(0).actor()];
    a.join('g', [x, x, y]);
    a.join('h', x);
    await mesh.settle();
    kill(at(0), x);
    await mesh.settle();
    expect(seen('g')).toEqual(groups.map(() => [at(0).spelt(y)]));
    expect(groups.map((each) => each.which())).toEqual([['g'], ['g'], ['g']]);
    kill(at(0), y);
    await mesh.settle();
    expect(groups.map((each) => each.which())).toEqual([[], [], []]);
  });

  it('R3 keeps nothing of a group that was joined and left', async () => {
    const [a, b] = await connected();
    const pid = at(0).actor();
    for (let number = 0; number < 2000; number++) a.join(`room ${number}`, pid);
    await mesh.settle();
    expect(b.which()).toHaveLength(2000);
    for (let number = 0; number < 2000; number++) expect(a.leave(`room ${number}`, pid)).toBe(true);
    await mesh.settle();
    expect([a.which(), b.which(), a.whichLocal()]).toEqual([[], [], []]);
  });

  it('R14 is left by who is not in it without a word', async () => {
    const [a] = await connected();
    const [x, y] = [at(0).actor(), at(0).actor()];
    expect(a.leave('g', x)).toBe(false);
    a.join('g', x);
    expect(a.leave('g', y)).toBe(false);
    expect(a.leave('g', [y, x, x])).toBe(true);
    expect(a.which()).toEqual([]);
  });

  it('R4 has own members only during a split, and the union after, with changes made meanwhile', async () => {
    const [a, b] = await connected();
    const [x, y, z] = [at(0).actor(), at(1).actor(), at(1).actor()];
    a.join('g', x);
    b.join('g', y);
    await mesh.settle();
    mesh.cut(at(0), at(1));
    await mesh.settle();
    expect(seen('g').slice(0, 2)).toEqual([[at(0).spelt(x)], [at(1).spelt(y)]]);
    b.join('g', z);
    b.leave('g', y);
    a.join('h', x);
    mesh.connect(at(0), at(1));
    await mesh.settle();
    const union = [at(0).spelt(x), at(1).spelt(z)].sort();
    expect(seen('g')).toEqual([union, union, union]);
    expect(b.which().sort()).toEqual(['g', 'h']);
  });

  it('R5 is not forwarded: who has no session hears nothing', async () => {
    const [a] = groups as [Groups, Groups, Groups];
    mesh.connect(at(0), at(1));
    mesh.connect(at(1), at(2));
    await mesh.settle();
    const pid = at(0).actor();
    a.join('g', pid);
    await mesh.settle();
    expect(seen('g')).toEqual([[at(0).spelt(pid)], [at(0).spelt(pid)], []]);
    mesh.connect(at(0), at(2));
    await mesh.settle();
    expect(seen('g')[2]).toEqual([at(0).spelt(pid)]);
  });

  it('R4 is told whole to who starts groups late, or anew', async () => {
    const [a, b] = await connected();
    const [x, y] = [at(0).actor(), at(1).actor()];
    a.join('g', x);
    b.join('g', y);
    await mesh.settle();
    b.close();
    await mesh.settle();
    expect(a.members('g')).toEqual([x]);
    expect(b.which()).toEqual([]);
    expect(() => b.join('g', y)).toThrow(expect.objectContaining({ code: 'SNOW_ERR_NOT_ALIVE' }));
    const again = startGroups(at(1));
    groups[1] = again;
    await mesh.settle();
    again.join('g', y);
    await mesh.settle();
    const both = [at(0).spelt(x), at(1).spelt(y)].sort();
    expect(seen('g')).toEqual([both, both, both]);
  });

  it('R1 refuses more memberships than a node may have', () => {
    const few = startGroups(at(0), { maxMembershipsPerNode: 2 });
    const pid = at(0).actor();
    few.join('g', [pid, pid]);
    expect(() => few.join('h', pid)).toThrow(expect.objectContaining({ code: 'SNOW_ERR_TOO_MANY_MEMBERS' }));
    few.leave('g', pid);
    few.join('h', pid);
    expect(few.which().sort()).toEqual(['g', 'h']);
  });

  it('refuses options that cannot be', () => {
    for (const options of [{ scope: '' }, { hidden: 1 }, { maxMembershipsPerNode: 0 }])
      expect(() => startGroups(at(0), options as never)).toThrow(
        expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }),
      );
  });
});

describe('a monitor of groups', () => {
  it('R2, R4 starts from the members and hears each change, in order', async () => {
    const [a, b] = await connected();
    const watcher = collector(at(0));
    const [x, y] = [at(0).actor(), at(1).actor()];
    a.join('g', x);
    const { ref, members } = a.monitor('g', watcher.pid);
    expect(members).toEqual([x]);
    b.join('g', [y, y]);
    b.join('other', y);
    await mesh.settle();
    const far = at(0).pid(y, at(1));
    b.leave('g', y);
    await mesh.settle();
    kill(at(0), x);
    mesh.cut(at(0), at(1));
    await mesh.settle();
    expect(watcher.got).toEqual([
      new GroupJoin(ref, 'g', [far, far]),
      new GroupLeave(ref, 'g', [far]),
      new GroupLeave(ref, 'g', [x]),
      new GroupLeave(ref, 'g', [far]),
    ]);
    expect(a.demonitor(ref)).toBe(true);
    expect(a.demonitor(ref)).toBe(false);
    a.join('g', watcher.pid);
    await mesh.settle();
    expect(watcher.got).toHaveLength(4);
  });

  it('R2 of all groups hears of each, and ends with its actor', async () => {
    const [a] = await connected();
    const watcher = collector(at(0));
    const x = at(0).actor();
    a.join('g', x);
    const { ref, groups: present } = a.monitorAll(watcher.pid);
    expect([...present]).toEqual([['g', [x]]]);
    a.join('h', x);
    a.leave('g', x);
    await mesh.settle();
    expect(watcher.got).toEqual([new GroupJoin(ref, 'h', [x]), new GroupLeave(ref, 'g', [x])]);
    kill(at(0), watcher.pid);
    await mesh.settle();
    expect(a.demonitor(ref)).toBe(false);
  });
});

describe('a broadcast', () => {
  it('R6, R8 reaches each member once on every node or on one, a copy each, and other groups not', async () => {
    const [a, b, c] = await connected();
    const all = nodes.flatMap((node) => [collector(node), collector(node)]);
    const other = collector(at(1));
    for (const [index, { pid }] of all.entries()) groups[index >> 1]?.join('g', [pid, pid]);
    b.join('other', other.pid);
    await mesh.settle();
    const message = { tag: 'hi', list: [1] };
    a.broadcast('g', message, all[0]?.pid);
    c.broadcast('g', 'two');
    c.broadcastLocal('g', 'three');
    await mesh.settle();
    for (const [index, { got }] of all.entries()) {
      expect(got).toHaveLength(index >= 4 ? 3 : 2);
      expect(got).toContainEqual({ tag: 'hi', list: [1] });
    }
    const objects = all.map(({ got }) => got.find((each) => typeof each === 'object'));
    expect(new Set(objects.slice(0, 2)).size).toBe(2);
    expect(new Set(objects.slice(2, 4)).size).toBe(2);
    expect(other.got).toEqual([]);
  });

  it('A7 of an actor that has ended reaches nobody: a dead letter for each member', async () => {
    const [a, b] = await connected();
    const [here, there] = [collector(at(0)), collector(at(1))];
    a.join('g', [here.pid, here.pid]);
    b.join('g', there.pid);
    await mesh.settle();
    const { runtime } = at(0);
    const losses: unknown[] = [];
    runtime.deadLetters.subscribe((...loss) => void losses.push(loss));
    const sender = runtime.spawnHandler((self) => ({
      onMessage() {
        expect(() => self.exit()).toThrow();
        a.broadcast('g', 'leaving', self);
      },
    }));
    runtime.send(sender, 'go');
    await mesh.settle();
    a.broadcast('g', 'late', sender);
    a.broadcast('nobody', 'late', sender);
    await mesh.settle();
    expect([here.got, there.got]).toEqual([[], []]);
    expect(losses).toEqual([
      ['dead_sender', 'g', 2],
      ['dead_sender', 'g', 2],
    ]);
  });

  it('of an actor of another node object of this process throws', async () => {
    const [a] = await connected();
    const member = collector(at(0));
    a.join('g', member.pid);
    expect(() => a.broadcast('g', 1, at(1).actor())).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_FOREIGN_PID' }),
    );
    await mesh.settle();
    expect(member.got).toEqual([]);
  });

  it('B9 that cannot travel throws, and nobody has it', async () => {
    const [a] = await connected();
    const member = collector(at(0));
    a.join('g', member.pid);
    expect(() => a.broadcast('g', () => {})).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }),
    );
    await mesh.settle();
    expect(member.got).toEqual([]);
    a.broadcast('nobody', 1);
  });
});

describe('a peer', () => {
  it('T12 joins its own actors only, and nothing it says throws', () => {
    const { groups: mine, say } = alone(at(0).runtime);
    const [own, third] = [new Pid(256, 5), new Pid(512, 5)];
    const local = at(0).actor();
    mine.join('g', local);
    say(['hello', 1]);
    const nonsense: unknown[] = [
      undefined,
      7,
      [],
      ['hello'],
      ['hello', 0],
      ['hello', 1.5],
      ['hello', 1, 1],
      ['join'],
      ['join', [['g', [third]]]],
      ['join', [['g', [local]]]],
      ['join', [['g', [own, third]]]],
      ['join', [['g', []]]],
      ['join', [['', [own]]]],
      ['join', [[7, [own]]]],
      ['join', [['x'.repeat(256), [own]]]],
      ['join', [['\ud800', [own]]]],
      ['join', [['g', [own], 1]]],
      ['join', [['g', [{ nc: 256, local: 5 }]]]],
      ['join', [['g', new Array(501).fill(own)]]],
      ['join', [300, 201].map((count) => [`g${count}`, new Array(count).fill(own)])],
      ['join', new Array(501).fill(['g', [own]])],
      ['join', [], 1],
      ['join', { length: 3 }],
      ['leave', [['g', [local]]]],
      ['cast', 7, 'x'],
      ['cast', 'g'],
      ['cast', 'g', 1, 1],
      ['bye', 1],
      ['sync', [['g', 'text']], true],
      ['sync', [['g', [own]]]],
      ['sync', [], 1],
      ['sync', [], true, 1],
    ];
    for (const value of nonsense) {
      say(value);
      expect(parseMessage(value, 256), String(value)).toBeUndefined();
    }
    for (const counts of [[500], [300, 200], new Array<number>(500).fill(1)]) {
      const most = ['join', counts.map((count, at) => [`g${at}`, new Array(count).fill(own)])];
      expect(parseMessage(most, 256)).toBe(most);
    }
    say(['leave', [['g', [own]]]]); // it is no member
    expect(mine.members('g')).toEqual([local]);
    const lines = at(0).kit.logs.filter(({ facts }) => facts['event'] === 'groups_bad_message');
    expect(lines.map(({ level, facts }) => [level, facts['node']])).toEqual([['warn', 'p@fake:1']]); // once a session
    say(['join', [['g', [own]]]]);
    expect(mine.members('g')).toEqual([local, own]);
    say(['hello', 1]);
    expect(mine.members('g')).toEqual([local]);
  });

  it('T7 has what makes no sense in its sessions logged once in ten seconds', async () => {
    await connected();
    const [mine, liar] = [at(0), at(1)];
    for (let session = 1; session <= 3; session++) {
      mesh.send(liar, liar.peers.get(mine) as never, ['nonsense']);
      await mesh.settle();
      mesh.cut(mine, liar);
      await mesh.settle();
      mesh.connectAll();
      await mesh.settle();
    }
    const counts = (): unknown[] =>
      mine.kit.logs
        .filter(({ facts }) => facts['event'] === 'groups_bad_message')
        .map(({ facts }) => facts['count']);
    expect(counts()).toEqual([undefined]);
    await mesh.pass(LOG_PAUSE_MS);
    expect(counts()).toEqual([undefined, 2]);
  });

  it('P7 is held to the memberships a node may have, and told all only so often', async () => {
    const { groups: mine, say, sent } = alone(at(0).runtime, false, { maxMembershipsPerNode: 3 });
    const own = new Pid(256, 5);
    say(['join', [['g', [own, own]]]]);
    say(['join', [['h', [own, own]]]]);
    expect(mine.members('g')).toHaveLength(2);
    expect(mine.members('h')).toHaveLength(0);
    sent.length = 0;
    for (let count = 0; count <= MAX_SYNCS; count++) {
      say(['hello', 1]);
      await turns();
    }
    expect(sent).toEqual(new Array(MAX_SYNCS).fill(['sync', [], true]));
  });

  it('R10 that is full costs dead letters, one for each member there', () => {
    const { groups: mine, say, full, sent } = alone(at(0).runtime);
    const before = at(0).runtime.deadLetters.counts.remote_full;
    say(['join', [['g', [new Pid(256, 5), new Pid(256, 6)]]]]);
    mine.broadcast('g', 1);
    expect(sent.at(-1)).toEqual(['cast', 'g', 1]);
    full.now = true;
    mine.broadcast('g', 2);
    expect(at(0).runtime.deadLetters.counts.remote_full).toBe(before + 2);
  });

  it('L2 that is hidden takes part only when asked', () => {
    const shy = alone(at(0).runtime, true);
    expect(shy.sent).toEqual([]);
    shy.say(['join', [['g', [new Pid(256, 5)]]]]);
    expect(shy.groups.which()).toEqual([]);
    const open = alone(at(0).runtime, true, { hidden: true });
    expect(open.sent).toEqual([['hello', 1]]);
    open.say(['join', [['g', [new Pid(256, 5)]]]]);
    expect(open.groups.which()).toEqual(['g']);
  });

  it('R4 hears of more members than one message takes in parts', async () => {
    const { groups: mine, say, sent } = alone(at(0).runtime);
    const pid = at(0).actor();
    mine.join('g', new Array(1200).fill(pid));
    for (let number = 0; number < 100; number++) mine.join(`g${number}`, pid);
    sent.length = 0;
    say(['hello', 1]);
    await turns();
    const entries = sent.flatMap((message) => (message as [string, [string, Pid[]][]])[1]);
    const sizes = sent.map((message) =>
      (message as [string, [string, Pid[]][]])[1].reduce((sum, [, pids]) => sum + pids.length, 0),
    );
    expect(sizes).toEqual([500, 500, 300]);
    expect(new Set(entries.map(([group]) => group)).size).toBe(101);
  });
});

it('K1 groups of a node without a name are local', () => {
  const mine = startGroups({
    name: 'nonode@nohost',
    isStopping: false,
    runtime: at(0).runtime,
    channel: () => undefined,
  });
  const { pid } = collector(at(0));
  mine.join('g', pid);
  mine.broadcast('g', 'x');
  expect(mine.members('g')).toEqual([pid]);
  mine.close();
  expect(mine.which()).toEqual([]);
});

it('R1 a node that stops refuses to join, and lets its actors leave', () => {
  const host = { name: 'nonode@nohost', isStopping: false, runtime: at(0).runtime, channel: () => undefined };
  const mine = startGroups(host);
  const { pid } = collector(at(0));
  mine.join('g', pid);
  host.isStopping = true;
  expect(() => mine.join('h', pid)).toThrow(expect.objectContaining({ code: 'SNOW_ERR_STOPPED' }));
  expect(mine.leave('g', pid)).toBe(true);
});
