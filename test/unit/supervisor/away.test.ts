// Children of a node that is lost: they use up the restart intensity, or wait for the node (S2), and never run twice (S3).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpawnStatus, stop } from '../../../ts/actor/index.ts';
import {
  type ChildOptions,
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
import type { Family } from './family.ts';
import { farFamily, sitter } from './far-family.ts';
import { FAR, type FarNode } from './far-node.ts';

/** The longest pause between two checks. */
const LONGEST = 30_000;

let kit: TestRuntime;
let f: Family;
let far: FarNode;
let probe: Probe;
beforeEach(async () => {
  ({ kit, f, far, probe } = await farFamily());
});
afterEach(() => kit.stop());

const waiting = (options: ChildOptions = {}) =>
  childSpec('x', sitter, { node: FAR, onNodeLost: 'wait', ...options });

async function supervise(
  children = [waiting()],
  strategy: Strategy = 'one_for_one',
  intensity = 1,
): Promise<Pid> {
  const pid = await defineSupervisor({ name: 'tree', strategy, intensity, children }).start(kit);
  probe.watch(pid);
  f.logged();
  far.logged();
  return pid;
}

const pidOf = async (supervisor: Pid, id = 'x') => (await f.pids(supervisor))[id];

describe('a child whose node is lost', () => {
  it('S2 uses up the intensity by default', async () => {
    const pid = await supervise([childSpec('x', sitter, { node: FAR })], 'one_for_one', 3);
    far.crash();
    await probe.expectDown(pid, 'shutdown');
    const tried = far.logged();
    expect(tried.filter((what) => what === 'check')).toHaveLength(3);
    expect(tried).not.toContain('start'); // the node was away each time
  });

  it('S2 uses it up when it ended with noconnection itself, whatever node it had lost', async () => {
    const pid = await supervise([waiting()], 'one_for_one', 1);
    for (const local of [1, 2]) {
      far.end(local, 'noconnection');
      await kit.settle();
    }
    await probe.expectDown(pid, 'shutdown');
    expect(far.logged().filter((what) => what === 'start')).toHaveLength(1);
  });

  it('S2 uses it up in the same way under a dynamic supervisor', async () => {
    const pid = await defineDynamicSupervisor({ name: 'dynamic', intensity: 1 }).start(kit);
    probe.watch(pid);
    await startChild(kit, pid, waiting());
    for (const local of [1, 2]) {
      far.end(local, 'noconnection');
      await kit.settle();
    }
    await probe.expectDown(pid, 'shutdown');
  });

  it('J4 is not waited for when it is temporary', async () => {
    const pid = await supervise([waiting({ restart: 'temporary' })], 'one_for_one', 0);
    far.crash();
    await kit.settle();
    expect(await countChildren(kit, pid)).toMatchObject({ specs: 0 });
  });

  it('J19 is stopped although its exit signal, sent by itself, waits in the mailbox of its supervisor', async () => {
    const pid = await supervise([childSpec('x', sitter, { node: FAR })]);
    const child = (await pidOf(pid)) as Pid;
    const stopped = terminateChild(kit, pid, 'x');
    kit.runtime.inbound.exit2(child, pid.local, 'stray');
    expect(await stopped).toBe('ok');
    expect([...far.living]).toEqual([]);
  });

  it('J15 is stopped although the end of a sibling there waits in the mailbox of its supervisor', async () => {
    const pid = await supervise([
      childSpec('y', sitter, { node: FAR }),
      childSpec('x', sitter, { node: FAR }),
    ]);
    const stopped = terminateChild(kit, pid, 'x');
    far.end(1, 'oops');
    expect(await stopped).toBe('ok');
    await kit.settle();
    expect([...far.living]).toEqual([3]); // y, again
    expect(await pidOf(pid, 'y')).toMatchObject({ local: 3 });
  });

  it('S2 waits for it without using up intensity, and is restarting meanwhile', async () => {
    const pid = await supervise([waiting()], 'one_for_one', 0);
    far.crash();
    await kit.settle();
    for (let round = 0; round < 50; round++) {
      await kit.advance(LONGEST);
      expect(await pidOf(pid)).toBe('restarting');
    }
    expect(await countChildren(kit, pid)).toEqual({ specs: 1, active: 0, supervisors: 0, workers: 1 });
    expect(await restartChild(kit, pid, 'x')).toEqual({ ok: false, error: 'restarting' });
    expect(await deleteChild(kit, pid, 'x')).toBe('restarting');
    const checks = far.logged();
    expect(checks).not.toContain('start');
    expect(checks.filter((what) => what === 'check').length).toBeGreaterThanOrEqual(50);
    far.isUp = true;
    await kit.advance(LONGEST);
    expect(await pidOf(pid)).toMatchObject({ nc: 256, local: 2 });
    expect(far.logged().filter((what) => what === 'start')).toEqual(['start']);
    await kit.advance(10 * LONGEST);
    expect(far.logged()).toEqual([]);
  });

  it('S2 is looked for after 0.2 to 30 s, each time after longer', async () => {
    await supervise();
    far.crash();
    await kit.settle();
    const times: number[] = [];
    far.logged();
    for (let ms = 0; ms < 200_000; ms += 50) {
      await kit.advance(50);
      for (const what of far.logged()) if (what === 'check') times.push(ms + 50);
    }
    const pauses = times.map((time, index) => time - (times[index - 1] ?? 0));
    expect(pauses[0]).toBeGreaterThanOrEqual(200);
    expect(pauses[0]).toBeLessThanOrEqual(350);
    for (const [index, pause] of pauses.entries()) {
      const base = Math.min(200 * 2 ** index, 20_000);
      expect(pause).toBeGreaterThanOrEqual(base - 50);
      expect(pause).toBeLessThanOrEqual(base * 1.5 + 50);
    }
    expect(pauses.length).toBeGreaterThan(10);
  });

  it('S3 is killed beyond the split before another is started', async () => {
    const pid = await supervise();
    far.cut();
    await kit.advance(1000);
    expect(far.living).toEqual(new Set([1]));
    far.isUp = true;
    far.logged();
    await kit.advance(LONGEST);
    expect(far.living).toEqual(new Set([2]));
    const asked = far.logged().filter((what) => what !== 'check');
    expect(asked.indexOf('kill 1')).toBeGreaterThanOrEqual(0);
    expect(asked.indexOf('kill 1')).toBeLessThan(asked.indexOf('start'));
    expect(await pidOf(pid)).toMatchObject({ local: 2 });
  });

  it('S3 is killed before another is started, though kills went out for a sibling just before', async () => {
    await supervise(
      [childSpec('y', sitter, { node: FAR }), childSpec('x', sitter, { node: FAR })],
      'one_for_one',
      2,
    );
    for (const local of [1, 2]) far.end(local, 'noconnection');
    await kit.settle();
    const asked = far.logged().filter((what) => what !== 'check');
    expect(asked.indexOf('kill 2')).toBeGreaterThanOrEqual(0);
    expect(asked.indexOf('kill 2')).toBeLessThan(asked.lastIndexOf('start'));
  });

  it('S3 is killed beyond the split, too, when it was lost while it was stopped', async () => {
    const pid = await supervise();
    far.isUp = false; // as the supervisor is about to learn
    expect(await terminateChild(kit, pid, 'x')).toBe('ok');
    expect(far.living).toEqual(new Set([1]));
    far.isUp = true;
    await kit.advance(LONGEST);
    expect(far.living).toEqual(new Set());
    expect(await pidOf(pid)).toBeUndefined();
  });

  it('S2 waits on when the node is back but does not expose it yet', async () => {
    const pid = await supervise();
    far.crash();
    await kit.settle();
    far.isUp = true;
    far.refusal = { status: SpawnStatus.unknownFunction };
    await kit.advance(5 * LONGEST);
    expect(await pidOf(pid)).toBe('restarting');
    far.refusal = undefined;
    await kit.advance(LONGEST);
    expect(await pidOf(pid)).toMatchObject({ local: 2 });
  });

  it('S2 is started when the node connects, however long the pause of now is', async () => {
    const pid = await supervise();
    for (const local of [2, 3]) {
      far.crash();
      await kit.advance(20 * LONGEST);
      far.connect();
      await kit.settle();
      expect(await pidOf(pid)).toMatchObject({ local });
    }
    expect(kit.runtime.arrivals.size).toBe(0);
  });

  it('S2 is looked for at short intervals again when a node connects before it exposes it', async () => {
    const pid = await supervise();
    far.crash();
    await kit.advance(20 * LONGEST);
    far.refusal = { status: SpawnStatus.unknownFunction };
    far.connect();
    await kit.settle();
    expect(await pidOf(pid)).toBe('restarting');
    far.refusal = undefined;
    await kit.advance(300);
    expect(await pidOf(pid)).toMatchObject({ local: 2 });
  });

  it('S2 leaves nothing that waits for a node when it or its supervisor ends', async () => {
    const { arrivals } = kit.runtime;
    const pid = await supervise();
    far.crash();
    await kit.advance(1000);
    expect(arrivals.size).toBe(1);
    expect(await terminateChild(kit, pid, 'x')).toBe('ok');
    far.connect(); // the child of before is known to have ended
    await kit.settle();
    expect(arrivals.size).toBe(0);
    expect(await restartChild(kit, pid, 'x')).toMatchObject({ ok: true });
    far.crash();
    await kit.advance(1000);
    expect(arrivals.size).toBe(1);
    kit.runtime.sendExit(pid, 'kill');
    far.connect();
    await kit.settle();
    expect(arrivals.size).toBe(0);
    expect(far.living.size).toBe(0);
  });

  it('S2 counts again once the node is back: an init that fails uses up intensity', async () => {
    const pid = await supervise([waiting()], 'one_for_one', 3);
    far.crash();
    await kit.settle();
    far.isUp = true;
    far.refusal = { status: SpawnStatus.failed, detail: 'broken' };
    far.logged();
    await kit.advance(LONGEST);
    await probe.expectDown(pid, 'shutdown');
    expect(far.logged().filter((what) => what === 'start')).toHaveLength(4); // the comeback, and three that count
  });

  it('S2 waits too when its restart after a crash finds the node gone', async () => {
    const pid = await supervise([waiting()], 'one_for_one', 1);
    far.isUp = false;
    far.end(1, 'oops');
    await kit.advance(10 * LONGEST);
    expect(await pidOf(pid)).toBe('restarting');
    far.isUp = true;
    await kit.advance(LONGEST);
    expect(await pidOf(pid)).toMatchObject({ local: 2 });
  });

  it('S2, S6 can be stopped with its supervisor, or by request, while it waits', async () => {
    const pid = await supervise([waiting(), waiting()].map((spec, index) => ({ ...spec, id: `x${index}` })));
    far.crash();
    await kit.advance(1000);
    expect(await terminateChild(kit, pid, 'x0')).toBe('ok');
    expect(await pidOf(pid, 'x0')).toBeUndefined();
    expect(await pidOf(pid, 'x1')).toBe('restarting');
    await stop(kit.runtime, pid, 'shutdown');
    far.isUp = true;
    far.logged();
    await kit.advance(10 * LONGEST);
    expect(far.logged().filter((what) => !what.startsWith('kill'))).toEqual([]);
    expect(far.living.size).toBe(0);
  });

  it('S2 a child terminated while its node is looked for does not come back', async () => {
    const pid = await supervise();
    far.crash();
    await kit.settle();
    far.logged();
    far.isSlow = true;
    far.connect();
    const stopped = terminateChild(kit, pid, 'x');
    expect(await stopped).toBe('ok');
    await kit.settle();
    expect(far.logged()).toContain('check');
    await kit.advance(LONGEST);
    expect(far.living.size).toBe(0);
  });

  it('S2 a child terminated while it waits does not come back', async () => {
    const pid = await supervise();
    far.crash();
    await kit.advance(1000);
    expect(await terminateChild(kit, pid, 'x')).toBe('ok');
    far.isUp = true;
    await kit.advance(10 * LONGEST);
    expect(await pidOf(pid)).toBeUndefined();
    expect(far.living.size).toBe(0);
    expect(await restartChild(kit, pid, 'x')).toMatchObject({ ok: true });
    expect(far.living.size).toBe(1);
  });

  it('S5 the first start does not wait', async () => {
    far.isUp = false;
    const tree = defineSupervisor({ name: 'tree', children: [waiting()] });
    await expect(tree.start(kit)).rejects.toMatchObject({
      details: { reason: { shutdown: { failedToStartChild: 'x', reason: 'noconnection' } } },
    });
  });

  it('S2, J11, J12 siblings run on, and are restarted with it when it is back', async () => {
    for (const [strategy, expected] of [
      ['one_for_one', []],
      ['rest_for_one', ['-c', '+c']],
      ['one_for_all', ['-c', '-a', '+a', '+c']],
    ] as const) {
      const pid = await supervise([f.child('a'), waiting(), f.child('c')], strategy, 0);
      far.crash();
      await kit.advance(1000);
      expect(f.logged(), strategy).toEqual([]);
      far.isUp = true;
      await kit.advance(LONGEST);
      expect(f.logged(), strategy).toEqual(expected);
      expect(await countChildren(kit, pid)).toMatchObject({ specs: 3, active: 3 });
      await stop(kit.runtime, pid, 'shutdown');
    }
  });

  it('S2, J12 continues to wait when a sibling has all restarted', async () => {
    const pid = await supervise([f.child('a'), waiting(), f.child('c')], 'one_for_all', 1);
    far.crash();
    await kit.advance(1000);
    far.logged();
    await f.end(pid, 'a', 'oops');
    expect(f.logged()).toEqual(['-a', '-c', '+a', '+c']);
    expect(far.logged()).not.toContain('start');
    expect(await pidOf(pid)).toBe('restarting');
    far.isUp = true;
    await kit.advance(LONGEST);
    expect(await countChildren(kit, pid)).toMatchObject({ specs: 3, active: 3 });
  });

  it('S2, J26, J27 waits under a dynamic supervisor; it counts, and goes by the PID it had', async () => {
    const pid = await defineDynamicSupervisor({ name: 'dynamic', intensity: 0, maxChildren: 2 }).start(kit);
    for (let count = 0; count < 2; count++)
      expect(await startChild(kit, pid, waiting())).toMatchObject({ ok: true });
    const [first] = await whichChildren(kit, pid);
    far.crash();
    await kit.advance(10 * LONGEST);
    expect((await whichChildren(kit, pid)).map((child) => child.pid)).toEqual(['restarting', 'restarting']);
    expect(await countChildren(kit, pid)).toEqual({ specs: 2, active: 0, supervisors: 0, workers: 2 });
    expect(await startChild(kit, pid, waiting())).toEqual({ ok: false, error: 'max_children' });
    expect(await terminateChild(kit, pid, first?.pid as Pid)).toBe('ok');
    expect(await terminateChild(kit, pid, first?.pid as Pid)).toBe('not_found');
    far.isUp = true;
    await kit.advance(LONGEST);
    expect((await whichChildren(kit, pid)).map((child) => child.pid)).toMatchObject([{ nc: 256 }]);
    expect(far.living.size).toBe(1);
  });
});
