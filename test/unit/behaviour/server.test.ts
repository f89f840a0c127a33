import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallError, Exit, type Self, stop } from '../../../ts/actor/index.ts';
import {
  call,
  callWith,
  cast,
  continuing,
  defineServer,
  ignore,
  multiCall,
  noReply,
  replyTo,
} from '../../../ts/behaviour/index.ts';
import type { Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

const failure = (promise: Promise<unknown>): Promise<CallError> =>
  promise.then(
    (value) => Promise.reject(new Error(`expected a failure, got ${String(value)}`)),
    (error) => error,
  );

const counter = defineServer({
  name: 'counter',
  init: (_self, start: number) => ({ count: start }),
  calls: {
    read: ({ state }) => state.count,
    add: ({ state }, by: number) => (state.count += by),
    replace: (context, count: number) => {
      context.state = { count };
    },
    crash: () => {
      throw new TypeError('no');
    },
    slow: async ({ state, self }, ms: number) => {
      await self.sleep(ms);
      return ++state.count;
    },
    bye: ({ stop }, reason: string) => {
      stop(reason);
      return 'last words';
    },
    self: ({ self }) => self.pid,
  },
  casts: {
    reset: ({ state }) => {
      state.count = 0;
    },
    set: ({ state }, a: number, b: number, c: number) => {
      state.count = a + b + c;
    },
  },
});

describe('a server', () => {
  it('keeps state between calls, changed in place or replaced', async () => {
    const pid = await counter.start(kit, 10);
    expect(await call(kit, pid, 'add', 5)).toBe(15);
    await call(kit, pid, 'replace', 3);
    expect(await call(kit, pid, 'read')).toBe(3);
  });

  it('handles casts in the order they came', async () => {
    const pid = await counter.start(kit, 10);
    cast(kit, pid, 'reset');
    cast(kit, pid, 'set', 1, 2, 3);
    expect(await call(kit, pid, 'read')).toBe(6);
  });

  it('lets the next message wait while an async handler runs', async () => {
    const pid = await counter.start(kit, 0);
    const slow = call(kit, pid, 'slow', 100);
    const read = call(kit, pid, 'read');
    await kit.advance(100);
    expect(await slow).toBe(1);
    expect(await read).toBe(1);
  });

  it('answers later, from another actor that got the reference', async () => {
    const clerk = async (self: Self<Ref>) => {
      const ref = (await self.receive()) as Ref;
      replyTo(self, ref, 'from the clerk');
    };
    const desk = defineServer({
      name: 'desk',
      init: () => ({}),
      calls: {
        ask: ({ self, from }) => {
          self.send(self.spawn(clerk), from.ref);
          return noReply<string>();
        },
        askMyself: ({ self, from }) => {
          self.after(50, () => from.reply('from a timer'));
          return noReply<string>();
        },
      },
    });
    const pid = await desk.start(kit);
    expect(await call(kit, pid, 'ask')).toBe('from the clerk');
    const later = call(kit, pid, 'askMyself');
    await kit.advance(50);
    expect(await later).toBe('from a timer');
  });

  it('has no asker outside of a call', async () => {
    const confused = defineServer({
      name: 'confused',
      init: () => ({}),
      casts: { ask: ({ from }) => void from },
    });
    const pid = await confused.start(kit);
    const probe = await kit.probe();
    probe.watch(pid);
    cast(kit, pid, 'ask');
    const { reason } = await probe.expectDown(pid);
    expect(reason).toMatchObject({ error: { code: 'SNOW_ERR_NO_CALL' } });
  });

  it('refuses a call it does not know, and lives on', async () => {
    const pid = await counter.start(kit, 1);
    for (const tag of ['nothing', 'constructor', '__proto__']) {
      expect((await failure(kit.runtime.call(pid, tag))).state).toBe('unknown');
    }
    expect(await call(kit, pid, 'read')).toBe(1);
  });

  it('logs and drops a cast or message it has no handler for', async () => {
    const pid = await counter.start(kit, 1);
    cast(kit, pid as never, 'nothing' as never);
    kit.runtime.send(pid, 'hello');
    expect(await call(kit, pid, 'read')).toBe(1);
    const kinds = kit.logged('unexpected_message').map(({ facts }) => facts['kind']);
    expect(kinds).toEqual(['cast nothing', 'string']);
    expect(JSON.stringify(kit.logs)).not.toContain('hello');
  });

  it('gets plain and system messages in info', async () => {
    const seen: unknown[] = [];
    const listener = defineServer({
      name: 'listener',
      init: (self) => void self.trapExit(true),
      info: (_context, message) => void seen.push(message),
    });
    const pid = await listener.start(kit);
    const probe = await kit.probe();
    kit.runtime.send(pid, { plain: true });
    probe.self.sendExit(pid, 'why');
    await kit.settle();
    expect(seen[0]).toEqual({ plain: true });
    expect(seen[1]).toBeInstanceOf(Exit);
  });

  it('runs continuations before any other message', async () => {
    const order: unknown[] = [];
    const eager = defineServer({
      name: 'eager',
      init: () => continuing({}, 'first'),
      casts: {
        go: ({ continueWith }) => {
          order.push('go');
          continueWith('second');
        },
        next: () => void order.push('next'),
      },
      onContinue: (_context, value) => void order.push(value),
    });
    const pid = await eager.start(kit);
    cast(kit, pid, 'go');
    cast(kit, pid, 'next');
    await kit.settle();
    expect(order).toEqual(['first', 'go', 'second', 'next']);
  });

  it('runs onTimeout after so many ms without a message', async () => {
    let idle = 0;
    const sleepy = defineServer({
      name: 'sleepy',
      init: () => ({}),
      casts: { poke: () => {} },
      calls: {
        hush: (context) => {
          context.timeout = Number.POSITIVE_INFINITY;
        },
      },
      timeout: 1000,
      onTimeout: () => void idle++,
    });
    const pid = await sleepy.start(kit);
    await kit.advance(900);
    cast(kit, pid, 'poke');
    await kit.advance(900);
    expect(idle).toBe(0);
    await kit.advance(100);
    expect(idle).toBe(1);
    await kit.advance(1000);
    expect(idle).toBe(2);
    await call(kit, pid, 'hush');
    await kit.advance(10_000);
    expect(idle).toBe(2);
  });

  it('drops calls nobody waits for any more, if asked to', async () => {
    let handled = 0;
    const busy = defineServer({
      name: 'busy',
      init: () => ({}),
      skipExpired: true,
      calls: {
        work: async ({ self }, ms: number) => {
          handled++;
          await self.sleep(ms);
        },
      },
    });
    const pid = await busy.start(kit);
    const first = call(kit, pid, 'work', 200);
    const second = failure(callWith(kit, { timeout: 100 }, pid, 'work', 0));
    await kit.advance(300);
    await first;
    expect((await second).state).toBe('timeout');
    expect(handled).toBe(1);
  });

  it('is reached by its name, typed', async () => {
    const pid = await counter.startWith(kit, { name: 'the counter' }, 7);
    expect(await call(kit, counter.named('the counter'), 'self')).toBe(pid);
    cast(kit, counter.named('the counter'), 'reset');
    expect(await call<number>(kit, 'the counter', 'read')).toBe(0);
  });
});

describe('a call', () => {
  it('G1 waits 5000 ms by default; 0 and Infinity are valid', async () => {
    const pid = await counter.start(kit, 0);
    const standard = failure(call(kit, pid, 'slow', 60_000));
    const none = failure(callWith(kit, { timeout: 0 }, pid, 'read'));
    const endless = callWith(kit, { timeout: Number.POSITIVE_INFINITY }, pid, 'read');
    expect((await none).state).toBe('timeout');
    await kit.advance(4999);
    let isOver = false;
    void standard.then(() => (isOver = true));
    await kit.settle();
    expect(isOver).toBe(false);
    await kit.advance(1);
    expect(await standard).toMatchObject({ state: 'timeout', elapsed: 5000 });
    await kit.advance(60_000);
    expect(await endless).toBe(1);
  });

  it('G2 names target, tag and time in its error; the server still does the work', async () => {
    const pid = await counter.start(kit, 0);
    const late = failure(callWith(kit, { timeout: 50 }, pid, 'slow', 100));
    await kit.advance(100);
    const error = await late;
    expect(error).toBeInstanceOf(CallError);
    expect(error).toMatchObject({ state: 'timeout', tag: 'slow', elapsed: 50 });
    expect(error.message).toContain('slow');
    expect(error.message).toContain(pid.toString());
    expect(await call(kit, pid, 'read')).toBe(1);
  });

  it('G3 never shows its caller an answer that comes after the timeout', async () => {
    const pid = await counter.start(kit, 0);
    const probe = await kit.probe();
    const late = failure(callWith(probe.self, { timeout: 50 }, pid, 'slow', 100));
    await kit.advance(50);
    expect((await late).state).toBe('timeout');
    await probe.expectNoMessage(1000);
    expect(kit.runtime.deadLetters.counts.late_reply).toBe(1);
  });

  it('G4 fails with noproc for the dead, with the reason for who dies meanwhile, and at once for oneself', async () => {
    const dead = await counter.start(kit, 0);
    kit.runtime.sendExit(dead, 'kill');
    await kit.settle();
    expect((await failure(call(kit, dead, 'read'))).state).toBe('noproc');
    expect((await failure(call(kit, counter.named('nobody'), 'read'))).state).toBe('noproc');

    const dying = await counter.start(kit, 0);
    expect(await failure(call(kit, dying, 'crash'))).toMatchObject({
      state: 'exit',
      reason: { error: { name: 'TypeError', message: 'no' } },
    });

    const narcissus = defineServer({
      name: 'narcissus',
      init: () => ({}),
      calls: {
        look: ({ self }): Promise<string> =>
          failure(self.call(self.pid as never, 'look')).then((e) => e.state),
      },
    });
    const pid = await narcissus.start(kit);
    expect(await call(kit, pid, 'look')).toBe('calling_self');
  });

  it('G4 detects and names a circle of calls at once', async () => {
    const node = defineServer({
      name: 'node',
      init: () => ({}),
      calls: {
        pass: async ({ self }, path: string[]): Promise<string> => {
          const [next, ...rest] = path;
          if (next === undefined) return 'end';
          return call<string>(self, next, 'pass', rest).catch((error: CallError) => error.state);
        },
      },
    });
    await node.startWith(kit, { name: 'a' });
    await node.startWith(kit, { name: 'b' });
    expect(await call(kit, node.named('a'), 'pass', ['b'])).toBe('end');
    expect(await call(kit, node.named('a'), 'pass', ['b', 'a'])).toBe('cycle');
  });

  it('G5 leaves nothing behind, whatever became of it', async () => {
    const pid = await counter.start(kit, 0);
    const probe = await kit.probe();
    const outcomes: Promise<unknown>[] = [];
    for (let round = 0; round < 500; round++) {
      outcomes.push(call(probe.self, pid, 'read'));
      outcomes.push(failure(callWith(probe.self, { timeout: 0 }, pid, 'add', 1)));
      outcomes.push(failure(call(probe.self, counter.named('nobody'), 'read')));
      const abort = new AbortController();
      outcomes.push(failure(callWith(probe.self, { signal: abort.signal }, pid, 'slow', 0)));
      abort.abort();
    }
    await kit.advance(10_000);
    await Promise.all(outcomes);
    expect(probe.messages).toEqual([]);
    expect(kit.mailbox(probe.pid)).toEqual([]);
  });

  it('G6 casts to nobody without an error', () => {
    expect(() => cast(kit, counter.named('nobody'), 'reset')).not.toThrow();
    expect(() => cast(kit, 'nobody', 'reset')).not.toThrow();
    expect(kit.runtime.deadLetters.total).toBe(2);
  });

  it('is given up by an AbortSignal, whose reason it rejects with', async () => {
    const pid = await counter.start(kit, 0);
    const abort = new AbortController();
    const call1 = failure(callWith(kit, { signal: abort.signal }, pid, 'slow', 1000));
    abort.abort(new Error('enough'));
    expect((await call1).message).toContain('enough');
  });

  it('hands what is left of its time to the calls made for it', async () => {
    const front = defineServer({
      name: 'front',
      init: () => ({}),
      calls: {
        ask: async ({ self, timeLeft }) => {
          const error = await failure(call(self, 'counter', 'slow', 10_000));
          return { timeLeft, state: error.state, elapsed: error.elapsed };
        },
      },
    });
    await counter.startWith(kit, { name: 'counter' }, 0);
    const pid = await front.start(kit);
    const asked = failure(callWith(kit, { timeout: 300 }, pid, 'ask'));
    await kit.advance(300);
    expect((await asked).state).toBe('timeout');
  });

  it('G10 asks many: answers and failures apart, nobody held up by the slow', async () => {
    const quick = await counter.start(kit, 1);
    const slow = await counter.start(kit, 1);
    const dead = await counter.start(kit, 1);
    kit.runtime.sendExit(dead, 'kill');
    const probe = await kit.probe();
    void failure(call(kit, slow, 'slow', 60_000));
    await kit.settle();
    const asked = multiCall(probe.self, [quick, slow, dead], 'read', [], { timeout: 100 });
    await kit.advance(100);
    const { replies, failures } = await asked;
    expect(replies).toEqual([{ server: quick, value: 1 }]);
    expect(failures.map(({ server, error }) => [server, error.state])).toEqual([
      [slow, 'timeout'],
      [dead, 'noproc'],
    ]);
    await probe.expectNoMessage(60_000);
  });
});

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

  it('I4 says who holds a taken name, and starts no second process', async () => {
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

  it('I6 gives up a stop after its timeout while the target still ends later', async () => {
    const slow = defineServer({
      name: 'slow',
      init: () => ({}),
      terminate: ({ self }) => self.sleep(500),
    });
    const pid = await slow.start(kit);
    const stopped = failure(stop(kit.runtime, pid, 'normal', 100));
    await kit.advance(100);
    expect((await stopped).state).toBe('timeout');
    expect(kit.runtime.isAlive(pid)).toBe(true);
    await kit.advance(400);
    expect(kit.runtime.isAlive(pid)).toBe(false);
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
    await Promise.all(pids.map((pid, index) => stop(kit.runtime, pid, reasons[index]).catch(() => {})));
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
