// Children on their way back: what they do to their group, and what is asked of their node.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpawnStatus } from '../../../ts/actor/index.ts';
import {
  type ChildOptions,
  type ChildSpec,
  childSpec,
  countChildren,
  defineDynamicSupervisor,
  defineSupervisor,
  restartChild,
  type Strategy,
  startChild,
  terminateChild,
} from '../../../ts/supervisor/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import type { Probe, TestRuntime } from '../../../ts/testing/index.ts';
import type { Family } from './family.ts';
import { farFamily, sitter } from './far-family.ts';
import { FAR, type FarNode } from './far-node.ts';

/** The longest pause between two checks. */
const LONGEST = 30_000;
const backoff = { min: 100, max: 100, jitter: 0 };

let kit: TestRuntime;
let f: Family;
let far: FarNode;
let probe: Probe;
beforeEach(async () => {
  ({ kit, f, far, probe } = await farFamily());
});
afterEach(() => kit.stop());

const remote = (options: ChildOptions = {}) => childSpec('x', sitter, { node: FAR, ...options });
const waiting = (options: ChildOptions = {}) => remote({ onNodeLost: 'wait', ...options });

async function supervise(children: ChildSpec[], strategy: Strategy, intensity: number): Promise<Pid> {
  const pid = await defineSupervisor({ name: 'tree', strategy, intensity, children }).start(kit);
  probe.watch(pid);
  f.logged();
  far.logged();
  return pid;
}

/** A dynamic supervisor with one child on the other node, and the PID of that child. */
async function dynamic(child: ChildSpec, intensity: number): Promise<[supervisor: Pid, child: Pid]> {
  const pid = await defineDynamicSupervisor({ name: 'dynamic', intensity }).start(kit);
  probe.watch(pid);
  const started = await startChild(kit, pid, child);
  far.logged();
  return [pid, (started as { pid: Pid }).pid];
}

/** Starts and checks since the last time. */
const asked = (): string[] => far.logged().filter((what) => what === 'start' || what === 'check');

describe('a child that waits for its node', () => {
  it('S2, J12 does not keep its siblings from their restart while its node is frozen', async () => {
    const pid = await supervise([f.child('a'), waiting(), f.child('c')], 'one_for_all', 1);
    far.freeze();
    await kit.settle();
    await f.end(pid, 'a', 'oops');
    expect(f.logged()).toEqual(['-a', '-c', '+a', '+c']);
    expect(await f.pids(pid)).toMatchObject({ x: 'restarting' });
  });

  it('S2, J12 restarts no sibling while the node refuses it', async () => {
    const pid = await supervise([f.child('a'), waiting()], 'one_for_all', 0);
    far.crash();
    await kit.settle();
    far.refusal = { status: SpawnStatus.unknownFunction };
    far.connect();
    await kit.settle();
    expect(asked()).toContain('start');
    expect(f.logged()).toEqual([]);
    far.refusal = undefined;
    await kit.advance(LONGEST);
    expect(f.logged()).toEqual(['-a', '+a']);
    expect(await countChildren(kit, pid)).toMatchObject({ active: 2 });
  });

  it('S2, J12 is started with its group when its first start there has failed', async () => {
    const pid = await supervise([f.child('a'), waiting({ backoff })], 'one_for_all', 1);
    far.crash();
    await kit.settle();
    far.refusal = { status: SpawnStatus.failed, detail: 'broken' };
    far.connect();
    await kit.settle();
    far.refusal = undefined;
    await kit.advance(100);
    expect(await countChildren(kit, pid)).toMatchObject({ active: 2 });
    expect(f.logged()).toEqual(['-a', '+a']);
  });

  it('S2 waits no more when its first start there has failed: what fails then counts', async () => {
    const [pid] = await dynamic(waiting({ backoff }), 1);
    far.crash();
    await kit.settle();
    far.refusal = { status: SpawnStatus.failed, detail: 'broken' };
    far.connect();
    await kit.settle();
    far.refusal = { status: SpawnStatus.unknownFunction };
    await kit.advance(200);
    await probe.expectDown(pid, 'shutdown');
  });
});

describe('a child whose node was away', () => {
  it('S2 is looked for once before it is started, and no more once it has run', async () => {
    const pid = await supervise([waiting()], 'one_for_one', 1);
    far.crash();
    await kit.settle();
    far.logged();
    far.connect();
    await kit.settle();
    expect(asked()).toEqual(['check', 'start']);
    far.end(2, 'oops');
    await kit.settle();
    expect(asked()).toEqual(['start']);
    far.isUp = false; // as the supervisor is about to learn
    expect(await terminateChild(kit, pid, 'x')).toBe('ok');
    far.isUp = true;
    expect(await restartChild(kit, pid, 'x')).toMatchObject({ ok: true });
    expect(asked()).toEqual(['start']);
  });

  it('S2, J10 under a dynamic supervisor is looked for as long as the last start did not reach the node', async () => {
    const [pid, child] = await dynamic(remote(), 3);
    far.isUp = false;
    far.end(child.local, 'oops');
    await probe.expectDown(pid, 'shutdown');
    expect(asked()).toEqual(['start', 'check', 'check']);
  });

  it('S2, J10 under a dynamic supervisor is not looked for when the last start reached the node', async () => {
    const [pid] = await dynamic(remote(), 3);
    far.crash();
    far.isUp = true;
    far.refusal = { status: SpawnStatus.failed, detail: 'broken' };
    await probe.expectDown(pid, 'shutdown');
    expect(asked()).toEqual(['check', 'start', 'start', 'start']);
  });
});

describe('a start under way on another node', () => {
  it('J11 by request is followed by one of the group that was restarted meanwhile', async () => {
    const pid = await supervise([f.child('a'), remote()], 'one_for_all', 1);
    await terminateChild(kit, pid, 'x');
    const hold = far.holdStarts();
    const restarted = restartChild(kit, pid, 'x');
    await kit.settle();
    await f.end(pid, 'a', 'oops');
    hold.release();
    await kit.settle();
    expect(await restarted).toEqual({ ok: false, error: 'start_failed', reason: 'shutdown' });
    expect(await countChildren(kit, pid)).toMatchObject({ active: 2 });
    expect(far.living.size).toBe(1);
  });

  it('J12 by request is awaited by those that are started after it', async () => {
    const pid = await supervise([remote(), f.child('c')], 'rest_for_one', 1);
    await terminateChild(kit, pid, 'x');
    const hold = far.holdStarts();
    const restarted = restartChild(kit, pid, 'x');
    await kit.settle();
    await f.end(pid, 'c', 'oops');
    expect(f.logged()).toEqual(['-c']);
    hold.release();
    expect(await restarted).toMatchObject({ ok: true });
    await kit.settle();
    expect(f.logged()).toEqual(['+c']);
  });

  it('J14 is awaited no more once its child is terminated', async () => {
    const pid = await supervise([remote(), f.child('c')], 'rest_for_one', 1);
    const hold = far.holdStarts();
    far.end(1, 'oops');
    await kit.settle();
    expect(f.logged()).toEqual(['-c']);
    expect(await terminateChild(kit, pid, 'x')).toBe('ok');
    await kit.settle();
    expect(f.logged()).toEqual(['+c']);
    hold.release();
    await kit.settle();
    expect(far.living.size).toBe(0);
    expect(f.logged()).toEqual([]);
  });

  it('J20 by request fails when its child is terminated, and drops the spec', async () => {
    const pid = await supervise([], 'one_for_one', 0);
    const hold = far.holdStarts();
    const started = startChild(kit, pid, remote());
    await kit.settle();
    expect(far.logged()).toEqual(['start']);
    expect(await terminateChild(kit, pid, 'x')).toBe('ok');
    hold.release();
    expect(await started).toEqual({ ok: false, error: 'start_failed', reason: 'shutdown' });
    expect(await countChildren(kit, pid)).toMatchObject({ specs: 0 });
    expect(await startChild(kit, pid, remote())).toMatchObject({ ok: true });
  });

  it('J10 does not end the pause of a sibling', async () => {
    const pid = await supervise([f.child('b', { backoff })], 'one_for_all', 1);
    await f.end(pid, 'b', 'oops');
    f.logged();
    expect(await startChild(kit, pid, remote())).toMatchObject({ ok: true });
    await kit.advance(99);
    expect(f.logged()).toEqual([]);
    await kit.advance(1);
    expect(f.logged()).toEqual(['+b']);
  });

  it('S3, J22 is killed when it succeeds after a dynamic supervisor was told to terminate the child', async () => {
    const [pid, child] = await dynamic(remote(), 1);
    const hold = far.holdStarts();
    far.end(child.local, 'oops');
    await kit.settle();
    expect(await terminateChild(kit, pid, child)).toBe('ok');
    hold.release();
    await kit.settle();
    expect(far.living.size).toBe(0);
    expect(far.logged()).toContain(`kill ${child.local + 1}`);
  });
});
