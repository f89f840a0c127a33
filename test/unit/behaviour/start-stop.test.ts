import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Exit, type Self, SystemMessage, stop } from '../../../ts/actor/index.ts';
import {
  call,
  cast,
  continuing,
  defineServer,
  defineStateMachine,
  ignore,
  type MachineStart,
} from '../../../ts/behaviour/index.ts';
import type { Pid, Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { counter, failure } from './counter.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

describe('starting and stopping', () => {
  it('I1 is over when init is: with the PID, an error or ignore', async () => {
    const fussy = defineServer({
      name: 'fussy',
      init: async (self, what: string) => {
        await self.sleep(10);
        if (what === 'ignore') return ignore();
        if (what === 'throw') throw new RangeError('bad');
        if (what === 'exit') self.exit('on purpose');
        return { what };
      },
      calls: { read: ({ state }) => state.what },
    });
    const ok = fussy.start(kit, 'fine');
    await kit.advance(10);
    expect(await call(kit, await ok, 'read')).toBe('fine');
    const outcomes = ['ignore', 'throw', 'exit'].map((what) => failure(fussy.start(kit, what) as never));
    await kit.advance(10);
    const [ignored, thrown, exited] = (await Promise.all(outcomes)) as unknown as { details: unknown }[];
    expect(ignored).toMatchObject({ code: 'SNOW_ERR_START', details: { ignore: true } });
    expect(thrown).toMatchObject({ details: { reason: { error: { name: 'RangeError' } } } });
    expect(exited).toMatchObject({ details: { reason: 'on purpose' } });
  });

  it.each([
    ['a tag', 'go'],
    ['a predicate', (message: unknown) => message === 'go'],
  ])('B5 holds in an asynchronous init, which may receive by %s', async (_what, match) => {
    const rounds = 20_000;
    const asking = defineServer({
      name: 'asking',
      init: async (self: Self) => {
        for (let round = 0; round < rounds; round++) await self.receive(match);
        return { rounds };
      },
      calls: { rounds: ({ state }) => state.rounds },
      info: () => {},
    });
    const started = asking.startWith(kit, { name: 'asking' });
    await kit.settle();
    kit.runtime.send('asking', 'noise');
    await kit.settle();
    for (let round = 0; round < rounds; round++) kit.runtime.send('asking', 'go');
    await kit.settle();
    expect(await call(kit, await started, 'rounds')).toBe(rounds);
  });

  it('I2 gives a linked trapping parent the EXIT of a failed init, and the name is free', async () => {
    const broken = defineServer({
      name: 'broken',
      init: () => {
        throw new Error('init');
      },
    });
    const probe = await kit.probe();
    const error = await failure(broken.startWith(probe.self, { link: true, name: 'taken?' }) as never);
    expect(error).toMatchObject({ code: 'SNOW_ERR_START' });
    expect(kit.runtime.whereis('taken?')).toBeUndefined();
    const exit = await probe.expectMessage(Exit);
    expect(exit.reason).toMatchObject({ error: { message: 'init' } });
  });

  it('I3 kills a child whose init takes too long, and leaves no stray message', async () => {
    const hanging = defineServer({ name: 'hanging', init: () => new Promise<object>(() => {}) });
    const probe = await kit.probe();
    const started = failure(hanging.startWith(probe.self, { link: true, timeout: 100 }) as never);
    await kit.advance(100);
    expect(await started).toMatchObject({ details: { reason: 'timeout' } });
    await probe.expectNoMessage(1000);
    expect(kit.runtime.size).toBe(1);
  });

  it('I3, D15 tells which monitor the DOWN of a failed start belongs to', async () => {
    const probe = await kit.probe();
    const unwilling = defineServer({
      name: 'unwilling',
      init: (self, how: string) =>
        how === 'ignore' ? ignore() : how === 'hang' ? self.sleep(1000) : self.exit(how),
    });
    for (const [how, reason] of Object.entries({ ignore: 'normal', bad: 'bad', hang: 'killed' })) {
      const started = unwilling.tryStart(probe.self, { monitor: true, timeout: 10 }, how);
      await kit.advance(10);
      const result = await started;
      expect(result.ok).toBe(false);
      await probe.expectDown(result.ref as Ref, reason);
    }
    await probe.expectNoMessage();
  });

  it('I4 says which actor has a taken name, and starts no second actor', async () => {
    const first = await counter.startWith(kit, { name: 'one' }, 0);
    const error = await failure(counter.startWith(kit, { name: 'one' }, 0) as never);
    expect(error).toMatchObject({ code: 'SNOW_ERR_START', details: { reason: { alreadyStarted: first } } });
    expect(kit.runtime.size).toBe(1);
  });

  it('I5 ends a server that traps exits when its parent ends, even normally', async () => {
    const ends: unknown[] = [];
    const loyal = defineServer({
      name: 'loyal',
      init: (self) => void self.trapExit(true),
      terminate: (_context, reason) => void ends.push(reason),
    });
    for (const reason of ['normal', 'shutdown', 'boom']) {
      const probe = await kit.probe();
      const parent = kit.runtime.spawn(async (self: Self) => {
        self.send(probe.pid as never, (await loyal.startLink(self)) as never);
        self.exit(await self.receive());
      });
      const child = (await probe.expectMessage()) as never;
      probe.watch(child);
      kit.runtime.send(parent, reason);
      await probe.expectDown(child, reason);
    }
    expect(ends).toEqual(['normal', 'shutdown', 'boom']);
  });

  it('I5 takes an exit signal of the actor that started it for its end, linked or not, and no other', async () => {
    const seen: unknown[] = [];
    const loyal = defineServer({
      name: 'loyal',
      init: (self) => void self.trapExit(true),
      info: (_context, message) => void seen.push(message instanceof Exit && message.reason),
      terminate: (_context, reason) => void seen.push(['end', reason]),
    });
    const [starter, other] = [await kit.probe(), await kit.probe()];
    const pid = await loyal.start(starter.self);
    other.self.sendExit(pid as never, 'from another');
    await kit.settle();
    expect([seen, kit.runtime.isAlive(pid as never)]).toEqual([['from another'], true]);
    starter.self.sendExit(pid as never, 'from the starter');
    await kit.settle();
    expect(seen).toEqual(['from another', ['end', 'from the starter']]);
  });

  it('I6 stops synchronously: after terminate, with the name free', async () => {
    const log: string[] = [];
    const tidy = defineServer({
      name: 'tidy',
      init: () => ({}),
      terminate: async ({ self }, reason) => {
        await self.sleep(50);
        log.push(`terminated ${String(reason)}`);
      },
    });
    const pid = await tidy.startWith(kit, { name: 'tidy' });
    const stopped = stop(kit.runtime, pid).then(() => log.push('stopped'));
    await kit.advance(50);
    await stopped;
    expect(log).toEqual(['terminated normal', 'stopped']);
    expect(kit.runtime.whereis('tidy')).toBeUndefined();
    expect((await failure(stop(kit.runtime, pid))).state).toBe('noproc');
    expect((await failure(stop(kit.runtime, 'nobody'))).state).toBe('noproc');
  });

  it('I6 waits for an init that is under way, and then stops in order', async () => {
    const log: string[] = [];
    const slow = defineServer({
      name: 'slow',
      init: async (self) => {
        await self.sleep(100);
        log.push('ready');
        return {};
      },
      terminate: () => void log.push('terminated'),
    });
    const started = slow.startWith(kit, { name: 'slow' });
    await kit.advance(50);
    const stopped = stop(kit.runtime, 'slow');
    await kit.advance(50);
    await started;
    await stopped;
    expect(log).toEqual(['ready', 'terminated']);
  });

  const takesAny: [string, (self: Self) => Promise<unknown>][] = [
    ['without a match', (self) => self.receive()],
    ['with a timeout', (self) => self.receive(undefined, { timeout: 1000 })],
    ['with a predicate', (self) => self.receive(() => true)],
    ['with a predicate and a timeout', (self) => self.receive(() => true, { timeout: 1000 })],
    ['by the class of all system messages', (self) => self.receive([SystemMessage, 'one', 'two'])],
  ];

  it.each(takesAny)('I6 B1 keeps its place behind an init that receives %s', async (_how, take) => {
    const log: unknown[] = [];
    const asking = defineServer({
      name: 'asking',
      init: async (self) => {
        log.push(await take(self), await take(self));
        return {};
      },
      info: (_context, message) => void log.push(message),
      terminate: (_context, reason) => void log.push(reason),
    });
    for (const isWaiting of [false, true]) {
      const pid = kit.runtime.spawn(asking) as Pid<string>;
      if (isWaiting) await kit.settle();
      const stopped = stop(kit, pid, 'shutdown');
      const again = failure(stop(kit, pid, 'again'));
      for (const message of ['one', 'two', 'three']) kit.runtime.send(pid, message);
      await kit.settle();
      expect(log.splice(0)).toEqual(['one', 'two', 'shutdown']);
      await stopped;
      expect((await again).state).toBe('exit');
    }
  });

  it('I6 lets a server that is to stop do first what its init left to do', async () => {
    const log: unknown[] = [];
    const slow = defineServer({
      name: 'slow',
      init: async (self) => {
        await self.sleep(10);
        return continuing({}, 'first');
      },
      onContinue: async ({ self, continueWith }, value) => {
        await self.sleep(10);
        if (log.push(value) === 1) continueWith('second');
      },
      terminate: (_context, reason) => void log.push(reason),
    });
    const started = slow.startWith(kit, { name: 'slow' });
    const stopped = stop(kit.runtime, 'slow', 'shutdown');
    await kit.advance(30);
    await started;
    await stopped;
    expect(log).toEqual(['first', 'second', 'shutdown']);
  });

  type Step = (what: string) => void | Promise<void>;
  const mortals = {
    'a continuation of init': (step: Step) =>
      defineServer({
        name: 'mortal',
        init: async (self) => {
          await self.sleep(10);
          return continuing({}, 'first');
        },
        onContinue: ({ continueWith }, value) => {
          if (value === 'first') continueWith('second');
          return step(`continue ${value}`);
        },
        info: () => step('info'),
        terminate: () => step('terminate'),
      }),
    'a continuation that a timer requested': (step: Step) =>
      defineServer({
        name: 'mortal',
        init: async (self) => {
          await self.sleep(10);
          return {};
        },
        info: ({ self, continueWith }, message) => {
          if (message !== 'message') return step('info');
          self.after(0, () => continueWith('then'));
          return undefined;
        },
        onContinue: ({ self }) => {
          self.send(self.pid, 'another');
          return step('continue');
        },
        terminate: () => step('terminate'),
      }),
    'a handler': (step: Step) =>
      defineServer({
        name: 'mortal',
        init: () => ({}),
        info: ({ continueWith }) => {
          continueWith('then');
          return step('info');
        },
        onContinue: () => step('continue'),
        terminate: () => step('terminate'),
      }),
    'the enter of its first state': (step: Step) =>
      defineStateMachine({
        name: 'mortal',
        init: async (self) => {
          await self.sleep(10);
          return { state: 'only', data: {} };
        },
        states: { only: { enter: () => step('enter'), info: () => step('info') } },
        terminate: () => step('terminate'),
      }),
    'a handler that changes the state': (step: Step) =>
      defineStateMachine({
        name: 'mortal',
        init: (): MachineStart<'one' | 'two', object> => ({ state: 'one', data: {} }),
        states: {
          one: {
            info: ({ goto, postpone }, message) => {
              if (message === 'message') return postpone();
              goto('two');
              return step('info');
            },
          },
          two: { enter: () => step('enter'), info: () => step('postponed') },
        },
        terminate: () => step('terminate'),
      }),
    'the enter of a later state': (step: Step) =>
      defineStateMachine({
        name: 'mortal',
        init: (): MachineStart<'one' | 'two', object> => ({ state: 'one', data: {} }),
        states: {
          one: { info: ({ goto, postpone }, message) => (message === 'message' ? postpone() : goto('two')) },
          two: { enter: () => step('enter'), info: () => step('postponed') },
        },
        terminate: () => step('terminate'),
      }),
  };

  it.each(
    Object.entries(mortals).flatMap(([where, define]) =>
      ['at once', 'while it waits', 'while it waits and is to stop'].map(
        (how) => [where, how, define] as const,
      ),
    ),
  )('A7 runs nothing more of an actor that %s kills: %s', async (_where, how, define) => {
    const log: string[] = [];
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const end = (): void => kit.runtime.sendExit(pid, 'kill');
    const pid = kit.runtime.spawn(
      define((what) => {
        log.push(what);
        return how === 'at once' ? end() : gate;
      }),
    ) as Pid<unknown>;
    if (how === 'while it waits and is to stop') void failure(stop(kit, pid, 'shutdown'));
    for (const message of ['message', 'other']) kit.runtime.send(pid, message);
    await kit.advance(20);
    end();
    await kit.advance(0);
    open();
    await kit.advance(0);
    expect(log).toHaveLength(1);
    expect(kit.runtime.isAlive(pid)).toBe(false);
  });

  it('A7 does not resume an actor that died while it waited for a start or a stop', async () => {
    const slow = defineServer({
      name: 'slow',
      init: (self) => self.sleep(100),
      terminate: ({ self }) => self.sleep(100),
    });
    const hanging = defineServer({ name: 'hanging', init: () => new Promise<object>(() => {}) });
    const target = slow.start(kit);
    await kit.advance(100);
    const pid = await target;
    const resumed: string[] = [];
    const ways: Record<string, (self: Self) => Promise<unknown>> = {
      start: (self) => slow.start(self),
      timeout: (self) => hanging.startWith(self, { timeout: 50 }),
      stop: (self) => stop(self, pid),
      late: (self) => stop(self, pid, 'normal', { timeout: 50 }),
    };
    const waiting = Object.entries(ways).map(([name, way]) =>
      kit.runtime.spawn((self: Self) => way(self).finally(() => resumed.push(name)) as Promise<never>),
    );
    await kit.settle();
    for (const actor of waiting) kit.runtime.sendExit(actor, 'kill');
    await kit.advance(1000);
    expect(resumed).toEqual([]);
    expect(kit.runtime.isAlive(pid)).toBe(false);
  });

  it('A7 does not resume an actor that ends with the linked actor that it stops or starts', async () => {
    const resumed: string[] = [];
    const other = kit.runtime.spawn((self: Self) => self.receive() as Promise<never>);
    const tied = defineServer({
      name: 'tied',
      init: async (self, isSlow: boolean) => {
        self.link(other);
        if (isSlow) await self.sleep(100);
        return {};
      },
    });
    const ways: Record<string, (self: Self) => Promise<unknown>> = {
      start: (self) => tied.startLink(self, true),
      stop: async (self) => stop(self, await tied.startLink(self, false), 'boom'),
    };
    const waiting = Object.entries(ways).map(([name, way]) =>
      kit.runtime.spawn((self: Self) => way(self).finally(() => resumed.push(name)) as Promise<never>),
    );
    await kit.settle();
    // The death of the child in its init follows from another, so it is announced later.
    kit.runtime.sendExit(other, 'boom');
    await kit.settle();
    expect(waiting.map((pid) => kit.runtime.isAlive(pid))).toEqual([false, false]);
    expect(resumed).toEqual([]);
  });

  it('I6 gives up a stop after its timeout while the target still ends later', async () => {
    const slow = defineServer({
      name: 'slow',
      init: () => ({}),
      terminate: ({ self }) => self.sleep(500),
    });
    const pid = await slow.start(kit);
    const stopped = failure(stop(kit.runtime, pid, 'normal', { timeout: 100 }));
    await kit.advance(100);
    expect((await stopped).state).toBe('timeout');
    expect(kit.runtime.isAlive(pid)).toBe(true);
    await kit.advance(400);
    expect(kit.runtime.isAlive(pid)).toBe(false);
  });

  it('I7 answers the call whose handler stops the server before terminate is done', async () => {
    const log: string[] = [];
    const leaver = defineServer({
      name: 'leaver',
      init: () => ({}),
      calls: { leave: ({ stop: leave }) => (leave(), 'bye') },
      terminate: async ({ self }) => {
        await self.sleep(50);
        log.push('terminated');
      },
    });
    const pid = await leaver.start(kit);
    log.push(await call(kit, pid, 'leave'));
    await kit.advance(50);
    expect(log).toEqual(['bye', 'terminated']);
  });

  it('I7 runs terminate on its own stop, a throw and a trapped parent exit; not on kill nor an untrapped exit', async () => {
    const ends: unknown[] = [];
    const mortal = defineServer({
      name: 'mortal',
      init: (self, trap: boolean) => void self.trapExit(trap),
      casts: {
        stop: ({ stop }) => stop('asked'),
        crash: () => {
          throw new Error('crashed');
        },
      },
      terminate: (_context, reason) => void ends.push(reason),
    });
    const probe = await kit.probe();
    cast(kit, await mortal.start(kit, false), 'stop');
    cast(kit, await mortal.start(kit, false), 'crash');
    await kit.settle();
    expect(ends).toMatchObject(['asked', { error: { message: 'crashed' } }]);
    probe.self.sendExit(await mortal.start(kit, true), 'kill');
    probe.self.sendExit(await mortal.start(kit, false), 'whatever');
    await kit.settle();
    expect(ends).toHaveLength(2);
    expect(kit.runtime.size).toBe(1);
  });

  it('I8 logs a crash once, and shutdown or {shutdown, x} not at all', async () => {
    const pids = await Promise.all([1, 2, 3, 4].map(() => counter.start(kit, 0)));
    const reasons = ['normal', 'shutdown', { shutdown: 'why' }, 'oops'];
    for (const [index, pid] of pids.entries()) await call(kit, pid, 'bye', reasons[index]);
    await kit.settle();
    const crashes = kit.logged('actor_crash');
    expect(crashes.map(({ facts }) => facts['reason'])).toEqual(['oops']);
  });

  it('answers before it stops', async () => {
    const pid = await counter.start(kit, 0);
    const probe = await kit.probe();
    probe.watch(pid);
    expect(await call(kit, pid, 'bye', 'normal')).toBe('last words');
    await probe.expectDown(pid, 'normal');
  });
});
