import { SnowmeshError } from '../errors/index.ts';
import { Encoder } from './encode.ts';
import { canBeKey } from './key-trie.ts';
import { FRAGMENT_BYTES, MAX_SHAPE_KEYS } from './limits.ts';
import type { RefCipher } from './ref-cipher.ts';
import { SENT_IN_GETTER } from './unsendable.ts';

/** Most messages fit. */
const OWN_BYTES = 16 * 1024;
/** Thrown when a message is longer than a fragment. */
const LONG: unique symbol = Symbol('long');

/** The position of a shape's number, counted from the start of the term, and its keys. */
export interface ShapePlace {
  readonly at: number;
  readonly keys: readonly string[];
}

/**
 * A term written once for the frames of many connections. The numbers of shapes, and the nodes that were announced, differ between
 * connections: {@link FrameWriter.template} fills them in.
 *
 *     template.write(value);
 *     for each writer: begin(tag); template(template) || term(value); end()
 */
export class TermTemplate extends Encoder {
  /** The positions of shape numbers. */
  places: ShapePlace[] = [];
  /** The other nodes whose PIDs and references the term has. */
  readonly nodes: Set<number> = new Set();
  private readonly own = new Uint8Array(OWN_BYTES);
  private isWriting = false;
  private isLong = false;

  /** @param refs encrypts the ids of this node's references. The writers that use the template need the same one. */
  constructor(refs?: RefCipher) {
    super(new Uint8Array(0));
    this.refs = refs;
    this.partFrom = FRAGMENT_BYTES;
  }

  /** False when the term is so long that copying it costs more than it saves: write the value itself then. */
  get isUsable(): boolean {
    return !this.isLong;
  }

  /** The term, until the next `write`. */
  get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.at);
  }

  /**
   * Writes a whole term: version and value. O(size of the value), O(1) for a long one.
   *
   * @throws SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP.
   */
  write(value: unknown): void {
    // A getter of a message may send another message while this one is half written.
    if (this.isWriting) throw new SnowmeshError('SNOW_ERR_UNSENDABLE', SENT_IN_GETTER);
    this.isWriting = true;
    this.use(this.own, 0);
    this.places = [];
    this.nodes.clear();
    this.isLong = false;
    try {
      this.term(value);
    } catch (error) {
      if (error !== LONG) throw error;
      this.isLong = true;
    } finally {
      this.isWriting = false;
    }
  }

  protected override announceNode(nc: number): void {
    this.nodes.add(nc);
  }

  protected override shapeOf(keys: readonly string[], where: number): number {
    if (keys.length > MAX_SHAPE_KEYS || !keys.every(canBeKey)) return -1;
    this.places.push({ at: where - this.base + 1, keys });
    return 0;
  }

  protected override partAt(): never {
    throw LONG;
  }

  protected override grow(at: number, bytes: number): number {
    if (at - this.base + bytes > FRAGMENT_BYTES) throw LONG;
    return super.grow(at, bytes);
  }
}
