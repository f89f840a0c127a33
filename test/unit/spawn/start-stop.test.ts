// Section I of the rules, on the actor layer: bare functions and handlers. Servers have their own tests.
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  type CallError,
  defineActor,
  defineHandler,
  Exit,
  type ExitReason,
  type FunctionSpec,
  type HandlerBody,
  IGNORE,
  type Self,
  start,
  stop,
} from '../../../ts/actor/index.ts';
import { type Cell, cellOf, requestStop } from '../../../ts/kernel/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { kit, probe } from '../../support/kit.ts';

const failure = (promise: Promise<unknown>): Promise<CallError> =>
  promise.then(
    () => Promise.reject(new Error('it should have failed')),
    (error) => error,
  );

/** A function actor that says itself when it is ready. */
const slowStarter: FunctionSpec<unknown, [how: string]> = {
  kind: 'function',
  name: 'slow starter',
  ack: true,
  body: async (self, how) => {
    await self.sleep(10);
    if (how === 'ignore') self.initIgnore();
    if (how === 'throw') throw new RangeError('no');
    if (how === 'exit') self.exit('on purpose');
    if (how === 'return') return;
    if (how === 'ready') self.initAck();
    await self.receive('stop');
  },
};

describe('a start', () => {
  it('I1 of a function is over when it says so, or ends', async () => {
    const outcomes = ['ready', 'ignore', 'throw', 'exit', 'return'].map((how) =>
      Promise.resolve(start(kit.runtime, slowStarter, [how] as [string])),
    );
    let over = 0;
    for (const outcome of outcomes) void outcome.then(() => over++);
    await kit.advance(9);
    expect(over).toBe(0);
    await kit.advance(1);
    const [ready, ...others] = await Promise.all(outcomes);
    expect(ready).toMatchObject({ ok: true });
    expect(others).toMatchObject([
      { ok: false, ignore: true },
      { ok: false, reason: { error: { name: 'RangeError' } } },
      { ok: false, reason: 'on purpose' },
      { ok: false, reason: 'normal' },
    ]);
    expect(kit.runtime.size).toBe(2);
  });

  it('I1 of a handler with a synchronous init is over at once', () => {
    const body: HandlerBody = { onMessage() {} };
    expect(
      start(
        kit.runtime,
        defineHandler('fine', () => body),
        [],
      ),
    ).toMatchObject({ ok: true });
    const ignored = start(
      kit.runtime,
      defineHandler('ignored', () => IGNORE),
      [],
    );
    expect(ignored).toEqual({ ok: false, ignore: true });
    const failing = defineHandler('failing', (): HandlerBody => {
      throw new Error('init');
    });
    expect(start(kit.runtime, failing, [])).toMatchObject({ reason: { error: { message: 'init' } } });
    expect(kit.runtime.size).toBe(2);
  });

  it('I2 that fails gives a linked trapping parent the EXIT too, with the name free', async () => {
    const options = { link: true, name: 'name' };
    const failed = Promise.resolve(start(probe.self, slowStarter, ['throw'], options));
    await kit.advance(10);
    expect(await failed).toMatchObject({ ok: false });
    expect(kit.runtime.whereis('name')).toBeUndefined();
    expect((await probe.expectMessage(Exit)).reason).toMatchObject({ error: { message: 'no' } });
  });

  it('I3 that takes too long kills the child; only an asked-for monitor tells of it', async () => {
    for (const monitor of [false, true]) {
      const options = { link: true, monitor, timeout: 100, name: 'name' };
      const late = Promise.resolve(start(probe.self, slowStarter, ['never'], options));
      await kit.advance(100);
      const ref: unknown = monitor ? expect.any(Ref) : undefined;
      expect(await late).toEqual({ ok: false, reason: 'timeout', ref });
      expect([kit.runtime.size, kit.runtime.whereis('name')]).toEqual([1, undefined]);
      expect(probe.messages).toMatchObject(monitor ? [{ reason: 'killed' }] : []);
    }
    expect(kit.runtime.timers.size).toBe(0);
  });

  it('A7 whose init ends its starter gives it no result', async () => {
    const went: unknown[] = [];
    const deadly = defineHandler('deadly', (self: Self): HandlerBody => {
      self.sendExit(self.parent, 'kill');
      return { onMessage() {} };
    });
    const starter = kit.runtime.spawn(async (self: Self) => void went.push(await start(self, deadly, [])));
    await kit.settle();
    expect([went, kit.runtime.isAlive(starter)]).toEqual([[], false]);
  });

  it('A7 gives no result to a starter that ends during the init', async () => {
    const went: unknown[] = [];
    const starter = kit.runtime.spawn(
      async (self: Self) => void went.push(await start(self, slowStarter, ['ready'])),
    );
    await kit.settle();
    kit.runtime.sendExit(starter, 'kill');
    await kit.advance(10);
    expect([went, kit.runtime.size]).toEqual([[], 2]);
  });

  it('I1 of a handler by an actor is over at once, too, and leaves no wait', async () => {
    const quick = defineHandler('quick', (): HandlerBody => ({ onMessage() {} }));
    expect(start(probe.self, quick, [])).toMatchObject({ ok: true });
    const slow = Promise.resolve(start(probe.self, slowStarter, ['ready']));
    const { extra } = cellOf(probe.pid as Pid) as Cell;
    expect(extra?.starts?.size).toBe(1);
    await kit.advance(10);
    expect(await slow).toMatchObject({ ok: true });
    expect(extra?.starts?.size).toBe(0);
  });

  it('I1 of a plain function runs it', async () => {
    const ran: unknown[] = [];
    expect(start(kit, (_self: Self, what: string) => void ran.push(what), ['ran'])).toMatchObject({
      ok: true,
    });
    await kit.settle();
    expect([ran, kit.logs]).toEqual([['ran'], []]);
  });

  it('I3 in time does not end the child when the time is over', async () => {
    const started = Promise.resolve(start(kit, slowStarter, ['ready'], { timeout: 100 }));
    await kit.advance(10);
    const { pid } = (await started) as { pid: Pid };
    await kit.advance(1000);
    expect(kit.runtime.isAlive(pid)).toBe(true);
  });

  it('I3 by code outside of actors that takes too long kills the child', async () => {
    const late = Promise.resolve(start(kit, slowStarter, ['never'], { timeout: 100 }));
    await kit.advance(100);
    expect(await late).toEqual({ ok: false, reason: 'timeout' });
    expect(kit.runtime.size).toBe(1);
  });

  it('I3 with a time that is none starts nothing', () => {
    expect(() => start(kit.runtime, slowStarter, ['ready'], { timeout: -1 })).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_TIME' }),
    );
    expect(kit.runtime.size).toBe(1);
  });

  it('I4 under a taken name tells which actor has it, and starts nothing', () => {
    probe.self.register('name');
    const result = start(kit.runtime, slowStarter, ['ready'], { name: 'name' });
    expect(result).toEqual({ ok: false, reason: { alreadyStarted: probe.pid } });
    expect(kit.runtime.size).toBe(1);
  });
});

describe('defineActor', () => {
  it('I1 with ack: a start waits for initAck, and fails when the function ends before', async () => {
    const ready = defineActor(
      'ready',
      async (self: Self, how: string) => {
        await self.sleep(10);
        if (how === 'throw') throw new RangeError('no');
        self.initAck();
        await self.receive();
      },
      { ack: true },
    );
    const outcomes = [
      Promise.resolve(start(kit, ready, ['fine'])),
      Promise.resolve(start(kit, ready, ['throw'])),
    ];
    await kit.advance(10);
    expect(await Promise.all(outcomes)).toMatchObject([
      { ok: true },
      { ok: false, reason: { error: { message: 'no' } } },
    ]);
  });

  it('I1 without: a start never fails, and a throw is a crash', async () => {
    const broken = defineActor('broken', () => {
      throw new RangeError('no');
    });
    expect(start(kit, broken, [])).toMatchObject({ ok: true });
    await kit.settle();
    expect(kit.logged('actor_crash')).toHaveLength(1);
  });

  it('SNOW_ERR_BAD_OPTION: refuses options that do not exist', () => {
    expect(() => defineActor('x', () => {}, { akc: true } as never)).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }),
    );
  });
});

describe('a stop', () => {
  const reasons: ExitReason[] = ['normal', 'shutdown', 'word', { big: 2n ** 80n }, [1, [new Map([[1, 2]])]]];

  it.each(reasons)('I6 with %o is over when the actor is gone and its name free', async (reason) => {
    const ends: unknown[] = [];
    const handler = defineHandler('handler', (self: Self) => {
      self.register('name');
      return { onMessage() {}, onTerminate: (why: ExitReason) => void ends.push(why) };
    });
    const made = start(kit.runtime, handler, []) as { pid: Pid<never> };
    probe.watch(made.pid);
    await stop(kit.runtime, 'name', reason);
    expect(kit.runtime.whereis('name')).toBeUndefined();
    expect(ends).toEqual([reason]);
    await probe.expectDown(made.pid, reason);

    const plain = kit.runtime.spawn((self: Self) => self.receive('never').then(() => {})) as Pid<never>;
    probe.watch(plain);
    await stop(probe.self, plain, reason);
    await probe.expectDown(plain, reason);
    expect(kit.runtime.timers.size).toBe(0);
  });

  it('I6 by many at once is over for all of them', async () => {
    const pid = kit.runtime.spawnHandler((): HandlerBody => ({ onMessage() {} })) as Pid<never>;
    await Promise.all([1, 2, 3].map(() => stop(kit.runtime, pid)));
    expect((await failure(stop(kit.runtime, pid))).state).toBe('noproc');
  });

  it('I6 of a function that traps exits asks it, and says what it ended with', async () => {
    const pid = kit.runtime.spawn(async (self: Self) => {
      self.trapExit(true);
      const exit = await self.receive(Exit);
      await self.sleep(10);
      self.exit(exit.reason === 'please' ? 'please' : 'no way');
    }) as Pid<never>;
    await kit.settle();
    const asked = failure(stop(kit.runtime, pid, 'normal'));
    await kit.advance(10);
    expect(await asked).toMatchObject({ state: 'exit', reason: 'no way' });
  });

  it('I6 during an init, also a synchronous one, waits until it is done', async () => {
    const heard: unknown[] = [];
    const inits = [(self: Self) => ask(self), async (self: Self) => ask(self)];
    const ask = (self: Self): HandlerBody => {
      self.send(self.pid, 'sent before');
      void stop(kit, self.pid as Pid, 'shutdown').then(() => heard.push('stopped'));
      return {
        onMessage: (message) => void heard.push(message),
        onTerminate: (why: ExitReason) => void heard.push(why),
      };
    };
    for (const init of inits) {
      heard.length = 0;
      kit.runtime.spawn(defineHandler('asking', init));
      await kit.settle();
      expect(heard).toEqual(['sent before', 'shutdown', 'stopped']);
    }
  });

  it('I6 of an init that waits costs the same however often it is asked for', async () => {
    const slow = defineHandler('slow', async (self: Self) => {
      await self.receive('go on');
      return { onMessage() {} };
    });
    const { pid } = probe.self.spawnMonitor(slow);
    await kit.settle();
    for (let n = 0; n < 50_000; n++) requestStop(cellOf(pid) as Cell, 'shutdown');
    kit.runtime.send(pid as never, 'go on' as never);
    await probe.expectDown(pid, 'shutdown');
  });

  it('I6 of itself, of no actor, or in no time fails at once', async () => {
    expect((await failure(stop(probe.self, probe.pid as Pid<never>))).state).toBe('calling_self');
    expect((await failure(stop(probe.self, 'nobody'))).state).toBe('noproc');
    expect(() => stop(kit.runtime, probe.pid as Pid<never>, 'normal', { timeout: -1 })).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_TIME' }),
    );
    expect(kit.runtime.isAlive(probe.pid as Pid<never>)).toBe(true);
  });

  it('I6 names the node of the target, as a call does', async () => {
    const { remote } = kit.runtime;
    kit.runtime.remote = { ...remote, nodeName: 'own@host:1', nodeOf: () => 'far@host:2' };
    for (const to of [probe.pid as Pid<never>, 'nobody', { name: 'nobody', node: 'own@host:1' }]) {
      const error = await failure(stop(probe.self, to));
      expect([error.node, error.message]).toEqual([
        'own@host:1',
        expect.stringContaining(' on own@host:1 brought no answer'),
      ]);
    }
    expect((await failure(stop(kit, new Pid(256, 7) as Pid<never>))).node).toBe('far@host:2');
  });

  it('I6 that times out leaves nothing but the order to end', async () => {
    const pid = kit.runtime.spawnHandler((self: Self): HandlerBody => {
      return { onMessage() {}, onTerminate: () => self.sleep(500) };
    }) as Pid<never>;
    await kit.settle();
    const late = failure(stop(kit.runtime, pid, 'normal', { timeout: 100 }));
    await kit.advance(100);
    expect(await late).toMatchObject({ state: 'timeout', elapsed: 100 });
    expect((pid.route as { extra: { deathCallbacks: unknown } }).extra.deathCallbacks).toBeNull();
    await kit.advance(400);
    expect(kit.runtime.isAlive(pid)).toBe(false);
  });

  it('I6 that is aborted rejects at once and leaves nothing but the order to end', async () => {
    const pid = kit.runtime.spawnHandler((self: Self): HandlerBody => {
      return { onMessage() {}, onTerminate: () => self.sleep(500) };
    }) as Pid<never>;
    await kit.settle();
    const controller = new AbortController();
    const given = failure(stop(kit, pid, 'normal', { signal: controller.signal }));
    controller.abort('enough');
    expect(await given).toMatchObject({ state: 'aborted', reason: 'enough' });
    expect(await failure(stop(kit, pid, 'normal', { signal: controller.signal }))).toMatchObject({
      state: 'aborted',
      reason: 'enough',
    });
    expect((pid.route as { extra: { deathCallbacks: unknown } }).extra.deathCallbacks).toBeNull();
    await kit.advance(500);
    expect(kit.runtime.isAlive(pid)).toBe(false);
  });

  it('I6 that is over leaves no timer and no listener', async () => {
    const pid = kit.runtime.spawnHandler((): HandlerBody => ({ onMessage() {} })) as Pid<never>;
    const { signal } = new AbortController();
    await stop(kit, pid, 'normal', { timeout: 100, signal });
    expect([kit.runtime.timers.size, getEventListeners(signal, 'abort')]).toEqual([0, []]);
  });

  it('I6 takes a name, here or on a node that is this one, and refuses options that are none', async () => {
    const named = (): unknown =>
      kit.runtime.spawnWith(
        { name: 'named' },
        defineHandler('named', () => ({ onMessage() {} })),
      );
    named();
    await kit.settle();
    await stop(kit, 'named');
    named();
    await stop(kit, { name: 'named', node: 'nonode@nohost' });
    expect(kit.runtime.whereis('named')).toBeUndefined();
    expect((await failure(stop(kit, { name: 'named', node: 'far@host' }))).state).toBe('nodedown');
    for (const options of [5000, { tiemout: 5 }])
      expect(() => stop(kit, 'named', 'normal', options as never)).toThrow(
        expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }),
      );
  });

  it('I5 a handler that traps exits ends with its parent, a function gets the EXIT', async () => {
    const children: Pid<never>[] = [];
    const parent = kit.runtime.spawn(async (self: Self) => {
      const handler = defineHandler('child', (own: Self): HandlerBody => {
        own.trapExit(true);
        return { onMessage() {} };
      });
      children.push(self.spawnLink(handler) as Pid<never>);
      children.push(
        self.spawnLink(async (own: Self) => {
          own.trapExit(true);
          own.exit({ told: (await own.receive(Exit)).reason });
        }) as Pid<never>,
      );
      await self.receive('end');
    });
    await kit.settle();
    for (const child of children) probe.watch(child);
    kit.runtime.send(parent as Pid<unknown>, 'end');
    await probe.expectDown(children[0] as Pid<never>, 'normal');
    await probe.expectDown(children[1] as Pid<never>, { told: 'normal' });
  });
});
