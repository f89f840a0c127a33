// Whose turn it is: nobody waits behind actors that never rest.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Runtime, type Self, silentLogger } from '../../../ts/actor/index.ts';
import { LocalNames } from '../../../ts/registry/index.ts';
import { TURNS_PER_SLICE } from '../../../ts/scheduler/scheduler.ts';
import type { Pid } from '../../../ts/term/index.ts';

afterEach(() => vi.restoreAllMocks());

const createRuntime = (): Runtime => new Runtime({ names: new LocalNames(), logger: silentLogger });

/** Slices then end by turns alone. */
function stopTheClock(): void {
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now);
}

describe('P6 a busy runtime', () => {
  it('lets an actor that awaits take its messages beside handlers that never rest', async () => {
    stopTheClock();
    const runtime = createRuntime();
    const MESSAGES = 1000;
    let turns = 0;
    const bounce = (self: Self<Pid<Pid>>) => ({
      onMessage(other: Pid<Pid>) {
        turns++;
        self.send(other, self.pid as never);
      },
    });
    const before = await new Promise<number>((resolve) => {
      const reader = runtime.spawn(async (self: Self<number>) => {
        await self.receive();
        const [left, right] = [self.spawnHandler(bounce), self.spawnHandler(bounce)];
        self.send(left, right as never);
        for (let left = MESSAGES; left > 0; left--) await self.receive();
        resolve(turns);
      });
      for (let n = 0; n <= MESSAGES; n++) runtime.send(reader, n);
    });
    expect(before).toBeLessThan(10 * MESSAGES);
    runtime.stop();
  });

  it('lets the receiver of a message go on before handlers that never rest do', async () => {
    stopTheClock();
    const runtime = createRuntime();
    let turns = 0;
    const reader = runtime.spawn(async (self: Self<Pid<'go'>>) => {
      for (;;) self.send((await self.receive()) as Pid<'go'>, 'go');
    });
    const ROUNDS = 100;
    const before = await new Promise<number>((resolve) => {
      const busy = runtime.spawnHandler((self: Self<'more'>) => ({
        onMessage() {
          turns++;
          self.send(self.pid, 'more');
        },
      }));
      runtime.send(busy, 'more');
      const asking = runtime.spawnHandler((self: Self<'go'>) => {
        let left = ROUNDS;
        return {
          onMessage() {
            if (left-- === 0) resolve(turns);
            else self.send(reader, self.pid);
          },
        };
      });
      runtime.send(asking, 'go');
    });
    // A handler that feeds itself has at most 64 messages a turn.
    expect(before).toBeLessThan(2 * 64 * (ROUNDS + 2));
    runtime.stop();
  });

  it('lets a handler take all that waited when its turn began', async () => {
    stopTheClock();
    const runtime = createRuntime();
    const order: string[] = [];
    const note = (name: string) => (_self: Self<number>) => ({
      onMessage(n: number) {
        order.push(`${name}${n}`);
      },
    });
    const [first, second] = [runtime.spawnHandler(note('a')), runtime.spawnHandler(note('b'))];
    await new Promise<void>((resolve) => {
      const last = runtime.spawnHandler(() => ({ onMessage: () => resolve() }));
      for (let n = 0; n < 500; n++) runtime.send(first, n);
      runtime.send(second, 0);
      runtime.send(last, 'done' as never);
    });
    expect(order).toEqual([...Array.from({ length: 500 }, (_, n) => `a${n}`), 'b0']);
    runtime.stop();
  });

  describe.each(['function', 'handler'] as const)('with a %s whose turn is cut off', (kind) => {
    /** How many messages of its backlog it has taken when another actor gets the first turn after it. */
    const takenBefore = async (backlog: number): Promise<number> => {
      stopTheClock();
      const runtime = createRuntime();
      let taken = 0;
      const reader =
        kind === 'handler'
          ? runtime.spawnHandler(() => ({ onMessage: () => void taken++ }))
          : runtime.spawn(async (self: Self<number>) => {
              for (;;) {
                await self.receive();
                taken++;
              }
            });
      let resolve!: (taken: number) => void;
      const before = new Promise<number>((done) => (resolve = done));
      const other = runtime.spawnHandler(() => ({
        onMessage() {
          resolve(taken);
          runtime.stop();
        },
      }));
      await new Promise(setImmediate); // both have begun
      for (let n = 0; n < backlog; n++) runtime.send(reader, n as never);
      runtime.send(other, 'go' as never);
      return before;
    };

    it('lets it finish before those that may send to it', async () => {
      expect(await takenBefore(TURNS_PER_SLICE * 2)).toBe(TURNS_PER_SLICE * 2);
    });

    it('lets the others run after a few slices', async () => {
      const taken = await takenBefore(TURNS_PER_SLICE * 20);
      expect(taken).toBeGreaterThan(TURNS_PER_SLICE * 2);
      expect(taken).toBeLessThan(TURNS_PER_SLICE * 5);
    });
  });

  it('runs those that a handler sends to before what the handler has sent to itself', async () => {
    stopTheClock();
    const runtime = createRuntime();
    const BURST = 100;
    const BURSTS = 50;
    let waiting = 0;
    let most = 0;
    await new Promise<void>((resolve) => {
      let left = BURST * BURSTS;
      const sink = runtime.spawnHandler(() => ({
        onMessage() {
          waiting--;
          if (--left === 0) resolve();
        },
      }));
      const source = runtime.spawnHandler((self: Self<'go'>) => {
        let bursts = BURSTS;
        return {
          onMessage() {
            for (let n = 0; n < BURST; n++) self.send(sink, n as never);
            waiting += BURST;
            most = Math.max(most, waiting);
            if (--bursts > 0) self.send(self.pid, 'go');
          },
        };
      });
      runtime.send(source, 'go');
    });
    expect(most).toBeLessThanOrEqual(2 * BURST); // its first turn is in the queue twice: for its init and for the message
    runtime.stop();
  });
});
