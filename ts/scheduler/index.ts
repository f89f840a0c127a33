// The run queue: whose turn it is, and when the event loop gets its own.
//
// Guarantees: first in, first out; one resumed continuation runs before the next item; no turn, and no actor that feeds
// itself, starves timers or sockets for longer than a slice (rule P6). O(1) per item, no allocation.
//
// Must not know: actors, messages, or anything beyond "items that are given turns".
export { type Queued, Scheduler, TURNS_PER_SLICE } from './scheduler.ts';
