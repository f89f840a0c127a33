// Messages of `sendWait` to one actor arrive in the order of the calls, whoever calls, when, and how fast the actor takes them.
import { expect, it } from 'vitest';
import type { Self } from '../../ts/actor/index.ts';
import type { Pid } from '../../ts/term/index.ts';
import { startTestRuntime } from '../../ts/testing/index.ts';
import { randomFrom, runs, seeds } from '../support/seed.ts';

const MESSAGES = 60;

it.each(seeds())('what sendWait sends keeps its order, awaited or not (seed %i)', async (seed) => {
  const random = randomFrom(seed);
  const some = (most: number): number => Math.floor(random() * (most + 1));
  for (let run = 0; run < runs(200); run++) {
    const kit = startTestRuntime();
    const got: number[] = [];
    let sent = 0;
    const sendSome = ({ sendWait }: { sendWait(to: string, message: number): Promise<void> }): void => {
      for (let left = some(3); left > 0 && sent < MESSAGES; left--) void sendWait('reader', sent++);
    };
    const outside = { sendWait: (to: string, message: number) => kit.runtime.sendWait(to, message) };
    const inside = (self: Self): typeof outside => ({
      sendWait: (to, message) => self.sendWait(to, message),
    });
    /** Takes a message, sends others sometimes, and is slow sometimes. */
    const take = (self: Self, message: number): Promise<void> | undefined => {
      got.push(message);
      if (some(2) === 0) sendSome(inside(self));
      return [self.sleep(1), Promise.resolve()][some(9)];
    };
    const mailbox = { max: 1 + some(3), policy: 'block' } as const;
    const isHandler = some(1) === 0;
    const handler = {
      kind: 'handler',
      name: 'reader',
      init: (self: Self) => ({ onMessage: (m: number) => take(self, m) }),
    };
    const reads = async (self: Self<number>): Promise<never> => {
      for (;;) await take(self as Self, (await self.receive()) as number);
    };
    kit.runtime.spawnWith({ name: 'reader', mailbox }, isHandler ? (handler as never) : reads);
    const senders: Pid<string>[] = [0, 1, 2].map(() =>
      kit.runtime.spawnHandler((self: Self) => ({
        onMessage() {
          sendSome(inside(self));
          if (some(1) === 0) kit.runtime.send(senders[some(2)] as Pid<string>, 'go');
        },
      })),
    );
    for (let round = 0; round < 10; round++) {
      kit.runtime.send(senders[some(2)] as Pid<string>, 'go');
      if (some(3) === 0) await Promise.resolve();
      if (some(4) === 0) sendSome(outside);
    }
    await kit.advance(2 * MESSAGES);
    expect(got).toEqual(Array.from({ length: sent }, (_one, n) => n));
    kit.stop();
  }
});
