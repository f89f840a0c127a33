// Introspection: what a node is doing, for people and tools.
//
// For: `processes`, `processInfo`, `tree` and `introspect` of a node. A node answers questions about itself from the tables of the modules
// below, and from those that modules above put into `Sources`. It asks other nodes over a channel.
//
// Guarantees: while no one asks, it costs one counter for each message. An answer has a limited size. Questions of peers are answered one
// at a time, with rests between. No actor is interrupted, and no user code runs.
//
// Must not know: how nodes connect (ts/node passes the channel), what global names, groups and rooms are beyond a listing.

export type * from './answers.ts';
export { checkedPage, checkedTree, Introspection } from './introspection.ts';
export { type IntrospectOptions, Introspector } from './introspector.ts';
export { jsonOf, pidText } from './json.ts';
export { CHANNEL } from './messages.ts';
export { nodeText } from './node-text.ts';
export { named, VERSION } from './node-view.ts';
export { type Listing, type SessionCounters, sourcesOf } from './sources.ts';
