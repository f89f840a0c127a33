// Calls: requests with one answer, to actors here and on other nodes, and from other nodes.
//
// Guarantees: rules G of docs/rules.md. An answer settles the promise of its caller and never enters a mailbox; a call that
// is over leaves nothing behind (G5); a call that would close a ring of waiting actors fails at once.
// PendingCalls holds the calls of this runtime (OutboundCalls), InboundCalls those of other nodes that are not answered. RingSearch
// follows the waits of both over nodes.
//
// Must not know: servers, how an actor is spawned, what a frame is.
export { AwaitedSends } from './awaited-sends.ts';
export { CallError, type CallOptions, type CallState } from './call-error.ts';
export { InboundCalls } from './inbound-calls.ts';
export { OutboundCalls, resolve } from './outbound-calls.ts';
export { nodeOfTarget, type PendingCall, PendingCalls } from './pending-call.ts';
export { Replies } from './replies.ts';
export { STOP_TAG } from './request-tags.ts';
export { RingSearch } from './ring-search.ts';
