/** Most characters of a `tracestate`; a longer one is not sent. */
export const MAX_TRACESTATE = 512;

/** A trace context in the form of the HTTP headers of W3C Trace Context. */
export interface TraceHeaders {
  readonly traceparent: string;
  /** '' for none. */
  readonly tracestate: string;
}
