// xstate actors with fromTransition logic, its lightest kind. It has no request and reply, so no call.
import { cancel, createActor, createMachine, fromTransition, raise, sendTo } from 'xstate';
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

/**
 * A parent machine that invokes a child and enters the state anew on its error, which starts another child. The next
 * crash is sent when that one is up.
 */
export const restarts = (n) =>
  new Promise((done) => {
    let left = n + 1;
    const child = createMachine({
      entry: () => void left--,
      on: {
        crash: {
          actions: () => {
            throw new Error('on purpose');
          },
        },
      },
    });
    const parent = createActor(
      createMachine({
        initial: 'up',
        states: {
          up: {
            invoke: { src: child, id: 'child', onError: { target: 'up', reenter: true } },
            on: { crash: { actions: sendTo('child', { type: 'crash' }) } },
          },
        },
      }),
    );
    parent.start();
    const next = () => {
      if (left === 0) {
        parent.stop();
        done();
        return;
      }
      const before = left;
      parent.send({ type: 'crash' });
      if (left === before) queueMicrotask(next);
      else if (left % 100 === 0) setImmediate(next);
      else next();
    };
    next();
  });

/** One machine that raises delayed events for itself. */
const timerMachine = (onDue) =>
  createActor(
    createMachine({
      on: {
        start: {
          actions: raise({ type: 'due' }, { delay: ({ event }) => event.delay, id: ({ event }) => event.id }),
        },
        cancel: { actions: cancel(({ event }) => event.id) },
        due: { actions: onDue },
      },
    }),
  ).start();

export const timers = {
  most: 200_000,
  start(n, delayOf) {
    const machine = timerMachine(() => {});
    for (let i = 0; i < n; i++) machine.send({ type: 'start', id: `t${i}`, delay: delayOf(i) });
    return { machine, n };
  },
  cancel({ machine, n }) {
    for (let i = 0; i < n; i++) machine.send({ type: 'cancel', id: `t${i}` });
  },
  fire: (n, delayOf) =>
    new Promise((done) => {
      let left = n;
      const machine = timerMachine(() => {
        if (--left === 0) done();
      });
      for (let i = 0; i < n; i++) machine.send({ type: 'start', id: `t${i}`, delay: delayOf(i) });
    }),
};
