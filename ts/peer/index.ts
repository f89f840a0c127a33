// What other nodes ask of our actors, and what happens when a node is lost.
//
// Guarantees: a signal for an id that never existed harms nothing; what is tied to a lost node fires exactly once, with
// `noconnection`, oldest first and a thousand at a time, so that a loss stops neither timers nor sockets (P6).
//
// Owns only the losses under way: the rooms below own what is tied to other nodes.
//
// Must not know: sessions and frames; `node` calls these methods.
export { Inbound } from './inbound.ts';
export { NodeLosses } from './node-losses.ts';
export { nullRemote } from './null-remote.ts';
