// Span contexts in the format of W3C Trace Context.
import type * as Api from '@opentelemetry/api';
import type { SpanContext } from '@opentelemetry/api';
import { MAX_TRACESTATE, type TraceHeaders } from '../kernel/index.ts';

/** Formatted as text only for messages to other nodes. */
export function headersOf(spanContext: SpanContext): TraceHeaders {
  return new Headers(spanContext);
}

class Headers implements TraceHeaders {
  readonly #context: SpanContext;

  constructor(context: SpanContext) {
    this.#context = context;
  }

  get traceparent(): string {
    const { traceId, spanId, traceFlags } = this.#context;
    return `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`;
  }

  get tracestate(): string {
    const state = this.#context.traceState?.serialize() ?? '';
    return state.length <= MAX_TRACESTATE ? state : '';
  }
}

/** The context of a span of another node, from headers that were checked. */
export function spanContextOf(api: typeof Api, { traceparent, tracestate }: TraceHeaders): SpanContext {
  const [, traceId, spanId, flags] = traceparent.split('-') as [string, string, string, string];
  const context: SpanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return tracestate === '' ? context : { ...context, traceState: api.createTraceState(tracestate) };
}
