// Pauses before the restarts of a child, when its spec asks for them; the supervisor does its other work meanwhile.
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Backoff,
  childSpec,
  countChildren,
  defineDynamicSupervisor,
  defineSupervisor,
  deleteChild,
  restartChild,
  startChild,
  terminateChild,
  whichChildren,
} from '../../../ts/supervisor/index.ts';
import { RestartPauses } from '../../../ts/supervisor/restart-pauses.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { kit, probe } from '../../support/kit.ts';
import { type Family, family } from './family.ts';

const backoff: Backoff = { min: 100, max: 1000, factor: 2, jitter: 0 };

let f: Family;
beforeEach(() => {
  f = family(kit);
});

async function supervise(intensity = 100, restart: 'permanent' | 'transient' = 'permanent'): Promise<Pid> {
  const children = [f.child('x', { backoff, restart }), f.child('y')];
  const pid = await defineSupervisor({ name: 'top', intensity, children }).start(kit);
  probe.watch(pid);
  f.logged();
  return pid;
}

/** ms of virtual time until the child has tried to start again. */
async function untilTried(id: string): Promise<number> {
  for (let ms = 0; ms < 5000; ms += 50) {
    if (f.logged().includes(`+${id}`)) return ms;
    await kit.advance(50);
  }
  throw new Error('never');
}

/** A dynamic supervisor whose child x has a back-off. */
async function superviseDynamic(): Promise<Pid> {
  const pid = await defineDynamicSupervisor({ name: 'dynamic', intensity: 100 }).start(kit);
  await startChild(kit, pid, f.child('x', { backoff }));
  return pid;
}

describe('a child with a back-off', () => {
  it('J10 is restarted after growing pauses', async () => {
    const pid = await supervise();
    f.moods.set('x', 'throw');
    await f.end(pid, 'x', 'oops');
    f.logged();
    const pauses: number[] = [];
    for (let round = 0; round < 6; round++) pauses.push(await untilTried('x'));
    expect(pauses).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it.each([
    ['static', supervise],
    ['dynamic', superviseDynamic],
  ])('J10 begins anew after a run as long as the longest pause: %s', async (_kind, begin) => {
    const pid = await begin();
    for (const [ran, expected] of [
      [0, 100],
      [500, 200],
      [1000, 100],
    ] as const) {
      await kit.advance(ran);
      await f.end(pid, 'x', 'oops');
      f.logged();
      expect(await untilTried('x')).toBe(expected);
    }
  });

  it('J10 forgets a pause in which it was restarted by request: the next pause is as long as it should be', async () => {
    const pid = await supervise();
    await f.end(pid, 'x', 'oops');
    await terminateChild(kit, pid, 'x');
    expect(await restartChild(kit, pid, 'x')).toMatchObject({ ok: true });
    await f.end(pid, 'x', 'oops');
    f.logged();
    expect(await untilTried('x')).toBe(200);
    expect(await f.pids(pid)).toMatchObject({ x: { nc: 0 } });
  });

  it('J24 of all_significant: the last one ends the supervisor, not one before it that is restarting', async () => {
    const significant = { significant: true, restart: 'transient', backoff } as const;
    const children = [f.child('x', significant), f.child('y', significant)];
    const spec = defineSupervisor({ name: 'top', autoShutdown: 'all_significant', intensity: 9, children });
    const pid = await spec.start(kit);
    probe.watch(pid);
    await f.end(pid, 'x', 'oops');
    await f.end(pid, 'y', 'normal');
    await kit.advance(100);
    expect(await f.pids(pid)).toMatchObject({ x: { nc: 0 }, y: undefined });
    await f.end(pid, 'x', 'normal');
    await probe.expectDown(pid, 'shutdown');
  });

  it('J23 counts a child in its pause, and as what it is', async () => {
    const inner = defineSupervisor({ name: 'inner', children: [] });
    const pid = await defineDynamicSupervisor({ name: 'dynamic' }).start(kit);
    const started = await startChild(kit, pid, childSpec('inner', inner, { backoff }));
    kit.runtime.sendExit((started as { pid: Pid }).pid, 'kill');
    await kit.settle();
    expect(await countChildren(kit, pid)).toEqual({ specs: 1, active: 0, supervisors: 1, workers: 0 });
  });

  it('J10 is restarting in a pause, and its supervisor and siblings work on', async () => {
    const pid = await supervise();
    await f.end(pid, 'x', 'oops');
    expect(await f.pids(pid)).toMatchObject({ x: 'restarting', y: { nc: 0 } });
    expect(await restartChild(kit, pid, 'x')).toEqual({ ok: false, error: 'restarting' });
    expect(await deleteChild(kit, pid, 'x')).toBe('restarting');
    await f.end(pid, 'y', 'oops');
    expect(await f.pids(pid)).toMatchObject({ x: 'restarting', y: { nc: 0 } });
  });

  it('J21 does not come back when it is terminated in a pause', async () => {
    const pid = await supervise();
    await f.end(pid, 'x', 'oops');
    expect(await terminateChild(kit, pid, 'x')).toBe('ok');
    f.logged();
    await kit.advance(10_000);
    expect(f.logged()).toEqual([]);
    expect(await restartChild(kit, pid, 'x')).toMatchObject({ ok: true });
  });

  it('J5 counts towards the intensity when it is tried', async () => {
    const pid = await supervise(1);
    f.moods.set('x', 'throw');
    await f.end(pid, 'x', 'oops');
    await kit.advance(299);
    expect(kit.runtime.isAlive(pid)).toBe(true);
    await kit.advance(1);
    await probe.expectDown(pid, 'shutdown');
  });

  it('J22 in a pause goes by the PID that it had last', async () => {
    const pid = await superviseDynamic();
    const first = await f.pid(pid, 'x');
    await f.end(pid, 'x', 'oops');
    await kit.advance(100);
    const second = await f.pid(pid, 'x');
    await f.end(pid, 'x', 'oops');
    expect(await terminateChild(kit, pid, first)).toBe('not_found');
    expect(await terminateChild(kit, pid, second)).toBe('ok');
    f.logged();
    await kit.advance(10_000);
    expect(f.logged()).toEqual([]);
    expect(kit.runtime.isAlive(pid)).toBe(true);
  });

  it('J26 under a dynamic supervisor, too', async () => {
    const pid = await superviseDynamic();
    f.moods.set('x', 'throw');
    f.logged();
    const [child] = await whichChildren(kit, pid);
    kit.runtime.sendExit(child?.pid as Pid, 'kill');
    const pauses: number[] = [];
    for (let round = 0; round < 3; round++) pauses.push(await untilTried('x'));
    expect(pauses).toEqual([100, 200, 400]);
    expect(await terminateChild(kit, pid, child?.pid as Pid)).toBe('ok');
    await kit.advance(10_000);
    expect(f.logged()).toEqual([]);
  });
});

it('the random part lies between nothing and jitter', () => {
  const full = { min: 100, max: 1000, factor: 2, jitter: 0.5 };
  expect(new RestartPauses(full).next(0, 0)).toBe(100);
  expect(new RestartPauses(full).next(0, 0.999)).toBe(150);
});

it.each([0, 1_000_000])(
  'begins anew after a run as long as max, and not after a shorter one: from %i ms on',
  (start) => {
    const pauses = new RestartPauses({ min: 100, max: 1000, factor: 2, jitter: 0 });
    expect([pauses.next(start, 0), pauses.next(start + 5000, 0)]).toEqual([100, 200]); // it has not run in between
    pauses.started(start + 10_000);
    expect([pauses.next(start + 10_999, 0), pauses.next(start + 15_000, 0)]).toEqual([400, 800]);
    pauses.started(start + 20_000);
    expect([pauses.next(start + 21_000, 0), pauses.next(start + 25_000, 0)]).toEqual([100, 200]);
  },
);

it('every pause is one that a timer accepts', () => {
  const most = { min: Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, factor: 1e300, jitter: 1 };
  const none = { ...most, min: 0 };
  const longest = new RestartPauses(most);
  const shortest = new RestartPauses(none);
  for (let restart = 0; restart < 4; restart++) {
    expect(longest.next(0, 0.999)).toBe(Number.MAX_SAFE_INTEGER);
    expect(shortest.next(0, 0.999)).toBe(0);
  }
});

it.each([
  { min: -1, max: 10 },
  { min: 1, max: 2 ** 53 },
  { min: 20, max: 10 },
  { min: 1, max: Number.POSITIVE_INFINITY },
  { min: 1, max: 10, factor: 0.5 },
  { min: 1, max: 10, jitter: 2 },
  { min: 1, max: 10, fcator: 2 },
  { min: '1', max: 10 },
  { max: 10 },
  100,
])('SNOW_ERR_BAD_CHILD_SPEC: refuses %j', (given) => {
  const make = (): unknown =>
    defineSupervisor({ name: 'top', children: [childSpec('x', () => {}, { backoff: given as never })] });
  expect(make).toThrow(/backoff/);
  expect(make).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/SNOW_ERR_BAD_(CHILD_SPEC|OPTION)/) }),
  );
});
