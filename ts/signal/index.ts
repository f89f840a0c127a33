// Links, monitors and exit signals between actors, here and with other nodes.
//
// Guarantees: the rules for links (C), monitors (D) and exit signals (E) of docs/rules.md. A death is announced in a fixed order -
// callbacks, the actor's own monitors, its links, monitors of it, calls to it, its start - and deaths that follow from it wait in a
// queue, so a chain of a million links needs no deep stack.
// LinkSignals owns the index of remote links by node, MonitorSignals those of remote monitors in both directions.
//
// Must not know: addresses, calls, how an actor is spawned, what a frame is.
export { DeathQueue } from './death-queue.ts';
export { receiveExit, sendExit } from './exit-signals.ts';
export { LinkSignals } from './link-signals.ts';
export { MonitorSignals } from './monitor-signals.ts';
