// Code that the runtime calls for an actor: what it throws, and what its promises reject with, is the actor's crash and nothing else's.
import { describe, expect, it } from 'vitest';
import type { Self } from '../../../ts/actor/index.ts';
import { Runtime } from '../../../ts/actor/index.ts';
import { LocalNames } from '../../../ts/registry/index.ts';
import { kit, probe } from '../../support/kit.ts';

function invalid(message: string): never {
  throw new Error(message);
}

describe('a callback that answers with a promise', () => {
  it('A4 ends its actor when the promise rejects: that of `after`', async () => {
    const pid = kit.runtime.spawn(async (self: Self) => {
      self.after(1, async () => {
        throw new RangeError('late');
      });
      await self.receive();
    });
    const ref = probe.watch(pid);
    await kit.advance(1);
    expect(probe.messages).toMatchObject([
      { ref, reason: { error: { name: 'RangeError', message: 'late' } } },
    ]);
  });

  it('A4 harms nobody when its actor is dead by then', async () => {
    const pid = kit.runtime.spawn(async (self: Self) => {
      self.after(1, async () => {
        self.exit('first');
      });
      await self.receive();
    });
    const ref = probe.watch(pid);
    await kit.advance(1);
    await probe.expectDown(ref, 'first');
    expect(kit.logs.filter(({ message }) => message.includes('callback'))).toEqual([]);
  });

  it('A4 is logged when it belongs to no actor: that of `onDeath`', async () => {
    const pid = kit.runtime.spawn(async (self: Self) => void (await self.receive()));
    kit.runtime.onDeath(pid, (async () => {
      throw new Error('too late');
    }) as never);
    kit.runtime.sendExit(pid, 'kill');
    await kit.settle();
    expect(kit.logs.at(-1)).toMatchObject({
      message: 'a callback failed',
      facts: { err: { message: 'too late' } },
    });
  });

  it.each<[string, () => unknown]>([
    ['throws', () => invalid('at once')],
    ['rejects', async () => invalid('at once')],
  ])('A4 is logged also for an actor that has ended: one of `onDeath` that %s', async (_how, callback) => {
    const pid = kit.runtime.spawn(() => {});
    await kit.settle();
    expect(kit.runtime.onDeath(pid, callback)).toBeTypeOf('function');
    await new Promise(setImmediate); // a rejection that nobody handles fails this test file
    expect(kit.logs.at(-1)).toMatchObject({
      message: 'a callback failed',
      facts: { err: { message: 'at once' } },
    });
  });

  it('A4 may be a listener of dead letters', async () => {
    kit.runtime.deadLetters.subscribe((async () => {
      throw new Error('in a listener');
    }) as never);
    const pid = kit.runtime.spawn(() => {});
    await kit.settle();
    kit.runtime.send(pid, 'lost');
    await new Promise(setImmediate); // a rejection that nobody handles fails this test file
    expect(kit.runtime.deadLetters.total).toBe(1);
  });

  it('A4 may be a logger', async () => {
    const failing = async (): Promise<void> => {
      throw new Error('disk full');
    };
    const logger = { error: failing, warn: failing, info: failing, debug: failing } as never;
    const runtime = new Runtime({ names: new LocalNames(), logger });
    runtime.spawn(() => {
      throw new Error('crash');
    });
    await new Promise(setImmediate); // a rejection that nobody handles fails this test file
    runtime.stop();
  });
});

describe('a predicate of receive', () => {
  it('is refused when it is an async function', async () => {
    expect(() => probe.self.receive((async () => true) as never)).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_RECEIVE_HANDLER' }),
    );
    const pid = kit.runtime.spawn(async (self: Self) => void (await self.receive(async () => true)));
    const ref = probe.watch(pid);
    await kit.settle();
    expect(probe.messages).toMatchObject([{ ref, reason: { error: { code: 'SNOW_ERR_BAD_MATCH' } } }]);
  });

  it('ends its actor when it answers with a promise', async () => {
    const pid = kit.runtime.spawn(
      async (self: Self) => void (await self.receive(() => Promise.reject(new Error('no')))),
    );
    const ref = probe.watch(pid);
    kit.runtime.send(pid, 'hello');
    await kit.settle();
    expect(probe.messages).toMatchObject([{ ref, reason: { error: { code: 'SNOW_ERR_BAD_MATCH' } } }]);
  });
});
