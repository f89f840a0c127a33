// Promises that the library makes for an actor, which looks at them later, or never.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { defineHandler, request, type Self, start, stop } from '../../../ts/actor/index.ts';
import { defineServer, multiCall, task, taskUnder } from '../../../ts/behaviour/index.ts';
import { startChild } from '../../../ts/supervisor/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
beforeEach(() => {
  kit = startTestRuntime();
  process.on('unhandledRejection', note);
});
afterEach(() => {
  process.off('unhandledRejection', note);
  unhandled.length = 0;
  kit.stop();
});

const failing = defineServer({
  name: 'failing',
  init: async () => {
    throw new Error('no');
  },
});
const fails = (): never => {
  throw new Error('no');
};
const spec = defineHandler('far', () => ({ onMessage() {} }));
const gone = (): Pid => kit.runtime.pidOf(999_999_999);
const aborted = AbortSignal.abort(new Error('aborted'));

function soon(self: Self): AbortSignal {
  const controller = new AbortController();
  self.after(1, () => controller.abort(new Error('aborted')));
  return controller.signal;
}

const ways: [string, (self: Self) => Promise<unknown>][] = [
  ['a call', (self) => request(self, gone(), 'ask')],
  ['a call whose signal has fired', (self) => request(self, gone(), 'ask', [], { signal: aborted })],
  ['calls of many', (self) => multiCall(self, [Symbol('no server') as never], 'ask', [])],
  ['a stop', (self) => stop(self, gone())],
  ['a stop of a name that no actor has', (self) => stop(self, 'nobody')],
  ['a start', (self) => failing.start(self)],
  ['a start on another node', (self) => start(self, spec, [], { node: 'far@h:1', timeout: -1 }) as never],
  ['a spawn on another node', (self) => self.spawnOn('far@h:1', spec, [])],
  ['a sendWait', (self) => self.sendWait('nobody', 'x')],
  ['a task', (self) => task(self, fails, { link: false }).await(self)],
  ['a yield', (self) => task(self, () => 1).yield(self, -1)],
  ['a shutdown of a task', (self) => task(self, () => 1).shutdown(self, -1)],
  ['a task under a supervisor', (self) => taskUnder(self, 'nobody', () => 1)],
  ['a start of a child', (self) => startChild(self, 'nobody', { id: 'x', start: fails })],
  ['a receive whose signal has fired', (self) => self.receive('x', { signal: aborted })],
  ['a receive whose signal fires', (self) => self.receive('x', { signal: soon(self) })],
];

it.each(ways)(
  'A4, V2 is no unhandled rejection when it is awaited late, or never: %s',
  async (_what, ask) => {
    const log: unknown[] = [];
    for (const looks of [true, false]) {
      kit.runtime.spawn(async (self: Self) => {
        const late = ask(self);
        await self.sleep(10);
        if (looks) await late.catch(() => log.push('rejected'));
      });
    }
    await kit.advance(10);
    await new Promise((resolve) => void setImmediate(resolve));
    expect(unhandled).toEqual([]);
    expect(log).toEqual(['rejected']);
  },
);

it.each([
  ['a call', undefined],
  ['a call whose signal has fired', aborted],
])('V2 outside of actors it is an unhandled rejection: %s', async (_what, signal) => {
  const others = process.listeners('unhandledRejection').filter((one) => one !== note);
  for (const other of others) process.off('unhandledRejection', other);
  void request(kit.runtime, gone(), 'ask', [], signal && { signal });
  await new Promise((resolve) => void setImmediate(resolve));
  for (const other of others) process.on('unhandledRejection', other);
  expect(unhandled).toMatchObject([{ name: 'CallError' }]);
});

it('A4 its rejection ends the actor that awaits it and does not handle it, and nobody else', async () => {
  kit.runtime.spawn(async (self: Self) => {
    const late = request(self, gone(), 'ask');
    await self.sleep(10);
    await late;
  });
  await kit.advance(10);
  await new Promise((resolve) => void setImmediate(resolve));
  expect(unhandled).toEqual([]);
  expect(kit.logged('actor_crash')).toMatchObject([{ facts: { reason: { error: { name: 'CallError' } } } }]);
});
