import { SnowmeshError } from '../errors/index.ts';
import { tooManyNodes, writeNodeFrame, writeShapeFrame } from './announcements.ts';
import { ByteWriter, readU32, tooLarge, writeU32 } from './byte-writer.ts';
import { Encoder } from './encode.ts';
import { type KeyNode, KeyTrie } from './key-trie.ts';
import { FRAGMENT_BYTES, MAX_MESSAGE, MAX_SHAPE_BYTES, MAX_SHAPES } from './limits.ts';
import type { RefCipher } from './ref-cipher.ts';
import type { ShapePlace, TermTemplate } from './term-template.ts';

const HEADER = 5;
/** Bytes of SHAPE frames before one message. Above it, objects are written with their keys. */
const MAX_SHAPE_PRELUDE = 32 * 1024;
/** Nodes of the trie of key lists. */
const MAX_NODES = 4 * MAX_SHAPES;

/** The node of a node number. */
export interface NodeIdentity {
  readonly name: string;
  readonly incarnation: bigint;
}

export interface FrameWriterOptions {
  /** The identity of a node number that is about to be announced. */
  readonly identityOf: (nc: number) => NodeIdentity;
  /** The peer's own number: announced by the native core. */
  readonly peer?: number;
  /** Encrypts the ids of this node's references. Default: they are not encrypted. */
  readonly refs?: RefCipher;
  /** Longest frame (tag and body) in bytes. Default 128 MiB. */
  readonly maxMessage?: number;
}

/**
 * Writes the frames of one connection into one chunk: `begin`, fields, `end`. The caller passes `chunk[0 .. pending]` to the
 * native core and calls `reset`.
 *
 *     chunk:  │ frame │ frame │ SHAPE │ frame that uses it │ …        │
 *                                                        pending
 *
 * Object shapes and node numbers that a frame uses for the first time are announced by frames inserted before it. A frame
 * with an unsendable message is removed; its announcements stay, so that both sides agree.
 *
 * Call `begin` with at most half of the chunk filled: a frame that does not fit then is too long for a plain frame anyway.
 */
export class FrameWriter extends Encoder {
  readonly chunk: Uint8Array;
  /** Bytes of complete frames in the chunk. */
  pending = 0;
  private readonly options: FrameWriterOptions;
  private readonly announced = new Set<number>([0]);
  /** The announced node number that was looked up last. */
  private recentNode = 0;
  private readonly prelude = new ByteWriter(new Uint8Array(1024));
  /** Longest frame that is not split into fragments. */
  private readonly plainLimit: number;
  /** Whether the current frame outgrew the chunk and is in a buffer of its own. */
  private isOwn = false;
  private shapeCount = 0;
  private shapeBytes = 0;
  /** Long binaries of the current frame: the position of each, counted from `base`, and its length when it was written. */
  private parts: { readonly at: number; readonly bytes: Uint8Array; readonly length: number }[] = [];
  private partBytes = 0;

  /**
   * @param chunk At least 64 bytes; it is never replaced.
   * @param options Look-up of identities, and the limit.
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
   * Ends the frame. Returns undefined when it is in the chunk. Otherwise returns `tag | body`, which has to be sent in fragments (its
   * announcements are in the chunk). It is returned in parts, so that long binaries are copied only once, by the native core. The parts
   * are the sender's own memory, valid until other code runs.
   *
   * Throws SNOW_ERR_TOO_LARGE and removes the frame.
   */
  end(): readonly Uint8Array[] | undefined {
    const { length } = this;
    if (length > this.plainLimit || this.isOwn || this.prelude.at > 0) return this.endRare(length);
    writeU32(this.buffer, this.base, length);
    this.pending = this.at;
    return undefined;
  }

  /**
   * Writes the term of a template, instead of {@link term}. O(bytes + keys of its objects). Returns false, and writes nothing, when
   * this connection has no number for one of its shapes: write the value itself then.
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

  /** Removes the frame after an error; its announcements stay. */
  cancel(): void {
    this.backToChunk();
    this.flushPrelude();
  }

  /** The chunk was passed on: starts at its beginning again. */
  reset(): void {
    this.pending = 0;
    this.backToChunk();
  }

  /**
   * Removes the last frame from the chunk and returns it as `tag | body`. It begins at `before`, or after announcements that begin there,
   * which stay.
   */
  cutLast(before: number): Uint8Array {
    const { chunk, pending } = this;
    let at = before;
    for (let next = at; next < pending; next = at + 4 + readU32(chunk, at)) at = next;
    this.pending = at;
    return chunk.slice(at + 4, pending);
  }

  protected override announceNode(nc: number): void {
    if (nc === this.recentNode) return;
    if (this.announced.has(nc)) {
      this.recentNode = nc;
      return;
    }
    if (this.prelude.at > this.chunk.length / 4) throw tooManyNodes();
    // Look up first: it throws for an unknown number, which must not count as announced.
    const { name, incarnation } = this.options.identityOf(nc);
    this.announced.add(nc);
    writeNodeFrame(this.prelude, nc, name, incarnation);
  }

  protected override announceShape(node: KeyNode<number>): number {
    if (this.shapeCount >= MAX_SHAPES || this.shapeBytes > MAX_SHAPE_BYTES) return -1;
    if (this.prelude.at > Math.min(MAX_SHAPE_PRELUDE, this.chunk.length / 8)) return -1;
    const keys = node.keys();
    const id = this.shapeCount++;
    node.value = id;
    this.shapeSizes.push(keys.length);
    this.shapeBytes += writeShapeFrame(this.prelude, id, keys);
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
    // It outgrew the rest of the chunk but is not longer than a frame: it fits after its announcements have been flushed, or
    // is sent as a single fragment.
    if (isLong || this.pending + 4 + length > this.chunk.length) return [frame];
    this.chunk.set(frame, this.pending + 4);
    this.at = this.pending + 4 + length;
    return this.end();
  }

  /** The written bytes, with the long binaries between them. */
  private endParts(): readonly Uint8Array[] {
    const { parts } = this;
    // The chunk is needed for the announcements: copy from it. A buffer of its own needs no copy.
    const start = this.base;
    const written = this.isOwn
      ? new Uint8Array(this.buffer.buffer, this.buffer.byteOffset + start, this.at - start)
      : Uint8Array.prototype.slice.call(this.chunk, start, this.at);
    this.cancel();
    const frame: Uint8Array[] = [];
    let from = 4;
    for (const { at, bytes, length } of parts) {
      // A later getter of the message may have detached or resized its buffer.
      if (bytes.length !== length) throw changedMeanwhile();
      frame.push(written.subarray(from, at), bytes);
      from = at;
    }
    if (from < written.length) frame.push(written.subarray(from));
    return frame;
  }

  /** Announcements of a frame that is not in the chunk. */
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
}

function changedMeanwhile(): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_UNSENDABLE',
    'A binary changed its length while its message was being sent: do not resize or transfer bytes in a getter.',
  );
}
