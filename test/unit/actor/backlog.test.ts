// What must not depend on how much waits: calls behind a backlog (B6), long chains and big stars (C3), floods (P6).
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Call, type HandlerBody, Runtime, type Self, silentLogger } from '../../../ts/actor/index.ts';
import { LocalNames } from '../../../ts/registry/index.ts';
import type { Pid } from '../../../ts/term/index.ts';

const MINUTE = 60_000;

const start = (): Runtime => new Runtime({ names: new LocalNames(), logger: silentLogger });

/** Answers calls, and references that it is sent with a PID. */
const echo = (self: Self): HandlerBody => ({
  onMessage(message) {
    if (Array.isArray(message)) self.send(message[0] as Pid<unknown>, ['answer', message[1]]);
    else self.runtime.reply(message as Call, 'answer');
  },
});

/** ms that `ask` takes 10 000 times, in an actor with `backlog` messages waiting. */
function timeOf(
  backlog: number,
  ask: (self: Self, server: Pid<unknown>) => Promise<unknown>,
): Promise<number> {
  const runtime = start();
  const server = runtime.spawnHandler(echo);
  return new Promise((resolve) => {
    runtime.spawn(async (self: Self) => {
      for (let n = 0; n < 200; n++) await ask(self, server); // warm
      for (let n = 0; n < backlog; n++) self.send(self.pid as Pid<unknown>, ['noise', n]);
      const began = performance.now();
      for (let n = 0; n < 10_000; n++) await ask(self, server);
      resolve(performance.now() - began);
      runtime.stop();
    });
  });
}

describe('B6 10 000 requests behind 500 000 messages', () => {
  it.each<[string, (self: Self, server: Pid<unknown>) => Promise<unknown>]>([
    ['calls', (self, server) => self.call(server as Pid, 'ask')],
    [
      'messages with a fresh reference',
      (self, server) => {
        const ref = self.makeRef();
        self.send(server, [self.pid, ref]);
        return self.receive(ref);
      },
    ],
    [
      'monitors of somebody dead',
      (self) => {
        const ref = self.monitor(self.runtime.pidOf(999_999_999));
        return self.receive(ref);
      },
    ],
    [
      'monitors made with a child',
      (self) => {
        const { ref } = self.spawnMonitor(() => {});
        return self.receive(ref);
      },
    ],
    [
      'messages with a tag, and predicates between them',
      async (self) => {
        await self.receive(Array.isArray, { timeout: 0 });
        self.send(self.pid as Pid<unknown>, 'answer');
        await self.receive('answer');
      },
    ],
  ])('B6 take under ten times as long as without them: %s', { timeout: MINUTE }, async (_what, ask) => {
    const empty = await timeOf(0, ask);
    const limit = 10 * Math.max(empty, 20);
    // Somebody else may have had the processor; who scans takes a thousand times as long each time.
    let full = Number.POSITIVE_INFINITY;
    for (let time = 0; time < 3 && full >= limit; time++) full = await timeOf(500_000, ask);
    expect(full).toBeLessThan(limit);
  });
});

/** ms from the end of the first actor to that of the last; `tie` links them all, and returns the one to kill. */
async function fall(count: number, tie: (runtime: Runtime, count: number) => Promise<Pid>): Promise<number> {
  const runtime = start();
  const first = await tie(runtime, count);
  const began = performance.now();
  runtime.sendExit(first, 'boom');
  expect(runtime.size).toBe(0);
  const took = performance.now() - began;
  runtime.stop();
  return took;
}

const idle = (): HandlerBody => ({ onMessage: () => {} });

/** Every actor is linked to the one before. */
async function chain(runtime: Runtime, count: number): Promise<Pid> {
  let last: Pid | undefined;
  let first: Pid | undefined;
  for (let n = 0; n < count; n++) {
    const before = last;
    last = runtime.spawnHandler((self: Self) => {
      if (before !== undefined) self.link(before);
      return idle();
    });
    first ??= last;
    if (n % 50_000 === 0) await settled(runtime);
  }
  await settled(runtime);
  return first as Pid;
}

/** Every actor is linked to the first. */
async function star(runtime: Runtime, count: number): Promise<Pid> {
  const middle = runtime.spawnHandler(idle);
  for (let n = 1; n < count; n++) {
    runtime.spawnHandler((self: Self) => {
      self.link(middle);
      return idle();
    });
    if (n % 50_000 === 0) await settled(runtime);
  }
  await settled(runtime);
  return middle;
}

async function settled(runtime: Runtime): Promise<void> {
  do await sleep(1);
  while (runtime.runSlice());
}

describe('a million linked actors', () => {
  it.each([
    ['chain', chain],
    ['star', star],
  ])('C3 die in linear time, and need no deep stack: a %s', { timeout: 3 * MINUTE }, async (_what, tie) => {
    await fall(20_000, tie); // warm
    const small = await fall(125_000, tie);
    let big = await fall(1_000_000, tie);
    if (big / Math.max(small, 20) >= 32) big = await fall(1_000_000, tie); // somebody else had the processor
    // Eight times as many: linear is 8, with room for the collector; quadratic would be 64.
    expect(big / Math.max(small, 20)).toBeLessThan(32);
  });
});

describe('a flood', () => {
  it.each(['function', 'handler'])(
    'P6 of a million messages does not keep a timer of 10 ms from ticking: a %s',
    {
      timeout: MINUTE,
    },
    async (kind) => {
      const runtime = start();
      const TOTAL = 1_000_000;
      let ticks = 0;
      let longest = 0;
      let left = TOTAL;
      let over = (): void => {};
      const done = new Promise<void>((resolve) => (over = resolve));
      const again = (self: Self): void => {
        if (--left === 0) over();
        else self.send(self.pid as Pid<unknown>, ['more', left]);
      };
      let last = performance.now();
      const clock = setInterval(() => {
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
      }, 10);
      runtime.spawnHandler((self: Self) => {
        self.sendInterval(10, self.pid as Pid<unknown>, 'tick');
        return { onMessage: () => void ticks++ };
      });
      const began = performance.now();
      const flooder =
        kind === 'handler'
          ? runtime.spawnHandler((self: Self): HandlerBody => ({ onMessage: () => again(self) }))
          : runtime.spawn(async (self: Self) => {
              for (;;) {
                await self.receive();
                again(self);
              }
            });
      runtime.send(flooder, 'go');
      await done;
      const took = performance.now() - began;
      clearInterval(clock);
      runtime.stop();
      expect(longest).toBeLessThan(500);
      expect(ticks).toBeGreaterThan(took / 10 / 4);
    },
  );
});
