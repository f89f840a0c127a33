// effect: one fiber for each actor, which loops over its own unbounded queue; calls use a Deferred.
import { Deferred, Effect, Fiber, Queue, Schedule } from 'effect';
export const library = 'effect';
const run = Effect.runPromise;
const loop = (queue, body) =>
  Effect.forkChild(
    Effect.gen(function* () {
      for (;;) yield* body(yield* Queue.take(queue));
    }),
  );

export const pingPong = (n) =>
  run(
    Effect.gen(function* () {
      const qa = yield* Queue.unbounded(),
        qb = yield* Queue.unbounded();
      yield* loop(qb, (m) => Queue.offer(m.from, { type: 'pong', from: qb, n: m.n, id: m.id }));
      for (let i = 0; i < n; i++) {
        yield* Queue.offer(qb, { type: 'ping', from: qa, n: i, id: 7 });
        yield* Queue.take(qa);
      }
    }),
  );

export const fanIn = (total) =>
  run(
    Effect.gen(function* () {
      const q = yield* Queue.unbounded();
      for (let s = 0; s < 8; s++) {
        yield* Effect.forkChild(
          Effect.gen(function* () {
            for (let i = 1; i <= total / 8; i++) {
              yield* Queue.offer(q, { type: 'item', n: i, from: s });
              if (i % 1000 === 0) yield* Effect.yieldNow;
            }
          }),
        );
      }
      for (let left = total; left > 0; left--) yield* Queue.take(q);
    }),
  );

export const ask = (n) =>
  run(
    Effect.gen(function* () {
      const q = yield* Queue.unbounded();
      yield* loop(q, (m) => Deferred.succeed(m.reply, m.n));
      for (let i = n; i > 0; i--) {
        const reply = yield* Deferred.make();
        yield* Queue.offer(q, { type: 'echo', n: i, reply });
        yield* Deferred.await(reply);
      }
    }),
  );

export const ring = (size, laps) =>
  run(
    Effect.gen(function* () {
      const queues = [],
        finished = yield* Deferred.make();
      for (let i = 0; i < size; i++) queues.push(yield* Queue.unbounded());
      for (let i = 0; i < size; i++) {
        yield* loop(queues[i], (m) =>
          i === 0 && m.n === 0
            ? Deferred.succeed(finished, true)
            : Queue.offer(queues[(i + 1) % size], { type: 'token', n: i === 0 ? m.n - 1 : m.n }),
        );
      }
      yield* Queue.offer(queues[0], { type: 'token', n: laps });
      yield* Deferred.await(finished);
    }),
  );

const idle = Effect.gen(function* () {
  const queue = yield* Queue.unbounded();
  return {
    queue,
    fiber: yield* Effect.forkDetach(
      Effect.gen(function* () {
        for (;;) yield* Queue.take(queue);
      }),
    ),
  };
});

export const spawn = (n) =>
  run(
    Effect.gen(function* () {
      const keep = new Array(n);
      for (let i = 0; i < n; i++) keep[i] = yield* idle;
      yield* Effect.yieldNow;
      return keep;
    }),
  );

/** n observed fibers; the result interrupts them all and waits until every observer has heard. */
export async function watched(n) {
  const actors = await spawn(n);
  return () =>
    new Promise((done) => {
      let left = n;
      for (const { fiber } of actors)
        fiber.addObserver(() => {
          if (--left === 0) done();
        });
      Effect.runFork(Fiber.interruptAll(actors.map(({ fiber }) => fiber)));
    });
}

/**
 * A fiber with a queue that fails at each message and is retried at once: the same fiber, so less than a new one.
 * The next crash is sent when it is up again.
 */
export const restarts = (n) =>
  run(
    Effect.gen(function* () {
      const queue = yield* Queue.unbounded(),
        finished = yield* Deferred.make();
      let left = n + 1;
      const child = Effect.gen(function* () {
        yield* --left === 0 ? Deferred.succeed(finished, true) : Queue.offer(queue, 'crash');
        yield* Queue.take(queue);
        return yield* Effect.fail('on purpose');
      });
      yield* Effect.forkChild(Effect.retry(child, Schedule.forever));
      yield* Deferred.await(finished);
    }),
  );

/** One fiber for each timer: it sleeps, then offers to the one queue. */
const later = (queue, ms) => Effect.forkDetach(Effect.delay(Queue.offer(queue, 'due'), ms));
export const timers = {
  most: 200_000,
  start: (n, delayOf) =>
    run(
      Effect.gen(function* () {
        const queue = yield* Queue.unbounded();
        const all = new Array(n);
        for (let i = 0; i < n; i++) all[i] = yield* later(queue, delayOf(i));
        yield* Effect.yieldNow;
        return all;
      }),
    ),
  cancel: (all) => run(Fiber.interruptAll(all)),
  fire: (n, delayOf) =>
    run(
      Effect.gen(function* () {
        const queue = yield* Queue.unbounded();
        for (let i = 0; i < n; i++) yield* later(queue, delayOf(i));
        for (let left = n; left > 0; left--) yield* Queue.take(queue);
      }),
    ),
};
