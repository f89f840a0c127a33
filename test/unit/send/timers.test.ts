// Section H of the rules: timers as actors have them, on virtual time.
import { describe, expect, it, vi } from 'vitest';
import {
  Runtime,
  request,
  type Self,
  silentLogger,
  TIMEOUT,
  Timeout,
  type TimerRef,
} from '../../../ts/actor/index.ts';
import { cellOf } from '../../../ts/kernel/index.ts';
import { LocalNames } from '../../../ts/registry/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { startTestRuntime } from '../../../ts/testing/index.ts';
import { kit, probe } from '../../support/kit.ts';
import { randomFrom, seed } from '../../support/seed.ts';
import { countWork } from '../../support/work.ts';

describe('a timer', () => {
  it('H1 fires not before its time; 0 is soon, never at once', async () => {
    probe.self.sendAfter(0, probe.pid, 'soon');
    probe.self.sendAfter(100, probe.pid, 'late');
    expect(probe.messages).toEqual([]);
    await kit.settle();
    expect(probe.messages).toEqual(['soon']);
    await kit.advance(99);
    expect(probe.messages).toEqual(['soon']);
    await kit.advance(1);
    expect(probe.messages).toEqual(['soon', 'late']);
  });

  it('H2 fires in order of the times, however they were started', async () => {
    const random = randomFrom(seed());
    const times = Array.from({ length: 500 }, (_one, index) => 100 + index);
    for (const ms of times.toSorted(() => random() - 0.5)) probe.self.sendAfter(ms, probe.pid, ms);
    await kit.advance(1000);
    expect(probe.messages).toEqual(times);
  });

  it('H3 tells when it is cancelled what was left, and false when it is over', async () => {
    const { self } = probe;
    const timer = self.sendAfter(100, probe.pid, 'never');
    await kit.advance(30);
    expect([timer.isActive, self.readTimer(timer)]).toEqual([true, 70]);
    expect([self.cancelTimer(timer), self.cancelTimer(timer)]).toEqual([70, false]);
    expect([timer.isActive, self.readTimer(timer)]).toEqual([false, false]);
    await probe.expectNoMessage(1000);
    const fired = self.sendAfter(10, probe.pid, 'fired');
    const other = startTestRuntime();
    const stranger = (await other.probe()).self; // the timer belongs to another runtime
    expect([stranger.readTimer(fired), stranger.cancelTimer(fired)]).toEqual([false, false]);
    other.stop();
    await kit.advance(10);
    expect([self.cancelTimer(fired), self.readTimer(fired)]).toEqual([false, false]);
    await probe.expectMessage('fired');
  });

  it('keeps what it would call or send only until it is over', async () => {
    const { self } = probe;
    const kept: TimerRef[] = [];
    const begin = (): WeakRef<object>[] => {
      const callbacks = [(): void => {}, (): void => {}, (): void => {}] as const;
      kept.push(self.after(10, callbacks[0]), self.after(20, callbacks[1]), self.after(99, callbacks[2]));
      return callbacks.map((each) => new WeakRef(each));
    };
    const [fired, cancelled, waits] = begin();
    await kit.advance(10);
    expect(kept.map(({ isActive }) => isActive)).toEqual([false, true, true]);
    self.cancelTimer(kept[1] as TimerRef);
    await new Promise(setImmediate); // a WeakRef keeps its target until the end of the turn
    (globalThis as unknown as { gc: () => void }).gc();
    expect([fired, cancelled, waits].map((each) => each?.deref() !== undefined)).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('keeps nothing that it would call once its actor has ended', async () => {
    const kept: TimerRef[] = [];
    const begin = (self: Self): WeakRef<object> => {
      const callback = (): void => {};
      kept.push(self.after(99, callback));
      return new WeakRef(callback);
    };
    const other = await kit.probe();
    const before = begin(other.self);
    kit.runtime.sendExit(other.pid, 'kill');
    const after = begin(other.self);
    await new Promise(setImmediate); // a WeakRef keeps its target until the end of the turn
    (globalThis as unknown as { gc: () => void }).gc();
    expect(kept.map(({ isActive }) => isActive)).toEqual([false, false]);
    expect([before.deref(), after.deref()]).toEqual([undefined, undefined]);
  });

  it('H3 is cancelled or has come, 10 000 times at the edge', async () => {
    const random = randomFrom(seed());
    const cancelled = new Set<number>();
    const timers: TimerRef[] = [];
    const { self } = probe;
    for (let index = 0; index < 10_000; index++) {
      timers.push(self.sendAfter(10, probe.pid, index));
      // Cancelled by a timer of the same moment, before or behind it.
      const victim = Math.floor(random() * timers.length);
      self.after(10, () => {
        if (self.cancelTimer(timers[victim] as TimerRef) !== false) cancelled.add(victim);
      });
    }
    await kit.advance(10);
    const come = new Set(probe.messages);
    for (let index = 0; index < timers.length; index++) expect(come.has(index)).toBe(!cancelled.has(index));
    expect(kit.runtime.timers.size).toBe(0);
  });

  it.each([2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 33, Number.MAX_SAFE_INTEGER])(
    'H4 of %d ms does not fire early',
    async (ms) => {
      const timer = probe.self.sendAfter(ms, probe.pid, 'at last');
      const pending = request(kit.runtime, probe.pid as Pid<never>, 'hold', [], { timeout: ms });
      void pending.catch(() => {});
      await kit.advance(500);
      expect(probe.self.readTimer(timer)).toBe(ms - 500);
      await kit.advance(2 ** 30);
      expect(probe.messages).toHaveLength(1); // the call's request
      if (ms > 2 ** 33) return;
      await kit.advance(ms - 500 - 2 ** 30 - 1);
      expect(probe.messages).toHaveLength(1);
      await kit.advance(1);
      expect(probe.messages[1]).toBe('at last');
    },
  );

  it('H4, V1 does not fire early on the real clock either', async () => {
    const runtime = new Runtime({ names: new LocalNames(), logger: silentLogger });
    const fired: number[] = [];
    const left = await new Promise<(number | false)[]>((resolve) => {
      runtime.spawn(async (self: Self) => {
        const timers = [2 ** 31, 2 ** 33].map((ms) => self.after(ms, () => fired.push(ms)));
        await self.sleep(50);
        resolve(timers.map((timer) => self.cancelTimer(timer)));
      });
    });
    expect(fired).toEqual([]);
    for (const [index, ms] of [2 ** 31, 2 ** 33].entries()) {
      expect(left[index]).toBeLessThanOrEqual(ms - 50);
      expect(left[index]).toBeGreaterThan(ms - 30_000);
    }
    runtime.stop();
  });

  it('H5 takes no time but ms from 0 to 2^53 - 1, and no target but an address', () => {
    const { self } = probe;
    for (const ms of [-1, -0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5', null, undefined, 5n]) {
      for (const start of [
        () => self.sendAfter(ms as never, probe.pid, 'x'),
        () => self.startTimer(ms as never, probe.pid as never, 'x'),
        () => self.sendInterval(ms as never, probe.pid, 'x'),
        () => self.after(ms as never, () => {}),
        () => self.sleep(ms as never),
      ]) {
        expect(start).toThrow(expect.objectContaining({ code: 'SNOW_ERR_BAD_TIME' }));
      }
    }
    for (const to of [undefined, null, 42, {}]) {
      expect(() => self.sendAfter(1, to as never, 'x')).toThrow(
        expect.objectContaining({ code: 'SNOW_ERR_BAD_DEST' }),
      );
    }
    expect(() => self.sendAfter(1, probe.pid, () => {})).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }),
    );
    expect(kit.runtime.timers.size).toBe(0);
  });

  it('H6 dies with the actor it is aimed at: 100 000 timers leave nothing', async () => {
    for (let actor = 0; actor < 1000; actor++) {
      const pid = kit.runtime.spawn((self: Self) => self.receive('never').then(() => {}));
      for (let index = 0; index < 100; index++) probe.self.sendAfter(60_000, pid, index);
      if (actor % 2 === 0) kit.runtime.sendExit(pid as Pid<never>, 'kill');
      else kit.runtime.sendExit(pid as Pid<never>, 'stop');
    }
    await kit.settle();
    expect(kit.runtime.timers.size).toBe(0);
    const dead = kit.runtime.spawn(() => {});
    await kit.settle();
    expect(probe.self.sendAfter(10, dead as Pid<unknown>, 'x').isActive).toBe(false);
    expect(kit.runtime.timers.size).toBe(0);
  });

  it('H6 outlives the actor that started it, when it is aimed at another', async () => {
    probe.self.register('other');
    for (const to of [probe.pid, 'other', probe.self.alias()]) {
      kit.runtime.spawn((self: Self) => {
        self.sendAfter(100, to, 'from beyond');
      });
      await probe.expectMessage('from beyond', { within: 100 });
    }
  });

  it('H7 finds the holder of a name when it fires; nobody: silent, and counted', async () => {
    for (const to of ['later', { name: 'later', node: 'nonode@nohost' }]) {
      probe.self.sendAfter(100, to, 'hello');
      await kit.advance(50);
      const holder = await kit.probe('later');
      await holder.expectMessage('hello', { within: 50 });
      kit.runtime.sendExit(holder.pid, 'kill');
      probe.self.sendAfter(100, to, 'nobody');
      await kit.advance(100);
    }
    expect(kit.runtime.deadLetters.counts.no_name).toBe(2);
  });

  it('H8 aimed at another node is a plain send of its moment, which fails nobody', async () => {
    const sent: unknown[] = [];
    kit.runtime.remote.sendNamed = (_from, name, node, message) => {
      sent.push([name, node, message]);
      throw new Error('too large');
    };
    const lost: unknown[] = [];
    kit.runtime.deadLetters.subscribe((...letter) => lost.push(letter));
    const timer = probe.self.sendAfter(10, { name: 'x', node: 'far@host' }, 'hello');
    probe.self.sendAfter(20, probe.pid, 'still here');
    await kit.advance(9);
    expect(probe.self.readTimer(timer)).toBe(1);
    expect(sent).toEqual([]);
    await probe.expectMessage('still here', { within: 20 });
    expect(sent).toEqual([['x', 'far@host', 'hello']]);
    expect(lost).toEqual([['unsendable', 'x at far@host', 1]]);
  });

  it('H8 aimed at a PID or an alias of another node is sent when it fires, for an actor that lives', async () => {
    const sent: unknown[] = [];
    const { remote, deadLetters } = kit.runtime;
    remote.send = (from, to, message) => sent.push([from, to, message]);
    remote.sendAlias = (from, alias, message) => sent.push([from, alias, message]);
    const [pid, alias] = [new Pid(0x101, 5), new Ref(0x101, 5, 9)];
    const dead = await kit.probe();
    probe.self.sendAfter(10, pid as Pid<unknown>, 'pid');
    probe.self.sendAfter(20, alias, 'alias');
    dead.self.sendAfter(30, pid as Pid<unknown>, 'from beyond');
    kit.runtime.sendExit(dead.pid, 'kill');
    await kit.advance(100);
    expect(sent).toEqual([
      [probe.pid, pid, 'pid'],
      [probe.pid, alias, 'alias'],
      [null, pid, 'from beyond'],
    ]);
    expect(deadLetters.total).toBe(0);
  });

  it('leaves nothing on its actor when it has fired or was cancelled', async () => {
    const { self } = probe;
    self.sendAfter(10, probe.pid, 'x');
    self.after(10, () => {});
    for (const timer of [self.after(1000, () => {}), self.sendInterval(1000, 'x', 'x')])
      self.cancelTimer(timer);
    await kit.advance(10);
    expect(cellOf(probe.pid as Pid)?.extra?.timers?.size).toBe(0);
  });

  it('A6 runs no callback behind one that has called exit, also if that catches the throw', async () => {
    const ran: string[] = [];
    kit.runtime.spawnHandler((self: Self) => {
      self.after(10, () => {
        try {
          self.exit('done');
        } catch {
          ran.push('caught');
        }
      });
      self.after(10, () => void ran.push('too late'));
      return { onMessage() {} };
    });
    await kit.advance(10);
    expect(ran).toEqual(['caught']);
  });

  it('gives a Timeout with its reference, by PID, by name and by alias', async () => {
    probe.self.register('me');
    for (const to of [probe.pid, 'me', { name: 'me', node: 'nonode@nohost' }, probe.self.alias()]) {
      const ref = probe.self.startTimer(10, to as never, { tick: 1 });
      const timeout = await probe.expectMessage(Timeout, { within: 10 });
      expect(timeout.ref).toBe(ref);
      expect(timeout.message).toEqual({ tick: 1 });
    }
  });

  it('is received by its reference, and no other is, whichever comes first', async () => {
    const { self } = probe;
    const seen: unknown[] = [];
    const pid = kit.runtime.spawn(async (own: Self) => {
      const timers = [1, 2, 3, 4].map((ms) => own.startTimer(ms, own.pid, ms));
      const take = async (at: number): Promise<void> => {
        const timeout = (await own.receive(timers[at] as TimerRef)) as Timeout;
        seen.push(timeout.message);
      };
      await take(1); // the second comes while it waits
      await own.receive('all are there');
      for (const at of [3, 0, 2]) await take(at);
    });
    await kit.advance(10);
    expect(seen).toEqual([2]);
    self.send(pid as never, 'all are there' as never);
    await kit.settle();
    expect(seen).toEqual([2, 4, 1, 3]);
  });

  it('B8 has the message as it was when it was started', async () => {
    const message = { list: [1] };
    probe.self.sendAfter(10, probe.pid, message);
    message.list.push(2);
    await probe.expectMessage({ list: [1] }, { within: 10 });
  });
});

describe('fractions of a ms', () => {
  it('are taken and rounded up: what the clock and readTimer give can be given back', async () => {
    const { self } = probe;
    self.sendAfter(9.25, probe.pid, 'after');
    const slept = self.sleep(9.5).then(() => self.send(probe.pid, 'slept'));
    await kit.advance(9);
    expect(probe.messages).toEqual([]);
    await kit.advance(1);
    await slept;
    await kit.settle();
    expect(probe.messages).toEqual(['after', 'slept']);
  });
});

describe('an interval', () => {
  it('does not make up for ticks that a busy thread missed', async () => {
    const times: number[] = [];
    kit.runtime.spawnHandler((self: Self) => {
      self.sendInterval(50, self.pid, 'tick');
      return { onMessage: () => void times.push(self.now()) };
    });
    await kit.settle();
    kit.clock.skip(437);
    await kit.advance(113);
    expect(times).toEqual([437, 450, 500, 550]);
  });

  it('of 0 ms ticks each ms', async () => {
    const timer = probe.self.sendInterval(0, probe.pid, 'tick');
    expect(probe.self.readTimer(timer)).toBe(1);
    await kit.advance(3);
    expect(probe.messages).toHaveLength(3);
  });

  it('H9 ticks until it is cancelled: then none more', async () => {
    const timer = probe.self.sendInterval(10, probe.pid, 'tick');
    await kit.advance(35);
    expect(probe.messages).toEqual(['tick', 'tick', 'tick']);
    expect(probe.self.readTimer(timer)).toBe(5);
    expect(probe.self.cancelTimer(timer)).toBe(5);
    await kit.advance(100);
    expect(probe.messages).toHaveLength(3);
    expect(kit.runtime.timers.size).toBe(0);
  });

  it('H9 stops when its receiver dies', async () => {
    const receiver = await kit.probe();
    const timer = probe.self.sendInterval(10, receiver.pid, 'tick');
    await kit.advance(25);
    expect(receiver.messages).toHaveLength(2);
    kit.runtime.sendExit(receiver.pid, 'kill');
    expect(timer.isActive).toBe(false);
    expect(kit.runtime.timers.size).toBe(0);
  });

  it('H9 aimed at a name, an alias or another node stops when its starter dies', async () => {
    const starter = await kit.probe();
    const alias = probe.self.alias();
    for (const to of ['nobody', alias, { name: 'x', node: 'far@host' }, new Pid(0x101, 5) as Pid<unknown>]) {
      starter.self.sendInterval(10, to, 'tick');
    }
    await kit.advance(15);
    await probe.expectMessage('tick');
    kit.runtime.sendExit(starter.pid, 'kill');
    expect(kit.runtime.timers.size).toBe(0);
    await probe.expectNoMessage(100);
  });

  it('B8 gives each tick a message of its own, by PID and by name', async () => {
    probe.self.register('me');
    for (const to of [probe.pid, 'me']) {
      const timer = probe.self.sendInterval(10, to, { list: [1] });
      await kit.advance(20);
      probe.self.cancelTimer(timer);
      const [first, second] = probe.messages as { list: number[] }[];
      first?.list.push(2);
      expect(second).toEqual({ list: [1] });
      probe.clear();
    }
  });
});

describe('waiting with a timeout', () => {
  it('H12 is not prolonged by messages that do not match', async () => {
    const ended = new Promise<[unknown, number]>((resolve) => {
      const pid = kit.runtime.spawn(async (self: Self) => {
        const found = await self.receive('wanted', { timeout: 100 });
        resolve([found, self.now()]);
      });
      probe.self.sendInterval(7, pid, 'noise');
      probe.self.sendInterval(9, pid, ['noise']);
    });
    await kit.advance(1000);
    expect(await ended).toEqual([TIMEOUT, 100]);
  });

  it('H12 holds for predicates too', async () => {
    const ended = new Promise<[unknown, number]>((resolve) => {
      const pid = kit.runtime.spawn(async (self: Self) => {
        const found = await self.receive((message) => message === 'wanted', { timeout: 100 });
        resolve([found, self.now()]);
      });
      probe.self.sendInterval(7, pid, 'noise');
    });
    await kit.advance(1000);
    expect(await ended).toEqual([TIMEOUT, 100]);
  });
});

describe('many timers, and strange clocks', () => {
  it('H10 does not care about the wall clock', async () => {
    const runtime = new Runtime({ names: new LocalNames(), logger: silentLogger });
    const wall = vi.spyOn(Date, 'now').mockReturnValue(0);
    const order = new Promise<string[]>((resolve) => {
      const seen: string[] = [];
      runtime.spawn(async (self: Self) => {
        self.after(30, () => void seen.push('before'));
        const asleep = self.sleep(60);
        wall.mockReturnValue(2 ** 42);
        await asleep;
        resolve([...seen, 'awake']);
      });
    });
    expect(await order).toEqual(['before', 'awake']);
    wall.mockRestore();
    runtime.stop();
  });

  it('H11 100 000 that wait set one alarm, and starting and cancelling costs no scan', async () => {
    const armed = vi.spyOn(kit.clock, 'arm');
    const start = (count: number): Promise<number> =>
      countWork(() => {
        const timers = Array.from({ length: count }, (_one, index) =>
          probe.self.sendAfter(1_000_000 + (index % 5000), probe.pid, 'x'),
        );
        for (const timer of timers.slice(0, 1000)) probe.self.cancelTimer(timer);
      });
    const few = await start(10_000);
    const many = await start(100_000);
    expect(kit.runtime.timers.size).toBe(108_000);
    expect(armed.mock.calls.length).toBeLessThan(5);
    expect(many).toBeLessThan(11 * few);
    await kit.advance(999_000);
    expect(probe.messages).toEqual([]);
    expect(armed.mock.calls.length).toBeLessThan(200);
    const { pid } = probe;
    kit.runtime.sendExit(pid, 'kill');
    expect(kit.runtime.timers.size).toBe(0);
  });
});
