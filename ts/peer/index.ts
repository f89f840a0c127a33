// Signals from other nodes for actors of this node, and the loss of a node.
//
// Guarantees: a signal for an id that never existed does no harm. Links, monitors, calls and spawns that depend on a lost node fire
// exactly once, with `noconnection`, oldest first and about a thousand at a time, so that a loss blocks neither timers nor sockets (P6).
// `StepQueue` does the same for tables of modules above, and `Snapshots` writes such tables to a node that connects in the same way.
//
// Owns only the losses in progress, and the actions that wait for a node to connect: the modules below own the links, monitors, calls and spawns.
//
// Must not know: sessions and frames. ts/node calls these methods.
export { Inbound } from './inbound.ts';
export { NodeArrivals } from './node-arrivals.ts';
export { NodeLosses } from './node-losses.ts';
export { nullRemote } from './null-remote.ts';
export { Snapshots, type SnapshotsPort } from './snapshots.ts';
export { StepQueue, type Work } from './step-queue.ts';
