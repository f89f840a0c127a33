// The run queue: which item runs next, and when the event loop runs.
//
// Guarantees: first in, first out, but an item whose turn was cut off is first again for a few slices. Code that waits for a promise
// which an item settled runs before the next item. Neither a turn nor an item that queues itself again blocks timers or sockets for
// longer than a slice (P6). O(1) for each item, no allocation. An item never runs in the AsyncLocalStorage stores of the code that
// queued it.
//
// Must not know: actors, messages, or anything but items that get turns.
export { type Queued, Scheduler } from './scheduler.ts';
export { currentStore, inCurrentStore, withoutStore } from './store.ts';
