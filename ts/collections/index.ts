// Collections that a Map is too slow or too large for.
//
// OldestFirst: a table that is filled by peers or users has a limit, and above it evicts its oldest entry. A Map has the order for
// that, but removing its first entry by a new iterator costs a step for each entry removed before: up to half the table at each
// insertion. OldestFirst has the same order and finds the oldest in amortised O(1).
//
// SmallMap: where a hundred thousand maps hold one entry each, it holds that entry without a table.
//
// Must not know: what is kept, nor its limit.
export { OldestFirst } from './oldest-first.ts';
export { SmallMap } from './small-map.ts';
