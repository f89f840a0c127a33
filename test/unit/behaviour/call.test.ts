import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallError, request, type Self } from '../../../ts/actor/index.ts';
import { call, callWith, cast, defineServer, multiCall } from '../../../ts/behaviour/index.ts';
import { defineSupervisor } from '../../../ts/supervisor/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { counter, failure } from './counter.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

describe('a call', () => {
  it('G1 waits 5000 ms by default; 0 and Infinity are valid', async () => {
    const pid = await counter.start(kit, 0);
    const standard = failure(call(kit, pid, 'slow', 60_000));
    const none = failure(callWith(kit, { timeout: 0 }, pid, 'read'));
    const endless = callWith(kit, { timeout: Number.POSITIVE_INFINITY }, pid, 'read');
    await kit.settle();
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

  it('G4 fails with noproc for the dead, with the reason for a target that dies meanwhile, and at once for itself', async () => {
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
          failure(request(self, self.pid as never, 'look')).then((e) => e.state),
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
      outcomes.push(callWith(probe.self, { timeout: 0 }, pid, 'add', 1).catch((error) => error));
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

  it('B9 casts nothing that cannot be sent, also to a name that no actor has', () => {
    const unsendable = expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' });
    for (const to of ['nobody', { name: 'nobody', node: 'far@host:1' }])
      expect(() => cast(kit, to, 'tag', () => {})).toThrow(unsendable as Error);
  });

  it('B9 calls with no tag that cannot be sent: neither a server nor a supervisor ends of one', async () => {
    const server = await counter.start(kit, 1);
    const supervisor = await defineSupervisor({ name: 'top', children: [] }).start(kit);
    for (const pid of [server, supervisor])
      expect(() => request(kit.runtime, pid as never, 'half \ud800')).toThrow(
        expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }),
      );
    await kit.settle();
    expect([server, supervisor].map((pid) => kit.runtime.isAlive(pid as never))).toEqual([true, true]);
    expect(kit.runtime.calls.size).toBe(0);
  });

  it('refuses a timeout that no timer takes where it is defined', () => {
    const define = (timeout: number) => defineServer({ name: 'late', init: () => ({}), timeout });
    for (const timeout of [2 ** 53, 1e300, Number.NaN, -1])
      expect(() => define(timeout)).toThrow(expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }));
    for (const timeout of [0, 0.5, 2 ** 53 - 1, Number.POSITIVE_INFINITY]) define(timeout);
  });

  it('G6 casts to a name that no actor has without an error', () => {
    expect(() => cast(kit, counter.named('nobody'), 'reset')).not.toThrow();
    expect(() => cast(kit, 'nobody', 'reset')).not.toThrow();
    expect(kit.runtime.deadLetters.total).toBe(2);
  });

  it('is given up by an AbortSignal, whose reason it rejects with', async () => {
    const pid = await counter.start(kit, 0);
    const abort = new AbortController();
    const call1 = failure(callWith(kit, { signal: abort.signal }, pid, 'slow', 1000));
    abort.abort(new Error('enough'));
    expect(await call1).toMatchObject({ state: 'aborted', reason: { message: 'enough' } });
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

  it('G2 ends no server: too little time fails the call, not the actor that handles it', async () => {
    const slow = await counter.start(kit, 0);
    const left: number[] = [];
    const front = defineServer({
      name: 'front',
      init: () => ({}),
      casts: { left: ({ timeLeft }) => void left.push(timeLeft) },
      calls: {
        ask: ({ self }) => call(self, slow, 'slow', 1000),
        own: ({ self }) => callWith(self, { timeout: 20 }, slow, 'slow', 1000),
      },
    });
    const pid = await front.start(kit);
    const asked = failure(callWith(kit, { timeout: 10 }, pid, 'ask'));
    await kit.advance(1000);
    expect((await asked).state).toBe('timeout');
    expect(kit.runtime.isAlive(pid)).toBe(true);
    expect(kit.logged('call_out_of_time')).toMatchObject([{ facts: { name: 'front', tag: 'ask' } }]);
    cast(kit, pid, 'left');
    await kit.settle();
    expect(left).toEqual([Number.POSITIVE_INFINITY]); // the call is over
    // Its own impatience is its own fault.
    const crashed = failure(call(kit, pid, 'own'));
    await kit.advance(1000);
    expect((await crashed).state).toBe('exit');
    expect(kit.runtime.isAlive(pid)).toBe(false);
  });

  it.each<[string, (self: Self) => unknown]>([
    ['an error of its own', () => Promise.reject(new Error('broken'))],
    ['a nested call that fails otherwise', (self) => request(self, 'nobody', 'read')],
  ])('G2 ends a server by %s, also when its client has given up', async (_what, fail) => {
    const broken = defineServer({
      name: 'broken',
      init: () => ({}),
      calls: { ask: async ({ self }) => (await self.sleep(20), fail(self)) },
    });
    const pid = await broken.start(kit);
    const asked = failure(callWith(kit, { timeout: 10 }, pid, 'ask'));
    await kit.advance(20);
    expect((await asked).state).toBe('timeout');
    expect(kit.runtime.isAlive(pid)).toBe(false);
    expect(kit.logged('call_out_of_time')).toEqual([]);
  });

  it('G10 asks many: answers and failures apart, none delayed by the slow', async () => {
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

  it('G10, V2 leaves no unhandled rejection when one destination is none', async () => {
    const crashing = defineServer({
      name: 'crashing',
      init: () => ({}),
      calls: {
        crash: () => {
          throw new Error('crash');
        },
      },
    });
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    const servers = [await crashing.start(kit), 5 as never];
    await expect(multiCall(kit, servers, 'crash', [])).rejects.toMatchObject({ code: 'SNOW_ERR_BAD_DEST' });
    await kit.settle();
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });
});
