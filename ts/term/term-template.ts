import { SnowmeshError } from '../errors/index.ts';
import { Encoder } from './encode.ts';
import { canBeKey } from './key-trie.ts';
import { FRAGMENT_BYTES, MAX_SHAPE_KEYS } from './limits.ts';
import type { RefCipher } from './ref-cipher.ts';
import { SENT_IN_GETTER } from './unsendable.ts';

/** What most messages fit in. */
const OWN_BYTES = 16 * 1024;
/** Thrown when a message turns out to be long. */
const LONG: unique symbol = Symbol('long');

/** Where a shape's number belongs, counted from the start of the term, and the keys it stands for. */
export interface ShapePlace {
  readonly at: number;
  readonly keys: readonly string[];
}

/**
 * A term written once for the frames of many connections. What differs between those - the numbers of shapes, and which nodes
 * were announced - is noted: {@link FrameWriter.template} puts it in.
 *
 *     template.write(value);
 *     for each writer: begin(tag); template(template) || term(value); end()
 */
export class TermTemplate extends Encoder {
  /** Places of shape numbers. */
  places: ShapePlace[] = [];
  /** Nodes that PIDs and references belong to, apart from this one. */
  readonly nodes: Set<number> = new Set();
  private readonly own = new Uint8Array(OWN_BYTES);
  private isWriting = false;
  private isLong = false;

  /** @param refs hides the ids of this node's references, as in the writers that take the template. */
  constructor(refs?: RefCipher) {
    super(new Uint8Array(0));
    this.refs = refs;
    this.partFrom = FRAGMENT_BYTES;
  }

  /** False: it is so long that a copy costs more than it saves. Write the value itself then. */
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
    // A getter inside a message could send another one while the first is half written.
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
