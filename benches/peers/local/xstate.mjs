// xstate actors with fromTransition logic, its lightest kind. It has no request and reply, so no call.
import { createActor, fromTransition } from 'xstate';
import { shapes } from './shapes.mjs';
export const library = 'xstate';
const make = (handler) =>
  createActor(
    fromTransition((state, event) => {
      handler(event);
      return state;
    }, null),
  ).start();
export const { pingPong, fanIn, ring, spawn } = shapes(
  make,
  (to, event) => to.send(event),
  (actor) => actor.stop(),
);
export const spawnMost = 200_000; // at a million it takes a minute

/** n observed actors; the result stops them all and waits until every observer has heard. */
export function watched(n) {
  const actors = spawn(n);
  return () =>
    new Promise((done) => {
      let left = n;
      for (const actor of actors)
        actor.subscribe({
          complete: () => {
            if (--left === 0) done();
          },
        });
      for (const actor of actors) actor.stop();
    });
}
