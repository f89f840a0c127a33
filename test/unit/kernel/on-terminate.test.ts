// What self.exit does in an init, in the code of another actor, and while onTerminate runs.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HandlerBody, Self } from '../../../ts/actor/index.ts';
import { type Cell, cellOf } from '../../../ts/kernel/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { type Probe, startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
let probe: Probe;
let log: unknown[];
beforeEach(async () => {
  kit = startTestRuntime();
  probe = await kit.probe();
  log = [];
});
afterEach(() => kit.stop());

/** An actor that exits with `first` when it gets a message, unless its handler does something else. */
function leaving(onTerminate: (self: Self) => unknown, onMessage?: (self: Self) => unknown): Pid {
  const pid = kit.runtime.spawnHandler(
    (self: Self): HandlerBody => ({
      onMessage: () => (onMessage ?? (() => self.exit('first')))(self) as Promise<void>,
      onTerminate: (reason) => {
        log.push(reason);
        return onTerminate(self) as Promise<void>;
      },
    }),
  );
  probe.watch(pid as Pid<never>);
  kit.runtime.send(pid as Pid<unknown>, 'go');
  return pid as Pid;
}

const later = async (self: Self): Promise<void> => {
  await self.sleep(100);
  log.push('done');
};

describe('self.exit', () => {
  it('A3 of another actor that leaves the code of this one is an error of this one', async () => {
    const other = await kit.probe();
    const { pid: caller } = probe.self.spawnMonitor(() => other.self.exit('theirs'));
    expect((await probe.expectDown(caller)).reason).toMatchObject({ error: { code: 'SNOW_ERR_ACTOR_DEAD' } });
    const pid = kit.runtime.spawnHandler(
      (): HandlerBody => ({ onMessage: () => Promise.resolve().then(() => other.self.exit('again')) }),
    );
    probe.watch(pid);
    kit.runtime.send(pid, 'go');
    expect((await probe.expectDown(pid)).reason).toMatchObject({ error: { code: 'SNOW_ERR_ACTOR_DEAD' } });
  });

  it('A6 ends an actor that is idle, when a listener calls it and catches what it throws', async () => {
    let own!: Self;
    const pid = leaving(
      () => {},
      (self) => void (own = self),
    );
    await kit.settle();
    expect(() => own.exit('asked')).toThrow();
    await probe.expectDown(pid, 'asked');
    expect(log).toEqual(['asked']);
  });

  it('I7 runs onTerminate also when initIgnore ends a handler whose init is done', async () => {
    const pid = leaving(later, (self) => self.initIgnore());
    await kit.advance(100);
    await probe.expectDown(pid, 'normal');
    expect(log).toEqual(['normal', 'done']);
  });

  it.each<[string, (self: Self) => void]>([
    ['initIgnore', (self) => self.initIgnore()],
    ['trapExit', (self) => void self.trapExit(true)],
  ])('A6 makes %s do nothing afterwards', async (_what, act) => {
    const pid = leaving(
      async (self) => {
        log.push(self.trapExit(false));
        await self.sleep(100);
      },
      (self) => {
        try {
          self.exit('first');
        } catch {}
        act(self);
      },
    );
    await kit.advance(100);
    await probe.expectDown(pid, 'first');
    expect(log).toEqual(['first', false]);
  });

  it('A6 holds for an init that catches it: the handler that it returns is not kept', async () => {
    let cell: Cell | undefined;
    const pid = kit.runtime.spawnHandler((self: Self): HandlerBody => {
      cell = cellOf(self.pid as Pid);
      try {
        self.exit('asked');
      } catch {
        // It has ended all the same.
      }
      return { onMessage: () => {} };
    });
    probe.watch(pid);
    await probe.expectDown(pid, 'asked');
    expect(cell).toMatchObject({ isDead: true, body: null });
  });
});

describe('while onTerminate runs', () => {
  it('A5 self.exit of code that is still pending changes nothing', async () => {
    const pid = leaving(later, async (self) => {
      self.after(10, () => self.exit('first'));
      self.after(30, () => self.exit('of a timer'));
      const other = self.sleep(40).then(() => self.exit('of a promise'));
      await self.sleep(20).finally(() => void other.catch(() => log.push('left')));
      self.exit('of the handler');
    });
    await probe.expectDown(pid, 'first', { within: 200 });
    expect(log).toEqual(['first', 'left', 'done']);
    // Each exit is reported once, and the throw that leaves its code is no crash.
    expect(kit.logged('actor_crash').map(({ facts }) => facts['reason'])).toEqual([
      'first',
      'of the handler',
      'of a timer',
      'of a promise',
    ]);
  });

  it.each<[string, (self: Self) => unknown, unknown]>([
    ['self.exit', (self) => self.exit('second'), 'second'],
    ['self.exit after an await', (self) => self.sleep(10).then(() => self.exit('second')), 'second'],
    ['an error', () => fail(), { error: { message: 'broken' } }],
    ['an error after an await', (self) => self.sleep(10).then(fail), { error: { message: 'broken' } }],
  ])('%s that leaves it replaces the reason', async (_what, onTerminate, reason) => {
    const pid = leaving(onTerminate);
    await kit.advance(10);
    expect(probe.messages).toMatchObject([{ from: pid, reason }]);
    expect(log).toEqual(['first']);
    expect(kit.logged('actor_crash').map(({ facts }) => facts['reason'])).toMatchObject(['first', reason]);
  });

  it.each([
    ['its first', async (self: Self) => caught(self)],
    ['its later', (self: Self) => self.sleep(10).then(() => caught(self))],
  ])('self.exit of %s code that is caught changes nothing', async (_when, act) => {
    const pid = leaving(async (self) => {
      await act(self);
      await later(self);
    });
    await probe.expectDown(pid, 'first', { within: 200 });
    expect(log).toEqual(['first', 'caught', 'done']);
  });

  it('A3 the exit of another actor that leaves it is an error of this one', async () => {
    const other = await kit.probe();
    const pid = leaving(() => other.self.exit('theirs'));
    await kit.settle();
    expect(probe.messages).toMatchObject([{ from: pid, reason: { error: { code: 'SNOW_ERR_ACTOR_DEAD' } } }]);
  });

  it('A5 code that has exited twice keeps the first reason, also when onTerminate awaits it', async () => {
    let pending: Promise<never> | undefined;
    const exit = async (self: Self, reason: string): Promise<never> => self.exit(reason);
    const pid = leaving(
      () => pending,
      (self) => {
        exit(self, 'first').catch(() => {});
        pending = exit(self, 'second');
      },
    );
    await probe.expectDown(pid, 'first');
    expect(log).toEqual(['first']);
  });
});

function fail(): never {
  throw new Error('broken');
}

function caught(self: Self): void {
  try {
    self.exit('second');
  } catch {
    log.push('caught');
  }
}
