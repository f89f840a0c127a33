import { Encoder, tooLarge } from './encode.ts';
import { FRAGMENT_BYTES, MAX_MESSAGE } from './limits.ts';
import { EncoderShapes } from './shapes.ts';

const SLOT = 0x30;
const SHAPE = 0x31;
const HEADER = 5;
/** Announcements of one message; beyond this, objects carry their keys. */
const MAX_PRELUDE = 32 * 1024;

/** Who a node number stands for. */
export interface NodeIdentity {
  readonly name: string;
  readonly incarnation: bigint;
}

export interface FrameWriterOptions {
  /** Finds the identity behind a node number that is about to be announced. */
  readonly identityOf: (nc: number) => NodeIdentity;
  /** The peer's own number: announced by the native core. */
  readonly peer?: number;
  /** Longest message in bytes. Default 128 MiB. */
  readonly maxMessage?: number;
}

/**
 * Writes the frames of one connection into one chunk: `begin`, fields, `end`; the caller hands `chunk[0 .. pending]` to the
 * native core and calls `reset`.
 *
 * What a frame uses for the first time - object shapes, node numbers - is announced by frames that are put in before it. A
 * message that turns out unsendable is taken back; what it announced stays, so both sides agree.
 *
 * Call `begin` with at most half of the chunk filled: then whatever does not fit is too long for a plain frame anyway.
 */
export class FrameWriter extends Encoder {
  readonly chunk: Uint8Array;
  /** Bytes of complete frames in the chunk. */
  pending = 0;
  private readonly options: FrameWriterOptions;
  private readonly shapes = new EncoderShapes();
  private readonly announced = new Set<number>([0]);
  private readonly prelude = new Encoder(new Uint8Array(1024));
  /** Where the current frame begins in the buffer being written. */
  private start = 0;
  private isOwn = false;

  constructor(chunk: Uint8Array, options: FrameWriterOptions) {
    super(chunk);
    this.chunk = chunk;
    this.options = options;
    this.limit = options.maxMessage ?? MAX_MESSAGE;
    if (options.peer !== undefined) this.announced.add(options.peer);
  }

  /** Starts a frame. */
  begin(tag: number): void {
    if (this.at > this.chunk.length - HEADER) throw new RangeError('the chunk was not flushed');
    this.start = this.pending;
    this.at = this.start + 4;
    this.u8(tag);
  }

  /**
   * Ends the frame. Returns undefined when it stands in the chunk; else `tag | body` in a buffer of its own, which has to
   * travel in fragments (its announcements are in the chunk).
   */
  end(): Uint8Array | undefined {
    const length = this.at - this.start - 4;
    if (length > this.limit) {
      this.cancel();
      throw tooLarge(length, this.limit);
    }
    const isBig = length > FRAGMENT_BYTES || this.at + this.prelude.at > this.chunk.length;
    if (this.isOwn || isBig) return this.endBig(length);
    if (this.prelude.at > 0) this.insertPrelude(length);
    const { buffer, start } = this;
    buffer[start] = length;
    buffer[start + 1] = length >>> 8;
    buffer[start + 2] = length >>> 16;
    buffer[start + 3] = length >>> 24;
    this.pending = this.at;
    return undefined;
  }

  /** Takes the frame back, after an error; its announcements stay. */
  cancel(): void {
    this.backToChunk();
    this.flushPrelude();
  }

  /** The chunk was handed over. */
  reset(): void {
    this.pending = 0;
    this.at = 0;
  }

  override announceNode(nc: number): void {
    if (this.announced.has(nc)) return;
    // First the look-up: it throws for a number nobody knows, which must not count as announced then.
    const { name, incarnation } = this.options.identityOf(nc);
    this.announced.add(nc);
    const { prelude } = this;
    const start = this.openPrelude(SLOT);
    prelude.u16(nc >>> 8);
    prelude.u8(nc & 0xff);
    prelude.u64(incarnation);
    prelude.name(name);
    this.closePrelude(start);
  }

  override shapeOf(keys: readonly string[]): number {
    const known = this.shapes.find(keys);
    if (known !== undefined) return known.id;
    if (this.prelude.at > MAX_PRELUDE) return -1;
    const shape = this.shapes.define(keys);
    if (shape === undefined) return -1;
    const start = this.openPrelude(SHAPE);
    this.prelude.u16(shape.id);
    this.prelude.u16(keys.length);
    for (const key of keys) this.prelude.name(key);
    this.closePrelude(start);
    return shape.id;
  }

  protected override frameStart(): number {
    return this.start;
  }

  protected override moved(): void {
    this.start = 0;
    this.isOwn = true;
  }

  private endBig(length: number): Uint8Array | undefined {
    const frame = this.isOwn
      ? this.buffer.subarray(this.start + 4, this.at)
      : Uint8Array.prototype.slice.call(this.buffer, this.start + 4, this.at);
    this.backToChunk();
    this.flushPrelude();
    if (length > FRAGMENT_BYTES) return frame;
    // It only outgrew what was left of the chunk: put it there if it fits now, else let it travel as a single fragment.
    if (this.pending + 4 + length > this.chunk.length) return frame;
    this.chunk.set(frame, this.pending + 4);
    this.start = this.pending;
    this.at = this.pending + 4 + length;
    return this.end();
  }

  private backToChunk(): void {
    this.isOwn = false;
    this.use(this.chunk, this.pending);
    this.start = this.pending;
  }

  /** Announcements of a frame that does not stand in the chunk. */
  private flushPrelude(): void {
    const { prelude } = this;
    if (prelude.at === 0) return;
    this.chunk.set(prelude.buffer.subarray(0, prelude.at), this.pending);
    this.pending += prelude.at;
    this.at = this.pending;
    this.start = this.pending;
    prelude.at = 0;
  }

  private insertPrelude(length: number): void {
    const { prelude, chunk } = this;
    const shift = prelude.at;
    chunk.copyWithin(this.start + shift, this.start, this.start + 4 + length);
    chunk.set(prelude.buffer.subarray(0, shift), this.start);
    this.start += shift;
    this.at += shift;
    prelude.at = 0;
  }

  private openPrelude(tag: number): number {
    const start = this.prelude.at;
    this.prelude.u32(0);
    this.prelude.u8(tag);
    return start;
  }

  private closePrelude(start: number): void {
    const { prelude } = this;
    const end = prelude.at;
    prelude.at = start;
    prelude.u32(end - start - 4);
    prelude.at = end;
  }
}
