// The run queue: whose turn it is, and when the event loop gets its own.
//
// Guarantees: first in, first out; no turn starves timers or sockets for longer than a slice (P6). It knows nothing of
// actors beyond "something that can take a turn".
export { type Runnable, Scheduler } from './scheduler.ts';
