// The tables of links and monitors: data only, no signal is sent here.
//
// Partners on this node and on other nodes are in the same tables. Remote links follow Erlang's link protocol, with unlink ids and
// acknowledgements, so that both ends always agree (C13). Everything but iteration is O(1); an actor with few links or monitors has
// arrays instead of hash tables.
//
// Must not know: actors, mailboxes, how a signal is delivered.
export { Chain } from './chain.ts';
export { Link, Links } from './links.ts';
export { Monitor, RemoteWatchers, Watches } from './monitors.ts';
export { NodeIndex } from './node-index.ts';
