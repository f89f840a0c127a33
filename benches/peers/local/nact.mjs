// nact: stateless actors for the shapes, `query` for calls, `onCrash` with reset for restarts.
import nact from 'nact';
import { shapes } from './shapes.mjs';
export const library = 'nact';
const { start, spawn: spawnActor, spawnStateless, dispatch, query, stop } = nact;
const system = start();
const make = (handler) => spawnStateless(system, handler);
export const { pingPong, fanIn, ring, spawn } = shapes(make, dispatch, stop);

export async function ask(n) {
  const server = spawnStateless(system, (m) => dispatch(m.from, m.n));
  for (let i = n; i > 0; i--) await query(server, (from) => ({ type: 'echo', n: i, from }), 10_000);
  stop(server);
}

/** One child that crashes again and again; the next crash is sent when it is up again. */
export const restarts = (n) =>
  new Promise((done) => {
    let left = n;
    const child = spawnActor(
      system,
      (state, m) => {
        if (m === 'crash') throw new Error('on purpose');
        if (--left === 0) {
          stop(child);
          done();
        } else {
          dispatch(child, 'crash');
          dispatch(child, 'up?');
        }
        return state;
      },
      undefined,
      { onCrash: (message, error, context) => context.reset },
    );
    dispatch(child, 'crash');
    dispatch(child, 'up?');
  });
