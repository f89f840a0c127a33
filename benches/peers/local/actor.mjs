// `actor`: generator tasks with suspend and resume. It has no mailbox; an array for each task replaces it.
import * as Task from 'actor';
import { shapes } from './shapes.mjs';
export const library = 'actor';

const start = (body) => {
  const self = { queue: [], head: 0, task: null, waiting: false };
  Task.main(
    (function* () {
      self.task = yield* Task.current();
      yield* body(self);
    })(),
  );
  return self;
};
function* receive(self) {
  if (self.head === self.queue.length) {
    self.waiting = true;
    yield* Task.suspend();
  }
  const message = self.queue[self.head];
  self.queue[self.head++] = undefined;
  if (self.head === self.queue.length) {
    self.queue.length = 0;
    self.head = 0;
  }
  return message;
}
const send = (to, message) => {
  to.queue.push(message);
  if (to.waiting) {
    to.waiting = false;
    Task.resume(to.task);
  }
};
const make = (handler) =>
  start(function* (self) {
    for (;;) handler(yield* receive(self));
  });

export const { pingPong, fanIn, ring, ask, spawn } = shapes(make, send);

/** A task that waits for ever. */
function* idle() {
  yield* Task.suspend();
}

/** n forked tasks, each awaited by its promise; the result ends them all. */
export async function watched(n) {
  const forks = Array.from({ length: n }, () => Task.fork(idle()));
  let left = n,
    done;
  const heard = new Promise((resolve) => (done = resolve));
  for (const fork of forks) {
    // `then` also starts the task.
    fork.then(() => {
      if (--left === 0) done();
    });
  }
  await new Promise(setImmediate);
  return async () => {
    for (const fork of forks) Task.main(Task.exit(fork));
    await heard;
  };
}

/** A task that throws at each message, in the loop that a user would write: join, catch, fork again. */
export const restarts = (n) =>
  new Promise((done) => {
    let self;
    function* child() {
      self = { queue: [], head: 0, task: yield* Task.current(), waiting: false };
      if (n-- === 0) return;
      send(self, 'crash');
      yield* receive(self);
      throw new Error('on purpose');
    }
    Task.main(
      (function* () {
        for (;;) {
          const fork = yield* Task.fork(child());
          try {
            yield* Task.join(fork);
            return done();
          } catch {}
        }
      })(),
    );
  });

/** One task for each timer: it sleeps, then resumes the task that counts. */
export const timers = {
  most: 20_000,
  start(n, delayOf) {
    const all = new Array(n);
    for (let i = 0; i < n; i++) all[i] = start(() => Task.sleep(delayOf(i)));
    return all;
  },
  cancel(all) {
    for (const { task } of all) Task.main(Task.exit(task));
  },
  fire: (n, delayOf) =>
    new Promise((done) => {
      let left = n;
      const sink = make(() => {
        if (--left === 0) done();
      });
      for (let i = 0; i < n; i++) {
        start(function* () {
          yield* Task.sleep(delayOf(i));
          send(sink, 'due');
        });
      }
    }),
};
