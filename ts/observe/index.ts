// The observer: a page that shows a cluster while it works, served by one of its nodes.
//
// For: `snowmesh/observe`, and the command `snowmesh observe`. The page lies in page/, in plain files; it gets its figures as server-sent
// events.
//
// Guarantees: it listens on the loopback address and answers to who has its token, unless told otherwise; nodes are asked while somebody
// looks, and only then. Must not know: what a figure means - that is up to the page and to ts/introspect.
export { type Observer, type ObserverOptions, startObserver } from './observer.ts';
