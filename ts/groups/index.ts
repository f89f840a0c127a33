// Process groups: actors join groups by name on their own node, and every connected node sees all members.
//
// A node is the only one that tells who of its actors is in which group, and each peer hears of them from it alone, over its
// own session (R5). So nothing is agreed on: a lost session takes the members of that peer along, and a new one brings all of them
// again, changes meanwhile included (R4).
//
// Guarantees: look-up is local; a member goes with its actor, its node and its session (R2); an empty group is no more (R3); a
// monitor starts from a list of members and then hears every change in order. Must not know: sessions, frames, nodes to find.
export { GroupJoin, GroupLeave } from './group-events.ts';
export type { GroupsHost } from './group-service.ts';
export { type GroupMonitor, Groups, type GroupsMonitor, type GroupsOptions, startGroups } from './groups.ts';
