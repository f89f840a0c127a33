// Links, monitors and exit signals between actors, here and with other nodes.
//
// Guarantees: rules C, D and E of docs/rules.md. A death is announced in a fixed order - callbacks, own monitors, links,
// monitors of it, calls - and deaths that follow wait in a queue, so a chain of a million links needs no deep stack.
// Each class owns what is tied to other nodes, by node: LinkSignals the links, MonitorSignals the monitors of both directions.
//
// Must not know: addresses, calls, how an actor is spawned, what a frame is.
export { DeathQueue } from './death-queue.ts';
export { receiveExit, sendExit } from './exit-signals.ts';
export { LinkSignals } from './link-signals.ts';
export { MonitorSignals } from './monitor-signals.ts';
