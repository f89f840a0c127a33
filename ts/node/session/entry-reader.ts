// A cursor over the body of one entry. The native core has validated every body, so nothing is checked here.

import { readAscii, readU32 } from '../../term/index.ts';

/** `ignoreBOM` keeps a byte order mark, which is an ordinary character of a name. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const FOUR_GIB = 0x1_0000_0000;
/** The upper half of 2^53. */
const HIGH_OF_BIGS = 0x20_0000;

export class EntryReader {
  bytes: Uint8Array;
  at = 0;
  end = 0;
  /** Whether `bytes` belongs to this entry alone and is not reused for another one. */
  isAlone = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Points the cursor at another body. */
  reset(bytes: Uint8Array, at: number, end: number, isAlone = false): this {
    this.isAlone = isAlone;
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    return this;
  }

  u8(): number {
    return this.bytes[this.at++] as number;
  }

  u16(): number {
    const { bytes, at } = this;
    this.at = at + 2;
    return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  }

  u32(): number {
    const { bytes, at } = this;
    this.at = at + 4;
    return readU32(bytes, at);
  }

  /** A bigint from 2^53 on. */
  u64(): number | bigint {
    const low = this.u32();
    const high = this.u32();
    return high < HIGH_OF_BIGS ? high * FOUR_GIB + low : (BigInt(high) << 32n) | BigInt(low);
  }

  big(): bigint {
    const low = this.u32();
    return (BigInt(this.u32()) << 32n) | BigInt(low);
  }

  /** `u32 length` and the bytes: a view when the memory is not reused, else a copy. */
  blob(): Uint8Array {
    const length = this.u32();
    const start = this.at;
    this.at = start + length;
    const { bytes, at } = this;
    return this.isAlone ? bytes.subarray(start, at) : Uint8Array.prototype.slice.call(bytes, start, at);
  }

  name(): string {
    const length = this.u16();
    const start = this.at;
    this.at = start + length;
    return readAscii(this.bytes, start, length) ?? decoder.decode(this.bytes.subarray(start, this.at));
  }
}
