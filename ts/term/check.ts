// Validates terms that did not come through the native reader. The same rules as in Rust.

import { SnowmeshError } from '../errors/index.ts';
import { FEW_KEYS, TermTag as Tag, TERM_VERSION } from '../wire/index.ts';
import { TermDecoder } from './decode.ts';
import { Collisions } from './key-hash.ts';
import { MAX_DEPTH } from './limits.ts';
import { TermMemory } from './memory.ts';
import { elementSize, VIEW_KINDS } from './view.ts';

/** Thrown by the checker; the callers turn it into SNOW_ERR_BAD_TERM. */
export class BadTerm extends Error {
  readonly at: number;

  constructor(what: string, at: number) {
    super(what);
    this.at = at;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Walks a whole term and throws {@link BadTerm} at the first fault. O(bytes). */
export function checkTerm(bytes: Uint8Array): void {
  const checker = new Checker(bytes);
  if (checker.u8() !== TERM_VERSION) throw new BadTerm('unknown version', 0);
  checker.value(0);
  if (checker.at !== bytes.length) throw new BadTerm('bytes behind the value', checker.at);
}

/** What a term that was just written refers to outside of its bytes. */
export interface Written {
  /** Keys of each shape. */
  readonly shapeSizes: readonly number[];
  /** Binaries of this many bytes or more are not in the buffer. */
  readonly partFrom: number;
}

/**
 * Throws SNOW_ERR_TOO_LARGE when a term that was just written has more entries, or takes more memory where it arrives, than a
 * receiver accepts. O(values).
 */
export function checkMemory(bytes: Uint8Array, written: Written): void {
  const checker = new Checker(bytes, written);
  checker.u8();
  try {
    checker.value(0);
  } catch (error) {
    if (!(error instanceof BadTerm)) throw error;
    throw new SnowmeshError('SNOW_ERR_TOO_LARGE', `Cannot send ${error.message}: split the message.`);
  }
}

class Checker {
  at = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly memory = new TermMemory();
  private readonly collisions = new Collisions();
  /** Set for a term that this process has just written; undefined for bytes of unknown origin. */
  private readonly written: Written | undefined;

  constructor(bytes: Uint8Array, written?: Written) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.written = written;
  }

  value(depth: number): void {
    const tag = this.u8();
    if (tag >= Tag.SHORT_STRING) {
      if (tag >= Tag.SHORT_STRING + Tag.SHORT_STRING_COUNT) throw new BadTerm('unknown tag', this.at - 1);
      this.fits(this.memory.scalar(tag, 0));
      return this.text(tag - Tag.SHORT_STRING);
    }
    if (tag >= Tag.SMALL_INT) return undefined;
    const fixed = FIXED[tag];
    if (fixed !== undefined) {
      this.fits(this.memory.scalar(tag, fixed));
      return this.skip(fixed);
    }
    if (SIZED.has(tag)) return this.sized(tag);
    if (depth >= MAX_DEPTH) throw new BadTerm('nested too deep', this.at - 1);
    return this.container(tag, depth + 1);
  }

  u8(): number {
    this.need(1);
    return this.bytes[this.at++] as number;
  }

  private sized(tag: number): void {
    if (tag === Tag.VIEW || tag === Tag.BIGINT) {
      const kindOrSign = this.u8();
      const length = this.contents(tag, this.u32());
      return tag === Tag.BIGINT ? this.bigint(kindOrSign, length) : this.viewOf(kindOrSign, length);
    }
    const isShort = tag === Tag.STRING8 || tag === Tag.BINARY8;
    const length = this.contents(tag, isShort ? this.u8() : this.u32());
    return tag === Tag.STRING8 || tag === Tag.STRING ? this.text(length) : this.skip(length);
  }

  /** The number of content bytes in the buffer. */
  private contents(tag: number, length: number): number {
    this.fits(this.memory.scalar(tag, length));
    const isPart = (tag === Tag.BINARY || tag === Tag.VIEW) && length >= (this.written?.partFrom ?? Infinity);
    return isPart ? 0 : length;
  }

  private viewOf(kind: number, length: number): void {
    if (kind >= VIEW_KINDS || length % elementSize(kind) !== 0) throw new BadTerm('bad view', this.at);
    this.skip(length);
  }

  private container(tag: number, depth: number): void {
    switch (tag) {
      case Tag.LIST8:
        return this.values(this.entries(tag, this.u8()), depth);
      case Tag.LIST:
        return this.values(this.entries(tag, this.count(1)), depth);
      case Tag.SET:
        return this.keyed(this.entries(tag, this.count(1)), 0, depth);
      case Tag.MAP:
        return this.keyed(this.entries(tag, this.count(2)), 1, depth);
      case Tag.OBJECT:
        return this.object(this.entries(tag, this.count(3)), depth);
      case Tag.STRUCT:
        this.text(this.u16());
        for (let left = this.entries(tag, this.u16()); left > 0; left--) {
          this.text(this.u16());
          this.value(depth);
        }
        return undefined;
      case Tag.SHAPED:
        return this.shaped(depth);
      default:
        throw new BadTerm('unknown tag', this.at - 1);
    }
  }

  private shaped(depth: number): void {
    if (this.written === undefined) throw new BadTerm('a shape without a connection', this.at - 1);
    const keys = this.written.shapeSizes[this.u16()] as number;
    this.fits(this.memory.shaped(keys));
    this.values(keys, depth);
  }

  private entries(tag: number, count: number): number {
    this.fits(this.memory.container(tag, count));
    return count;
  }

  /** Keys, each followed by `beside` values. */
  private keyed(count: number, beside: number, depth: number): void {
    if (count <= FEW_KEYS || this.written !== undefined) return this.values(count * (1 + beside), depth);
    const keys: (number | bigint)[] = [];
    for (let left = count; left > 0; left--) {
      const start = this.at;
      this.value(depth);
      const key = this.numberAt(start);
      if (key !== undefined) keys.push(key);
      this.values(beside, depth);
    }
    if (!this.collisions.add(keys, count)) throw new BadTerm('keys that collide', this.at);
  }

  /** The number or bigint that was checked at that position. */
  private numberAt(start: number): number | bigint | undefined {
    const tag = this.bytes[start] as number;
    if (tag >= Tag.SMALL_INT && tag < Tag.SHORT_STRING) return tag - Tag.SMALL_INT;
    const isNumber = tag === Tag.INT || tag === Tag.FLOAT || tag === Tag.BIGINT;
    if (!isNumber && (tag < Tag.INT8 || tag > Tag.INT32)) return undefined;
    const alone = new Uint8Array([TERM_VERSION, ...this.bytes.subarray(start, start + 9)]);
    return tag === Tag.BIGINT
      ? this.lowWord(start + 2)
      : (new TermDecoder().decode(alone) as number | bigint);
  }

  /** The lowest 64 bits of the bigint whose length field is at `at`. */
  private lowWord(at: number): bigint {
    let word = 0n;
    for (let index = Math.min(8, this.view.getUint32(at, true)); index > 0; index--)
      word = (word << 8n) | BigInt(this.bytes[at + 3 + index] as number);
    return word;
  }

  private fits(fault: string | undefined): void {
    if (fault !== undefined) throw new BadTerm(fault, this.at);
  }

  private object(count: number, depth: number): void {
    if (this.written !== undefined) return this.namedValues(count, depth);
    const keys = new Set<string>();
    for (let left = count; left > 0; left--) {
      const length = this.u16();
      const start = this.at;
      this.text(length);
      const key = utf8.decode(this.bytes.subarray(start, this.at));
      if (keys.has(key)) throw new BadTerm('a key twice', start);
      keys.add(key);
      this.value(depth);
    }
  }

  private namedValues(count: number, depth: number): void {
    for (let left = count; left > 0; left--) {
      this.skip(this.u16());
      this.value(depth);
    }
  }

  private values(count: number, depth: number): void {
    for (let left = count; left > 0; left--) this.value(depth);
  }

  private bigint(sign: number, length: number): void {
    this.skip(length);
    const isZero = length === 0;
    if (sign > 1 || (isZero && sign === 1) || (!isZero && this.bytes[this.at - 1] === 0))
      throw new BadTerm('bad bigint', this.at);
  }

  private text(length: number): void {
    const start = this.at;
    this.skip(length);
    if (this.written !== undefined) return;
    try {
      utf8.decode(this.bytes.subarray(start, this.at));
    } catch {
      throw new BadTerm('text that is not UTF-8', start);
    }
  }

  private count(least: number): number {
    const count = this.u32();
    if (count * least > this.bytes.length - this.at) throw new BadTerm('a count beyond the end', this.at);
    return count;
  }

  private u16(): number {
    this.need(2);
    this.at += 2;
    return this.view.getUint16(this.at - 2, true);
  }

  private u32(): number {
    this.need(4);
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }

  private skip(length: number): void {
    this.need(length);
    this.at += length;
  }

  private need(length: number): void {
    if (length > this.bytes.length - this.at) throw new BadTerm('the end comes too early', this.at);
  }
}

/** Bytes after each tag of fixed length. */
const FIXED: Readonly<Record<number, number | undefined>> = {
  [Tag.INT]: 8,
  [Tag.FLOAT]: 8,
  [Tag.TRUE]: 0,
  [Tag.FALSE]: 0,
  [Tag.UNDEFINED]: 0,
  [Tag.NULL]: 0,
  [Tag.DATE]: 8,
  [Tag.PID]: 8,
  [Tag.REF]: 16,
  [Tag.INT8]: 1,
  [Tag.INT16]: 2,
  [Tag.INT32]: 4,
};

const SIZED = new Set([Tag.STRING8, Tag.STRING, Tag.BINARY8, Tag.BINARY, Tag.BIGINT, Tag.VIEW]);
