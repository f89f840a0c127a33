// The data of links and monitors. Pure data.
//
// Partners on this node and on others have the same tables. Remote links follow Erlang's link protocol, with unlink ids and
// acknowledgements, so that both ends always agree (C13). Everything is O(1) but for `Links` iteration; an actor with few
// links or monitors pays for no hash table.
//
// Must not know: actors, mailboxes, how a signal is delivered.
export { Chain } from './chain.ts';
export { Link, Links } from './links.ts';
export { Monitor, RemoteWatchers, Watches } from './monitors.ts';
export { NodeIndex } from './node-index.ts';
