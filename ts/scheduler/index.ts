// The run queue: which item runs next, and when the event loop runs.
//
// Guarantees: first in, first out, but an item whose turn was cut off comes first for a few slices; one resumed continuation runs before the next item; no turn, and no actor that feeds
// itself, starves timers or sockets for longer than a slice (P6). O(1) per item, no allocation. An item never runs in the
// AsyncLocalStorage store of whoever put it into the queue.
//
// Must not know: actors, messages, or anything beyond "items that are given turns".
export { type Queued, Scheduler } from './scheduler.ts';
export { currentStore, inCurrentStore, withoutStore } from './store.ts';
