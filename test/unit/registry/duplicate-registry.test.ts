// Rule F8: a registry in which many actors share a key.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Down, type HandlerBody, type Self } from '../../../ts/actor/index.ts';
import { cellOf } from '../../../ts/kernel/index.ts';
import { DuplicateRegistry } from '../../../ts/registry/index.ts';
import { Pid } from '../../../ts/term/index.ts';
import { type Probe, startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { check } from '../../support/seed.ts';

let kit: TestRuntime;
let probe: Probe;
let topics: DuplicateRegistry<string, number | undefined>;
beforeEach(async () => {
  kit = startTestRuntime();
  probe = await kit.probe();
  topics = new DuplicateRegistry(kit);
});
afterEach(() => kit.stop());

const actor = (): Pid<unknown> =>
  kit.runtime.spawn((self: Self<unknown>) => self.receive('stop').then(() => {}));
const pidsOf = (key: string): Pid<unknown>[] => topics.lookup(key).map(({ pid }) => pid);

describe('a registry of duplicate keys', () => {
  it('F8 reaches every holder of a key, in the order they came', async () => {
    const probes = await Promise.all([1, 2, 3].map(() => kit.probe<unknown>()));
    for (const [index, { pid }] of probes.entries()) topics.register('news', pid, index);
    topics.register('other', probe.pid);
    const reached = topics.dispatch('news', ({ pid, value }) => kit.runtime.send(pid, ['to', value]));
    expect(reached).toBe(3);
    for (const [index, each] of probes.entries()) await each.expectMessage(['to', index]);
    expect(topics.dispatch('nobody', () => expect.unreachable())).toBe(0);
    await probe.expectNoMessage();
  });

  it('F8 has an actor under many keys, and once under each', () => {
    const pid = actor();
    for (const key of ['a', 'b', 'a']) topics.register(key, pid, key.length);
    topics.register('a', pid, 7);
    expect(topics.keys(pid)).toEqual(['a', 'b']);
    expect(topics.lookup('a')).toEqual([{ pid, value: 7 }]);
    expect(topics.unregister('a', pid)).toBe(true);
    expect(topics.unregister('a', pid)).toBe(false);
    expect([topics.keys(pid), pidsOf('a'), pidsOf('b')]).toEqual([['b'], [], [pid]]);
  });

  it('F8 is not changed, and not read, through the PID of an actor of another node', () => {
    const pid = actor();
    topics.register('a', pid);
    const namesake = new Pid<unknown>(256, pid.local);
    expect([topics.unregister('a', namesake), topics.keys(namesake)]).toEqual([false, []]);
    expect([topics.keys(pid), pidsOf('a')]).toEqual([['a'], [pid]]);
  });

  it('F8 keeps nothing of an actor that has left its last key, and knows when one that came again ends', async () => {
    const pid = actor();
    for (let round = 0; round < 2; round++) {
      for (const key of ['a', 'b']) topics.register(key, pid);
      for (const key of ['a', 'b']) topics.unregister(key, pid);
      expect([topics.size, cellOf(pid)?.extra?.deathCallbacks ?? null]).toEqual([0, null]);
    }
    topics.register('a', pid);
    kit.runtime.sendExit(pid as Pid<never>, 'kill');
    await kit.settle();
    expect(topics.size).toBe(0);
  });

  it('A4 logs what a promise of the callback of dispatch rejects with', async () => {
    topics.register('news', probe.pid);
    topics.register('news', actor());
    const failing = async (): Promise<void> => {
      throw new Error('in dispatch');
    };
    expect(topics.dispatch('news', failing as never)).toBe(2);
    await kit.settle(); // a rejection that nobody handles fails this test file
    expect(kit.logged('callback_failed').map(({ facts }) => facts['err'])).toMatchObject([
      { message: 'in dispatch' },
      { message: 'in dispatch' },
    ]);
  });

  it('F8 lets dead holders vanish without a call, and keeps nothing of them', async () => {
    const pids = Array.from({ length: 1000 }, actor);
    for (const [index, pid] of pids.entries()) {
      topics.register('all', pid);
      topics.register(`own ${index}`, pid);
    }
    await kit.settle();
    expect(topics.size).toBe(1001);
    for (const pid of pids.slice(1)) kit.runtime.sendExit(pid as Pid<never>, 'kill');
    expect(pidsOf('all')).toEqual([pids[0]]);
    expect(topics.size).toBe(2);
    kit.runtime.send(pids[0] as Pid<unknown>, 'stop');
    await kit.settle();
    expect([topics.size, topics.keys(pids[0] as Pid<unknown>)]).toEqual([0, []]);
  });

  it('F8 and A8: nobody who hears of a death finds the dead, in a chain of a thousand', async () => {
    const found: number[] = [];
    const chain: Pid<unknown>[] = [];
    for (let index = 0; index < 1000; index++) {
      const before = chain.at(-1);
      const pid = kit.runtime.spawnHandler((self: Self): HandlerBody => {
        if (before !== undefined) self.link(before as Pid<never>);
        self.signal.addEventListener('abort', () => found.push(topics.lookup('chain').length));
        return { onMessage() {} };
      });
      topics.register('chain', pid);
      chain.push(pid);
    }
    await kit.settle();
    probe.watch(chain[500] as Pid<never>);
    kit.runtime.sendExit(chain[0] as Pid<never>, 'gone');
    await probe.expectMessage(Down);
    expect(pidsOf('chain')).toEqual([]);
    expect(found).toHaveLength(1000);
    // Each one was dead to all others when its own signal fired.
    for (const [index, count] of found.entries()) expect(count).toBeLessThanOrEqual(999 - index);
  });

  it('F8 and A8: nobody finds those that die together, before the first of them is announced', async () => {
    const found: number[] = [];
    const hub = actor();
    for (let index = 0; index < 3; index++) {
      const pid = kit.runtime.spawnHandler((self: Self): HandlerBody => {
        self.link(hub as Pid<never>);
        self.onExit(() => found.push(topics.lookup('star').length));
        return { onMessage() {} };
      });
      topics.register('star', pid);
    }
    await kit.settle();
    kit.runtime.sendExit(hub as Pid<never>, 'gone');
    expect(found).toEqual([0, 0, 0]);
  });

  it('F8 stays whole when dispatch changes it', () => {
    const pids = [actor(), actor(), actor()];
    for (const pid of pids) topics.register('key', pid);
    const late = actor();
    const seen: Pid<unknown>[] = [];
    topics.dispatch('key', ({ pid }) => {
      seen.push(pid);
      topics.unregister('key', pid);
      topics.register('key', late);
    });
    expect(seen).toEqual(pids);
    expect(pidsOf('key')).toEqual([late]);
    expect(() =>
      topics.dispatch('key', () => {
        throw new Error('mine');
      }),
    ).toThrow('mine');
  });

  it('F1 takes living actors of its own node only', async () => {
    const dead = kit.runtime.spawn(() => {});
    await kit.settle();
    for (const pid of [dead, new Pid(70_000, 5), undefined, 'name']) {
      expect(() => topics.register('key', pid as Pid<unknown>)).toThrow(
        expect.objectContaining({ code: 'SNOW_ERR_NOT_LOCAL' }),
      );
    }
    for (const key of [undefined, null, {}, Symbol('x')]) {
      expect(() => topics.register(key as never, probe.pid)).toThrow(
        expect.objectContaining({ code: 'SNOW_ERR_BAD_NAME' }),
      );
    }
    expect(() => topics.register('key', probe.pid, (() => 1) as never)).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }),
    );
    for (const use of [() => topics.keys('name' as never), () => topics.unregister('key', 'name' as never)])
      expect(use).toThrow(expect.objectContaining({ code: 'SNOW_ERR_BAD_DEST' }));
    expect([topics.size, topics.keys(probe.pid)]).toEqual([0, []]);
  });

  it('F8 keeps nothing of an actor that a getter of its value ends', () => {
    const values = new DuplicateRegistry<string, { level: number }>(kit);
    const pid = actor();
    const value = {
      get level() {
        kit.runtime.sendExit(pid, 'kill');
        return 1;
      },
    };
    expect(() => values.register('a', pid, value)).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_NOT_LOCAL' }),
    );
    expect(values.size).toBe(0);
  });

  it('B8 keeps values that nobody can change', () => {
    const lists = new DuplicateRegistry<number, { list: number[] }>(kit);
    const value = { list: [1] };
    lists.register(1, probe.pid, value);
    value.list.push(2);
    const [entry] = lists.lookup(1);
    expect(entry?.value).toEqual({ list: [1] });
    expect(() => entry?.value.list.push(3)).toThrow(TypeError);
  });

  it('F8 holds against a plain model, whatever is done', () => {
    const step = fc.tuple(fc.constantFrom('register', 'unregister', 'die'), fc.nat(4), fc.nat(3), fc.nat(9));
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const registry = new DuplicateRegistry<number, number>(kit);
      const model = new Map<number, Map<number, number>>();
      const pids = Array.from({ length: 5 }, actor);
      for (const [what, who, key, value] of steps) {
        const pid = pids[who] as Pid<unknown>;
        const own = model.get(key) ?? new Map<number, number>();
        model.set(key, own);
        if (what === 'register') {
          registry.register(key, pid, value);
          own.set(pid.local, value);
        } else if (what === 'unregister') expect(registry.unregister(key, pid)).toBe(own.delete(pid.local));
        else {
          kit.runtime.sendExit(pid as Pid<never>, 'kill');
          for (const each of model.values()) each.delete(pid.local);
          pids[who] = actor();
        }
        for (const [each, holders] of model) {
          expect(registry.lookup(each).map((entry) => [entry.pid.local, entry.value])).toEqual([...holders]);
        }
        expect(registry.size).toBe([...model.values()].filter((each) => each.size > 0).length);
      }
    });
    check(property);
  });

  it('F8 costs no scan: 100 000 holders of one key come and go', () => {
    const pids = Array.from({ length: 100_000 }, () => kit.runtime.spawn((_self: Self<unknown>) => {}));
    // A scan needs an iterator, or a callback for each entry.
    const scans = (['entries', 'keys', 'values', 'forEach', Symbol.iterator] as const).flatMap((method) => [
      vi.spyOn(Map.prototype, method as 'entries'),
      vi.spyOn(Set.prototype, method as 'entries'),
    ]);
    try {
      for (const pid of pids) topics.register('big', pid);
      for (const pid of pids.slice(0, pids.length / 2)) topics.unregister('big', pid);
      expect(scans.map(({ mock }) => mock.calls.length)).toEqual(scans.map(() => 0));
      expect(topics.lookup('big')).toHaveLength(pids.length / 2);
      expect(scans.some(({ mock }) => mock.calls.length > 0)).toBe(true);
    } finally {
      vi.restoreAllMocks();
    }
  });
});
