// Validation of terms from an unknown source, for those that did not come through the native reader. Same rules as Rust's.

import { TermTag as Tag, TERM_VERSION } from '../wire/index.ts';
import { MAX_DEPTH } from './limits.ts';
import { elementSize, VIEW_KINDS } from './view.ts';

/** Thrown inside; the callers turn it into SNOW_ERR_BAD_TERM. */
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

class Checker {
  at = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  value(depth: number): void {
    const tag = this.u8();
    if (tag >= Tag.SHORT_STRING) {
      if (tag >= Tag.SHORT_STRING + Tag.SHORT_STRING_COUNT) throw new BadTerm('unknown tag', this.at - 1);
      return this.text(tag - Tag.SHORT_STRING);
    }
    if (tag >= Tag.SMALL_INT) return undefined;
    const fixed = FIXED[tag];
    if (tag === Tag.REF) return this.ref();
    if (fixed !== undefined) return this.skip(fixed);
    if (SIZED.has(tag)) return this.sized(tag);
    if (depth >= MAX_DEPTH) throw new BadTerm('nested too deep', this.at - 1);
    return this.container(tag, depth + 1);
  }

  u8(): number {
    this.need(1);
    return this.bytes[this.at++] as number;
  }

  private sized(tag: number): void {
    if (tag === Tag.STRING8) return this.text(this.u8());
    if (tag === Tag.STRING) return this.text(this.u32());
    if (tag === Tag.BINARY8) return this.skip(this.u8());
    if (tag === Tag.BINARY) return this.skip(this.u32());
    if (tag === Tag.BIGINT) return this.bigint();
    const kind = this.u8();
    const length = this.u32();
    if (kind >= VIEW_KINDS || length % elementSize(kind) !== 0) throw new BadTerm('bad view', this.at);
    return this.skip(length);
  }

  private container(tag: number, depth: number): void {
    switch (tag) {
      case Tag.LIST8:
        return this.values(this.u8(), depth);
      case Tag.LIST:
      case Tag.SET:
        return this.values(this.count(1), depth);
      case Tag.MAP:
        return this.values(this.count(2) * 2, depth);
      case Tag.OBJECT:
        return this.object(this.count(3), depth);
      case Tag.STRUCT:
        this.text(this.u16());
        for (let left = this.u16(); left > 0; left--) {
          this.text(this.u16());
          this.value(depth);
        }
        return undefined;
      default:
        throw new BadTerm(tag === Tag.SHAPED ? 'a shape without a connection' : 'unknown tag', this.at - 1);
    }
  }

  private object(count: number, depth: number): void {
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

  private values(count: number, depth: number): void {
    for (let left = count; left > 0; left--) this.value(depth);
  }

  private ref(): void {
    this.skip(16);
  }

  private bigint(): void {
    const sign = this.u8();
    const length = this.u32();
    this.skip(length);
    const isZero = length === 0;
    if (sign > 1 || (isZero && sign === 1) || (!isZero && this.bytes[this.at - 1] === 0))
      throw new BadTerm('bad bigint', this.at);
  }

  private text(length: number): void {
    const start = this.at;
    this.skip(length);
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

/** Bytes behind the tags of fixed length. */
const FIXED: Readonly<Record<number, number | undefined>> = {
  [Tag.INT]: 8,
  [Tag.FLOAT]: 8,
  [Tag.TRUE]: 0,
  [Tag.FALSE]: 0,
  [Tag.UNDEFINED]: 0,
  [Tag.NULL]: 0,
  [Tag.DATE]: 8,
  [Tag.PID]: 8,
  [Tag.INT8]: 1,
  [Tag.INT16]: 2,
  [Tag.INT32]: 4,
};

const SIZED = new Set([Tag.STRING8, Tag.STRING, Tag.BINARY8, Tag.BINARY, Tag.BIGINT, Tag.VIEW]);
