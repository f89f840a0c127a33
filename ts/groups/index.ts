// Process groups: actors join groups by name on their own node, and every connected node sees all members.
//
// Only the node of an actor tells the groups of that actor, and it tells each peer itself, over their session (R5). So there is
// nothing to agree on: a lost session removes the members of that peer, and a new one brings all of them again, with the changes
// made meanwhile (R4).
//
// Guarantees: look-up is local; a member is removed with its actor, its node and its session (R2); an empty group does not exist
// (R3); a monitor starts from a list of members and then gets every change in order.
// Must not know: sessions, frames, how nodes find each other.
export type { Group, GroupMonitor } from './group.ts';
export { GroupJoin, GroupLeave } from './group-events.ts';
export type { GroupsHost } from './group-service.ts';
export { Groups, type GroupsMonitor, type GroupsOptions, startGroups } from './groups.ts';
