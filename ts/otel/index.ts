// Traces: spans of OpenTelemetry for messages, calls, spawns and broadcasts, and their context from actor to actor.
//
// For: `snowmesh/otel`. The package @opentelemetry/api is the application's; what exports spans is set up there.
//
// Guarantees: nothing is traced, and nothing added to what is sent, before `traceActors`; an actor's code runs in the context of the
// message that it handles, never in that of the code whose send woke it; what a peer sends as a context cannot disturb a message.
// Must not know: frames, sessions, how spans are sampled and exported.
export { messageContext, traceActors, withMessage } from './trace-actors.ts';
export type { TracingOptions } from './tracing-options.ts';
