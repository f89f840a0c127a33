// A trace context is sent as a frame of its own, directly before the frame it belongs to. A peer that does not know it ignores it.
import type { TraceHeaders } from '../../actor/index.ts';
import type { FrameWriter } from '../../term/index.ts';
import { FrameTag } from '../../wire/index.ts';

/** The channel of trace contexts (docs/wire.md, section 14). */
export const TRACE_CHANNEL = 'trace';

export class TracePrefix {
  readonly #writer: FrameWriter;
  /** Whether a context was written before the frame that is being written. */
  #isWritten = false;

  constructor(writer: FrameWriter) {
    this.#writer = writer;
  }

  /** A frame begins, with a context or without one. */
  begin(trace: TraceHeaders | null): void {
    if (trace === null) return;
    this.#put([trace.traceparent, trace.tracestate]);
    this.#isWritten = true;
  }

  /** Cancels the context of a frame that is not sent or leaves the chunk: otherwise it would apply to the next frame. */
  drop(): void {
    if (this.#isWritten) this.#put(null);
    this.#isWritten = false;
  }

  /** The frame was written after its context. */
  end(): void {
    this.#isWritten = false;
  }

  #put(context: readonly string[] | null): void {
    const writer = this.#writer;
    writer.begin(FrameTag.SYSTEM);
    writer.name(TRACE_CHANNEL);
    writer.term(context);
    writer.end();
  }
}
