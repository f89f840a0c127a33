// Calls: requests with one answer, to actors here and on other nodes, and from other nodes.
//
// Guarantees: the rules for calls (G) of docs/rules.md. An answer settles the caller's promise and never enters a mailbox (G3); a call
// that has ended leaves nothing behind (G5); a call that would deadlock fails (G4).
// PendingCalls holds the calls of this runtime's actors, InboundCalls the unanswered calls of other nodes. RingSearch finds deadlocks
// over several nodes.
//
// Must not know: servers, how an actor is spawned, what a frame is.
export { AwaitedSends } from './awaited-sends.ts';
export { CallError, type CallOptions, type CallState } from './call-error.ts';
export { InboundCalls } from './inbound-calls.ts';
export { OutboundCalls, resolveTarget } from './outbound-calls.ts';
export { nodeOfTarget, type PendingCall, PendingCalls } from './pending-call.ts';
export { Replies } from './replies.ts';
export { STOP_TAG } from './request-tags.ts';
export { RingSearch } from './ring-search.ts';
