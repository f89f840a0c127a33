// Section A of the rules: life and death of an actor.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Down,
  Exit,
  type ExitReason,
  type HandlerBody,
  Runtime,
  request,
  type Self,
  setNextSerial,
} from '../../../ts/actor/index.ts';
import { LocalNames } from '../../../ts/registry/index.ts';
import { type Pid, SERIAL_LIMIT } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

/** The reason an actor ends with. */
async function endOf(body: (self: Self) => void | Promise<void>): Promise<ExitReason> {
  const probe = await kit.probe();
  const { pid } = probe.self.spawnMonitor(body);
  return (await probe.expectDown(pid)).reason;
}

const forever = new Promise<never>(() => {});

describe('the birth of an actor', () => {
  it('A1 is over at once: messages sent before its first turn are kept, in order', async () => {
    const seen: unknown[] = [];
    const pid = kit.runtime.spawn(async (self: Self<number>) => {
      for (let n = 0; n < 3; n++) seen.push(await self.receive());
    });
    for (const n of [1, 2, 3]) kit.runtime.send(pid, n);
    expect(seen).toEqual([]);
    await kit.settle();
    expect(seen).toEqual([1, 2, 3]);
  });

  it('A1 holds for handlers, also while an asynchronous init runs', async () => {
    const seen: unknown[] = [];
    const pid = kit.runtime.spawnHandler(async (self: Self<number>) => {
      await self.sleep(10);
      return { onMessage: (message: number) => void seen.push(message) };
    });
    for (const n of [1, 2, 3]) kit.runtime.send(pid, n);
    await kit.advance(9);
    expect(seen).toEqual([]);
    await kit.advance(1);
    expect(seen).toEqual([1, 2, 3]);
  });

  it('A1 ends a receive that the init of a handler left pending: the handler gets every message', async () => {
    const seen: unknown[] = [];
    const pid = kit.runtime.spawnHandler((self: Self<number>) => {
      void self.receive().then((message) => seen.push(['received', message]));
      return { onMessage: (message: number) => void seen.push(message) };
    });
    await kit.settle();
    for (const n of [1, 2]) kit.runtime.send(pid, n);
    await kit.settle();
    expect(seen).toEqual([1, 2]);
    expect(kit.runtime.isAlive(pid)).toBe(true);
  });
});

describe('the end of an actor', () => {
  it('A2 is normal when its function returns', async () => {
    expect(await endOf(() => {})).toBe('normal');
    expect(await endOf((self) => self.sleep(0))).toBe('normal');
  });

  it('A3 has the error and its stack, a nocatch for other throws, or exactly the given reason', async () => {
    const error = await endOf(() => {
      throw new RangeError('too far');
    });
    expect(error).toMatchObject({ error: { name: 'RangeError', message: 'too far' } });
    expect((error as { stack: string }).stack).toContain('life.test.ts');
    expect(await endOf(() => Promise.reject(new TypeError('late')))).toMatchObject({
      error: { name: 'TypeError', message: 'late' },
    });
    const thrown = { why: ['thrown', 1n] };
    expect(
      await endOf(() => {
        throw thrown;
      }),
    ).toEqual({ nocatch: thrown, stack: '' });
    const given = { big: 'x'.repeat(2 ** 20), bytes: new Uint8Array([1, 2, 3]), list: [1, [2n, null]] };
    expect(await endOf((self) => self.exit(given))).toEqual(given);
  });

  it('A3 has a reason that can travel, whatever was thrown', async () => {
    const loop: unknown[] = [];
    loop.push(loop);
    const hostile = new Error('hostile');
    Object.defineProperty(hostile, 'message', {
      get: () => {
        throw new Error('no message for you');
      },
    });
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    for (const thrown of [loop, () => {}, Symbol('s'), undefined, hostile, revoked.proxy]) {
      const late = await endOf(() => Promise.reject(thrown as Error));
      expect(late).toSatisfy((reason) => 'nocatch' in (reason as object) || 'error' in (reason as object));
      const early = await endOf(() => {
        throw thrown;
      });
      expect(Object.keys(early as object)).toEqual(Object.keys(late as object));
    }
  });

  it('A3 keeps the reason as it was given, whatever becomes of the object', async () => {
    const reason = { list: [1] };
    const found = await endOf((self) => {
      try {
        self.exit(reason);
      } finally {
        reason.list.push(2);
      }
    });
    expect(found).toEqual({ list: [1] });
  });

  it('A4 ends no other actor: 1000 crashes in each of five ways', async () => {
    const boom = (): never => {
      throw new Error('boom');
    };
    const ways: ((self: Self) => void | Promise<void>)[] = [
      boom,
      () => Promise.reject(new Error('boom')),
      async (self) => {
        self.after(1, boom);
        await forever;
      },
      async (self) => void (await self.receive(boom)),
      async (self) => {
        await self.receive('go');
        await self.receive(boom);
      },
    ];
    const probe = await kit.probe<string>();
    const pids = ways.flatMap((way) =>
      Array.from({ length: 1000 }, () => probe.self.spawnMonitor(way as (self: Self) => void).pid),
    );
    await kit.settle();
    for (const pid of pids) for (const word of ['go', 'on']) kit.runtime.send(pid as Pid<string>, word);
    await kit.advance(10);
    expect(probe.messages).toHaveLength(5000);
    for (const down of probe.messages as unknown as Down[]) {
      expect(down.reason).toMatchObject({ error: { message: 'boom' } });
    }
    expect(kit.runtime.size).toBe(1);
    expect(kit.logged('actor_crash')).toHaveLength(5000);
  });

  it.each(['here already', 'yet to come'])(
    'A4 ends only the actor whose matcher throws at a message %s, caught or not',
    async (when) => {
      const log: string[] = [];
      const reason = await endOf(async (self) => {
        const receive = (): Promise<unknown> =>
          self.receive(() => {
            throw new Error('matcher');
          });
        if (when === 'here already') self.send(self.pid as Pid<string>, 'mail');
        else self.sendAfter(0, self.pid as Pid<string>, 'mail');
        try {
          await receive();
        } catch {
          log.push('caught');
        }
        self.makeRef();
        await self.sleep(0);
        log.push('went on');
      });
      expect(reason).toMatchObject({ error: { message: 'matcher' } });
      expect(log).not.toContain('went on');
      expect(kit.logged('actor_crash')).toHaveLength(1);
    },
  );

  it('A4 holds for a handler that is none, and for one that cannot be asked how to end', async () => {
    const probe = await kit.probe();
    const none = probe.self.spawnHandler((() => 'no body') as never);
    probe.watch(none);
    expect((await probe.expectDown(none)).reason).toMatchObject({
      error: {
        code: 'SNOW_ERR_NOT_SPAWNABLE',
        message: expect.stringContaining('but the string "no body".'),
      },
    });
    const hostile = probe.self.spawnHandler(() => ({
      onMessage: () => {
        throw new Error('first');
      },
      get onTerminate(): never {
        throw new Error('second');
      },
    }));
    probe.watch(hostile);
    kit.runtime.send(hostile, 'go');
    expect((await probe.expectDown(hostile)).reason).toMatchObject({ error: { message: 'second' } });
    expect(await endOf(() => {})).toBe('normal');
  });

  it('A4 holds although the logger fails, and a death callback does', async () => {
    const broken = (): never => {
      throw new Error('broken');
    };
    const logger = { error: broken, warn: broken, info: broken, debug: broken };
    const runtime = new Runtime({ names: new LocalNames(), clock: kit.clock, logger });
    const downs: Down[] = [];
    const watcher = runtime.spawnHandler(
      (self: Self): HandlerBody => ({
        onMessage(message) {
          if (message instanceof Down) downs.push(message);
          else self.monitor(message as Pid);
        },
      }),
    );
    const victim = runtime.spawn(async (self: Self) => {
      await self.receive();
      throw new Error('crash');
    });
    runtime.onDeath(victim, broken);
    runtime.send(watcher, victim);
    await kit.settle();
    runtime.send(victim, 'go');
    await kit.settle();
    expect(downs).toHaveLength(1);
    runtime.stop();
  });

  it('A5 has the first reason only', async () => {
    const probe = await kit.probe();
    const { pid } = probe.self.spawnMonitor(() => forever);
    await kit.settle();
    probe.self.sendExit(pid, 'first');
    probe.self.sendExit(pid, 'second');
    await probe.expectDown(pid, 'first');
    await probe.expectNoMessage(100);
  });

  it('A5 holds for a handler that leaves twice', async () => {
    const probe = await kit.probe();
    const pid = kit.runtime.spawnHandler((self: Self): HandlerBody => {
      const leave = (reason: string): void => {
        try {
          self.exit(reason);
        } catch {
          // It is on its way out all the same.
        }
      };
      return {
        onMessage: () => {
          leave('first');
          leave('second');
        },
      };
    });
    probe.watch(pid);
    kit.runtime.send(pid, 'go');
    await probe.expectDown(pid, 'first');
  });

  it('A5 holds for a handler whose pending code fails while onTerminate runs, to its end', async () => {
    const log: unknown[] = [];
    const probe = await kit.probe();
    const pid = kit.runtime.spawnHandler(
      (self: Self): HandlerBody => ({
        async onMessage() {
          self.after(10, () => self.exit('first'));
          self.after(30, () => fail('timer'));
          await self.sleep(20);
          fail('handler');
        },
        async onTerminate(reason) {
          log.push(reason);
          await self.sleep(100);
          log.push('done');
        },
      }),
    );
    const fail = (what: string): never => {
      throw new Error(what);
    };
    probe.watch(pid);
    kit.runtime.send(pid, 'go');
    await probe.expectDown(pid, 'first', { within: 200 });
    expect(log).toEqual(['first', 'done']);
    expect(kit.logged('actor_crash')).toHaveLength(3);
  });

  it('A6 cannot be caught', async () => {
    const log: string[] = [];
    const tries = (act: (self: Self) => void) => (self: Self) => {
      try {
        act(self);
      } catch {
        log.push('caught');
      }
    };
    expect(await endOf(tries((self) => self.exit('asked')))).toBe('asked');
    expect(await endOf(tries((self) => self.sendExit(self.pid, 'signal')))).toBe('signal');
    expect(await endOf(tries((self) => self.sendExit(self.pid, 'kill')))).toBe('killed');
    expect(log).toHaveLength(3);
  });

  it.each([
    ['synchronous', (self: Self) => self.exit('asked')],
    ['asynchronous', (self: Self) => Promise.resolve().then(() => self.exit('asked'))],
  ])(
    'A6 holds for a handler whose %s code exits, and its onTerminate runs once, to its end',
    async (_how, leave) => {
      const log: unknown[] = [];
      const probe = await kit.probe();
      const pid = kit.runtime.spawnHandler(
        (self: Self): HandlerBody => ({
          onMessage: () => leave(self),
          async onTerminate(reason) {
            log.push(reason);
            await self.sleep(10);
            log.push('done');
          },
        }),
      );
      probe.watch(pid);
      kit.runtime.send(pid, 'go');
      kit.runtime.send(pid, 'never handled');
      await probe.expectDown(pid, 'asked', { within: 10 });
      expect(log).toEqual(['asked', 'done']);
    },
  );

  it('A7 never settles what it awaits through self, and fires its signal', async () => {
    const log: string[] = [];
    const server = await kit.probe('server');
    const full = kit.runtime.spawnWith({ mailbox: { max: 1, policy: 'block' } }, (self: Self) =>
      self.receive('never').then(() => {}),
    );
    kit.runtime.send(full, 'fills it');
    const waits: ((self: Self) => Promise<unknown>)[] = [
      (self) => self.receive(),
      (self) => self.receive(undefined, { timeout: 50 }),
      (self) => self.sleep(50),
      (self) => request(self, server.pid, 'ask', [], { timeout: 50 }),
      (self) => self.sendWait(full, 'too much'),
    ];
    const pids = waits.map((wait, index) =>
      kit.runtime.spawn(async (self: Self) => {
        self.signal.addEventListener('abort', () => log.push(`${index} ${String(self.signal.reason)}`));
        await wait(self).finally(() => log.push(`${index} went on`));
        log.push(`${index} went on`);
      }),
    );
    await kit.settle();
    for (const pid of pids) kit.runtime.sendExit(pid, 'stop');
    for (const pid of pids) kit.runtime.send(pid, 'wake up');
    kit.runtime.sendExit(full, 'kill');
    await kit.advance(100);
    expect(log).toEqual(waits.map((_wait, index) => `${index} stop`));
  });

  it('A7 lets its other code have no effect: what awaited something else stops where it awaits self', async () => {
    const log: string[] = [];
    let resolve = (): void => {};
    const promise = new Promise<void>((done) => (resolve = done));
    const probe = await kit.probe();
    const pid = kit.runtime.spawn(async (self: Self) => {
      await promise;
      self.send(probe.pid, 'ghost');
      self.spawn(() => void log.push('spawned'));
      log.push('here');
      await self.sleep(1);
      log.push('not reached');
    });
    await kit.settle();
    kit.runtime.sendExit(pid, 'kill');
    resolve();
    await probe.expectNoMessage(100);
    expect(log).toEqual(['here']);
    expect(kit.logged('actor_crash')).toEqual([]);
  });

  it('A8 frees names before any other actor is told of it, 1000 times', async () => {
    let again = 0;
    const keeper = kit.runtime.spawnHandler((self: Self): HandlerBody => {
      const start = (): void => {
        const { pid } = self.spawnWith({ link: true, monitor: true, name: 'popular' }, async (own: Self) => {
          own.register('other');
          own.exit(await own.receive('bye'));
        });
        kit.runtime.send(pid, 'bye');
      };
      self.trapExit(true);
      return {
        onMessage(message) {
          // The exit and the DOWN of each: whichever comes first finds the name free.
          if (message instanceof Down) return;
          if (message instanceof Exit) again++;
          expect(self.whereis('popular')).toBeUndefined();
          expect(self.whereis('other')).toBeUndefined();
          if (again < 1000) start();
        },
      };
    });
    kit.runtime.send(keeper, 'go');
    await kit.settle();
    expect(again).toBe(1000);
    expect(kit.logged('actor_crash').filter(({ facts }) => facts['actor'] === String(keeper))).toEqual([]);
  });

  it('A8 ends timers aimed at it, its monitors and its aliases', async () => {
    const target = await kit.probe();
    const victim = await kit.probe();
    victim.watch(target.pid);
    victim.self.alias();
    target.self.sendInterval(10, victim.pid, 'tick');
    kit.runtime.sendExit(victim.pid, 'kill');
    await kit.settle();
    expect(kit.runtime.timers.size).toBe(0);
    expect(kit.runtime.aliases.size).toBe(0);
    kit.runtime.sendExit(target.pid, 'kill');
    await kit.advance(100);
    expect(kit.runtime.deadLetters.total).toBe(0);
  });

  it('A10 makes sends to it silent', async () => {
    const pid = kit.runtime.spawn((_self: Self<string>) => {});
    await kit.settle();
    expect(() => kit.runtime.send(pid, 'anybody?')).not.toThrow();
    expect(kit.runtime.deadLetters.counts.noproc).toBe(1);
  });

  it('A11 counts from the exit signal on, not from the end of the clean-up', async () => {
    const log: unknown[] = [];
    const pid = kit.runtime.spawn(async (self: Self) => {
      self.signal.addEventListener('abort', () => log.push(self.isAlive(self.pid)));
      await self.receive();
    });
    await kit.settle();
    expect(kit.runtime.isAlive(pid)).toBe(true);
    kit.runtime.sendExit(pid, 'stop');
    expect(kit.runtime.isAlive(pid)).toBe(false);
    expect(log).toEqual([false]);
  });
});

describe('the numbers of PIDs', () => {
  afterEach(() => setNextSerial(1_000_000));

  it('A9 go round at their limit, past those that live', async () => {
    setNextSerial(1);
    const old = Array.from({ length: 3 }, () => kit.runtime.spawn(() => forever));
    kit.runtime.sendExit(old[1] as Pid, 'kill');
    await kit.settle();
    setNextSerial(SERIAL_LIMIT - 2);
    const young = Array.from({ length: 5 }, () => kit.runtime.spawn((self: Self) => self.receive() as never));
    const ids = young.map((pid) => pid.local);
    expect(ids).toEqual([SERIAL_LIMIT - 2, SERIAL_LIMIT - 1, 2, 4, 5]);
    await kit.settle();
    expect(young.every((pid) => kit.runtime.isAlive(pid))).toBe(true);
    // The old holder of number 2 is dead, although somebody has its number now.
    expect(kit.runtime.isAlive(old[1] as Pid)).toBe(false);
    kit.runtime.sendExit(old[1] as Pid, 'kill');
    expect(kit.runtime.isAlive(young[2] as Pid)).toBe(true);
    expect(kit.runtime.size).toBe(7);
  });

  it('A9 differ between two runtimes of one process', () => {
    const other = startTestRuntime();
    const first = kit.runtime.spawn(() => forever);
    const second = other.runtime.spawn(() => forever);
    expect(first.equals(second)).toBe(false);
    other.stop();
  });
});
