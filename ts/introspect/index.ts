// Introspection: what a node is doing, for people and for the tools that show it to them.
//
// For: `processes`, `processInfo`, `tree` and `introspect` of a node. A node answers questions about itself from the tables of the rooms
// below, and of those above that put theirs into `Sources`; it asks other nodes over a channel.
//
// Guarantees: nothing is paid while nobody looks, but for one counter a message; an answer is bounded in size; work for peers is done one
// question at a time with rests between; no actor is disturbed and no code of users runs.
//
// Must not know: how nodes connect (a channel comes from above), what global names, groups and rooms are beyond a listing.
export { checkedPage, checkedTree, Introspection } from './introspection.ts';
export { type IntrospectOptions, Introspector } from './introspector.ts';
export { jsonOf, pidText } from './json.ts';
export { CHANNEL } from './messages.ts';
export { named, VERSION } from './node-view.ts';
export { portraitOf } from './portrait.ts';
export type * from './shape.ts';
export { type Listing, type SessionCounters, sourcesOf } from './sources.ts';
