// What must not depend on how much waits: calls behind a backlog (B6), long chains and big stars (C3), floods (P6). Work is
// counted (test/support/work.ts), never timed.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type Call,
  type HandlerBody,
  Runtime,
  request,
  type Self,
  silentLogger,
} from '../../../ts/actor/index.ts';
import { LocalNames } from '../../../ts/registry/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { deferred } from '../../support/deadline.ts';
import { countWork } from '../../support/work.ts';

const MINUTE = 60_000;

const start = (): Runtime => new Runtime({ names: new LocalNames(), logger: silentLogger });

/** Answers calls, and references that it is sent with a PID. */
const echo = (self: Self): HandlerBody => ({
  onMessage(message) {
    if (Array.isArray(message)) self.send(message[0] as Pid<unknown>, ['answer', message[1]]);
    else self.runtime.replies.succeed(message as Call, 'answer');
  },
});

/** The work of asking 200 times, in an actor with `backlog` messages waiting. */
function workOf(
  backlog: number,
  ask: (self: Self, server: Pid<unknown>) => Promise<unknown>,
): Promise<number> {
  const runtime = start();
  const server = runtime.spawnHandler(echo);
  return new Promise((resolve) => {
    runtime.spawn(async (self: Self) => {
      for (let n = 0; n < 200; n++) await ask(self, server); // whatever is done once
      for (let n = 0; n < backlog; n++) self.send(self.pid as Pid<unknown>, ['noise', n]);
      const work = await countWork(async () => {
        for (let n = 0; n < 200; n++) await ask(self, server);
      });
      resolve(work);
      runtime.stop();
    });
  });
}

describe('B6 requests behind 500 000 messages', () => {
  it.each<[string, (self: Self, server: Pid<unknown>) => Promise<unknown>]>([
    ['calls', (self, server) => request(self, server as Pid, 'ask')],
    [
      'messages with a fresh reference',
      (self, server) => {
        const ref = self.makeRef();
        self.send(server, [self.pid, ref]);
        return self.receive(ref);
      },
    ],
    [
      'messages with 50 references at once',
      async (self, server) => {
        const refs = Array.from({ length: 50 }, () => self.makeRef());
        for (const ref of refs) self.send(server, [self.pid, ref]);
        for (const ref of refs) await self.receive(ref);
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
  ])('B6 are hardly more work than without them: %s', { timeout: MINUTE }, async (_what, ask) => {
    const empty = await workOf(0, ask);
    // One pass over what waits may be needed, not one a request.
    expect(await workOf(500_000, ask)).toBeLessThan(4 * empty + 20 * 500_000);
  });
});

/** Ends the first of `count` actors that `tie` linked, and with it all; how much work that was. */
async function fall(count: number, tie: (runtime: Runtime, count: number) => Promise<Pid>): Promise<number> {
  const runtime = start();
  const first = await tie(runtime, count);
  const work = await countWork(() => runtime.sendExit(first, 'boom'));
  expect(runtime.size).toBe(0);
  runtime.stop();
  return work;
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

describe('many linked actors', () => {
  it.each([
    ['chain', chain],
    ['star', star],
  ])('C3 die in linear time, and need no deep stack: a %s', { timeout: 3 * MINUTE }, async (_what, tie) => {
    const small = await fall(10_000, tie);
    expect(await fall(80_000, tie)).toBeLessThan(9 * small);
    const runtime = start();
    runtime.sendExit(await tie(runtime, 300_000), 'boom');
    expect(runtime.size).toBe(0);
    runtime.stop();
  });
});

describe('a flood', () => {
  afterEach(() => vi.restoreAllMocks());

  it.each(['function', 'handler'])(
    'P6 of a million messages lets timers and sockets in: a %s',
    {
      timeout: MINUTE,
    },
    async (kind) => {
      const runtime = start();
      let left = 1_000_000;
      let inARow = 0;
      let most = 0;
      let late = 0;
      let turns = 0;
      const { promise: done, resolve: over } = deferred();
      // A message takes a microsecond, whatever the machine does meanwhile.
      const began = performance.now();
      vi.spyOn(performance, 'now').mockImplementation(() => began + (1_000_000 - left) / 1000);
      const again = (self: Self): void => {
        most = Math.max(most, ++inARow);
        if (left % 50_000 === 0) {
          const before = turns;
          setTimeout(() => (late = Math.max(late, turns - before)), 1);
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3); // now it is due
        }
        if (--left === 0) over();
        else self.send(self.pid as Pid<unknown>, ['more', left]);
      };
      const turn = (): void => {
        inARow = 0;
        turns++;
        if (left > 0) setImmediate(turn);
      };
      turn();
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
      runtime.stop();
      expect(most).toBeLessThan(4000); // a slice is 2 ms
      expect(late).toBeLessThanOrEqual(2);
    },
  );
});
