// Process groups: actors join groups by name on their own node, and every connected node sees all members.
//
// Only the node of an actor announces the groups of that actor, to each peer over their session (R5). So no agreement is
// needed: a lost session removes the members of that peer, and a new one brings all of them again, with the changes
// made meanwhile (R4).
//
// Guarantees: look-up is local; a member is removed with its actor, its node and its session (R2); an empty group does not exist
// (R3); a monitor returns the members, and then gets every change in order.
// Must not know: sessions, frames, how nodes find each other.
export type { Group, GroupMonitor } from './group.ts';
export { GroupJoin, GroupLeave } from './group-events.ts';
export type { GroupsHost } from './group-service.ts';
export { Groups, type GroupsMonitor, type GroupsOptions, startGroups } from './groups.ts';
