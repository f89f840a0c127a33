import { beforeEach, describe, expect, it } from 'vitest';
import { Call, type CallOptions, defineHandler, type Self, stop, takeOver } from '../../../ts/actor/index.ts';
import { taskUnder } from '../../../ts/behaviour/index.ts';
import {
  childSpec,
  countChildren,
  defineSupervisor,
  deleteChild,
  restartChild,
  type SupervisorOptions,
  startChild,
  terminateChild,
  whichChildren,
} from '../../../ts/supervisor/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { kit, probe } from '../../support/kit.ts';
import { type Family, family } from './family.ts';

let f: Family;
beforeEach(() => {
  f = family(kit);
});

async function supervise(options: Partial<SupervisorOptions>): Promise<Pid> {
  const spec = defineSupervisor({ name: 'top', children: [], intensity: 10, ...options });
  const pid = await spec.start(kit);
  probe.watch(pid);
  f.logged();
  return pid;
}

const abc = () => [f.child('a'), f.child('b'), f.child('c')];

describe('children by request', () => {
  it('J21 restartChild that fails leaves the child stopped', async () => {
    const pid = await supervise({ children: [f.child('x')] });
    await terminateChild(kit, pid, 'x');
    f.moods.set('x', 'throw');
    for (let round = 0; round < 2; round++)
      expect(await restartChild(kit, pid, 'x')).toMatchObject({ ok: false, error: 'start_failed' });
    expect(await f.pids(pid)).toEqual({ x: undefined });
    expect(await deleteChild(kit, pid, 'x')).toBe('ok');
  });

  it('wait for a slow child without a limit, also when the option timeout is undefined', async () => {
    const pid = await supervise({});
    const slow = defineHandler('slow', async (self) => {
      await self.sleep(60_000);
      return { onMessage() {} };
    });
    const started = startChild(kit, pid, childSpec('slow', slow), { timeout: undefined });
    const task = kit.runtime.spawn(async (self: Self) => {
      await taskUnder(self, pid, async () => {}, { timeout: undefined });
    });
    probe.watch(task);
    await kit.advance(60_000);
    expect(await started).toMatchObject({ ok: true });
    await probe.expectDown(task, 'normal');
  });

  it('J20 startChild: a taken id, a failed start, ignore', async () => {
    const pid = await supervise({ children: [f.child('a')] });
    const a = await f.pid(pid, 'a');
    expect(await startChild(kit, pid, f.child('a'))).toEqual({ ok: false, error: 'already_started', pid: a });
    await terminateChild(kit, pid, 'a');
    expect(await startChild(kit, pid, f.child('a'))).toEqual({ ok: false, error: 'already_present' });

    f.moods.set('b', 'throw');
    expect(await startChild(kit, pid, f.child('b'))).toMatchObject({ ok: false, error: 'start_failed' });
    expect(Object.keys(await f.pids(pid))).toEqual(['a']);

    expect(await startChild(kit, pid, { id: 'i', start: ignoring })).toEqual({ ok: true, pid: undefined });
    expect(await startChild(kit, pid, { id: 't', start: ignoring, restart: 'temporary' })).toEqual({
      ok: true,
      pid: undefined,
    });
    expect(await f.pids(pid)).toStrictEqual({ a: undefined, i: undefined }); // not the temporary one

    await expect(startChild(kit, pid, f.child(''))).rejects.toMatchObject({
      code: 'SNOW_ERR_BAD_CHILD_SPEC',
    });
  });

  const ignoring = {
    kind: 'function',
    name: 'ignoring',
    ack: true,
    body: (self: Self) => self.initIgnore(),
  } as const;

  it('a spec that no supervisor has taken is not kept', async () => {
    const deaf = await kit.probe();
    const asked = startChild(kit, deaf.pid as Pid, f.child('a'), { timeout: 10 });
    const failed = expect(asked).rejects.toMatchObject({ state: 'timeout' });
    const { args } = await deaf.expectMessage(Call);
    await kit.advance(10);
    await failed;
    expect(args[0]).toBeInstanceOf(Ref);
    expect(takeOver(kit.runtime, args[0])).toBeUndefined();
  });

  it('a spec whose caller and supervisor have ended is not kept', async () => {
    const deaf = kit.runtime.spawn((self: Self) => self.sleep(1000));
    const asker = await kit.probe();
    const ask = (): WeakRef<object> => {
      const given = f.child('a');
      void startChild(asker.self, deaf as Pid, given);
      return new WeakRef(given);
    };
    const spec = ask();
    await kit.settle();
    for (const pid of [asker.pid, deaf]) kit.runtime.sendExit(pid as Pid, 'kill');
    await countChildren(kit, await supervise({})); // the last request is no longer that of a start
    await new Promise(setImmediate); // a WeakRef keeps its target until the end of the turn
    (globalThis as unknown as { gc: () => void }).gc();
    expect(spec.deref()).toBeUndefined();
  });

  it.each(['rest_for_one', 'one_for_all'] as const)(
    'J14 %s: the siblings of a failing child start when it is terminated, and do not wait for ever',
    async (strategy) => {
      const pid = await supervise({ strategy, children: abc(), intensity: Number.POSITIVE_INFINITY });
      f.moods.set('a', 'throw');
      kit.runtime.sendExit(await f.pid(pid, 'a'), 'kill');
      expect(await terminateChild(kit, pid, 'a')).toBe('ok');
      await kit.settle();
      expect(await f.pids(pid)).toEqual({ a: undefined, b: expect.any(Pid), c: expect.any(Pid) });
    },
  );

  it('J21 a child that is terminated does not come back, though it ended before the request was handled', async () => {
    const pid = await supervise({ children: [f.child('a')] });
    const child = await f.pid(pid, 'a');
    const stopped = terminateChild(kit, pid, 'a');
    kit.runtime.sendExit(child, 'kill');
    expect(await stopped).toBe('ok');
    await kit.settle();
    expect(f.logged()).toEqual([]);
    expect(await countChildren(kit, pid)).toMatchObject({ specs: 1, active: 0 });
  });

  it('J21 terminateChild keeps the spec and may be repeated; delete and restart want a child that does not run', async () => {
    const pid = await supervise({ children: [f.child('a'), f.child('t', { restart: 'temporary' })] });
    expect(await restartChild(kit, pid, 'a')).toEqual({ ok: false, error: 'running' });
    expect(await deleteChild(kit, pid, 'a')).toBe('running');
    expect(await terminateChild(kit, pid, 'a')).toBe('ok');
    expect(await terminateChild(kit, pid, 'a')).toBe('ok');
    expect(await restartChild(kit, pid, 'a')).toMatchObject({ ok: true });
    expect(await terminateChild(kit, pid, 'a')).toBe('ok');
    expect(await deleteChild(kit, pid, 'a')).toBe('ok');
    expect(await deleteChild(kit, pid, 'a')).toBe('not_found');
    expect(await terminateChild(kit, pid, 'a')).toBe('not_found');
    expect(await restartChild(kit, pid, 'a')).toEqual({ ok: false, error: 'not_found' });
    expect(await terminateChild(kit, pid, 't')).toBe('ok');
    expect(await terminateChild(kit, pid, 't')).toBe('not_found');
  });

  it('J23 counts are right while running, stopped and nested', async () => {
    const inner = defineSupervisor({ name: 'inner', children: [] });
    const pid = await supervise({ children: [...abc(), childSpec('inner', inner)] });
    expect(await countChildren(kit, pid)).toEqual({ specs: 4, active: 4, supervisors: 1, workers: 3 });
    await terminateChild(kit, pid, 'a');
    await terminateChild(kit, pid, 'inner');
    expect(await countChildren(kit, pid)).toEqual({ specs: 4, active: 2, supervisors: 1, workers: 3 });
    await startChild(kit, pid, f.child('z'));
    const ids = (await whichChildren(kit, pid)).map(({ id }) => id);
    expect(ids).toEqual(['a', 'b', 'c', 'inner', 'z']);
  });

  it('J23 counts no child as active whose end the supervisor has not handled yet', async () => {
    const pid = await supervise({ children: abc() });
    const child = await f.pid(pid, 'b');
    const counts = countChildren(kit, pid);
    kit.runtime.sendExit(child, 'kill'); // the supervisor has the request before this end
    expect(await counts).toEqual({ specs: 3, active: 2, supervisors: 0, workers: 3 });
    expect(await countChildren(kit, pid)).toMatchObject({ active: 3 });
  });

  it('starts a child that was added as the last one, and stops it first', async () => {
    const pid = await supervise({ children: [f.child('a')] });
    await startChild(kit, pid, f.child('z'));
    await stop(kit.runtime, pid, 'shutdown');
    expect(f.logged()).toEqual(['+z', '-z', '-a']);
  });
});

describe('significant children', () => {
  const significant = (id: string, restart: 'transient' | 'temporary') =>
    f.child(id, { restart, significant: true });

  it('J24 any_significant: a clean end of a transient or any end of a temporary one ends the supervisor', async () => {
    for (const [restart, reason, ends] of [
      ['transient', 'normal', true],
      ['transient', 'boom', false],
      ['temporary', 'normal', true],
      ['temporary', 'boom', true],
    ] as const) {
      const pid = await supervise({
        autoShutdown: 'any_significant',
        children: [f.child('a'), significant('s', restart), significant('s2', restart)],
      });
      await f.end(pid, 's', reason);
      expect([restart, reason, kit.runtime.isAlive(pid)]).toEqual([restart, reason, !ends]);
      if (ends) await probe.expectDown(pid, 'shutdown');
    }
  });

  it('J24 all_significant: only the last one does, and insignificant ones do not', async () => {
    const pid = await supervise({
      autoShutdown: 'all_significant',
      children: [
        f.child('a', { restart: 'transient' }),
        significant('s', 'transient'),
        significant('t', 'temporary'),
      ],
    });
    await f.end(pid, 'a', 'normal');
    await f.end(pid, 't', 'boom');
    expect(kit.runtime.isAlive(pid)).toBe(true);
    await f.end(pid, 's', 'normal');
    await probe.expectDown(pid, 'shutdown');
  });

  it('J24 terminating a significant child by request does not end the supervisor', async () => {
    const pid = await supervise({
      autoShutdown: 'any_significant',
      children: [significant('s', 'transient')],
    });
    await terminateChild(kit, pid, 's');
    expect(kit.runtime.isAlive(pid)).toBe(true);
  });

  it('J24 escalates through significant supervisors only', async () => {
    const inner = defineSupervisor({
      name: 'inner',
      autoShutdown: 'any_significant',
      children: [significant('s', 'transient')],
    });
    const insignificant = await supervise({
      autoShutdown: 'any_significant',
      children: [childSpec('inner', inner, { restart: 'transient' })],
    });
    await f.end(await f.pid(insignificant, 'inner'), 's', 'normal');
    expect(kit.runtime.isAlive(insignificant)).toBe(true);
    const pid = await supervise({
      autoShutdown: 'any_significant',
      children: [childSpec('inner', inner, { restart: 'transient', significant: true })],
    });
    await f.end(await f.pid(pid, 'inner'), 's', 'normal');
    await probe.expectDown(pid, 'shutdown');
  });
});

describe('a request to a supervisor that is busy with the init of a child', () => {
  const requests: Readonly<Record<string, (pid: Pid, options?: CallOptions) => Promise<unknown>>> = {
    startChild: (pid, options) => startChild(kit, pid, f.child('new'), options),
    terminateChild: (pid, options) => terminateChild(kit, pid, 'a', options),
    restartChild: (pid, options) => restartChild(kit, pid, 'a', options),
    deleteChild: (pid, options) => deleteChild(kit, pid, 'a', options),
    whichChildren: (pid, options) => whichChildren(kit, pid, options),
    countChildren: (pid, options) => countChildren(kit, pid, options),
  };
  /** Its mailbox is not looked at any more. */
  async function busy(): Promise<Pid> {
    const endless = defineHandler('endless', () => new Promise<never>(() => {}));
    const pid = await supervise({ children: [f.child('a')] });
    void startChild(kit, pid, childSpec('endless', endless)).catch(() => {});
    await kit.settle();
    return pid;
  }

  it.each(Object.entries(requests))('%s takes a timeout and a signal', async (_name, request) => {
    const pid = await busy();
    const late = request(pid, { timeout: 100 }).catch((error) => error.state);
    const controller = new AbortController();
    const aborted = request(pid, { signal: controller.signal }).catch((error) => error.state);
    controller.abort();
    await kit.advance(100);
    expect([await late, await aborted]).toEqual(['timeout', 'aborted']);
    await expect(async () => request(pid, { timout: 5 } as never)).rejects.toMatchObject({
      code: 'SNOW_ERR_BAD_OPTION',
    });
  });

  it.each(['deleteChild', 'whichChildren', 'countChildren'] as const)(
    '%s gives up after 5 s',
    async (name) => {
      const pid = await busy();
      const late = requests[name]?.(pid).catch((error) => error.state);
      await kit.advance(5000);
      expect(await late).toBe('timeout');
    },
  );
});
