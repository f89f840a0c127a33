// Global names: one name, one actor, on all nodes that are connected.
//
// Only the node of an actor adds, changes and removes the names of that actor, and it informs each peer itself. A split therefore
// leaves no stale names: a node that missed a change gets all names when it is connected again, and the loss of a node removes
// the names of that node and no others (Q5, Q10, Q11, Q14). Before a node adds a name it needs the vote of every peer, and a node
// votes for one claim to a name at a time (ballots.ts). So two claimants never both win while they are connected to each other or
// to a common node, whatever nodes each believes to be in the cluster. A coordinator for each name would save messages, but two
// nodes that disagree about the members would choose two coordinators. docs/internals.md has the four invariants.
//
// From the call to the answer: global-names.ts (the API) → local-requests.ts → claims.ts (votes) → own-entries.ts (the result).
// Messages of peers: name-service.ts → peer-requests.ts → ballots.ts (their claims), duplicates.ts (their names).
//
// Guarantees: a yes means that every connected node that answers resolves the name; look-up is local; all nodes resolve a name with
// two actors after a split the same way. Must not know: sessions, frames, how nodes find each other.
export type { ConflictResolver, Contender } from './conflict.ts';
export { NameConflict } from './conflict.ts';
export { GlobalNames, type GlobalNamesOptions, startGlobalNames } from './global-names.ts';
export type { NamesHost } from './name-service.ts';
