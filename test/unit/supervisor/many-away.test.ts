// Very many children on a node that is lost and comes back: what is sent is in proportion to them, and none is forgotten.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defineActor, type Self, SpawnStatus } from '../../../ts/actor/index.ts';
import {
  childSpec,
  countChildren,
  defineDynamicSupervisor,
  defineSupervisor,
  startChild,
  terminateChild,
} from '../../../ts/supervisor/index.ts';
import { OrphanKiller } from '../../../ts/supervisor/orphan-killer.ts';
import { Pid } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { until } from '../../support/deadline.ts';
import { FAR, FarNode } from './far-node.ts';

/** The most checks for one node at once. */
const MAX_CHECKS = 128;
/** The longest pause between two checks, or two attempts to kill what outlived a split. */
const LONGEST = 60_000;

let kit: TestRuntime;
let far: FarNode;
beforeEach(() => {
  kit = startTestRuntime();
  far = new FarNode(kit.runtime);
});
afterEach(() => kit.stop());

const sitter = defineActor('sitter', async (self: Self, _number: number) => void (await self.receive()));
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const count = (what: string): number => far.log.filter((each) => each.startsWith(what)).length;

/** A supervisor whose children wait for their node, which is lost soon. */
async function supervise(children: number): Promise<Pid> {
  const child = childSpec('x', sitter, { node: FAR, onNodeLost: 'wait', args: [] as never });
  const pid = await defineDynamicSupervisor({ name: 'many', intensity: 0, child }).start(kit);
  for (const number of range(children))
    expect(await startChild(kit, pid, [number])).toMatchObject({ ok: true });
  far.logged();
  far.started.length = 0;
  return pid;
}

describe('when the node of very many waiting children connects', () => {
  it.each([
    ['restarted', (): void => far.crash()],
    ['cut off', (): void => far.cut()],
  ])('S2 all start, once each and in order, and few wait to be sent: the node was %s', async (_how, lose) => {
    const children = 3000;
    const pid = await supervise(children);
    lose();
    await kit.settle();
    expect(await countChildren(kit, pid)).toMatchObject({ workers: children, active: 0 });
    far.checks.most = 0;
    far.isSlow = true;
    far.connect();
    // Answers come in turns of the event loop that the kit does not wait for.
    await until('all are started', async () => {
      await kit.settle();
      return far.living.size === children;
    });
    expect(far.started).toEqual(range(children).map((number) => [number]));
    expect(far.checks.most).toBeLessThanOrEqual(MAX_CHECKS);
    expect(far.living.size).toBe(children);
    expect(await countChildren(kit, pid)).toMatchObject({ workers: children, active: children });
    expect(kit.runtime.arrivals.size).toBe(0);
    await kit.advance(10 * LONGEST);
    expect(far.started.length).toBe(children);
  });

  it('S2 one that was terminated before its check began costs none', async () => {
    const [options, last] = [{ node: FAR, onNodeLost: 'wait' } as const, `c${MAX_CHECKS}`];
    const children = range(MAX_CHECKS + 1).map((number) =>
      childSpec(`c${number}`, sitter, { ...options, args: [number] }),
    );
    const pid = await defineSupervisor({ name: 'many', intensity: 0, children }).start(kit);
    far.crash();
    await kit.settle();
    far.logged();
    far.isSlow = true;
    far.connect();
    await terminateChild(kit, pid, last);
    expect(count('check')).toBe(MAX_CHECKS);
    await until('the others are started', async () => {
      await kit.settle();
      return far.living.size === MAX_CHECKS;
    });
    await kit.advance(LONGEST);
    expect([count('check'), count('start')]).toEqual([MAX_CHECKS, MAX_CHECKS]);
  });

  it('S3 each child that outlived the split is killed a few times, not once for each child that starts', async () => {
    const children = 300;
    await supervise(children);
    far.cut();
    await kit.settle();
    far.logged();
    far.connect();
    await kit.settle();
    expect(far.living.size).toBe(children);
    expect(count('start')).toBe(children);
    expect(count('kill')).toBeGreaterThanOrEqual(children);
    expect(count('kill')).toBeLessThanOrEqual(4 * children);
  });

  it('S2 one that cannot take more keeps them waiting, and the intensity as it is', async () => {
    const pid = await supervise(10);
    far.crash();
    await kit.settle();
    far.refusal = { status: SpawnStatus.failed, detail: 'overload' };
    far.connect();
    await kit.settle();
    expect(await countChildren(kit, pid)).toMatchObject({ workers: 10, active: 0 });
    far.refusal = undefined;
    await kit.advance(LONGEST);
    expect(await countChildren(kit, pid)).toMatchObject({ workers: 10, active: 10 });
  });

  it('S2 one that is lost again before it answers keeps all of them waiting', async () => {
    const children = 1000;
    const pid = await supervise(children);
    far.crash();
    await kit.settle();
    far.connect();
    far.crash();
    await kit.settle();
    expect(await countChildren(kit, pid)).toMatchObject({ workers: children, active: 0 });
    far.connect();
    await kit.settle();
    expect(await countChildren(kit, pid)).toMatchObject({ workers: children, active: children });
    expect(far.living.size).toBe(children);
  });
});

describe('a child that outlived a split and its supervisor', () => {
  async function orphaned(): Promise<void> {
    const pid = await supervise(1);
    far.cut();
    await kit.settle();
    kit.runtime.sendExit(pid, 'kill');
    await kit.advance(20 * LONGEST);
    expect(far.living.size).toBe(1);
    far.logged();
  }

  it('S3 is killed when its node connects, however long the pause of now is', async () => {
    await orphaned();
    far.connect();
    await kit.settle();
    expect(far.living.size).toBe(0);
    expect(kit.runtime.arrivals.size).toBe(0);
    await kit.advance(20 * LONGEST);
    expect(far.logged()).toEqual(['kill 1']);
  });

  it('S3 is killed a second later when the connection is lost before the kill arrives', async () => {
    await orphaned();
    far.connect();
    far.cut();
    await kit.settle();
    expect(far.living.size).toBe(1);
    far.isUp = true; // this node connects by itself
    await kit.advance(1000);
    expect(far.living.size).toBe(0);
  });

  it('S3 is looked for after pauses that grow from a second to a minute', async () => {
    const pid = await supervise(1);
    far.cut();
    await kit.settle();
    kit.runtime.sendExit(pid, 'kill');
    await kit.advance(1000);
    const pauses: number[] = [];
    while (pauses.length < 7) {
      pauses.push((kit.clock.next - kit.clock.now()) / 1000);
      await kit.advance(kit.clock.next - kit.clock.now());
    }
    expect(pauses).toEqual([2, 4, 8, 16, 32, 60, 60]);
  });

  it('S3, P7 is remembered with the 10 000 that were lost last', async () => {
    const most = 10_000;
    const killer = OrphanKiller.of(kit.runtime);
    far.isUp = false;
    for (const number of range(most + 1)) killer.add(new Pid(256, number + 1));
    expect(killer.size).toBe(most);
    await kit.settle();
    far.logged();
    far.connect();
    await kit.settle();
    expect(new Set(far.logged())).toEqual(new Set(range(most).map((number) => `kill ${number + 2}`)));
    expect(killer.size).toBe(0);
  });
});
