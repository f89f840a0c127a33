import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Exit, request, type Self, type Timeout } from '../../../ts/actor/index.ts';
import {
  call,
  callWith,
  cast,
  continuing,
  defineServer,
  noReply,
  replyTo,
} from '../../../ts/behaviour/index.ts';
import { LOG_PAUSE_MS } from '../../../ts/kernel/throttled-log.ts';
import type { Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { counter, failure } from './counter.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

describe('a server', () => {
  it('keeps state between calls, changed in place or replaced', async () => {
    const pid = await counter.start(kit, 10);
    expect(await call(kit, pid, 'add', 5)).toBe(15);
    await call(kit, pid, 'replace', 3);
    expect(await call(kit, pid, 'read')).toBe(3);
  });

  it.each([0, 1, 2, 3, 4])('gets all %i arguments of a call and of a cast', async (count) => {
    const seen: unknown[] = [];
    const taker = defineServer({
      name: 'taker',
      init: () => ({}),
      calls: { take: (_context, ...args: number[]) => args },
      casts: { take: (_context, ...args: number[]) => void seen.push(args) },
    });
    const pid = await taker.start(kit);
    const args = Array.from({ length: count }, (_, index) => index);
    cast(kit, pid, 'take', ...args);
    expect(await call(kit, pid, 'take', ...args)).toEqual(args);
    expect(seen).toEqual([args]);
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
      calls: { hello: ({ from }) => from.pid },
      casts: { ask: ({ from }) => void from },
    });
    const pid = await confused.start(kit);
    await call(kit, pid, 'hello');
    const probe = await kit.probe();
    probe.watch(pid);
    cast(kit, pid, 'ask');
    const { reason } = await probe.expectDown(pid);
    expect(reason).toMatchObject({ error: { code: 'SNOW_ERR_NO_CALL' } });
  });

  it('refuses a call it does not know, and lives on', async () => {
    const pid = await counter.start(kit, 1);
    for (const tag of ['nothing', 'constructor', '__proto__']) {
      expect((await failure(request(kit.runtime, pid, tag))).state).toBe('unknown');
    }
    expect(await call(kit, pid, 'read')).toBe(1);
  });

  it('logs and drops a cast or message it has no handler for', async () => {
    const pid = await counter.start(kit, 1);
    cast(kit, pid as never, 'nothing' as never);
    kit.runtime.send(pid, 'hello');
    kit.runtime.send(pid, { constructor: { name: 'hello' } } as never);
    kit.runtime.send(pid, ['hello'] as never);
    kit.runtime.send(pid, null as never);
    expect(await call(kit, pid, 'read')).toBe(1);
    const kinds = kit.logged('unexpected_message').map(({ facts }) => facts['kind']);
    expect(kinds).toEqual(['cast nothing', 'string', 'Object', 'Array', 'object']);
    expect(JSON.stringify(kit.logs)).not.toContain('hello');
  });

  it('logs a flood of messages without a handler as one line in ten seconds for each kind', async () => {
    const pids = [await counter.start(kit, 1), await counter.start(kit, 1)];
    const kinds = ['cast nothing', 'string'];
    const facts = (): unknown[] =>
      kit.logged('unexpected_message').map(({ facts: { kind, count } }) => [kind, count]);
    for (let n = 0; n < 1000; n++) {
      for (const pid of pids) {
        cast(kit, pid as never, 'nothing' as never);
        kit.runtime.send(pid, 'hello');
      }
    }
    await kit.settle();
    const first = kinds.map((kind) => [kind, undefined]);
    expect(facts()).toEqual(first);
    await kit.advance(LOG_PAUSE_MS);
    expect(facts().slice(2)).toEqual(kinds.map((kind) => [kind, 1999]));
    await kit.advance(LOG_PAUSE_MS);
    expect(kit.clock.next).toBe(Number.POSITIVE_INFINITY);
    kit.runtime.send(pids[0] as never, 'hello' as never);
    await kit.settle();
    expect(facts().slice(4)).toEqual([['string', undefined]]);
  });

  it('logs and drops a continuation it has no handler for', async () => {
    const pid = await defineServer({ name: 'idler', init: () => continuing({}, 'secret') }).start(kit);
    await kit.settle();
    expect(kit.runtime.isAlive(pid)).toBe(true);
    expect(kit.logged('unexpected_message')).toMatchObject([{ facts: { kind: 'continuation' } }]);
  });

  it('P7 logs the beginning of a long tag', async () => {
    const pid = await counter.start(kit, 1);
    cast(kit, pid as never, 'x'.repeat(2 ** 20) as never);
    expect(await call(kit, pid, 'read')).toBe(1);
    expect(kit.logged('unexpected_message')[0]?.facts['kind']).toBe(`cast ${'x'.repeat(100)}`);
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

  it.each<[string, (order: unknown[], value: unknown, self: Self) => unknown]>([
    ['synchronous', (order, value) => void order.push(value)],
    ['asynchronous', (order, value, self) => self.sleep(10).then(() => order.push(value))],
  ])('runs %s continuations before any other message', async (_how, run) => {
    const order: unknown[] = [];
    const eager = defineServer({
      name: 'eager',
      init: () => continuing({}, 'first'),
      casts: {
        go: ({ continueWith }) => {
          order.push('go');
          continueWith('second');
          continueWith('third');
        },
        next: () => void order.push('next'),
      },
      onContinue: ({ self }, value) => run(order, value, self),
    });
    const pid = await eager.start(kit);
    cast(kit, pid, 'go');
    cast(kit, pid, 'next');
    await kit.advance(30);
    expect(order).toEqual(['first', 'go', 'second', 'third', 'next']);
  });

  it.each<[string, (step: () => void) => void | Promise<void>]>([
    ['synchronous', (step) => step()],
    ['asynchronous', async (step) => step()],
  ])('leaves the event loop to others between %s continuations', async (_how, run) => {
    let count = 0;
    let seen = Number.POSITIVE_INFINITY;
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    const busy = defineServer({
      name: 'busy',
      init: () => continuing({}, undefined),
      onContinue: ({ continueWith }) => run(() => (++count < 100_000 ? continueWith(undefined) : end())),
    });
    await busy.start(kit);
    setImmediate(() => void (seen = count));
    await ended;
    expect(seen).toBeLessThan(50_000);
  });

  it('runs no continuation after its death', async () => {
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const run: unknown[] = [];
    const mortal = defineServer({
      name: 'mortal',
      init: () => continuing({}, 'first'),
      onContinue: async ({ continueWith }, value) => {
        run.push(value);
        await gate;
        if (value === 'first') continueWith('second');
      },
    });
    const pid = await mortal.start(kit);
    await kit.advance(0);
    kit.runtime.sendExit(pid, 'kill');
    await kit.advance(0);
    open();
    await kit.advance(0);
    expect(run).toEqual(['first']);
  });

  it.each([
    ['stops', ({ stop }: { stop: () => void }) => stop()],
    [
      'throws',
      () => {
        throw new Error('on purpose');
      },
    ],
  ])('runs no continuation of a handler that %s', async (_how, end) => {
    const log: unknown[] = [];
    const mortal = defineServer({
      name: 'mortal',
      init: (_self, continues: boolean) => (continues ? continuing({}, 'of init') : {}),
      casts: {
        go: ({ continueWith, stop }) => {
          continueWith('continued');
          end({ stop });
        },
      },
      onContinue: (_context, value) => void log.push(value),
      terminate: () => void log.push('terminated'),
    });
    for (const continues of [false, true]) cast(kit, await mortal.start(kit, continues), 'go');
    await kit.settle();
    expect(log).toEqual(['terminated', 'of init', 'terminated']);
  });

  it('does what a timer requests without waiting for a message: continuations, then the stop', async () => {
    const done: unknown[] = [];
    const later = defineServer({
      name: 'later',
      init: () => ({}),
      timeout: 1000,
      casts: {
        begin: ({ self, continueWith, stop }) => {
          self.after(10, () => continueWith('continued'));
          self.after(20, () => stop('over'));
        },
      },
      onContinue: (_context, value) => void done.push(value),
      terminate: (_context, reason) => void done.push(reason),
    });
    const pid = await later.start(kit);
    cast(kit, pid, 'begin');
    await kit.advance(10);
    expect(done).toEqual(['continued']);
    await kit.advance(10);
    expect(done).toEqual(['continued', 'over']);
    expect(kit.runtime.isAlive(pid as never)).toBe(false);
    expect(kit.runtime.deadLetters.total).toBe(0);
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
    await kit.advance(1000);
    expect(idle).toBe(1);
    idle = 0;
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
    expect(kit.logged('unexpected_message')).toEqual([]);
  });

  it('handles the timeouts that are its own timers as messages, whatever its idle timer does', async () => {
    const seen: unknown[] = [];
    const timed = defineServer({
      name: 'timed',
      init: (self) => self.startTimer(50, self.pid as never, 'own'),
      info: ({ self, stop }, message) => {
        seen.push((message as Timeout).message);
        self.after(70, () => stop('over')); // after the idle timer has fired, and was set again
      },
      timeout: 100,
      onTimeout: () => void seen.push('idle'),
      terminate: (_context, reason) => void seen.push(reason),
    });
    await timed.start(kit);
    await kit.advance(1000);
    expect(seen).toEqual(['own', 'over']);
  });

  it('runs onTimeout earlier when a handler made the time shorter', async () => {
    const log: number[] = [];
    const patient = defineServer({
      name: 'patient',
      init: () => ({}),
      calls: {
        hurry: (context, ms: number) => {
          context.timeout = ms;
        },
      },
      timeout: 10_000,
      onTimeout: ({ self }) => void log.push(self.now()),
    });
    const pid = await patient.start(kit);
    await kit.advance(100);
    await call(kit, pid, 'hurry', 50);
    await kit.advance(120);
    expect(log).toEqual([150, 200]);
    await call(kit, pid, 'hurry', 1000);
    await kit.advance(1001);
    expect(log).toEqual([150, 200, 1220]);
  });

  it('runs onTimeout once when a handler made the time shorter while the idle timer fired', async () => {
    const log: unknown[] = [];
    const late = defineServer({
      name: 'late',
      init: () => ({}),
      casts: {
        work: async (context) => {
          await context.self.sleep(150);
          context.timeout = 20;
        },
      },
      info: (_context, message) => void log.push(message),
      timeout: 100,
      onTimeout: ({ self, stop }) => {
        log.push(self.now());
        stop();
      },
    });
    cast(kit, await late.start(kit), 'work');
    await kit.advance(1000);
    expect(log).toEqual([170]);
  });

  it('B10 takes no plain message for one of its own', async () => {
    const seen: unknown[] = [];
    const open = defineServer({
      name: 'open',
      init: () => ({}),
      info: (_context, message: string) => void seen.push(message),
    });
    const pid = await open.start(kit);
    kit.runtime.send(pid, '$begin');
    await kit.settle();
    expect(seen).toEqual(['$begin']);
  });

  it.each(['drop-old', 'exit'] as const)('continues whatever its mailbox limit (%s) says', async (policy) => {
    const seen: unknown[] = [];
    const limited = defineServer({
      name: 'limited',
      init: async (self: Self) => {
        await self.sleep(1);
        return continuing({}, 'continued');
      },
      onContinue: (_context, value) => void seen.push(value),
      info: (_context, message: string) => void seen.push(message),
    });
    const started = limited.startWith(kit, { name: 'limited', mailbox: { max: 1, policy } });
    kit.runtime.send('limited', 'the only one');
    await kit.advance(1);
    await started;
    expect(seen).toEqual(['continued', 'the only one']);
  });

  it.each([
    ['drops', true, 1],
    ['handles', false, 2],
  ])('%s calls that have no waiting caller any more: skipExpired %s', async (_what, skipExpired, count) => {
    let handled = 0;
    const busy = defineServer({
      name: 'busy',
      init: () => ({}),
      skipExpired,
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
    await kit.settle();
    expect(handled).toBe(count);
  });

  it('is reached by its name, typed', async () => {
    const pid = await counter.startWith(kit, { name: 'the counter' }, 7);
    expect(await call(kit, counter.named('the counter'), 'self')).toBe(pid);
    cast(kit, counter.named('the counter'), 'reset');
    expect(await call<number>(kit, 'the counter', 'read')).toBe(0);
  });
});
