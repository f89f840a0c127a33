// Global names: one name, one actor, on all nodes that are connected.
//
// Only the node of an actor tells, changes and removes the names of that actor, and it tells each peer itself. So there is nothing
// to revive after a split: a node that missed a change is told all names when it is back, and a node that is lost takes its own
// names along, and no others (Q5, Q10, Q11, Q14). Before a node adds a name it gets the vote of every peer, and a node votes
// for one claim a name at a time (ballots.ts). So two claimants never both win while they, or a node that both see, are
// connected, whatever nodes each of them believes to be in the cluster. A coordinator for each name would save messages, but two
// nodes that disagree about the members would choose two of them. docs/internals.md has the four invariants.
//
// From the call to the answer: global-names.ts (the API) → local-requests.ts → claims.ts (votes) → own-entries.ts (the result).
// What peers say comes in at name-service.ts → peer-requests.ts → ballots.ts (their claims), duplicates.ts (their names).
//
// Guarantees: a yes means that every connected node that answers resolves the name; look-up is local; a name with two actors after
// a split is settled the same way everywhere. Must not know: sessions, frames, how nodes find each other.
export type { ConflictResolver, Contender } from './conflict.ts';
export { NameConflict } from './conflict.ts';
export { GlobalNames, type GlobalNamesOptions, startGlobalNames } from './global-names.ts';
export type { NamesHost } from './name-service.ts';
