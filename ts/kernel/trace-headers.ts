/** Characters of a `tracestate`; a longer one does not travel. */
export const MAX_TRACESTATE = 512;

/** A trace context as the headers of W3C Trace Context write it. */
export interface TraceHeaders {
  readonly traceparent: string;
  /** '' for none. */
  readonly tracestate: string;
}
