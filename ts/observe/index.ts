// The observer: a web page that shows a running cluster, served by one of its nodes.
//
// For `snowmesh/observe` and the command `snowmesh observe`. The page is in page/, as plain files, and gets its data as server-sent
// events.
//
// Guarantees: it listens on the loopback address by default, and serves only browsers that have its token; it polls nodes only while a
// viewer is connected. Must not know: what the data means (the page and ts/introspect do).
export { type Observer, type ObserverOptions, startObserver } from './observer.ts';
