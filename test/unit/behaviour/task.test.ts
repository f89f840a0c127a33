import { describe, expect, it } from 'vitest';
import { Exit, type Self, stop } from '../../../ts/actor/index.ts';
import {
  call,
  defineServer,
  type Task,
  type TaskError,
  task,
  taskUnder,
} from '../../../ts/behaviour/index.ts';
import {
  childSpec,
  countChildren,
  defineDynamicSupervisor,
  startChild,
} from '../../../ts/supervisor/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { kit, probe } from '../../support/kit.ts';

const failure = (promise: Promise<unknown>): Promise<TaskError> =>
  promise.then(
    (value) => Promise.reject(new Error(`expected a failure, got ${String(value)}`)),
    (error) => error,
  );

/** Runs `body` in an actor and brings its result, or how it ended, to the test. */
async function inActor<R>(body: (self: Self) => Promise<R>): Promise<{ value?: R; reason?: unknown }> {
  let value: R | undefined;
  const pid = kit.runtime.spawn(async (self: Self) => {
    value = await body(self);
  });
  probe.watch(pid);
  const { reason } = await probe.expectDown(pid);
  return reason === 'normal' ? { value: value as R } : { reason };
}

describe('a task', () => {
  it('runs beside its owner and gives it a value, past the mailbox', async () => {
    const { value } = await inActor(async (self) => {
      const [a, b] = [task(self, () => 1), task(self, async () => 2)];
      self.send(self.pid as never, 'mine' as never);
      const sum = (await a.await(self)) + (await b.await(self));
      return [sum, await self.receive()];
    });
    expect(value).toEqual([3, 'mine']);
  });

  it('G12 is awaited by its owner only, and once', async () => {
    const other = await kit.probe();
    const one = task(probe.self, () => 'value');
    expect((await failure(one.await(other.self))).state).toBe('not_owner');
    expect(await one.await(probe.self)).toBe('value');
    for (const again of ['await', 'yield', 'shutdown'] as const)
      expect((await failure(one[again](probe.self))).state).toBe('awaited');
    expect(kit.runtime.timers.size).toBe(0);
  });

  it('G12 is looked at and shut down by its owner only, and not after it gave its value', async () => {
    const other = await kit.probe();
    const one = task(probe.self, () => 'value');
    for (const way of ['yield', 'shutdown'] as const)
      expect((await failure(one[way](other.self))).state).toBe('not_owner');
    expect(await one.yield(probe.self)).toEqual({ ok: true, value: 'value' });
    expect((await failure(one.await(probe.self))).state).toBe('awaited');
  });

  it('leaves nothing in the mailbox of a linked owner that traps exits, but the exit of a failure', async () => {
    const probe = await kit.probe();
    const good = task(probe.self, () => 'value');
    expect(await good.await(probe.self)).toBe('value');
    const slow = task(probe.self, (self) => self.sleep(1000));
    expect(await slow.shutdown(probe.self)).toBeUndefined();
    await probe.expectNoMessage(10);
    const bad = task(probe.self, (self) => self.exit('bad'));
    await probe.expectExit(bad.pid, 'bad');
  });

  it('G12 can be awaited after a timeout that is none was refused', async () => {
    const probe = await kit.probe();
    const one = task(probe.self, () => 'value');
    await expect(one.await(probe.self, -1)).rejects.toMatchObject({ code: 'SNOW_ERR_BAD_TIME' });
    await expect(one.yield(probe.self, -0.5)).rejects.toMatchObject({ code: 'SNOW_ERR_BAD_TIME' });
    expect(await one.await(probe.self)).toBe('value');
  });

  it('G12 is killed when its owner awaited it in vain', async () => {
    const one = task(probe.self, (self) => self.sleep(60_000));
    const awaited = failure(one.await(probe.self, 100));
    await kit.advance(100);
    expect(await awaited).toMatchObject({ state: 'timeout', code: 'SNOW_ERR_TASK' });
    expect(kit.runtime.isAlive(one.pid)).toBe(false);
    await probe.expectNoMessage(); // the link was cut first
  });

  it('G12 is awaited, and asked, for 5000 ms unless another time is given', async () => {
    const asked = task(probe.self, (self) => self.sleep(60_000));
    const one = task(probe.self, (self) => self.sleep(60_000));
    const states: string[] = [];
    void asked.yield(probe.self).then(() => states.push('asked'));
    void failure(one.await(probe.self)).then(({ state }) => states.push(state));
    await kit.advance(4999);
    expect(states).toEqual([]);
    await kit.advance(1);
    expect(states.sort()).toEqual(['asked', 'timeout']);
    await asked.shutdown(probe.self);
  });

  it('G12 continues after a yield without a value, and can be asked again', async () => {
    const one = task(probe.self, async (self) => (await self.sleep(150), 'late'));
    const first = one.yield(probe.self, 100);
    await kit.advance(100);
    expect(await first).toBeUndefined();
    expect(await one.yield(probe.self, 0)).toBeUndefined();
    const second = one.yield(probe.self, 100);
    await kit.advance(50);
    expect(await second).toEqual({ ok: true, value: 'late' });
  });

  it('G12 takes its linked owner along when it crashes', async () => {
    const { reason } = await inActor(async (self) => {
      const one = task(self, () => {
        throw new Error('task crash');
      });
      await one.await(self).catch(() => {});
      await self.receive();
    });
    expect(reason).toMatchObject({ error: { message: 'task crash' } });
  });

  it('G12 A7 does not let its linked owner continue, which ends with it', async () => {
    const went: string[] = [];
    for (const way of ['await', 'yield'] as const) {
      const { reason } = await inActor(async (self) => {
        const one = task(self, () => Reflect.get(null as never, 'x')); // throws a TypeError
        await one[way](self).finally(() => went.push(way));
      });
      expect(reason).toMatchObject({ error: { name: 'TypeError' } });
    }
    expect(went).toEqual([]);
  });

  it('G12 only reports its crash when it was started unlinked', async () => {
    const one = task(
      probe.self,
      () => {
        throw new Error('task crash');
      },
      { link: false },
    );
    expect(await failure(one.await(probe.self))).toMatchObject({
      state: 'exit',
      reason: { error: { message: 'task crash' } },
    });
    await probe.expectNoMessage();
    expect(kit.logged('actor_crash')).toHaveLength(1);
  });

  it('ends with its linked owner', async () => {
    let child: Pid | undefined;
    await inActor(async (self) => {
      child = task(self, (own) => own.sleep(60_000)).pid;
      self.exit('over');
    });
    await kit.settle();
    expect(kit.runtime.isAlive(child as Pid)).toBe(false);
  });

  it('is shut down in order, then killed', async () => {
    const polite = task(probe.self, async (self) => {
      self.trapExit(true);
      await self.receive(Exit);
    });
    await kit.settle();
    // It ended by itself after it was asked, so it has a value.
    expect(await polite.shutdown(probe.self)).toEqual({ ok: true, value: undefined });
    const stubborn = task(probe.self, async (self) => {
      self.trapExit(true);
      for (;;) await self.receive();
    });
    await kit.settle();
    const gone = stubborn.shutdown(probe.self, 100);
    await kit.advance(100);
    expect(await gone).toBeUndefined();
    expect(kit.runtime.isAlive(stubborn.pid)).toBe(false);
    const done = task(probe.self, () => 5);
    await kit.settle();
    expect(await done.shutdown(probe.self)).toEqual({ ok: true, value: 5 });
    const failed = task(probe.self, (self) => self.exit('bad'), { link: false });
    await kit.settle();
    expect(await failed.shutdown(probe.self)).toEqual({ ok: false, reason: 'bad' });
    probe.clear();
  });

  it('gives a copy, and refuses what cannot be sent', async () => {
    const shared = { list: [1] };
    const one = task(probe.self, () => shared);
    const value = await one.await(probe.self);
    expect(value).toEqual(shared);
    expect(value).not.toBe(shared);
    const bad = task(probe.self, () => () => 'a function', { link: false });
    expect(await failure(bad.await(probe.self))).toMatchObject({
      reason: { error: { code: 'SNOW_ERR_UNSENDABLE' } },
    });
  });

  it('can be awaited in a server’s handler', async () => {
    const worker = defineServer({
      name: 'worker',
      init: () => ({}),
      calls: { work: ({ self }, n: number) => task(self, () => n * 2).await(self) },
    });
    const pid = await worker.start(kit);
    expect(await call(kit, pid, 'work', 21)).toBe(42);
    expect(kit.runtime.timers.size).toBe(0);
  });

  it('A7 does not resume an owner that died meanwhile', async () => {
    let resumed = false;
    let one: Task<string> | undefined;
    const owner = kit.runtime.spawn(async (self: Self) => {
      one = task(self, async (own) => (await own.sleep(100), 'value'), { link: false });
      await one.await(self);
      resumed = true;
    });
    await kit.settle();
    kit.runtime.sendExit(owner, 'kill');
    await kit.advance(100);
    expect(kit.runtime.isAlive((one as Task<string>).pid)).toBe(false);
    expect(resumed).toBe(false);
  });
});

describe('a supervised task', () => {
  const tasks = defineDynamicSupervisor({ name: 'tasks', maxChildren: 2 });

  it('is a temporary child of its supervisor: its crash ends no other actor, and it is not restarted', async () => {
    const supervisor = await tasks.start(kit);
    const good = await taskUnder(probe.self, supervisor, async (self) => (await self.sleep(10), 'good'));
    const bad = await taskUnder(probe.self, supervisor, async (self) => {
      await self.sleep(10);
      throw new Error('bad');
    });
    expect(await countChildren(kit, supervisor)).toMatchObject({ active: 2 });
    await expect(taskUnder(probe.self, supervisor, () => 1)).rejects.toMatchObject({
      code: 'SNOW_ERR_START',
      details: { reason: 'max_children' },
    });
    await kit.advance(10);
    expect(await good.await(probe.self)).toBe('good');
    expect(await failure(bad.await(probe.self))).toMatchObject({ state: 'exit' });
    expect(await countChildren(kit, supervisor)).toMatchObject({ active: 0 });
    await probe.expectNoMessage();
  });

  it('ends with its supervisor', async () => {
    const supervisor = await tasks.start(kit);
    const one = await taskUnder(probe.self, supervisor, (self) => self.sleep(60_000));
    await stop(kit.runtime, supervisor, 'shutdown');
    expect(await failure(one.await(probe.self))).toMatchObject({ state: 'exit', reason: 'shutdown' });
  });

  it('tells why it ended even when it is quicker than its start', async () => {
    const supervisor = await tasks.start(kit);
    const one = await taskUnder(probe.self, supervisor, () => {
      throw new Error('quick');
    });
    await kit.settle();
    expect(await failure(one.await(probe.self))).toMatchObject({
      state: 'exit',
      reason: { error: { message: 'quick' } },
    });
  });

  it('does not start when its owner gave up before, by a timeout or a signal', async () => {
    let runs = 0;
    const supervisor = await tasks.start(kit);
    const slow = defineServer({ name: 'slow', init: (self) => self.sleep(100) });
    void startChild(kit, supervisor, childSpec('slow', slow));
    await kit.settle();
    const abort = new AbortController();
    for (const [options, state] of [
      [{ timeout: 10 }, 'timeout'],
      [{ signal: abort.signal }, 'aborted'],
    ] as const) {
      const started = failure(taskUnder(probe.self, supervisor, () => runs++, options));
      await kit.advance(10);
      abort.abort();
      expect((await started).state).toBe(state);
    }
    await kit.advance(100);
    expect(await countChildren(kit, supervisor)).toMatchObject({ active: 1 });
    expect(runs).toBe(0);
  });

  it('gives its value even when it is quicker than its start', async () => {
    const supervisor = await tasks.start(kit);
    const one = await taskUnder(probe.self, supervisor, () => 'quick');
    await kit.settle();
    expect(await one.await(probe.self)).toBe('quick');
  });
});
