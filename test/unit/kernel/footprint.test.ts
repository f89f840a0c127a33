// Rule V8: what many thousands of something take, once everything else is collected.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Self } from '../../../ts/actor/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

const MANY = 30_000;

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

function heap(): number {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error('run with --expose-gc');
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

/** Bytes for each of many things that `make` makes and that stay. */
async function bytesEach(make: (n: number) => void): Promise<number> {
  const before = heap();
  for (let n = 0; n < MANY; n++) make(n);
  await kit.settle();
  return (heap() - before) / MANY;
}

const idle = async (self: Self): Promise<void> => void (await self.receive());
const body = { onMessage() {} };

describe('memory', () => {
  it('V8 an idle handler actor, and one that is a function, take less than 500 and 2000 B', async () => {
    expect(await bytesEach(() => kit.runtime.spawnHandler(() => body))).toBeLessThan(500);
    expect(await bytesEach(() => kit.runtime.spawn(idle))).toBeLessThan(2000);
    expect(kit.runtime.size).toBe(2 * MANY);
  });

  it('V8 a local name and a monitor take less than 250 and 350 B, and nothing once they are gone', async () => {
    const probe = await kit.probe();
    const target = kit.runtime.spawn(idle);
    const before = heap();
    const names = await bytesEach((n) => kit.runtime.register(`name of ${n}`, target));
    const monitors = await bytesEach(() => probe.self.monitor(target));
    expect(names).toBeLessThan(250);
    expect(monitors).toBeLessThan(350);
    kit.runtime.sendExit(target, 'kill');
    await kit.settle();
    expect(probe.messages).toHaveLength(MANY);
    probe.clear();
    expect(kit.runtime.registered()).toEqual([]);
    expect((heap() - before) / MANY).toBeLessThan(60);
  });

  it('V8 those that ended leave nothing', async () => {
    const left = await bytesEach(() => kit.runtime.spawn(() => {}));
    expect(left).toBeLessThan(20);
    expect(kit.runtime.size).toBe(0);
  });

  it.each<[string, (thing: object, selves: Self[]) => Pid<never>]>([
    [
      'a handler',
      (thing, selves) =>
        kit.runtime.spawnHandler((self: Self) => (selves.push(self), { onMessage: () => void thing })),
    ],
    [
      'a function that waits',
      (thing, selves) =>
        kit.runtime.spawn(async (self: Self) => {
          selves.push(self);
          await self.receive();
          await self.receive(() => thing === null);
        }),
    ],
    ['one that had no turn yet', (thing) => kit.runtime.spawn(() => void thing)],
  ])(
    'V8 nothing is left of %s that has ended, although its self and its PID are kept',
    async (what, make) => {
      const selves: Self[] = [];
      const pids: Pid<never>[] = [];
      const things = Array.from({ length: 10 }, () => {
        const thing = {};
        pids.push(make(thing, selves));
        return new WeakRef(thing);
      });
      const isBorn = what !== 'one that had no turn yet';
      if (isBorn) await kit.settle();
      expect(selves).toHaveLength(isBorn ? 10 : 0);
      for (const pid of pids) kit.runtime.sendExit(pid, 'kill');
      await kit.settle();
      await new Promise(setImmediate); // a WeakRef keeps its object for the turn in which it was made
      heap();
      expect(things.filter((thing) => thing.deref() !== undefined)).toEqual([]);
      expect([...selves.map(({ pid }) => pid), ...pids].every((pid) => !kit.runtime.isAlive(pid))).toBe(true);
    },
  );

  it.each<[string, (self: Self) => Promise<unknown>]>([
    ['a message', (self) => self.receive()],
    ['one of some messages', (self) => self.receive('tag')],
  ])(
    'V8 nothing keeps what an actor held that ended while it was the last to wait for %s',
    async (_what, wait) => {
      let held!: WeakRef<object>;
      const pid = kit.runtime.spawn(async (self: Self) => {
        const large = { large: new Uint8Array(1000) };
        held = new WeakRef(large);
        await wait(self);
        self.send(self.pid, large);
      });
      await kit.settle();
      kit.runtime.sendExit(pid, 'kill');
      await new Promise((resolve) => setImmediate(resolve)); // a WeakRef keeps what it refers to until its turn has ended
      heap();
      expect(held.deref()).toBeUndefined();
    },
  );
});
