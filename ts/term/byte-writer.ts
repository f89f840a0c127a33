import { SnowmeshError } from '../errors/index.ts';
import { MAX_MESSAGE, MAX_NAME_BYTES } from './limits.ts';
import { UNSENDABLE } from './sendable.ts';

const TWO_32 = 2 ** 32;
/** More room may be requested than is used in the end: the exact size is checked when a frame ends. */
const SLACK = 256 * 1024;
const MIN_CAPACITY = 4096;

/** A Buffer with the methods that `Buffer.write` and `Buffer.toString` call in the end. */
export type FastBuffer = Buffer & {
  utf8Write(text: string, offset: number): number;
  utf8Slice(start: number, end: number): string;
};

/** Writes fixed-width numbers and names into a buffer that grows when it must. */
export class ByteWriter {
  buffer: FastBuffer;
  at = 0;
  /** Longest message, in bytes. */
  limit: number = MAX_MESSAGE;
  protected view: DataView;
  protected capacity: number;
  /** Start of the message being written: `grow` keeps the bytes from here on. */
  protected base = 0;

  constructor(buffer: Uint8Array) {
    this.buffer = asBuffer(buffer);
    this.view = viewOf(buffer);
    this.capacity = buffer.length;
  }

  /** Continues in another buffer. */
  protected use(buffer: Uint8Array, at: number): void {
    if (this.buffer.buffer !== buffer.buffer || this.buffer.byteOffset !== buffer.byteOffset) {
      this.buffer = asBuffer(buffer);
      this.view = viewOf(buffer);
    }
    this.capacity = buffer.length;
    this.base = at;
    this.at = at;
  }

  u8(value: number): void {
    const at = this.room(this.at, 1);
    this.buffer[at] = value;
    this.at = at + 1;
  }

  u16(value: number): void {
    const at = this.room(this.at, 2);
    const { buffer } = this;
    buffer[at] = value;
    buffer[at + 1] = value >>> 8;
    this.at = at + 2;
  }

  u32(value: number): void {
    const at = this.room(this.at, 4);
    writeU32(this.buffer, at, value);
    this.at = at + 4;
  }

  u64(value: number | bigint): void {
    if (typeof value === 'bigint') {
      const at = this.room(this.at, 8);
      this.view.setBigUint64(at, value, true);
      this.at = at + 8;
    } else {
      this.u32(value);
      this.u32(value / TWO_32);
    }
  }

  /** `u16 length` and UTF-8. Throws UNSENDABLE beyond 65 535 bytes or with lone surrogates. */
  name(text: string): void {
    this.at = this.nameAt(text, this.at);
  }

  protected nameAt(text: string, where: number): number {
    const { length } = text;
    if (length > MAX_NAME_BYTES) throw UNSENDABLE;
    const at = this.room(where, 2 + length * 3);
    const { buffer } = this;
    const written = buffer.utf8Write(text, at + 2);
    if (written !== length && (written > MAX_NAME_BYTES || !text.isWellFormed())) throw UNSENDABLE;
    buffer[at] = written;
    buffer[at + 1] = written >>> 8;
    return at + 2 + written;
  }

  /** The position to write `bytes` at instead of `at`: another one when the buffer had to grow. */
  protected room(at: number, bytes: number): number {
    return at + bytes <= this.capacity ? at : this.grow(at, bytes);
  }

  /** Makes room by moving what was written since `base` into a larger buffer that this writer owns. */
  protected grow(at: number, bytes: number): number {
    const written = at - this.base;
    const needed = written + bytes;
    if (needed > this.limit + SLACK) throw tooLarge(needed, this.limit);
    const capacity = Math.max(needed, Math.min(2 * needed, this.limit + SLACK), MIN_CAPACITY);
    // The memory need not be cleared: every byte below `at` is written before it is read.
    const larger = Buffer.allocUnsafeSlow(capacity);
    larger.set(this.buffer.subarray(this.base, at));
    this.buffer = larger as FastBuffer;
    this.view = viewOf(larger);
    this.capacity = capacity;
    this.base = 0;
    return written;
  }
}

/** Writes the low 32 bits of a whole number below 2^53. */
export function writeU32(buffer: Uint8Array, at: number, value: number): void {
  buffer[at] = value;
  buffer[at + 1] = value >>> 8;
  buffer[at + 2] = value >>> 16;
  buffer[at + 3] = value >>> 24;
}

export function tooLarge(bytes: number, limit: number): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_TOO_LARGE',
    `A message of ${bytes} bytes or more exceeds the limit of ${limit}: split it, or raise maxMessage on all nodes.`,
    { details: { bytes, limit } },
  );
}

function asBuffer(bytes: Uint8Array): FastBuffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) as FastBuffer;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}
