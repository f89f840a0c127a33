import { ByteBlocks, isShared } from './byte-blocks.ts';
import type { FastBuffer } from './byte-writer.ts';
import { readRecent } from './recent-texts.ts';

const NOTHING = new Uint8Array(0);
/** A shorter binary is always copied. */
const MIN_VIEW_BYTES = 64 * 1024;
/** From this length on, `slice`, which clears its memory first, costs more than copying into memory that is not cleared. */
const MIN_UNZEROED_BYTES = 32 * 1024;

/** The bytes of the term that is being read, and a cursor. Nothing is checked, since the term was validated. */
export class TermBytes {
  protected buffer: FastBuffer = Buffer.alloc(0) as FastBuffer;
  /** The same bytes as a Uint8Array: its subarrays are not Buffers. */
  protected raw: Uint8Array = new Uint8Array(0);
  protected view: DataView = new DataView(new ArrayBuffer(0));
  protected source: Uint8Array = this.buffer;
  protected at = 0;
  /** Binaries of this many bytes or more become views. */
  protected viewFrom = Number.POSITIVE_INFINITY;
  private readonly blocks = new ByteBlocks();

  /** Reads `bytes` from `at` on. Strings and bytes are copied out. */
  protected use(bytes: Uint8Array, at: number): void {
    if (bytes !== this.source) this.look(bytes);
    this.at = at;
  }

  /** Like `use`, for bytes that nothing writes into again: a binary that makes up most of them becomes a view. */
  protected useOurs(bytes: Uint8Array, at: number): void {
    this.look(bytes);
    this.viewFrom = Math.max(MIN_VIEW_BYTES, bytes.length / 4);
    this.at = at;
  }

  /** Releases the bytes, which may be many. */
  protected forget(): void {
    this.viewFrom = Number.POSITIVE_INFINITY;
    this.look(NOTHING);
  }

  protected text(length: number): string {
    const start = this.at;
    this.at = start + length;
    return readRecent(this.buffer, this.view, start, length) ?? this.buffer.utf8Slice(start, start + length);
  }

  protected bytes(length: number): Uint8Array<ArrayBuffer> {
    if (length >= this.viewFrom) return this.viewed(length);
    if (!isShared(length)) return this.copied(length);
    const { at } = this;
    this.at = at + length;
    return this.blocks.copy(this.raw.subarray(at, at + length));
  }

  protected viewed(length: number): Uint8Array<ArrayBuffer> {
    const { at } = this;
    this.at = at + length;
    return this.raw.subarray(at, at + length) as Uint8Array<ArrayBuffer>;
  }

  /** A copy that fills its ArrayBuffer. */
  protected copied(length: number): Uint8Array<ArrayBuffer> {
    const { at } = this;
    this.at = at + length;
    if (length >= MIN_UNZEROED_BYTES) return new Uint8Array(this.raw.subarray(at, at + length));
    return this.raw.slice(at, at + length) as Uint8Array<ArrayBuffer>;
  }

  protected i64(): number | bigint {
    const value = this.view.getBigInt64(this.at, true);
    this.at += 8;
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  protected bigint(): bigint {
    const isNegative = this.u8() === 1;
    const length = this.u32();
    const { at } = this;
    this.at = at + length;
    if (length === 0) return 0n;
    const value = BigInt(
      `0x${Buffer.from(this.buffer.subarray(at, at + length))
        .reverse()
        .toString('hex')}`,
    );
    return isNegative ? -value : value;
  }

  protected u8(): number {
    return this.buffer[this.at++] as number;
  }

  protected u16(): number {
    this.at += 2;
    return this.view.getUint16(this.at - 2, true);
  }

  protected u32(): number {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }

  private look(bytes: Uint8Array): void {
    this.source = bytes;
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) as FastBuffer;
    this.raw = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}
