// Section E of the rules: explicit exit signals.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Exit, type HandlerBody, type Self, stop } from '../../../ts/actor/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

const waiting = async (self: Self): Promise<void> => {
  await self.receive('never');
};

describe('an exit signal', () => {
  it('E1 normal is dropped by actors that do not trap, and a message for those that do', async () => {
    const [sender, trapping] = [await kit.probe(), await kit.probe()];
    const pid = kit.runtime.spawn(waiting);
    await kit.settle();
    sender.self.sendExit(pid, 'normal');
    sender.self.sendExit(trapping.pid, 'normal');
    await trapping.expectExit(sender.pid, 'normal');
    expect(kit.runtime.isAlive(pid)).toBe(true);
    expect(kit.mailbox(pid)).toEqual([]);
  });

  it('E4 from code outside of actors comes from <0.0>', async () => {
    const seen: string[] = [];
    const pid = kit.runtime.spawnWith({ trapExit: true }, async (self: Self) => {
      const exit = await self.receive(Exit);
      seen.push(`${String(exit.from)} ${String(exit.reason)}`);
    });
    kit.runtime.sendExit(pid, 'because');
    await kit.settle();
    expect(seen).toEqual(['<0.0> because']);
  });

  it('E2 normal to itself ends an actor that does not trap, and is a message for one that does', async () => {
    const probe = await kit.probe();
    const seen: unknown[] = [];
    const { pid } = probe.self.spawnMonitor((self: Self) => {
      self.sendExit(self.pid, 'normal');
      seen.push('not reached');
    });
    await probe.expectDown(pid, 'normal');
    kit.runtime.spawnWith({ trapExit: true }, async (self: Self) => {
      self.sendExit(self.pid, 'normal');
      seen.push(await self.receive(Exit));
    });
    await kit.settle();
    expect(seen).toMatchObject([{ reason: 'normal' }]);
  });

  it.each(['normal', 'boom', 'kill'])(
    'E2 %s to itself ends a handler at once, without onTerminate',
    async (reason) => {
      const log: unknown[] = [];
      const probe = await kit.probe();
      const pid = kit.runtime.spawnHandler(
        (self: Self): HandlerBody => ({
          onMessage(message) {
            log.push(message);
            self.sendExit(self.pid, reason);
            log.push('not reached');
          },
          async onTerminate() {
            log.push('onTerminate');
            await self.sleep(10);
          },
        }),
      );
      probe.watch(pid);
      for (const n of [1, 2, 3]) kit.runtime.send(pid, n);
      await probe.expectDown(pid, reason === 'kill' ? 'killed' : reason);
      expect(log).toEqual([1]);
    },
  );

  it('E3 kill cannot be trapped, and is seen as killed', async () => {
    const probe = await kit.probe();
    const victims = [
      kit.runtime.spawn(waiting),
      kit.runtime.spawnWith({ trapExit: true }, waiting),
      (await kit.probe()).pid,
      kit.runtime.spawnWith({ trapExit: true }, (self: Self) => {
        self.sendExit(self.pid, 'kill');
      }),
    ];
    for (const pid of victims) probe.watch(pid);
    for (const pid of victims) probe.self.sendExit(pid, 'kill');
    for (const pid of victims) await probe.expectDown(pid, 'killed');
  });

  it('E3 kill does not wait for a handler that is busy, or on its way out', async () => {
    const probe = await kit.probe();
    const log: string[] = [];
    const busy = kit.runtime.spawnHandler(
      (self: Self<string>): HandlerBody<string> => ({
        async onMessage(message) {
          if (message === 'leave') self.exit('slowly');
          await self.sleep(1000);
          log.push('went on');
        },
        async onTerminate() {
          log.push('onTerminate');
          await self.sleep(1000);
          log.push('went on');
        },
      }),
    );
    const spawned = [
      busy,
      kit.runtime.spawnHandler(() => ({ onMessage: () => new Promise<void>(() => {}) })),
    ];
    for (const pid of spawned) probe.watch(pid);
    kit.runtime.send(spawned[0] as Pid<string>, 'leave');
    kit.runtime.send(spawned[1] as Pid<string>, 'hang');
    await kit.settle();
    for (const pid of spawned) probe.self.sendExit(pid, 'kill');
    for (const pid of spawned) await probe.expectDown(pid, 'killed');
    await kit.advance(2000);
    expect(log).toEqual(['onTerminate']);
  });

  it('E4 ends actors that do not trap with its reason; others get it with its sender', async () => {
    const [sender, trapping] = [await kit.probe(), await kit.probe()];
    const pid = kit.runtime.spawn(waiting);
    sender.watch(pid);
    const reason = { why: ['because', 1n, new Map([['k', 1]])] };
    sender.self.sendExit(pid, reason);
    sender.self.sendExit(trapping.pid, reason);
    await sender.expectDown(pid, reason);
    await trapping.expectExit(sender.pid, reason);
  });

  it('E4 is a message for a trapping handler that waits, and the end of one that does not trap', async () => {
    const seen: unknown[] = [];
    const sender = await kit.probe();
    const init = (_self: Self): HandlerBody => ({ onMessage: (message) => void seen.push(message) });
    const [trapping, deaf] = [true, false].map((trapExit) =>
      sender.self.spawnWith({ trapExit }, { kind: 'handler', name: 'handler', init }),
    ) as unknown as [Pid, Pid];
    await kit.settle();
    (await kit.probe()).self.sendExit(trapping, 'other');
    sender.self.sendExit(deaf, 'boom');
    await kit.settle();
    expect(seen).toMatchObject([{ reason: 'other' }]);
    expect(kit.runtime.isAlive(deaf)).toBe(false);
  });

  it('E5 needs no link and makes none', async () => {
    const [sender, trapping] = [await kit.probe(), await kit.probe()];
    sender.self.sendExit(trapping.pid, 'hello');
    await trapping.expectExit(sender.pid, 'hello');
    kit.runtime.sendExit(trapping.pid, 'kill');
    kit.runtime.sendExit(sender.pid, 'kill');
    await kit.settle();
    expect(sender.messages).toEqual([]);
  });

  it('E6 to a dead actor has no effect', async () => {
    const probe = await kit.probe();
    const pid = kit.runtime.spawn(() => {});
    await kit.settle();
    expect(() => probe.self.sendExit(pid, 'kill')).not.toThrow();
    expect(() => probe.self.sendExit(kit.runtime.pidOf(987_654_321), 'kill')).not.toThrow();
    await probe.expectNoMessage(100);
  });

  it('E7 brings a big reason whole', async () => {
    const [sender, trapping] = [await kit.probe(), await kit.probe()];
    const reason = { text: 'é'.repeat(2 ** 17), list: Array.from({ length: 10_000 }, (_none, n) => ({ n })) };
    sender.self.sendExit(trapping.pid, reason);
    const exit = await trapping.expectExit(sender.pid);
    expect(exit.reason).toEqual(reason);
    expect(exit.reason).not.toBe(reason);
  });
});

describe('stopping a function actor', () => {
  it('I6 ends one that does not trap exits with the reason', async () => {
    const probe = await kit.probe();
    const pid = kit.runtime.spawn(waiting);
    probe.watch(pid);
    await stop(kit.runtime, pid, 'enough');
    await probe.expectDown(pid, 'enough');
  });

  it('I6 asks one that traps exits by an exit of its parent, in its turn, and waits for its end', async () => {
    const log: unknown[] = [];
    const parent = await kit.probe();
    const pid = parent.self.spawnWith({ trapExit: true }, async (self: Self) => {
      for (;;) {
        const message = await self.receive();
        if (!(message instanceof Exit)) {
          log.push(message);
          continue;
        }
        log.push(['exit', message.from.equals(self.parent), message.reason]);
        await self.sleep(10);
        self.exit(message.reason);
      }
    });
    parent.self.send(pid, 'before');
    const stopped = stop(kit.runtime, pid, 'enough').then(() => log.push('stopped'));
    await kit.advance(9);
    expect(log).toEqual(['before', ['exit', true, 'enough']]);
    await kit.advance(1);
    await stopped;
    expect(log.at(-1)).toBe('stopped');
    await parent.expectNoMessage();
  });

  it('I6 says so when one that traps exits ends for another reason, or not in time', async () => {
    const failure = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);
    const own = kit.runtime.spawnWith({ trapExit: true }, async (self: Self) => {
      await self.receive(Exit);
      self.exit('my own');
    });
    const stubborn = kit.runtime.spawnWith({ trapExit: true }, waiting);
    await kit.settle();
    const other = failure(stop(kit.runtime, own, 'enough'));
    const late = failure(stop(kit.runtime, stubborn, 'enough', { timeout: 100 }));
    await kit.advance(100);
    expect(await other).toMatchObject({ state: 'exit', reason: 'my own' });
    expect(await late).toMatchObject({ state: 'timeout' });
    expect(kit.runtime.isAlive(stubborn)).toBe(true);
  });
});
