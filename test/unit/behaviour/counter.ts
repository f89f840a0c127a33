// The server of the tests, and what a failed call looks like to them.
import type { CallError } from '../../../ts/actor/index.ts';
import { defineServer } from '../../../ts/behaviour/index.ts';

/** Resolves to the error of a promise that must fail. */
export const failure = (promise: Promise<unknown>): Promise<CallError> =>
  promise.then(
    (value) => Promise.reject(new Error(`expected a failure, got ${String(value)}`)),
    (error) => error,
  );

export const counter = defineServer({
  name: 'counter',
  init: (_self, start: number) => ({ count: start }),
  calls: {
    read: ({ state }) => state.count,
    add: ({ state }, by: number) => (state.count += by),
    replace: (context, count: number) => {
      context.state = { count };
    },
    crash: () => {
      throw new TypeError('no');
    },
    slow: async ({ state, self }, ms: number) => {
      await self.sleep(ms);
      return ++state.count;
    },
    bye: ({ stop }, reason: unknown) => {
      stop(reason);
      return 'last words';
    },
    self: ({ self }) => self.pid,
  },
  casts: {
    reset: ({ state }) => {
      state.count = 0;
    },
    set: ({ state }, a: number, b: number, c: number) => {
      state.count = a + b + c;
    },
  },
});
