import { beforeEach, describe, expect, it } from 'vitest';
import {
  type CallError,
  defineActor,
  Exit,
  Runtime,
  request,
  type Self,
  stop,
} from '../../../ts/actor/index.ts';
import { cast, defineServer } from '../../../ts/behaviour/index.ts';
import { LOG_PAUSE_MS } from '../../../ts/kernel/throttled-log.ts';
import { LocalNames } from '../../../ts/registry/index.ts';
import {
  childSpec,
  countChildren,
  defineDynamicSupervisor,
  defineSupervisor,
  deleteChild,
  restartChild,
  type SupervisorOptions,
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

async function supervise(options: Partial<SupervisorOptions>): Promise<Pid> {
  const spec = defineSupervisor({ name: 'top', children: [], intensity: 10, ...options });
  const pid = await spec.start(kit);
  probe.watch(pid);
  f.logged();
  return pid;
}

const abc = () => [f.child('a'), f.child('b'), f.child('c')];

describe('starting', () => {
  it('J1 of a plain function never fails: what it throws is a crash', async () => {
    const hasty = defineActor('hasty', () => {
      throw new Error('at once');
    });
    const pid = await supervise({ children: [childSpec('hasty', hasty)], intensity: 1 });
    await kit.settle();
    await probe.expectDown(pid, 'shutdown'); // it gave up on a child that crashed twice; its start had succeeded
  });

  it('J1 starts children in list order, each after the one before is ready', async () => {
    f.moods.set('b', 'slow');
    const started = defineSupervisor({ name: 'top', children: abc() }).start(kit);
    await kit.settle();
    expect(f.log).toEqual(['+a']);
    await kit.advance(100);
    const pid = await started;
    expect(f.log).toEqual(['+a', '+b', '+c']);
    expect((await whichChildren(kit, pid)).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  it('J2 stops the started in reverse order when one fails at boot, and fails with its id and reason', async () => {
    f.moods.set('c', 'throw');
    const error = await defineSupervisor({ name: 'top', children: abc() })
      .start(kit)
      .catch((thrown) => thrown);
    expect(f.log).toEqual(['+a', '+b', '+c', '-b', '-a']);
    expect(error).toMatchObject({
      code: 'SNOW_ERR_START',
      details: {
        reason: {
          shutdown: { failedToStartChild: 'c', reason: { error: { message: 'c does not want to' } } },
        },
      },
    });
  });

  it('J2 has stopped the started when its own start fails', async () => {
    f.moods.set('c', 'throw');
    const children = [childSpec('slow', leisurely, { args: [100] }), f.child('c')];
    const left = defineSupervisor({ name: 'top', children })
      .start(kit)
      .catch(() => kit.runtime.size);
    await kit.advance(100);
    expect(await left).toBe(1); // the probe
  });

  it('J3 has defaults: one_for_one, 1 restart in 5 s, permanent, 5000 ms for workers, infinity for supervisors', async () => {
    const inner = defineSupervisor({
      name: 'inner',
      children: [childSpec('slow', leisurely, { args: [60_000], shutdown: 'infinity' })],
    });
    const pid = await defineSupervisor({
      name: 'top',
      children: [f.child('a'), childSpec('stubborn', stubborn), childSpec('inner', inner)],
    }).start(kit);
    expect(await whichChildren(kit, pid)).toMatchObject([
      { id: 'a', type: 'worker', restart: 'permanent' },
      { id: 'stubborn', type: 'worker' },
      { id: 'inner', type: 'supervisor' },
    ]);
    const before = await f.pids(pid);
    await f.end(pid, 'a', 'normal');
    const after = await f.pids(pid);
    expect(after['a']).not.toBe(before['a']);
    expect(after['inner']).toBe(before['inner']);
    await kit.advance(5001);
    await f.end(pid, 'a', 'boom');
    expect(kit.runtime.isAlive(pid)).toBe(true);
    const stopped = stop(kit.runtime, pid, 'shutdown');
    await kit.advance(60_000); // the inner supervisor has all the time it wants
    await kit.advance(4999); // the stubborn worker has 5000 ms
    expect(kit.runtime.isAlive(before['stubborn'] as Pid)).toBe(true);
    await kit.advance(1);
    await stopped;
    expect(kit.runtime.isAlive(before['stubborn'] as Pid)).toBe(false);
  });

  it('J3 gives up at the second end of a child within 5 s, unless it is told otherwise', async () => {
    const pid = await defineSupervisor({ name: 'top', children: [f.child('a')] }).start(kit);
    await f.end(pid, 'a', 'boom');
    await kit.advance(4999);
    expect(kit.runtime.isAlive(pid)).toBe(true);
    await f.end(pid, 'a', 'boom');
    expect(kit.runtime.isAlive(pid)).toBe(false);
  });

  it('makes its children from its own arguments, and supervises supervisors', async () => {
    const leaf = defineSupervisor({ name: 'leaf', children: (_self, id: string) => [f.child(id)] });
    const pid = await supervise({
      children: [childSpec('left', leaf, { args: ['l'] }), childSpec('right', leaf, { args: ['r'] })],
    });
    const left = await f.pid(pid, 'left');
    expect(Object.keys(await f.pids(left))).toEqual(['l']);
  });
});

describe('which children are restarted', () => {
  const reasons: readonly [unknown, boolean][] = [
    ['normal', true],
    ['shutdown', true],
    [{ shutdown: 'x' }, true],
    ['killed', false],
    [{ error: 'boom' }, false],
  ];
  for (const [reason, clean] of reasons) {
    it(`J4 ${JSON.stringify(reason)}: permanent always, transient ${clean ? 'not' : 'too'}, temporary never`, async () => {
      const pid = await supervise({
        children: [
          f.child('permanent', { restart: 'permanent' }),
          f.child('transient', { restart: 'transient' }),
          f.child('temporary', { restart: 'temporary' }),
        ],
      });
      for (const id of ['permanent', 'transient', 'temporary']) await f.end(pid, id, reason);
      const started = f.logged().filter((line) => line.startsWith('+'));
      expect(started).toEqual(clean ? ['+permanent'] : ['+permanent', '+transient']);
      const pids = await f.pids(pid);
      expect(Object.keys(pids)).toEqual(['permanent', 'transient']); // the spec of a temporary child is forgotten
      expect(pids['transient'] === undefined).toBe(clean);
    });
  }

  it('J11 one_for_all stops the others in reverse order and starts all in order', async () => {
    const pid = await supervise({ strategy: 'one_for_all', children: abc() });
    await f.end(pid, 'b', 'boom');
    expect(f.logged()).toEqual(['-b', '-c', '-a', '+a', '+b', '+c']);
  });

  it('J12 rest_for_one concerns only the later ones; earlier ones keep their PIDs', async () => {
    const pid = await supervise({ strategy: 'rest_for_one', children: [...abc(), f.child('d')] });
    const before = await f.pids(pid);
    await f.end(pid, 'b', 'boom');
    expect(f.logged()).toEqual(['-b', '-d', '-c', '+b', '+c', '+d']);
    expect((await f.pids(pid))['a']).toBe(before['a']);
  });

  it('J13 a group restart does not bring temporary siblings back', async () => {
    const pid = await supervise({
      strategy: 'one_for_all',
      children: [f.child('a'), f.child('t', { restart: 'temporary' }), f.child('c')],
    });
    await f.end(pid, 'a', 'boom');
    expect(f.logged()).toEqual(['-a', '-c', '-t', '+a', '+c']);
    expect(Object.keys(await f.pids(pid))).toEqual(['a', 'c']);
  });

  it('J14 one_for_all stops the just started again and retries all when a sibling fails', async () => {
    const pid = await supervise({ strategy: 'one_for_all', children: abc(), intensity: 2 });
    const tries = spyMood('b', 1);
    await f.end(pid, 'a', 'boom');
    expect(tries()).toBe(0);
    expect(f.logged()).toEqual(['-a', '-c', '-b', '+a', '+b', '-a', '+a', '+b', '+c']);
    expect(Object.values(await f.pids(pid)).every((one) => typeof one === 'object')).toBe(true);
  });

  it('J14 rest_for_one retries from the failing sibling only', async () => {
    const pid = await supervise({ strategy: 'rest_for_one', children: abc(), intensity: 2 });
    spyMood('b', 1);
    await f.end(pid, 'a', 'boom');
    expect(f.logged()).toEqual(['-a', '-c', '-b', '+a', '+b', '+b', '+c']);
  });

  /** Child `id` fails its next `times` starts. Returns how many are left. */
  function spyMood(id: string, times: number): () => number {
    let left = times;
    const original = f.moods.get.bind(f.moods);
    f.moods.get = (key) => (key === id && left-- > 0 ? 'throw' : original(key));
    return () => Math.max(0, left);
  }
});

describe('giving up', () => {
  it('J5 the restart after the last allowed one ends all children, then the supervisor with shutdown', async () => {
    const pid = await supervise({ intensity: 2, children: abc() });
    await f.end(pid, 'b', 'boom');
    await f.end(pid, 'b', 'boom');
    expect(kit.runtime.isAlive(pid)).toBe(true);
    f.logged();
    await f.end(pid, 'b', 'boom');
    await probe.expectDown(pid, 'shutdown');
    expect(f.logged()).toEqual(['-b', '-c', '-a']);
    expect(kit.logged('supervisor_shutdown').map(({ facts }) => facts['why'])).toEqual([
      'child "b" needs more than 2 restarts within 5000 ms (intensity, period)',
    ]);
    expect(kit.logged('actor_crash').map(({ facts }) => facts['name'])).not.toContain('top');
  });

  it('J6 with intensity 0 the first crash ends the supervisor', async () => {
    const pid = await supervise({ intensity: 0, children: abc() });
    await f.end(pid, 'a', 'boom');
    await probe.expectDown(pid, 'shutdown');
  });

  it('J7 a rate below the limit never ends it', async () => {
    const pid = await supervise({ intensity: 1, period: 1000, children: abc() });
    for (let round = 0; round < 20; round++) {
      await f.end(pid, 'a', 'boom');
      await kit.advance(1001);
    }
    expect(kit.runtime.isAlive(pid)).toBe(true);
    await f.end(pid, 'a', 'boom');
    await kit.advance(1000); // exactly one period old: still counts
    await f.end(pid, 'a', 'boom');
    await probe.expectDown(pid, 'shutdown');
  });

  it('J8 a group restart counts once', async () => {
    for (const strategy of ['one_for_all', 'rest_for_one'] as const) {
      const pid = await supervise({ strategy, intensity: 1, children: abc() });
      await f.end(pid, 'a', 'boom');
      expect(kit.runtime.isAlive(pid)).toBe(true);
    }
  });

  it('J9 each failed restart counts again', async () => {
    const pid = await supervise({ intensity: 3, children: abc() });
    f.moods.set('b', 'throw');
    await f.end(pid, 'b', 'boom');
    await probe.expectDown(pid, 'shutdown');
    expect(f.logged().filter((line) => line === '+b')).toHaveLength(3);
  });

  it('J10 answers and can be stopped while a child fails to restart again and again', async () => {
    const pid = await supervise({
      intensity: Number.POSITIVE_INFINITY,
      children: [f.child('a'), f.child('b')],
    });
    f.moods.set('a', 'throw');
    cast(await f.pid(pid, 'a'));
    let seen: unknown;
    for (let round = 0; round < 100 && seen !== 'restarting'; round++) {
      seen = (await f.pids(pid))['a'];
    }
    expect(seen).toBe('restarting');
    expect(await countChildren(kit, pid)).toEqual({ specs: 2, active: 1, supervisors: 0, workers: 2 });
    expect(await restartChild(kit, pid, 'a')).toEqual({ ok: false, error: 'restarting' });
    expect(await deleteChild(kit, pid, 'a')).toBe('restarting');
    await stop(kit.runtime, pid, 'shutdown');
    expect(kit.runtime.isAlive(pid)).toBe(false);

    function cast(child: Pid): void {
      kit.runtime.sendExit(child, 'kill');
    }
  });

  it('J10 a restarting child can be terminated, and its spec stays', async () => {
    const pid = await supervise({ intensity: Number.POSITIVE_INFINITY, children: [f.child('a')] });
    f.moods.set('a', 'throw');
    kit.runtime.sendExit(await f.pid(pid, 'a'), 'kill');
    expect(await terminateChild(kit, pid, 'a')).toBe('ok');
    await kit.settle();
    f.logged();
    await kit.settle();
    expect(f.logged()).toEqual([]);
    f.moods.delete('a');
    expect(await restartChild(kit, pid, 'a')).toMatchObject({ ok: true });
  });

  it('J25 a nested supervisor that gave up is restarted only if permanent', async () => {
    const inner = defineSupervisor({ name: 'inner', intensity: 0, children: [f.child('leaf')] });
    const pid = await supervise({
      children: [childSpec('permanent', inner), childSpec('transient', inner, { restart: 'transient' })],
    });
    for (const id of ['permanent', 'transient']) await f.end(await f.pid(pid, id), 'leaf', 'boom');
    const pids = await f.pids(pid);
    expect(typeof pids['permanent']).toBe('object');
    expect(pids['transient']).toBeUndefined();
  });
});

describe('shutdown', () => {
  it('J15 goes in reverse order, one at a time, each with its time, then the kill', async () => {
    const pid = await supervise({
      children: [
        f.child('first'),
        childSpec('stubborn', stubborn, { shutdown: 300 }),
        childSpec('slow', leisurely, { args: [200], shutdown: 'infinity' }),
        childSpec('brutal', stubborn, { shutdown: 'brutalKill' }),
      ],
    });
    const pids = await f.pids(pid);
    for (const one of Object.values(pids)) probe.watch(one as Pid);
    const stopped = stop(kit.runtime, pid, 'shutdown');
    await probe.expectDown(pids['brutal'] as Pid, 'killed');
    await kit.advance(199);
    await probe.expectNoMessage();
    await probe.expectDown(pids['slow'] as Pid, 'shutdown', { within: 1 });
    await probe.expectNoMessage(299);
    await probe.expectDown(pids['stubborn'] as Pid, 'killed', { within: 1 });
    await probe.expectDown(pids['first'] as Pid, 'shutdown');
    await probe.expectDown(pid, 'shutdown');
    await stopped;
  });

  it('J17 a child that unlinked itself cannot hang the shutdown', async () => {
    const loner = defineActor('loner', async (self: Self) => {
      self.unlink(self.parent as Pid);
      await self.receive();
    });
    const pid = await supervise({ children: [childSpec('loner', loner), f.child('a')] });
    const child = await f.pid(pid, 'loner');
    await stop(kit.runtime, pid, 'shutdown');
    expect(kit.runtime.isAlive(child)).toBe(false);
  });

  it('J18 children that die by themselves meanwhile do not disturb it', async () => {
    const children = Array.from({ length: 20 }, (_, index) => f.child(`c${index}`));
    const pid = await supervise({ children, strategy: 'one_for_one' });
    const pids = Object.values(await f.pids(pid)) as Pid[];
    const stopped = stop(kit.runtime, pid, 'shutdown');
    for (const child of pids) kit.runtime.sendExit(child, 'kill');
    await stopped;
    await probe.expectDown(pid, 'shutdown');
    expect(kit.runtime.size).toBe(1);
  });

  it('J19 ignores a stray exit, obeys kill, and ends with its parent, for the same reason', async () => {
    const spec = defineSupervisor({ name: 'top', children: [f.child('a')] });
    const parent = kit.runtime.spawn(async (self: Self) => {
      self.send(probe.pid as never, (await spec.start(self)) as never);
      self.exit(await self.receive());
    });
    const pid = (await probe.expectMessage()) as Pid;
    probe.watch(pid);
    probe.self.sendExit(pid, 'stray');
    probe.self.sendExit(pid, 'shutdown');
    expect(await countChildren(kit, pid)).toMatchObject({ active: 1 });
    kit.runtime.send(parent as never, 'the reason' as never);
    await probe.expectDown(pid, 'the reason');
    expect(f.logged()).toEqual(['+a', '-a']);

    const other = await supervise({ children: [f.child('b')] });
    const child = await f.pid(other, 'b');
    probe.self.sendExit(other, 'kill');
    await probe.expectDown(other, 'killed');
    await kit.settle();
    expect(kit.runtime.isAlive(child)).toBe(false);
  });

  it('J19 ignores a stray exit of a child, too: the child runs on, once, and is stopped in order', async () => {
    const runs: Pid[] = [];
    const rude = defineActor('rude', async (self: Self) => {
      runs.push(self.pid);
      self.trapExit(true);
      self.sendExit(self.parent, 'stray');
      self.exit((await self.receive(Exit)).reason);
    });
    for (const define of [
      () => defineSupervisor({ name: 'top', children: [childSpec('a', rude)] }),
      () => defineDynamicSupervisor({ name: 'top' }),
    ]) {
      const pid = await define().start(kit);
      await startChild(kit, pid, childSpec('b', rude));
      await kit.settle();
      const { active } = await countChildren(kit, pid);
      expect(runs).toHaveLength(active);
      expect(runs.splice(0).every((child) => kit.runtime.isAlive(child))).toBe(true);
      await stop(kit, pid, 'shutdown');
      expect(kit.logged('child_shutdown_error')).toEqual([]);
    }
  });

  it('J10 tries a restart again although its mailbox is full when the attempt fails', async () => {
    let starts = 0;
    const slow = defineServer({
      name: 'slow',
      init: async (self) => {
        if (++starts > 1) await self.sleep(100);
        if (starts === 2) throw new Error('not yet');
        return {};
      },
    });
    const spec = defineSupervisor({ name: 'top', intensity: 10, children: [childSpec('a', slow)] });
    const pid = await spec.startWith(kit, { mailbox: { max: 1 } });
    kit.runtime.sendExit(await f.pid(pid, 'a'), 'kill');
    await kit.settle();
    kit.runtime.send(pid as never, 'noise' as never);
    await kit.advance(200);
    expect(starts).toBe(3);
    expect(await f.pids(pid)).toMatchObject({ a: { nc: 0 } });
  });

  it('J28 logs and drops noise', async () => {
    const pid = await supervise({ children: [f.child('a')] });
    const before = await f.pids(pid);
    for (const noise of ['foo', 42, { type: 'Exit' }, ['$cast', 'x'], null]) {
      kit.runtime.send(pid as never, noise as never);
    }
    expect(await f.pids(pid)).toEqual(before);
    const kinds = kit.logged('unexpected_message').map(({ facts }) => facts['kind']);
    expect(kinds).toEqual(['string', 'number', 'object']);
    await kit.advance(LOG_PAUSE_MS);
    expect(kit.logged('unexpected_message').at(-1)?.facts).toMatchObject({ kind: 'object', count: 2 });
    expect(
      ((await request(probe.self, pid as never, 'nonsense').catch((error) => error)) as CallError).state,
    ).toBe('unknown');
  });
});

describe('what is logged', () => {
  it('I8 reports a crash once as an error, and what the supervisor does about it below that', async () => {
    const pid = await supervise({ children: [f.child('a')] });
    await f.end(pid, 'a', 'boom');
    expect(kit.logs.filter(({ level }) => level === 'error').map(({ facts }) => facts['event'])).toEqual([
      'actor_crash',
    ]);
    expect(kit.logged('child_ended')).toMatchObject([
      { level: 'info', facts: { child: 'a', supervisor: 'top', reason: 'boom' } },
    ]);
  });

  it('A4 takes no supervisor or server along when the logger fails', async () => {
    const broken = (): never => {
      throw new Error('broken');
    };
    const logger = { error: broken, warn: broken, info: broken, debug: broken };
    const runtime = new Runtime({ names: new LocalNames(), clock: kit.clock, logger });
    const top = defineSupervisor({ name: 'top', intensity: 10, children: [f.child('a', { name: 'a' })] });
    const pid = await top.start({ runtime });
    const before = runtime.whereis('a') as Pid;
    runtime.send(before, 'noise' as never); // logged by the server
    runtime.send(pid, 'noise' as never);
    await request(runtime, before as never, 'who');
    cast({ runtime }, before as never, 'end' as never, 'boom' as never);
    await kit.settle();
    expect(runtime.isAlive(pid)).toBe(true);
    expect(runtime.whereis('a')).not.toEqual(before);
    runtime.stop();
  });
});
