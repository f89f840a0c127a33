// Collections that a Map is too slow or too large for.
//
// OldestFirst: a table that peers or users fill has a limit, beyond which its oldest entry is evicted. A Map has the needed order, but
// the first key of a new iterator costs a step for each entry removed before: up to half the table for each insertion. OldestFirst has
// the same order and finds the oldest entry in amortised O(1).
//
// SharedOldest: such a table whose entries belong to peers or users, of which one that adds very many makes others lose nothing.
//
// SmallMap: where a hundred thousand maps hold one entry each, it holds that entry without a table.
//
// SeededMap: a table whose keys are numbers that peers choose must not become slow when they choose numbers that collide.
//
// Tally: how much each peer uses of what has a limit, without an entry for those that use nothing.
//
// Must not know: what the entries are, nor what a limit is for.
export { OldestFirst } from './oldest-first.ts';
export { SeededMap } from './seeded-map.ts';
export { SharedOldest } from './shared-oldest.ts';
export { SmallMap } from './small-map.ts';
export { Tally } from './tally.ts';
