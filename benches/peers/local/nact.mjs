// nact: stateless actors for the shapes, `query` for calls, `onCrash` with reset for restarts.
import nact from 'nact';
import { shapes } from './shapes.mjs';
export const library = 'nact';
const { start, spawn: spawnActor, spawnStateless, dispatch, query, stop } = nact;
const system = start();
// Given explicitly: among a hundred thousand of its random names some would be equal.
let names = 0;
const name = () => `a${++names}`;
const make = (handler) => spawnStateless(system, handler, name());
export const { pingPong, fanIn, ring, spawn } = shapes(make, dispatch, stop);
export const drop = (actors) => actors.forEach(stop);

export async function ask(n) {
  const server = spawnStateless(system, (m) => dispatch(m.from, m.n), name());
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
      name(),
      { onCrash: (message, error, context) => context.reset },
    );
    dispatch(child, 'crash');
    dispatch(child, 'up?');
  });

/** n actors whose afterStop hook tells a watcher; the result stops them all. */
export function watched(n) {
  let left = n,
    done;
  const heard = new Promise((resolve) => (done = resolve));
  const watcher = spawnStateless(
    system,
    () => {
      if (--left > 0) return;
      stop(watcher);
      done();
    },
    name(),
  );
  const afterStop = () => dispatch(watcher, 'stopped');
  const actors = Array.from({ length: n }, () => spawnActor(system, (state) => state, name(), { afterStop }));
  return async () => {
    for (const actor of actors) stop(actor);
    await heard;
  };
}
