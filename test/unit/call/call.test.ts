// Section G of the rules, on the actor layer: calls between bare actors.
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  request as ask,
  Call,
  CallError,
  type HandlerBody,
  ReplyStatus,
  type Self,
} from '../../../ts/actor/index.ts';
import type { Cell } from '../../../ts/kernel/index.ts';
import { type Pid, Ref } from '../../../ts/term/index.ts';
import { kit, probe } from '../../support/kit.ts';

const failure = (promise: Promise<unknown>): Promise<CallError> =>
  promise.then(
    (value) => Promise.reject(new Error(`expected a failure, got ${String(value)}`)),
    (error) => error,
  );

/** Answers `echo` with its arguments, `hold` never, `die` with its death, `bad` with what cannot travel. */
function answerer(): Pid<never> {
  return kit.runtime.spawnHandler(
    (self: Self): HandlerBody => ({
      onMessage(message) {
        if (!(message instanceof Call)) return;
        if (message.tag === 'echo') self.runtime.replies.succeed(message, message.args);
        if (message.tag === 'die') self.exit(message.args[0]);
      },
    }),
  ) as Pid<never>;
}

/** Nothing of any call is left in the runtime. */
function expectNoTrace(): void {
  const { calls, inboundCalls, timers, aliases } = kit.runtime;
  expect([calls.size, inboundCalls.size, timers.size, aliases.size]).toEqual([0, 0, 0, 0]);
}

describe('a call that fails', () => {
  it('G4 names the target, its node, the tag, the time, and why there is no answer', async () => {
    const pid = answerer();
    const late = failure(ask(probe.self, pid, 'hold', [], { timeout: 70 }));
    await kit.advance(70);
    const error = await late;
    expect(error).toBeInstanceOf(CallError);
    expect(error).toMatchObject({
      code: 'SNOW_ERR_CALL_TIMEOUT',
      state: 'timeout',
      target: String(pid),
      tag: 'hold',
      elapsed: 70,
    });
    for (const fact of [String(pid), 'hold', '70 ms', 'timeout']) expect(error.message).toContain(fact);
    expect(error.details).toMatchObject({ state: 'timeout', target: String(pid), tag: 'hold', elapsed: 70 });
    const far = await failure(ask(probe.self, { name: 'db', node: 'far@host' }, 'read'));
    expect(far).toMatchObject({ state: 'nodedown', target: 'db', node: 'far@host', tag: 'read' });
    expect(far.message).toContain('db on far@host');
  });

  it('G4 names the node of a target on the own node, by PID and by name, when that node has a name', async () => {
    const dead = answerer();
    kit.runtime.sendExit(dead, 'kill');
    expect((await failure(ask(probe.self, dead, 'echo'))).node).toBeUndefined();
    kit.runtime.remote = { ...kit.runtime.remote, nodeName: 'own@host:1' };
    for (const to of [dead, 'unknown', { name: 'unknown', node: 'own@host:1' }]) {
      const error = await failure(ask(probe.self, to, 'echo'));
      expect(error).toMatchObject({ state: 'noproc', node: 'own@host:1' });
      expect(error.message).toContain(' on own@host:1 brought no answer');
    }
  });

  it('G4 has noproc for the dead and for names no actor has, and the reason of a target that dies', async () => {
    const dead = answerer();
    kit.runtime.sendExit(dead, 'kill');
    await kit.settle();
    const alias = new Ref(0, 0, 1);
    for (const to of [dead, 'nobody', { name: 'nobody', node: 'nonode@nohost' }, alias]) {
      expect(await failure(ask(probe.self, to, 'echo'))).toMatchObject({ state: 'noproc', elapsed: 0 });
    }
    for (const reason of ['why', { shutdown: 1 }, 'noconnection']) {
      const error = await failure(ask(probe.self, answerer(), 'die', [reason]));
      expect(error).toMatchObject({ state: 'exit', code: 'SNOW_ERR_CALL_EXIT', reason });
    }
    expectNoTrace();
  });

  it('G4 fails at once for itself, by PID, by name and by name on the own node', async () => {
    const me = probe.self;
    me.register('me');
    for (const to of [me.pid as Pid<never>, 'me', { name: 'me', node: 'nonode@nohost' }]) {
      expect(await failure(ask(me, to, 'anything'))).toMatchObject({
        code: 'SNOW_ERR_CALL_SELF',
        state: 'calling_self',
        elapsed: 0,
      });
    }
    await probe.expectNoMessage();
    expectNoTrace();
  });

  it('G4 names a ring of calls A -> B -> A instead of waiting without end', async () => {
    const seen: CallError[] = [];
    const asks = (next: string) => async (self: Self) => {
      for (;;) {
        const request = await self.receive(Call);
        const answer = await ask(self, next, 'round').catch((error: CallError) => {
          seen.push(error);
          return 'broken';
        });
        self.runtime.replies.succeed(request, answer);
      }
    };
    const a = kit.runtime.spawnWith({ name: 'a' }, asks('b'));
    const b = kit.runtime.spawnWith({ name: 'b' }, asks('a'));
    await kit.settle();
    const asked = ask(probe.self, 'a', 'round');
    await kit.settle();
    expect(await asked).toBe('broken');
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ state: 'cycle', code: 'SNOW_ERR_CALL_CYCLE', target: 'a', tag: 'round' });
    expect(((seen[0] as CallError).reason as Pid[]).map(String)).toEqual([probe.pid, a, b].map(String));
  });

  it('G4 takes no ring for granted where the first caller does not wait', async () => {
    const a = kit.runtime.spawnWith({ name: 'a' }, async (self: Self) => {
      const asked = ask(self, 'b', 'question');
      const back = await self.receive(Call);
      self.runtime.replies.succeed(back, 'yes');
      self.send(probe.pid as Pid<unknown>, await asked);
    });
    kit.runtime.spawnWith({ name: 'b' }, async (self: Self) => {
      const request = await self.receive(Call);
      self.runtime.replies.succeed(request, await ask(self, a as Pid<never>, 'and you?'));
    });
    await probe.expectMessage('yes');
  });
});

it('says who calls, unless code outside of actors does', async () => {
  const callers: unknown[] = [];
  const pid = kit.runtime.spawn(async (self: Self) => {
    for (;;) {
      const request = await self.receive(Call);
      callers.push(request.from);
      self.runtime.replies.succeed(request, 'done');
    }
  }) as Pid<never>;
  for (const caller of [probe.self, kit.runtime]) await ask(caller, pid, 'who');
  expect(callers).toEqual([probe.pid, undefined]);
});

describe('an answer', () => {
  it.each(['ok', 'unknown'] as const)(
    'G3 that comes after the timeout is never seen by its caller, and counted: %s',
    async (status) => {
      let request: Call | undefined;
      const slow = kit.runtime.spawn(async (self: Self) => {
        request = await self.receive(Call);
        await self.receive('never');
      });
      const late = failure(ask(probe.self, slow as Pid<never>, 'ask', [], { timeout: 10 }));
      await kit.advance(10);
      await late;
      const { replies, deadLetters } = kit.runtime;
      expect(replies.answer(request as Call, ReplyStatus[status], 'late')).toBe(false);
      expect(replies.answer((request as Call).ref, ReplyStatus[status], 'later')).toBe(false);
      await probe.expectNoMessage(1000);
      expect(deadLetters.counts.late_reply).toBe(2);
    },
  );

  it('may come from another actor that was handed the reference', async () => {
    let isOpen: boolean | undefined;
    const clerk = kit.runtime.spawn(async (self: Self<Ref>) => {
      const ref = await self.receive();
      isOpen = self.runtime.replies.succeed(ref as Ref, `from ${self.label}`);
    });
    const boss = kit.runtime.spawn(async (self: Self) => {
      self.send(clerk, (await self.receive(Call)).ref);
      await self.receive('never');
    });
    expect(await ask(probe.self, boss as Pid<never>, 'delegate')).toMatch('from');
    expect(isOpen).toBe(true);
    expectNoTrace();
  });

  it('is good once: a second one is refused', async () => {
    const answers: boolean[] = [];
    const eager = kit.runtime.spawn(async (self: Self) => {
      const request = await self.receive(Call);
      for (const word of ['first', 'second']) answers.push(self.runtime.replies.succeed(request, word));
      answers.push(self.runtime.replies.succeed(request.ref, 'third'));
    });
    expect(await ask(probe.self, eager as Pid<never>, 'ask')).toBe('first');
    expect(answers).toEqual([true, false, false]);
  });

  it('B8 is a copy, and so are the arguments', async () => {
    const args = [{ list: [1] }];
    const shared = { list: [1] };
    const server = kit.runtime.spawn(async (self: Self) => {
      const request = await self.receive(Call);
      (request.args[0] as typeof shared).list.push(2);
      self.runtime.replies.succeed(request, shared);
      shared.list.push(3);
    });
    const answer = await ask(probe.self, server as Pid<never>, 'ask', args);
    expect([args, answer]).toEqual([[{ list: [1] }], { list: [1] }]);
  });

  it('B9 that cannot be sent throws at its sender, which can give another one', async () => {
    const server = kit.runtime.spawn(async (self: Self) => {
      const request = await self.receive(Call);
      expect(() => self.runtime.replies.succeed(request, () => {})).toThrow(
        expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }),
      );
      self.runtime.replies.succeed(request, 'plain');
    });
    expect(() => ask(probe.self, server as Pid<never>, '\ud800')).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }),
    );
    expect(await ask(probe.self, server as Pid<never>, 'ask')).toBe('plain');
  });
});

describe('the time of a call', () => {
  it('G1 is 5000 ms by default; 0 and Infinity are valid, others are refused', async () => {
    const pid = answerer();
    const standard = failure(ask(probe.self, pid, 'hold'));
    const endless = ask(probe.self, pid, 'hold', [], { timeout: Number.POSITIVE_INFINITY });
    let isOver = false;
    void endless.finally(() => (isOver = true)).catch(() => {});
    const none = failure(ask(probe.self, pid, 'hold', [], { timeout: 0 }));
    await kit.settle();
    expect(await none).toMatchObject({ state: 'timeout', elapsed: 0 });
    await kit.advance(1_000_000);
    expect(await standard).toMatchObject({ state: 'timeout', elapsed: 5000 });
    expect(isOver).toBe(false);
    for (const timeout of [-1, Number.NaN, -0.5, '1' as never]) {
      expect(() => ask(probe.self, pid, 'hold', [], { timeout })).toThrow(
        expect.objectContaining({ code: 'SNOW_ERR_BAD_TIME' }),
      );
    }
    kit.runtime.sendExit(pid, 'kill');
    await failure(endless);
    expectNoTrace();
  });

  it('travels with it: calls made for it have what is left, also far down', async () => {
    const deadlines: number[] = [];
    const hop = (next: Pid<never> | undefined) => async (self: Self) => {
      const request = await self.receive(Call);
      deadlines.push(request.deadline);
      await self.sleep(20);
      if (next !== undefined) await ask(self, next, 'on').catch(() => {});
      await self.receive('never');
    };
    let last: Pid<never> | undefined;
    for (let hops = 0; hops < 3; hops++) last = kit.runtime.spawn(hop(last)) as Pid<never>;
    const asked = failure(ask(probe.self, last as Pid<never>, 'on', [], { timeout: 300 }));
    await kit.advance(300);
    expect(await asked).toMatchObject({ state: 'timeout', elapsed: 300 });
    expect(deadlines).toEqual([300, 300, 300]);
    expectNoTrace();
  });

  it.each(['the request', 'its reference'])('is forgotten when %s was answered', async (how) => {
    const server = answerer();
    const front = kit.runtime.spawn(async (self: Self) => {
      const request = await self.receive(Call);
      self.runtime.replies.succeed(how === 'the request' ? request : request.ref, 'done');
      await self.sleep(1000);
      self.send(probe.pid as Pid<unknown>, await ask(self, server, 'echo', ['fresh']));
    });
    expect(await ask(probe.self, front as Pid<never>, 'ask', [], { timeout: 100 })).toBe('done');
    await probe.expectMessage(['fresh'], { within: 1000 });
  });

  it('is forgotten by a function actor that went on to another message after it was over', async () => {
    const slow = kit.runtime.spawn(async (self: Self) => {
      const request = await self.receive(Call);
      await self.sleep(1000);
      self.runtime.replies.succeed(request, 'fresh');
    }) as Pid<never>;
    const front = kit.runtime.spawn(async (self: Self) => {
      await self.receive(Call);
      await self.receive('next');
      self.send(probe.pid as Pid<unknown>, await ask(self, slow, 'ask'));
    });
    const asked = failure(ask(probe.self, front as Pid<never>, 'ask', [], { timeout: 100 }));
    await kit.advance(200);
    await asked;
    kit.runtime.send(front as Pid<unknown>, 'next');
    await probe.expectMessage('fresh', { within: 1000 });
  });

  it.each([
    ['synchronous', () => {}],
    ['asynchronous', (self: Self) => self.sleep(50)],
  ])('is not that of what a handler calls after its %s code is over', async (_how, act) => {
    let inner: Call | undefined;
    const target = kit.runtime.spawn(async (self: Self) => {
      inner = await self.receive(Call);
      await self.receive('never');
    }) as Pid<never>;
    const pid = kit.runtime.spawnHandler(
      (self: Self): HandlerBody => ({
        onMessage() {
          self.after(100, () => void ask(self, target, 'later').catch(() => {}));
          return act(self);
        },
      }),
    ) as Pid<never>;
    const asked = failure(ask(probe.self, pid, 'ask', [], { timeout: 2000 }));
    await kit.advance(100);
    expect(inner).toMatchObject({ deadline: 5100, chain: [pid] });
    await kit.advance(2000);
    await asked;
  });

  it('ends early by an AbortSignal, before it or during it', async () => {
    const pid = answerer();
    const abort = new AbortController();
    const given = failure(ask(probe.self, pid, 'hold', [], { signal: abort.signal }));
    const answered = ask(probe.self, pid, 'echo', ['in time'], { signal: abort.signal });
    expect(await answered).toEqual(['in time']);
    abort.abort('enough');
    expect(await given).toMatchObject({ state: 'aborted', code: 'SNOW_ERR_CALL_ABORTED', reason: 'enough' });
    const unsendable = (): unknown => ask(probe.self, pid, 'hold', [() => {}], { signal: abort.signal });
    expect(unsendable).toThrow(expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' })); // also then (B9)
    const after = failure(ask(probe.self, pid, 'hold', [], { signal: abort.signal }));
    expect(await after).toMatchObject({ state: 'aborted', reason: 'enough' });
    expectNoTrace();
  });
});

describe('after a call', () => {
  it('G5 nothing is left, over 10 000 of all outcomes', async () => {
    const pid = answerer();
    const { self } = probe;
    const outcomes = new Map<string, number>();
    const count = (state: string): void => void outcomes.set(state, (outcomes.get(state) ?? 0) + 1);
    const run = (call: Promise<unknown>): Promise<void> =>
      call.then(
        () => count('ok'),
        (error: CallError) => count(error.state),
      );
    for (let round = 0; round < 10; round++) {
      const all: Promise<void>[] = [];
      const mortal = answerer();
      for (let index = 0; index < 125; index++) {
        const abort = new AbortController();
        all.push(run(ask(self, pid, 'echo', [index])));
        all.push(run(ask(self, pid, 'hold', [], { timeout: index })));
        all.push(run(ask(self, 'nobody', 'echo')));
        all.push(run(ask(self, pid, 'hold', [], { signal: abort.signal })));
        all.push(run(ask(self, self.pid as Pid<never>, 'echo')));
        all.push(run(ask(self, { name: 'x', node: 'far@host' }, 'echo')));
        all.push(run(ask(self, mortal, 'hold', [], { timeout: Number.POSITIVE_INFINITY })));
        all.push(run(ask(kit.runtime, pid, 'echo')));
        abort.abort();
      }
      kit.runtime.sendExit(mortal, 'kill');
      await kit.advance(200);
      await Promise.all(all);
    }
    expect(Object.fromEntries(outcomes)).toEqual({
      ok: 2500,
      timeout: 1250,
      noproc: 1250,
      aborted: 1250,
      calling_self: 1250,
      nodedown: 1250,
      exit: 1250,
    });
    expect(probe.messages).toEqual([]);
    expect(kit.mailbox(probe.pid)).toEqual([]);
    expectNoTrace();
    for (const local of [probe.pid, pid]) {
      expect(held(local)).toBe(0);
      expect((local.route as Cell).extra?.calls ?? null).toBeNull();
    }
  });

  it('G5 nothing is left on a signal that does not fire', async () => {
    const { signal } = new AbortController();
    const [pid, mortal] = [answerer(), answerer()];
    await ask(probe.self, pid, 'echo', [], { signal });
    const others = [
      ask(probe.self, pid, 'hold', [], { signal, timeout: 10 }),
      ask(probe.self, mortal, 'die', ['why'], { signal }),
    ];
    await kit.advance(10);
    await Promise.allSettled(others);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  /** Calls that wait for the answer of an actor. */
  const held = (pid: Pid<never>): number => {
    let count = 0;
    for (let each = (pid.route as Cell).extra?.callers ?? null; each !== null; each = each.older) count++;
    return count;
  };

  it('G5 nothing is left of callers that died while they waited, however long they would have', async () => {
    const pid = answerer();
    const callers = Array.from({ length: 1000 }, () =>
      kit.runtime.spawn(async (self: Self) => {
        const both = [1, 2].map(() => ask(self, pid, 'hold', [], { timeout: Number.POSITIVE_INFINITY }));
        await Promise.all(both);
      }),
    );
    await kit.settle();
    expect(held(pid)).toBe(2000);
    for (const caller of callers) kit.runtime.sendExit(caller as Pid<never>, 'kill');
    await kit.settle();
    expectNoTrace();
    expect(held(pid)).toBe(0);
  });

  it('G5 nothing is left of one that threw on its way out', async () => {
    const far = kit.runtime.remote.call;
    kit.runtime.remote.call = () => {
      throw new Error('too large');
    };
    const to = { name: 'x', node: 'far@host' };
    expect(() => ask(probe.self, to, 'echo')).toThrow('too large');
    kit.runtime.remote.call = far;
    for (const bad of [undefined, null, 42, {}, Symbol('x')]) {
      expect(() => ask(probe.self, bad as never, 'echo')).toThrow(
        expect.objectContaining({ code: 'SNOW_ERR_BAD_DEST' }),
      );
    }
    await kit.advance(100); // the search for rings looks once, long before the time of the calls is over
    expectNoTrace();
  });

  it('G4 has noproc when the runtime stops, for code outside of actors', async () => {
    kit.runtime.remote.call = () => {};
    const given = failure(ask(kit.runtime, { name: 'x', node: 'far@host' }, 'hold'));
    kit.stop();
    expect(await given).toMatchObject({ state: 'noproc', reason: 'stopped' });
  });

  it('G5 nothing is kept for a reference that is read when the call is over', async () => {
    const calls: Call[] = [];
    const silent = kit.runtime.spawn(async (self: Self) => {
      for (;;) calls.push(await self.receive(Call));
    }) as Pid<never>;
    const given = failure(ask(probe.self, silent, 'ask', [], { timeout: 10 }));
    await kit.advance(10);
    await given;
    expect(kit.runtime.replies.succeed((calls[0] as Call).ref, 'late')).toBe(false);
    expectNoTrace();
  });
});
