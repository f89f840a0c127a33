// Global names: one name, one actor, on all nodes that are connected.
//
// A node is the only one that tells, changes and removes the names of its own actors, and every peer hears of them from it alone.
// So there is nothing to forget and nothing to revive: who missed a change is told the whole when it is back, and a node that
// is lost takes its names, and no others, along (Q5, Q10, Q11, Q14). Before a node adds a name it gets the vote of every peer,
// and a node votes for one claim a name at a time (ballots.ts). Two claimants therefore never both win while they, or any
// node that both see, are connected - whatever each of them thinks of who is in the cluster. A coordinator a name would save
// messages, but two nodes that disagree about the members would choose two of them. Who does not answer for some seconds is not
// waited for until it does (roll-call.ts).
//
// Guarantees: a yes means that every connected node that answers resolves the name; look-up is local; a double name after a split is settled
// the same way everywhere. Must not know: sessions, frames and how nodes find each other.
export type { ConflictResolver, Contender } from './conflict.ts';
export { NameConflict } from './conflict.ts';
export { GlobalNames, type GlobalNamesOptions, startGlobalNames } from './global-names.ts';
export type { NamesHost } from './name-service.ts';
