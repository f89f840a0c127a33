// Reads the trace context that a peer sent. Any term may arrive; only W3C Trace Context, version 00, is accepted.
import { MAX_TRACESTATE, type TraceHeaders } from '../actor/index.ts';

/** Bytes of the term of a context. A longer one is ignored without being decoded. */
export const MAX_TRACE_BYTES = 1024;

const TRACEPARENT = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;
const TRACESTATE = /^[\x20-\x7e]*$/;

/** Returns null for any other term. */
export function readTraceHeaders(value: unknown): TraceHeaders | null {
  if (!Array.isArray(value)) return null;
  const [traceparent, tracestate] = value as unknown[];
  if (typeof traceparent !== 'string' || !TRACEPARENT.test(traceparent)) return null;
  const isState =
    typeof tracestate === 'string' && tracestate.length <= MAX_TRACESTATE && TRACESTATE.test(tracestate);
  return { traceparent, tracestate: isState ? tracestate : '' };
}
