import { SnowmeshError } from '../errors/index.ts';
import { FrameTag, KeptTag } from '../wire/index.ts';
import { ByteWriter, readU32, tooLarge, writeU32 } from './byte-writer.ts';
import { Encoder } from './encode.ts';
import { type KeyNode, KeyTrie } from './key-trie.ts';
import { FRAGMENT_BYTES, MAX_MESSAGE, MAX_SHAPE_BYTES, MAX_SHAPES } from './limits.ts';
import type { RefCipher } from './ref-cipher.ts';
import type { ShapePlace, TermTemplate } from './term-template.ts';

const HEADER = 5;
/** Announcements before one message; beyond this, objects carry their keys. */
const MAX_SHAPE_PRELUDE = 32 * 1024;
/** Key lists and their beginnings that are remembered. */
const MAX_NODES = 4 * MAX_SHAPES;

/** The node that a number stands for. */
export interface NodeIdentity {
  readonly name: string;
  readonly incarnation: bigint;
}

export interface FrameWriterOptions {
  /** Finds the identity behind a node number that is about to be announced. */
  readonly identityOf: (nc: number) => NodeIdentity;
  /** The peer's own number: announced by the native core. */
  readonly peer?: number;
  /** Hides the ids of this node's references. Default: they are written as they are. */
  readonly refs?: RefCipher;
  /** Longest frame (tag and body) in bytes. Default 128 MiB. */
  readonly maxMessage?: number;
}

/**
 * Writes the frames of one connection into one chunk: `begin`, fields, `end`; the caller hands `chunk[0 .. pending]` to the
 * native core and calls `reset`.
 *
 *     chunk:  │ frame │ frame │ SHAPE │ frame that uses it │ …        │
 *                                                        pending
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
  private readonly announced = new Set<number>([0]);
  private readonly prelude = new ByteWriter(new Uint8Array(1024));
  /** Longest frame that is not cut in fragments. */
  private readonly plainLimit: number;
  /** The current frame outgrew the chunk and stands in a buffer of its own. */
  private isOwn = false;
  private shapeCount = 0;
  private shapeBytes = 0;
  /** Long binaries of the current frame: where each belongs, counted from `base`, and its length then. */
  private parts: { readonly at: number; readonly bytes: Uint8Array; readonly length: number }[] = [];
  private partBytes = 0;

  /**
   * @param chunk At least 64 bytes; it is never replaced.
   * @param options Where identities are found, and the limit.
   */
  constructor(chunk: Uint8Array, options: FrameWriterOptions) {
    super(chunk);
    this.chunk = chunk;
    this.options = options;
    this.refs = options.refs;
    this.shapes = new KeyTrie<number>(MAX_NODES);
    this.limit = options.maxMessage ?? MAX_MESSAGE;
    this.plainLimit = Math.min(FRAGMENT_BYTES, this.limit);
    this.partFrom = FRAGMENT_BYTES;
    if (options.peer !== undefined) this.announced.add(options.peer);
  }

  /** Starts a frame. Throws a RangeError when the chunk is full. */
  begin(tag: number): void {
    const start = this.pending;
    if (start > this.chunk.length - HEADER) throw new RangeError('the chunk was not flushed');
    this.base = start;
    this.buffer[start + 4] = tag;
    this.at = start + HEADER;
  }

  /** Bytes of the current frame so far: tag and body. */
  get length(): number {
    return this.at - this.base - 4 + this.partBytes;
  }

  /**
   * Ends the frame. Returns undefined when it stands in the chunk; else `tag | body`, which has to travel in fragments (its
   * announcements are in the chunk): in parts, so that long binaries are copied once only, by the native core. They are
   * the sender's own memory, good until other code runs.
   *
   * Throws SNOW_ERR_TOO_LARGE; the frame is taken back then.
   */
  end(): readonly Uint8Array[] | undefined {
    const { length } = this;
    if (length > this.plainLimit || this.isOwn || this.prelude.at > 0) return this.endRare(length);
    writeU32(this.buffer, this.base, length);
    this.pending = this.at;
    return undefined;
  }

  /**
   * The term of a template, instead of {@link term}. O(bytes + keys of its objects). False: this connection has no number for
   * one of its shapes; nothing was written, and the value itself has to be.
   */
  template(template: TermTemplate): boolean {
    if (!template.isUsable) return false;
    const ids = template.places.map(({ keys }) => this.shapeOf(keys, this.at));
    if (ids.includes(-1)) return false;
    for (const nc of template.nodes) this.announceNode(nc);
    const { bytes, places } = template;
    const at = this.room(this.at, bytes.length);
    this.buffer.set(bytes, at);
    for (let index = 0; index < ids.length; index++) {
      const place = at + (places[index] as ShapePlace).at;
      const id = ids[index] as number;
      this.buffer[place] = id;
      this.buffer[place + 1] = id >>> 8;
    }
    this.at = at + bytes.length;
    return true;
  }

  /** Takes the frame back, after an error; its announcements stay. */
  cancel(): void {
    this.backToChunk();
    this.flushPrelude();
  }

  /** The chunk was handed over. */
  reset(): void {
    this.pending = 0;
    this.backToChunk();
  }

  protected override announceNode(nc: number): void {
    if (this.announced.has(nc)) return;
    if (this.prelude.at > this.chunk.length / 4) throw tooManyNodes();
    // First the look-up: it throws for an unknown number, which must not count as announced then.
    const { name, incarnation } = this.options.identityOf(nc);
    this.announced.add(nc);
    const { prelude } = this;
    const start = this.openPrelude(KeptTag.SLOT);
    prelude.u16(nc >>> 8);
    prelude.u8(nc & 0xff);
    prelude.u64(incarnation);
    prelude.name(name);
    this.closePrelude(start);
  }

  protected override announceShape(node: KeyNode<number>): number {
    if (this.shapeCount >= MAX_SHAPES || this.shapeBytes > MAX_SHAPE_BYTES) return -1;
    if (this.prelude.at > Math.min(MAX_SHAPE_PRELUDE, this.chunk.length / 8)) return -1;
    const keys = node.keys();
    const id = this.shapeCount++;
    node.value = id;
    this.shapeSizes.push(keys.length);
    const start = this.openPrelude(FrameTag.SHAPE);
    this.prelude.u16(id);
    this.prelude.u16(keys.length);
    for (const key of keys) this.prelude.name(key);
    this.closePrelude(start);
    this.shapeBytes += this.prelude.at - start;
    return id;
  }

  protected override grow(at: number, bytes: number): number {
    const moved = super.grow(at, bytes);
    this.isOwn = true;
    return moved;
  }

  protected override partAt(at: number, bytes: Uint8Array): void {
    const { length } = bytes;
    if (this.partBytes + length > this.limit) throw tooLarge(this.partBytes + length, this.limit);
    this.parts.push({ at: at - this.base, bytes, length });
    this.partBytes += length;
  }

  protected override forgetParts(): void {
    if (this.partBytes === 0) return;
    this.parts = [];
    this.partBytes = 0;
  }

  private backToChunk(): void {
    this.isOwn = false;
    this.forgetParts();
    this.use(this.chunk, this.pending);
  }

  private endRare(length: number): readonly Uint8Array[] | undefined {
    if (length > this.limit) {
      this.cancel();
      throw tooLarge(length, this.limit);
    }
    if (this.partBytes > 0) return this.endParts();
    const isLong = length > FRAGMENT_BYTES;
    if (!isLong && !this.isOwn && this.at + this.prelude.at <= this.chunk.length) {
      this.insertPrelude(length);
      return this.end();
    }
    const start = this.base + 4;
    const frame = this.isOwn
      ? new Uint8Array(this.buffer.buffer, this.buffer.byteOffset + start, length)
      : Uint8Array.prototype.slice.call(this.chunk, start, start + length);
    this.cancel();
    // It outgrew what was left of the chunk, but not a frame: there is room once its announcements are out of the way, or
    // it travels as a single fragment.
    if (isLong || this.pending + 4 + length > this.chunk.length) return [frame];
    this.chunk.set(frame, this.pending + 4);
    this.at = this.pending + 4 + length;
    return this.end();
  }

  /** What was written, with the long binaries in between. */
  private endParts(): readonly Uint8Array[] {
    const { parts } = this;
    // The chunk is needed for the announcements; a buffer of our own is not shared.
    const start = this.base;
    const written = this.isOwn
      ? new Uint8Array(this.buffer.buffer, this.buffer.byteOffset + start, this.at - start)
      : Uint8Array.prototype.slice.call(this.chunk, start, this.at);
    this.cancel();
    const frame: Uint8Array[] = [];
    let from = 4;
    for (const { at, bytes, length } of parts) {
      // A getter further on in the message may have detached or shrunk its buffer.
      if (bytes.length !== length) throw changedMeanwhile();
      frame.push(written.subarray(from, at), bytes);
      from = at;
    }
    if (from < written.length) frame.push(written.subarray(from));
    return frame;
  }

  /**
   * Takes the last frame, which begins at `before` or behind announcements that begin there, out of the chunk again, as `tag | body`.
   * The announcements stay.
   */
  cutLast(before: number): Uint8Array {
    const { chunk, pending } = this;
    let at = before;
    for (let next = at; next < pending; next = at + 4 + readU32(chunk, at)) at = next;
    this.pending = at;
    return chunk.slice(at + 4, pending);
  }

  /** Announcements of a frame that does not stand in the chunk. */
  private flushPrelude(): void {
    const { prelude } = this;
    if (prelude.at === 0) return;
    this.chunk.set(prelude.buffer.subarray(0, prelude.at), this.pending);
    this.pending += prelude.at;
    prelude.at = 0;
    this.backToChunk();
  }

  private insertPrelude(length: number): void {
    const { prelude, chunk } = this;
    const shift = prelude.at;
    chunk.copyWithin(this.base + shift, this.base, this.base + 4 + length);
    chunk.set(prelude.buffer.subarray(0, shift), this.base);
    this.base += shift;
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
    writeU32(prelude.buffer, start, prelude.at - start - 4);
  }
}

function changedMeanwhile(): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_UNSENDABLE',
    'A binary changed its length while its message was being sent.',
  );
}

/** The nodes announced so far stay announced, so the same message passes at a second or third try. */
function tooManyNodes(): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_TOO_LARGE',
    'A message names PIDs of too many nodes that are new to its receiver: split it.',
  );
}
