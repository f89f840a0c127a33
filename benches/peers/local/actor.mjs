// `actor`: generator tasks with suspend and resume. It has no mailbox of its own; one array a task stands in.
import * as Task from 'actor';
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

import { shapes } from './shapes.mjs';
export const { pingPong, fanIn, ring, ask, spawn } = shapes(make, send);
