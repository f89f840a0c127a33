// What callbacks return may be an object with a `then` that is no Promise: it may call back at once, twice, or return nothing.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Self, stop } from '../../../ts/actor/index.ts';
import {
  call,
  cast,
  defineServer,
  defineStateMachine,
  type MachineStart,
} from '../../../ts/behaviour/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
let log: string[];
let opened: (() => void)[];
beforeEach(() => {
  kit = startTestRuntime();
  log = [];
  opened = [];
});
afterEach(() => kit.stop());

/** A thenable that resolves when `open` is called, as often as that is. Its `then` returns nothing. */
const later = <T = void>(value?: T): PromiseLike<T> => {
  const thenable = {
    // oxlint-disable-next-line unicorn/no-thenable -- this is what is tested
    then(resolve: (value: unknown) => void) {
      opened.push(() => resolve(value));
    },
  };
  return thenable as unknown as PromiseLike<T>;
};

async function open(which = 0): Promise<void> {
  opened[which]?.();
  await kit.settle();
}

it('B5 a handler actor takes its next message when the thenable has resolved, however often it does', async () => {
  const pid = kit.runtime.spawnHandler(() => ({
    onMessage: (message) => {
      log.push(String(message));
      if (message !== 'last') return later();
      return undefined;
    },
  }));
  for (const message of ['a', 'b', 'last']) kit.runtime.send(pid, message);
  await kit.settle();
  expect(log).toEqual(['a']);
  await open(0);
  expect(log).toEqual(['a', 'b']);
  await open(0);
  expect(log).toEqual(['a', 'b']);
  await open(1);
  expect(log).toEqual(['a', 'b', 'last']);
});

it('a server waits for those of its init, its handlers, its continuations and its terminate', async () => {
  const server = defineServer({
    name: 'server',
    init: () => later({ n: 1 }),
    calls: { read: ({ state }) => later(state.n) },
    casts: {
      add: ({ state, continueWith }) => {
        state.n++;
        continueWith('more');
        return later();
      },
    },
    onContinue: ({ state }) => {
      state.n += 10;
      return later();
    },
    terminate: () => later(),
  });
  const started = server.start(kit);
  await kit.settle();
  await open(0);
  const pid = await started;
  cast(kit, pid, 'add');
  const read = call(kit, pid, 'read');
  await kit.settle();
  expect(opened).toHaveLength(2); // the call waits for the cast
  await open(1);
  expect(opened).toHaveLength(3); // and for the continuation
  await open(2);
  await open(3);
  expect(await read).toBe(12);
  const stopped = stop(kit, pid);
  await kit.settle();
  expect(kit.runtime.isAlive(pid)).toBe(true);
  await open(4);
  await stopped;
});

it('a state machine waits for those of its enter and its handlers', async () => {
  const machine = defineStateMachine({
    name: 'machine',
    init: (): MachineStart<'one' | 'two', null> => ({ state: 'one', data: null }),
    states: {
      one: {
        casts: {
          go: ({ goto }) => {
            goto('two');
            return later();
          },
        },
      },
      two: { enter: () => later(), calls: { where: ({ state }) => state } },
    },
  });
  const pid = await machine.start(kit);
  cast(kit, pid, 'go');
  const where = call(kit, pid, 'where');
  await kit.settle();
  expect(opened).toHaveLength(1);
  await open(0);
  expect(opened).toHaveLength(2);
  await open(1);
  expect(await where).toBe('two');
});

it('A2 a function actor ends when its thenable has resolved', async () => {
  const pid = kit.runtime.spawn((_self: Self) => later());
  await kit.settle();
  expect(kit.runtime.isAlive(pid)).toBe(true);
  await open(0);
  expect(kit.runtime.isAlive(pid)).toBe(false);
});
