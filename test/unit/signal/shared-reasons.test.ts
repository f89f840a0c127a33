// All who hear of one end get its reason; none may change it for the others, or for those they tell.
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CrashReason, Down, ExitReason, Self } from '../../../ts/actor/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

/** What two watchers hear when an actor ends. */
async function heard(end: (self: Self) => unknown): Promise<[ExitReason, ExitReason]> {
  const [one, other] = [await kit.probe(), await kit.probe()];
  const pid = kit.runtime.spawn(async (self: Self) => {
    await self.receive();
    await end(self);
  });
  for (const probe of [one, other]) probe.watch(pid);
  kit.runtime.send(pid, 'end');
  await kit.settle();
  const [first, second] = [one, other].map((probe) => (probe.messages[0] as Down).reason);
  return [first, second];
}

describe('a reason that two watchers get', () => {
  it('B8 of a crash cannot be written into', async () => {
    const [first, second] = (await heard(() => {
      throw Object.assign(new TypeError('broken'), { code: 'E_BROKEN' });
    })) as [CrashReason, CrashReason];
    for (const write of [
      () => Object.assign(first, { extra: () => {} }),
      () => Object.assign(first, { stack: 'mine' }),
      () => Object.assign((first as { error: object }).error, { message: 'mine' }),
    ]) {
      expect(write).toThrow(TypeError);
    }
    expect(second).toMatchObject({ error: { name: 'TypeError', message: 'broken', code: 'E_BROKEN' } });
    expect(second.stack).toContain('TypeError: broken');
    const probe = await kit.probe();
    kit.runtime.send(probe.pid, second);
    await kit.settle();
    expect(probe.messages).toEqual([second]);
  });

  it('A3 makes the stack of a crash when it is first read, and for all who hear of it', async () => {
    let made = 0;
    const before = Error.prepareStackTrace;
    Error.prepareStackTrace = (error) => `${String(error)}, made ${++made} times`;
    try {
      const [first, second] = (await heard(() => {
        throw new Error('on purpose');
      })) as [CrashReason, CrashReason];
      expect(made).toBe(0);
      expect([first.stack, second.stack, first.stack]).toEqual(
        Array(3).fill('Error: on purpose, made 1 times'),
      );
    } finally {
      Error.prepareStackTrace = before;
    }
  });

  it('A3 has one getter of the stack for all crashes: with one for each, every reason has a hidden class of its own', async () => {
    const reasons = await Promise.all(
      ['one', 'two'].map(async (message) => {
        const probe = await kit.probe();
        const { pid } = probe.self.spawnMonitor(() => {
          throw new Error(message);
        });
        return (await probe.expectDown(pid)).reason as { readonly stack: string };
      }),
    );
    const [one, two] = reasons.map((reason) => Object.getOwnPropertyDescriptor(reason, 'stack'));
    expect(one).toMatchObject({ enumerable: true, configurable: false, get: expect.any(Function) });
    expect(two?.get).toBe(one?.get);
    expect(reasons.map(({ stack }) => stack)).toEqual([
      expect.stringContaining('Error: one'),
      expect.stringContaining('Error: two'),
    ]);
    expect(Object.create(reasons[0] as object).stack).toBe('');
  });

  it('prints the stack of a crash as text', async () => {
    const [reason] = await heard(() => {
      throw new Error('plain');
    });
    expect(inspect(reason)).toContain("stack: 'Error: plain");
    expect(inspect(reason)).not.toContain('Getter');
  });

  it.each([
    ['a Map', () => new Map([['a', 1]]), (value: Map<string, number>) => value.clear()],
    ['a Date', () => new Date(5), (value: Date) => value.setTime(6)],
    ['bytes', () => Uint8Array.of(1), (value: Uint8Array) => value.fill(9)],
    ['an error', () => new Error('mine'), (value: Error) => Object.assign(value, { message: 'yours' })],
  ])('B8 that holds %s is copied', async (_, make, change) => {
    const [first, second] = (await heard((self) => self.exit({ why: make() }))) as [
      { why: never },
      { why: never },
    ];
    change(first.why);
    expect(second.why).toEqual(make());
  });

  it('B8 that has plain data only is one frozen value', async () => {
    const [first, second] = await heard((self) => self.exit({ why: ['a', { b: 1 }] }));
    expect(first).toBe(second);
    expect(Object.isFrozen((first as { why: object[] }).why[1])).toBe(true);
  });
});
