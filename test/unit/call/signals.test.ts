// One AbortSignal for many waits.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { request, type Self } from '../../../ts/actor/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
const warnings: Error[] = [];
const note = (warning: Error): void => void warnings.push(warning);
beforeEach(() => {
  kit = startTestRuntime();
  warnings.length = 0;
  process.on('warning', note);
});
afterEach(() => {
  process.off('warning', note);
  return kit.stop();
});

describe('one AbortSignal', () => {
  it('serves any number of waits without a warning of Node.js, and ends them all', async () => {
    const control = new AbortController();
    const { signal } = control;
    const ended: string[] = [];
    const waits: Promise<unknown>[] = [];
    const wait = (what: string, promise: Promise<unknown>): void =>
      void waits.push(promise.catch(() => void ended.push(what)));
    const silent = kit.runtime.spawn(async (self: Self) => void (await self.receive('never')));
    for (let index = 0; index < 15; index++) {
      kit.runtime.spawn(async (self: Self) => {
        wait('call', request(self, silent, 'ask', [], { signal }));
        wait('call', request(self, silent, 'ask', [], { signal }));
        const received = self.receive(undefined, { signal });
        wait('receive', received);
        await received.catch(() => {});
        await self.receive(); // it lives on: the calls of a dead actor are never settled
      });
    }
    await kit.settle();
    control.abort(new Error('enough'));
    await Promise.all(waits);
    expect(ended.filter((what) => what === 'call')).toHaveLength(30);
    expect(ended.filter((what) => what === 'receive')).toHaveLength(15);
    expect(warnings).toEqual([]);
  });

  it('that belongs to an actor may be listened to in many places', async () => {
    kit.runtime.spawn(async (self: Self) => {
      for (let index = 0; index < 15; index++) self.signal.addEventListener('abort', () => {});
      await self.receive();
    });
    await kit.settle();
    expect(warnings).toEqual([]);
  });

  it('keeps nothing of a wait that is over', async () => {
    const { signal } = new AbortController();
    const added = new Set<unknown>();
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (type: string, listener: never) => {
      added.add(listener);
      addEventListener.call(signal, type, listener);
    };
    signal.removeEventListener = (type: string, listener: never) => {
      added.delete(listener);
      removeEventListener.call(signal, type, listener);
    };
    kit.runtime.spawn(async (self: Self) => {
      for (let index = 0; index < 3; index++) await self.receive(undefined, { signal, timeout: 1 });
    });
    await kit.advance(10);
    expect(added.size).toBe(0);
  });
});
