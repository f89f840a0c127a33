// A child's node that is frozen or cut off: the supervisor serves requests meanwhile and reaches its restart limit (S2, J10),
// and what may have outlived the loss is killed whatever becomes of the supervisor (S3).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stop } from '../../../ts/actor/index.ts';
import {
  type ChildSpec,
  childSpec,
  countChildren,
  defineDynamicSupervisor,
  defineSupervisor,
  deleteChild,
  restartChild,
  type Strategy,
  startChild,
  terminateChild,
  whichChildren,
} from '../../../ts/supervisor/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import type { Probe, TestRuntime } from '../../../ts/testing/index.ts';
import { turns } from '../../support/deadline.ts';
import { type CallError, type Family, leisurely } from './family.ts';
import { farFamily, sitter } from './far-family.ts';
import { FAR, type FarNode } from './far-node.ts';

let kit: TestRuntime;
let f: Family;
let far: FarNode;
let probe: Probe;
beforeEach(async () => {
  ({ kit, f, far, probe } = await farFamily());
});
afterEach(() => kit.stop());

const remote = (id = 'x') => childSpec(id, sitter, { node: FAR });

async function supervise(
  strategy: Strategy,
  intensity = 3,
  children = [f.child('a'), remote(), f.child('c')],
) {
  const pid = await defineSupervisor({ name: 'tree', strategy, intensity, period: 4000, children }).start(
    kit,
  );
  probe.watch(pid);
  f.logged();
  far.logged();
  return pid;
}

/** What it is without letting time pass. */
async function now<T>(asked: Promise<T>): Promise<T | 'unanswered'> {
  let answer: T | 'unanswered' = 'unanswered';
  void asked.then((value) => (answer = value));
  await kit.settle();
  return answer;
}

describe.each(['one_for_one', 'rest_for_one', 'one_for_all'] as const)('a %s supervisor', (strategy) => {
  it('S2, J10 answers while the node of a child does not, and reaches its limit within the period', async () => {
    const pid = await supervise(strategy);
    far.freeze();
    await kit.settle();
    for (let ms = 0; ms < 2000; ms += 100) {
      expect(await now(whichChildren(kit, pid))).toMatchObject([
        { id: 'a' },
        { pid: 'restarting' },
        { id: 'c' },
      ]);
      await kit.advance(100);
    }
    expect(kit.runtime.isAlive(pid)).toBe(true);
    await kit.advance(2000);
    await probe.expectDown(pid, 'shutdown');
    expect(far.logged().filter((what) => what === 'check')).toHaveLength(3);
  });

  it('S2, J10 restarts a local child meanwhile', async () => {
    const pid = await supervise(strategy, 5);
    far.freeze();
    await kit.settle();
    f.logged();
    await f.end(pid, 'a', 'oops');
    expect(f.logged().slice(0, 1)).toEqual(['-a']);
    expect(await now(f.pid(pid, 'a'))).toMatchObject({ nc: 0 });
  });

  it('S2, J11-J14 has all running, in order, when the node answers again', async () => {
    const pid = await supervise(strategy);
    far.freeze();
    await kit.advance(500);
    far.isFrozen = false;
    await kit.advance(1000);
    expect(await countChildren(kit, pid)).toMatchObject({ specs: 3, active: 3 });
    const expected = {
      one_for_one: [],
      rest_for_one: ['-c', '+c'],
      one_for_all: ['-c', '-a', '+a', '-a', '+a', '+c'],
    };
    expect(f.logged()).toEqual(expected[strategy]);
    expect(far.living.size).toBe(1);
  });
});

describe('a restart under way on a node that froze after it was asked', () => {
  async function frozenStart(): Promise<Pid> {
    const pid = await supervise('one_for_one');
    far.isFrozen = true; // not lost yet
    far.end(1, 'oops');
    await kit.settle();
    expect(far.logged()).toContain('start');
    return pid;
  }

  it('S2 is restarting, and refuses what cannot be done with it', async () => {
    const pid = await frozenStart();
    expect((await f.pids(pid))['x']).toBe('restarting');
    expect(await restartChild(kit, pid, 'x')).toEqual({ ok: false, error: 'restarting' });
    expect(await deleteChild(kit, pid, 'x')).toBe('restarting');
    expect(await startChild(kit, pid, remote())).toEqual({ ok: false, error: 'already_present' });
  });

  it('S2 fails with the node, and counts', async () => {
    const pid = await frozenStart();
    far.freeze();
    await kit.advance(4000);
    await probe.expectDown(pid, 'shutdown');
  });

  it('S3 is killed when it starts after it was terminated', async () => {
    const pid = await supervise('one_for_one');
    const hold = far.holdStarts();
    far.end(1, 'oops');
    await kit.settle();
    expect(await terminateChild(kit, pid, 'x')).toBe('ok');
    expect(await restartChild(kit, pid, 'x')).toEqual({ ok: false, error: 'restarting' }); // there would be two
    hold.release();
    await kit.settle();
    expect(far.living.size).toBe(0);
    expect((await f.pids(pid))['x']).toBeUndefined();
    expect(await restartChild(kit, pid, 'x')).toMatchObject({ ok: true });
    expect(far.living.size).toBe(1);
  });

  it('S3 is not asked for when it was terminated while its node was looked for', async () => {
    const pid = await supervise('one_for_one');
    far.isSlow = true;
    far.cut();
    far.heal();
    const terminated = terminateChild(kit, pid, 'x');
    expect(far.logged()).toEqual([]);
    await kit.settle();
    expect(await terminated).toBe('ok');
    await turns();
    expect(far.checks).toEqual({ now: 0, most: 1 });
    expect(far.logged()).not.toContain('start');
    expect((await f.pids(pid))['x']).toBeUndefined();
  });

  it('J11 is started anew, in order, when its group is restarted meanwhile', async () => {
    const pid = await supervise('one_for_all');
    const hold = far.holdStarts();
    far.end(1, 'oops');
    await kit.settle();
    await f.end(pid, 'a', 'oops');
    hold.release();
    await kit.settle();
    expect(await countChildren(kit, pid)).toMatchObject({ specs: 3, active: 3 });
    expect(far.living.size).toBe(1);
  });
});

it('S2, J11 a child whose node is lost while its group is stopped is looked for before it is started', async () => {
  const pid = await supervise('one_for_all');
  far.isFrozen = true; // not lost yet
  await f.end(pid, 'a', 'oops');
  far.freeze();
  await kit.settle();
  expect(far.logged().filter((what) => what === 'start' || what === 'check')).toEqual(['check']);
  expect(await now(whichChildren(kit, pid))).toMatchObject([{ id: 'a' }, { pid: 'restarting' }, { id: 'c' }]);
});

describe('a request to start a child on a frozen node', () => {
  it('S2 does not keep the supervisor from its work, and is answered when it is over', async () => {
    const pid = await supervise('one_for_one', 3, [f.child('a')]);
    far.isFrozen = true;
    const asked = startChild(kit, pid, remote('y'));
    expect(await now(asked)).toBe('unanswered');
    expect(await now(whichChildren(kit, pid))).toMatchObject([{ id: 'a' }, { id: 'y', pid: 'restarting' }]);
    far.freeze();
    expect(await now(asked)).toEqual({ ok: false, error: 'start_failed', reason: 'noconnection' });
    expect(await now(whichChildren(kit, pid))).toMatchObject([{ id: 'a' }]);
  });

  it('S2, J26 of a dynamic supervisor counts towards maxChildren', async () => {
    const pid = await defineDynamicSupervisor({ name: 'dynamic', maxChildren: 1 }).start(kit);
    far.isFrozen = true;
    const asked = startChild(kit, pid, remote());
    expect(await now(startChild(kit, pid, f.child('a')))).toEqual({ ok: false, error: 'max_children' });
    far.freeze();
    expect(await now(asked)).toMatchObject({ error: 'start_failed' });
    expect(await now(startChild(kit, pid, f.child('a')))).toMatchObject({ ok: true });
  });
});

describe('a dynamic supervisor', () => {
  it('S2, J10 answers while the node of a child does not, and reaches its limit', async () => {
    const pid = await defineDynamicSupervisor({ name: 'dynamic', intensity: 3, period: 4000 }).start(kit);
    probe.watch(pid);
    await startChild(kit, pid, remote());
    far.freeze();
    await kit.advance(1000);
    expect(await now(whichChildren(kit, pid))).toMatchObject([{ pid: 'restarting' }]);
    await kit.advance(3000);
    await probe.expectDown(pid, 'shutdown');
  });

  it('J18 stops the others whatever arrives meanwhile: the answer of a node that it looks for, or noise', async () => {
    const pid = await defineDynamicSupervisor({ name: 'dynamic', intensity: 3 }).start(kit);
    probe.watch(pid);
    await startChild(kit, pid, childSpec('slow', leisurely, { args: [1000] }));
    await startChild(kit, pid, remote());
    far.freeze();
    await kit.settle();
    expect(far.logged()).toContain('check');
    const stopped = stop(kit, pid, 'shutdown');
    await kit.settle();
    kit.runtime.send(pid, null as never);
    far.heal();
    await kit.advance(1000);
    await stopped;
    await probe.expectDown(pid, 'shutdown');
  });

  it('S3 kills a child that starts while it stops the others', async () => {
    const pid = await defineDynamicSupervisor({ name: 'dynamic' }).start(kit);
    await startChild(kit, pid, childSpec('slow', leisurely, { args: [1000] }));
    const hold = far.holdStarts();
    const asked = startChild(kit, pid, remote()).catch(({ state }: CallError) => state);
    await kit.settle();
    const stopped = stop(kit, pid, 'shutdown');
    await kit.settle();
    hold.release();
    await kit.settle();
    expect(kit.runtime.isAlive(pid)).toBe(true);
    expect(far.logged()).toContain('kill 1');
    expect(far.living.size).toBe(0);
    await kit.advance(1000);
    await stopped;
    expect(await asked).toBe('exit');
  });

  it('S2, J22 finds a child that is restarting by the PID it had, also when it crashed before its node was lost', async () => {
    const waiting = childSpec('x', sitter, { node: FAR, onNodeLost: 'wait' });
    const pid = await defineDynamicSupervisor({ name: 'dynamic', intensity: 3 }).start(kit);
    await startChild(kit, pid, waiting);
    const [child] = await whichChildren(kit, pid);
    far.isUp = false;
    far.end(1, 'oops');
    await kit.advance(1000);
    expect(await whichChildren(kit, pid)).toMatchObject([{ pid: 'restarting' }]);
    expect(await terminateChild(kit, pid, child?.pid as Pid)).toBe('ok');
    expect(await whichChildren(kit, pid)).toEqual([]);
  });
});

describe('a child that outlived the loss of its node', () => {
  const waiting = (): ChildSpec => ({ ...remote(), onNodeLost: 'wait' });
  const ends: Readonly<Record<string, (pid: Pid) => unknown>> = {
    'was stopped': (pid) => stop(kit, pid, 'shutdown'),
    'was killed': (pid) => kit.runtime.sendExit(pid, 'kill'),
    'gave up': () => kit.advance(10_000),
  };
  it.each(Object.entries(ends))('S3 is killed after the heal when its supervisor %s', async (how, end) => {
    const pid = await supervise('one_for_one', 1, [how === 'gave up' ? remote() : waiting()]);
    far.cut();
    await kit.settle();
    await end(pid);
    await kit.settle();
    expect(kit.runtime.isAlive(pid)).toBe(false);
    expect(far.living.size).toBe(1);
    far.isUp = true;
    await kit.advance(60_000);
    expect(far.living.size).toBe(0);
    const actors = kit.runtime.size;
    await kit.advance(600_000);
    expect(kit.runtime.size).toBe(actors); // nothing waits for it any more
    expect(far.logged().at(-1)).toMatch(/^kill/);
  });
});
