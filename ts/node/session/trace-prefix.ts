// A trace context goes out as a frame of its own, right before the frame that it belongs to: a peer that does not know it ignores it.
import type { TraceHeaders } from '../../actor/index.ts';
import type { FrameWriter } from '../../term/index.ts';
import { FrameTag } from '../../wire/index.ts';

/** The channel of trace contexts (docs/wire.md, section 14). */
export const TRACE_CHANNEL = 'trace';

export class TracePrefix {
  readonly #writer: FrameWriter;
  /** A context stands before the frame that is being written. */
  #stands = false;

  constructor(writer: FrameWriter) {
    this.#writer = writer;
  }

  /** A frame begins, with a context or without one. */
  begin(trace: TraceHeaders | null): void {
    if (this.#stands) this.drop(); // the frame before was refused
    if (trace === null) return;
    this.#put([trace.traceparent, trace.tracestate]);
    this.#stands = true;
  }

  /** The frame is taken back, or leaves the chunk: without this the context would be taken for that of another frame. */
  drop(): void {
    if (this.#stands) this.#put(null);
    this.#stands = false;
  }

  /** The frame stands behind its context. */
  end(): void {
    this.#stands = false;
  }

  #put(context: readonly string[] | null): void {
    const writer = this.#writer;
    writer.begin(FrameTag.SYSTEM);
    writer.name(TRACE_CHANNEL);
    writer.term(context);
    writer.end();
  }
}
