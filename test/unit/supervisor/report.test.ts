// What a supervisor logs of its children, and what it tells subscribers: what is as it should be makes no line.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { availableParallelism } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defineActor, Exit, type Self, stop } from '../../../ts/actor/index.ts';
import { cast } from '../../../ts/behaviour/index.ts';
import {
  type ChildSpec,
  childSpec,
  countChildren,
  defineDynamicSupervisor,
  definePartitionSupervisor,
  defineSupervisor,
  type Restart,
  type Shutdown,
  startChild,
  terminateChild,
  whichChildren,
} from '../../../ts/supervisor/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import type { TestRuntime } from '../../../ts/testing/index.ts';
import type { Family } from './family.ts';
import { farFamily, sitter } from './far-family.ts';
import { FAR, type FarNode } from './far-node.ts';

let kit: TestRuntime;
let f: Family;
let far: FarNode;
beforeEach(async () => {
  ({ kit, f, far } = await farFamily());
});
afterEach(() => kit.stop());

/** Ends with a reason of its own when it is asked to end; with `null` it does not. */
const obstinate = defineActor('obstinate', async (self: Self, reason: unknown) => {
  self.trapExit(true);
  await self.receive(Exit);
  if (reason === null) for (;;) await self.receive('never');
  self.exit(reason);
});

const define = {
  static: (children: readonly ChildSpec[], intensity = 10) =>
    defineSupervisor({ name: 'top', intensity, children }).start(kit),
  dynamic: async (children: readonly ChildSpec[], intensity = 10) => {
    const pid = await defineDynamicSupervisor({ name: 'top', intensity }).start(kit);
    for (const child of children) await startChild(kit, pid, child);
    return pid;
  },
};
/** The level of each line of an event, and the facts about the child. */
const lines = (event: string): unknown[] =>
  kit
    .logged(event)
    .map(({ level, facts: { supervisor, child, reason } }) => [
      level,
      reason === undefined ? { supervisor, child } : { supervisor, child, reason },
    ]);

describe.each(['static', 'dynamic'] as const)('a %s supervisor', (kind) => {
  const cases: [ended: unknown, restart: Restart, shutdown: Shutdown, isLogged: boolean][] = [
    ['shutdown', 'permanent', 5000, false],
    ['noproc', 'permanent', 5000, false],
    ['normal', 'transient', 5000, false],
    ['normal', 'temporary', 'infinity', false],
    [{ shutdown: 'done' }, 'transient', 5000, false],
    ['normal', 'permanent', 5000, true],
    [{ shutdown: 'done' }, 'permanent', 5000, true],
    ['odd', 'transient', 5000, true],
    [{ odd: 1 }, 'temporary', 5000, true],
    [7, 'transient', 5000, true],
    [null, 'permanent', 10, true],
    [null, 'permanent', 'brutalKill', false],
  ];
  it.each(cases)(
    'I8 logs a stop if the child ends unexpectedly: %j, %s, %s',
    async (ended, restart, shutdown, isLogged) => {
      const stops = [
        (pid: Pid, child: Pid) => terminateChild(kit, pid, kind === 'static' ? 'x' : child),
        (pid: Pid) => stop(kit, pid, 'shutdown'),
      ];
      for (const stopIt of stops) {
        const pid = await define[kind]([childSpec('x', obstinate, { args: [ended], restart, shutdown })]);
        await kit.settle();
        const [child] = await whichChildren(kit, pid);
        const stopped = stopIt(pid, child?.pid as Pid);
        await kit.advance(20);
        await stopped;
      }
      const line = ['warn', { supervisor: 'top', child: 'x', reason: ended ?? 'killed' }];
      expect(lines('child_shutdown_error')).toEqual(isLogged ? [line, line] : []);
    },
  );

  const ends: [reason: string, restart: Restart, isLogged: boolean, isRestarted: boolean][] = [
    ['normal', 'permanent', true, true],
    ['normal', 'transient', false, false],
    ['normal', 'temporary', false, false],
    ['boom', 'permanent', true, true],
    ['boom', 'transient', true, true],
    ['boom', 'temporary', true, false],
  ];
  it.each(ends)(
    'I8 logs a failure, and whatever it restarts for: %s, %s',
    async (reason, restart, isLogged, isRestarted) => {
      const restarted: unknown[] = [];
      const note = (message: unknown): void => void restarted.push((message as { id: string }).id);
      subscribe('snowmesh:child:restart', note);
      const pid = await define[kind]([f.child('x', { restart })]);
      const [child] = await whichChildren(kit, pid);
      cast(kit, child?.pid as never, 'end' as never, reason as never);
      await kit.settle();
      unsubscribe('snowmesh:child:restart', note);
      expect(lines('child_ended')).toEqual(
        isLogged ? [['info', { supervisor: 'top', child: 'x', reason }]] : [],
      );
      expect(restarted).toEqual(isRestarted ? ['x'] : []);
      expect(await countChildren(kit, pid)).toMatchObject({ active: isRestarted ? 1 : 0 });
    },
  );

  it('I8 logs why the child ended also if the supervisor gives up after a pause', async () => {
    const child = f.child('x', { backoff: { min: 10, max: 10, jitter: 0 } });
    const pid = await define[kind]([child], 0);
    const [running] = await whichChildren(kit, pid);
    cast(kit, running?.pid as never, 'end' as never, 'boom' as never);
    await kit.advance(20);
    const given = kit.logged('supervisor_shutdown');
    expect(given.map(({ level, facts }) => [level, facts['reason']])).toEqual([['error', 'boom']]);
  });

  it('J24 refuses a significant child by request, if it may end no supervisor', async () => {
    const pid = await define[kind]([]);
    const child = f.child('x', { significant: true, restart: 'transient' });
    expect(await startChild(kit, pid, child)).toMatchObject({ ok: false, error: 'bad_spec' });
    expect(await countChildren(kit, pid)).toMatchObject({ active: 0, specs: 0 });
  });

  it('I8 logs a restart that fails', async () => {
    const pid = await define[kind]([f.child('x')]);
    f.moods.set('x', 'throw');
    const [child] = await whichChildren(kit, pid);
    cast(kit, child?.pid as never, 'end' as never, 'boom' as never);
    await kit.settle();
    const failed = lines('child_start_error');
    expect(failed).toHaveLength(10); // then it gives up
    expect(failed[0]).toMatchObject([
      'warn',
      { supervisor: 'top', child: 'x', reason: { error: expect.anything() } },
    ]);
  });

  it('I8, S2 logs once that a child waits for its node, each time that it begins to', async () => {
    await define[kind]([childSpec('x', sitter, { node: FAR, onNodeLost: 'wait' })]);
    for (const waits of [1, 2]) {
      far.crash();
      await kit.advance(60_000);
      expect(lines('child_awaits_node')).toEqual(
        Array.from({ length: waits }, () => ['info', { supervisor: 'top', child: 'x' }]),
      );
      far.heal();
      far.connect();
      await kit.advance(60_000);
    }
  });
});

it('J24 ends with the last significant child, whatever else runs, and says why', async () => {
  const significant = { significant: true, restart: 'temporary' } as const;
  const children = [f.child('a', significant), f.child('b', significant), f.child('c')];
  const pid = await defineSupervisor({ name: 'top', autoShutdown: 'all_significant', children }).start(kit);
  await f.end(pid, 'a', 'first');
  expect(kit.runtime.isAlive(pid)).toBe(true);
  await f.end(pid, 'b', 'last');
  expect(kit.runtime.isAlive(pid)).toBe(false);
  const given = kit.logged('supervisor_shutdown');
  expect(given.map(({ level, facts }) => [level, facts['reason']])).toEqual([['info', 'last']]);
});

describe('a partition supervisor', () => {
  const child = () => f.child('x');
  const partitioned = (partitions: unknown, more = {}) =>
    definePartitionSupervisor({ name: 'cells', partitions: partitions as number, child, ...more });

  it('has the processors of the machine as its number of partitions, or any from 1 on', () => {
    expect([partitioned(undefined).partitions, partitioned(1).partitions]).toEqual([
      availableParallelism(),
      1,
    ]);
    for (const partitions of [0, -1, 1.5, Number.NaN, '4', null])
      expect(() => partitioned(partitions)).toThrow(expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }));
  });

  it('refuses children that make no sense', () => {
    expect(() => partitioned(2, { child: 7 })).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_ARGUMENT' }),
    );
    for (const spec of [{}, f.child('x', { significant: true, restart: 'transient' })])
      expect(() => partitioned(2, { child: () => spec })).toThrow(
        expect.objectContaining({ code: 'SNOW_ERR_BAD_CHILD_SPEC' }),
      );
  });

  it('divides keys evenly, and the same key goes the same way in each process', () => {
    const cells = partitioned(8);
    for (const keys of [
      Array.from({ length: 800 }, (_, at) => at),
      Array.from({ length: 800 }, (_, at) => `user ${at}`),
      Array.from({ length: 800 }, (_, at) => `${at} is the user`),
    ]) {
      const shares = new Map<string, number>();
      for (const key of keys) shares.set(cells.partition(key), (shares.get(cells.partition(key)) ?? 0) + 1);
      expect([...shares.keys()].toSorted()).toEqual(Array.from({ length: 8 }, (_, at) => `cells/${at}`));
      expect(Math.min(...shares.values())).toBeGreaterThan(50);
    }
    expect([1, 1n, '1'].map((key) => cells.partition(key))).toEqual(
      Array.from({ length: 3 }, () => cells.partition('1')),
    );
    expect(['', 'alice', 'bob', '\u{1f600}'].map((key) => cells.partition(key))).toEqual([
      'cells/4',
      'cells/3',
      'cells/1',
      'cells/3',
    ]);
  });
});
