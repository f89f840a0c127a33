import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { defineActor, type FunctionSpec, type Self, stop } from '../../../ts/actor/index.ts';
import {
  childSpec,
  countChildren,
  type DynamicSupervisorOptions,
  defineDynamicSupervisor,
  definePartitionSupervisor,
  deleteChild,
  restartChild,
  startChild,
  terminateChild,
  whichChildren,
} from '../../../ts/supervisor/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { kit, probe } from '../../support/kit.ts';
import { type Family, family, leisurely, stubborn } from './family.ts';

let f: Family;
beforeEach(() => {
  f = family(kit);
});

async function supervise(options: Partial<DynamicSupervisorOptions> = {}): Promise<Pid> {
  const pid = await defineDynamicSupervisor({ name: 'dynamic', intensity: 10, ...options }).start(kit);
  probe.watch(pid);
  return pid;
}

const idle = defineActor('idle', async (self: Self, ..._more: unknown[]) => void (await self.receive()));

async function started(supervisor: Pid, child: Parameters<typeof startChild>[2]): Promise<Pid> {
  const result = await startChild(kit, supervisor, child);
  if (!result.ok) throw new Error(`not started: ${result.error}`);
  return result.pid as Pid;
}

describe('a dynamic supervisor', () => {
  it('J16 stops all children in parallel, with one common deadline', async () => {
    const pid = await supervise();
    for (let round = 0; round < 1000; round++) {
      await started(pid, childSpec('slow', leisurely, { args: [1000], restart: 'temporary' }));
    }
    const stubbornPid = await started(pid, childSpec('stubborn', stubborn, { shutdown: 2000 }));
    const brutalPid = await started(pid, childSpec('brutal', stubborn, { shutdown: 'brutalKill' }));
    probe.watch(stubbornPid);
    probe.watch(brutalPid);
    const stopped = stop(kit.runtime, pid, 'shutdown');
    await probe.expectDown(brutalPid, 'killed');
    await kit.advance(1000);
    expect(kit.runtime.size).toBe(3); // the probe, the supervisor, the stubborn one
    await kit.advance(999);
    expect(kit.runtime.isAlive(stubbornPid)).toBe(true);
    await kit.advance(1);
    await probe.expectDown(stubbornPid, 'killed');
    await stopped;
    await probe.expectDown(pid, 'shutdown');
  });

  it('J16 J18 is not disturbed by children that die while it stops them', async () => {
    const pid = await supervise({ intensity: 0 });
    const pids = await Promise.all(Array.from({ length: 100 }, () => started(pid, childSpec('idle', idle))));
    const stopped = stop(kit.runtime, pid, 'shutdown');
    for (const child of pids) kit.runtime.sendExit(child, 'kill');
    await stopped;
    expect(kit.runtime.size).toBe(1);
  });

  it('J4 J5 restarts by the child’s own rule and gives up as any supervisor', async () => {
    const pid = await supervise({ intensity: 2 });
    const permanent = await started(pid, f.child('p'));
    const transient = await started(pid, f.child('tr', { restart: 'transient' }));
    await started(pid, f.child('te', { restart: 'temporary' }));
    await f.end(pid, 'tr', 'normal');
    await f.end(pid, 'te', 'boom');
    expect(Object.keys(await f.pids(pid))).toEqual(['p']);
    await f.end(pid, 'p', 'boom');
    expect((await f.pids(pid))['p']).not.toBe(permanent);
    expect(kit.runtime.isAlive(transient)).toBe(false);
    await f.end(pid, 'p', 'boom');
    await f.end(pid, 'p', 'boom');
    await probe.expectDown(pid, 'shutdown');
  });

  it('J22 addresses children by PID; delete and restart do not exist for them', async () => {
    const pid = await supervise();
    const child = await started(pid, f.child('a'));
    expect(await terminateChild(kit, pid, 'a')).toBe('not_supported');
    expect(await deleteChild(kit, pid, 'a')).toBe('not_supported');
    expect(await restartChild(kit, pid, 'a')).toEqual({ ok: false, error: 'not_supported' });
    expect(await terminateChild(kit, pid, child)).toBe('ok');
    expect(await terminateChild(kit, pid, child)).toBe('not_found');
    expect(await whichChildren(kit, pid)).toEqual([]);
  });

  it('J20 ignore keeps nothing, a failed start keeps nothing', async () => {
    const pid = await supervise();
    const ignoring = {
      kind: 'function',
      name: 'i',
      ack: true,
      body: (self: Self) => self.initIgnore(),
    } as const;
    expect(await startChild(kit, pid, { id: 'i', start: ignoring })).toEqual({ ok: true, pid: undefined });
    f.moods.set('x', 'throw');
    expect(await startChild(kit, pid, f.child('x'))).toMatchObject({ ok: false, error: 'start_failed' });
    expect(await countChildren(kit, pid)).toEqual({ specs: 0, active: 0, supervisors: 0, workers: 0 });
  });

  it('J20 removes a child whose init ignores its restart', async () => {
    const pid = await supervise();
    let starts = 0;
    const once = {
      kind: 'function',
      name: 'once',
      ack: true,
      body: async (self: Self) => {
        if (++starts > 1) self.initIgnore();
        self.initAck();
        await self.receive();
      },
    } as const;
    const child = await started(pid, { id: 'once', start: once });
    kit.runtime.sendExit(child, 'kill');
    await kit.settle();
    expect(starts).toBe(2);
    expect(await whichChildren(kit, pid)).toEqual([]);
  });

  it('J20 keeps children of one id apart by their PIDs', async () => {
    const pid = await supervise();
    const one = await started(pid, f.child('same'));
    const two = await started(pid, f.child('same'));
    expect((await whichChildren(kit, pid)).map(({ id, pid: own }) => [id, String(own)])).toEqual([
      ['same', String(one)],
      ['same', String(two)],
    ]);
    expect(await terminateChild(kit, pid, one)).toBe('ok');
    expect(kit.runtime.isAlive(two)).toBe(true);
  });

  it('J10 J23 counts and answers while a child fails to restart', async () => {
    const pid = await supervise({ intensity: Number.POSITIVE_INFINITY });
    await started(pid, f.child('a'));
    await started(pid, f.child('b'));
    f.moods.set('a', 'throw');
    kit.runtime.sendExit(await f.pid(pid, 'a'), 'kill');
    let seen: unknown;
    for (let round = 0; round < 100 && seen !== 'restarting'; round++) seen = (await f.pids(pid))['a'];
    expect(seen).toBe('restarting');
    expect(await countChildren(kit, pid)).toEqual({ specs: 2, active: 1, supervisors: 0, workers: 2 });
    await stop(kit.runtime, pid, 'shutdown');
  });

  it('J23 counts one spec when all children have the same, running or not', async () => {
    const pid = await supervise({ child: f.child('a'), intensity: Number.POSITIVE_INFINITY });
    expect(await countChildren(kit, pid)).toEqual({ specs: 1, active: 0, supervisors: 0, workers: 0 });
    for (let n = 0; n < 3; n++) await started(pid, []);
    expect(await countChildren(kit, pid)).toEqual({ specs: 1, active: 3, supervisors: 0, workers: 3 });
  });

  it('J26 maxChildren: full also while a child is restarting; no side effect', async () => {
    const pid = await supervise({ maxChildren: 2, intensity: Number.POSITIVE_INFINITY });
    await started(pid, f.child('a'));
    await started(pid, f.child('b'));
    f.logged();
    expect(await startChild(kit, pid, f.child('c'))).toEqual({ ok: false, error: 'max_children' });
    f.moods.set('a', 'throw');
    kit.runtime.sendExit(await f.pid(pid, 'a'), 'kill');
    for (let round = 0; round < 20; round++) {
      expect(await startChild(kit, pid, f.child('c'))).toEqual({ ok: false, error: 'max_children' });
    }
    expect(f.logged()).not.toContain('+c');
    await terminateChild(kit, pid, await f.pid(pid, 'b'));
    expect(await startChild(kit, pid, f.child('c'))).toMatchObject({ ok: true });
    await stop(kit.runtime, pid, 'shutdown');
  });

  it('J26 maxChildren: also of two requests at once for children whose init is slow', async () => {
    const pid = await supervise({ maxChildren: 1 });
    for (const id of ['a', 'b']) f.moods.set(id, 'slow');
    const both = [startChild(kit, pid, f.child('a')), startChild(kit, pid, f.child('b'))];
    await kit.advance(200);
    expect(await Promise.all(both)).toMatchObject([{ ok: true }, { ok: false, error: 'max_children' }]);
  });

  it('J22 a child whose init is slow runs before the next request is handled, also at its restart', async () => {
    const pid = await supervise();
    const former = await started(pid, f.child('a'));
    f.moods.set('a', 'slow');
    kit.runtime.sendExit(former, 'kill');
    await kit.settle();
    const terminated = terminateChild(kit, pid, former);
    await kit.advance(100);
    expect(await terminated).toBe('not_found');
    expect(await countChildren(kit, pid)).toMatchObject({ specs: 1, active: 1 });
  });

  it('J27 starts and stops 100 000 children, well within a minute', async () => {
    const pid = await defineDynamicSupervisor({
      name: 'many',
      child: childSpec('idle', idle, { restart: 'temporary' }),
    }).start(kit);
    for (let sent = 0; sent < 100_000; sent += 1000) {
      await Promise.all(Array.from({ length: 1000 }, (_, index) => startChild(kit, pid, [index])));
    }
    expect(await countChildren(kit, pid)).toMatchObject({ active: 100_000 });
    await stop(kit.runtime, pid, 'shutdown');
    expect(kit.runtime.size).toBe(1);
  }, 60_000);

  it('J27 keeps the arguments of children that may be started again, and of no others', async () => {
    const pid = await supervise();
    const still: FunctionSpec<unknown, [object?]> = defineActor('still', async (self: Self) => {
      await self.receive();
    });
    const argumentOf = async (restart: 'temporary' | 'transient'): Promise<WeakRef<object>> => {
      const argument = { of: restart };
      await started(pid, childSpec('still', still, { args: [argument], restart }));
      return new WeakRef(argument);
    };
    const held = [await argumentOf('temporary'), await argumentOf('transient')];
    await countChildren(kit, pid); // the last request is no longer that of a start
    await nextTurn();
    (globalThis as unknown as { gc: () => void }).gc();
    expect(held.map((each) => each.deref())).toEqual([undefined, { of: 'transient' }]);
  });

  it('appends the request’s arguments to the template’s, and wants the request that fits', async () => {
    const echo = defineActor('echo', async (self: Self, ...args: unknown[]) => {
      self.send(probe.pid as never, args as never);
      await self.receive();
    });
    const pid = await supervise({ child: { id: 'echo', start: echo, args: [1, 2] } });
    await started(pid, [3]);
    await probe.expectMessage([1, 2, 3]);
    expect(await startChild(kit, pid, f.child('a'))).toEqual({ ok: false, error: 'not_supported' });
    expect(await countChildren(kit, pid)).toMatchObject({ active: 1 });
    expect(await startChild(kit, await supervise(), [1])).toEqual({ ok: false, error: 'not_supported' });
  });

  it('survives 10 000 crashes at once without falling behind', async () => {
    const pid = await supervise({ intensity: Number.POSITIVE_INFINITY });
    const pids = await Promise.all(
      Array.from({ length: 10_000 }, () => started(pid, childSpec('idle', idle))),
    );
    for (const child of pids) kit.runtime.sendExit(child, 'kill');
    expect(await countChildren(kit, pid)).toMatchObject({ active: 10_000 });
    await stop(kit.runtime, pid, 'shutdown');
  }, 30_000);
});

describe('a partition supervisor', () => {
  it('runs one child a partition under a name that a key leads to', async () => {
    const cells = definePartitionSupervisor({
      name: 'cells',
      partitions: 4,
      child: (index) => f.child(`cell ${index}`),
    });
    const pid = await cells.start(kit);
    expect(await countChildren(kit, pid)).toMatchObject({ active: 4 });
    const names = new Set<string>();
    for (let key = 0; key < 100; key++) names.add(cells.partition(key));
    expect(names.size).toBe(4);
    expect(cells.partition('alice')).toBe(cells.partition('alice'));
    for (const name of names) expect(kit.runtime.whereis(name)).toBeDefined();
    // The key leads to the successor after a crash.
    const name = cells.partition('alice');
    const before = kit.runtime.whereis(name) as Pid;
    kit.runtime.sendExit(before, 'kill');
    await kit.settle();
    expect(kit.runtime.whereis(name)).not.toBe(before);
    expect(kit.runtime.whereis(name)).toBeDefined();
  });
});
