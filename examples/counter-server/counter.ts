// A counter: the smallest server. Its state is an object that the handlers change; the types of `call` and `cast` come
// from the handlers.
import { defineServer } from '../../ts/index.ts';

export const counter = defineServer({
  name: 'counter',
  init: (_self, start: number) => ({ count: start, resets: 0 }),
  calls: {
    read: ({ state }) => state.count,
    add: ({ state }, by: number) => (state.count += by),
    statistics: ({ state }) => ({ ...state }),
  },
  casts: {
    reset: ({ state }) => {
      state.count = 0;
      state.resets++;
    },
  },
});
