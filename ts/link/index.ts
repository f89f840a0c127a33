// Links and monitors: who hears of whose end, and what an exit signal does. Pure data and pure functions.
//
// Partners on this node and on others have the same tables; remote links follow Erlang's link protocol, with unlink ids
// and acknowledgements, so that both ends always agree (C13). Delivering is the actor floor's business.
export { type ExitEffect, exitEffect } from './exit-signal.ts';
export { Links, pidKey } from './links.ts';
export { type NamedProcess, type Watch, type Watcher, Watchers, Watches } from './monitors.ts';
