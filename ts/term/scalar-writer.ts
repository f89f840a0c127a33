// Encodes values that hold no others.
//
// Methods take the position to write at and return the position after what they wrote: it stays in a register, while a field
// would be written and read again for every value. `room` may move the buffer and the position, so positions that are needed later are
// kept relative to `base`.
import { SnowmeshError } from '../errors/index.ts';
import { TermTag as Tag } from '../wire/index.ts';
import { ByteWriter, writeU32 } from './byte-writer.ts';
import { MAX_BIGINT_BYTES } from './limits.ts';
import type { Pid } from './pid.ts';
import type { Ref } from './ref.ts';
import type { RefCipher } from './ref-cipher.ts';
import { UNSENDABLE } from './sendable.ts';
import { writeUtf8 } from './text.ts';
import { bytesOf, viewKind } from './view.ts';

const TWO_32 = 2 ** 32;
/** Strings up to this many characters are written by JavaScript, longer ones by native code. */
const SHORT = 40;
/** Byte arrays up to this length are written by JavaScript. */
const SHORT_BYTES = 16;
/** With one byte per character, the length fits `u8`. */
const MAX_STRING8 = 255;

/** Writes numbers, text, bytes, PIDs and references. */
export class ScalarWriter extends ByteWriter {
  /** Encrypts the ids of this node's references; undefined: they are not encrypted. */
  protected refs: RefCipher | undefined = undefined;
  /** Binaries of this many bytes or more are not copied: {@link partAt} stores their positions. */
  partFrom: number = Number.POSITIVE_INFINITY;

  /** `u32 length` and the bytes. Write it before {@link term}, which may restart and then drops what follows it. */
  blob(bytes: Uint8Array): void {
    const { length } = bytes;
    this.u32(length);
    if (length >= this.partFrom) return this.partAt(this.at, unshared(bytes));
    const at = this.room(this.at, length);
    this.buffer.set(bytes, at);
    this.at = at + length;
  }

  pid(pid: Pid): void {
    const at = this.room(this.at, 8);
    this.at = this.number40(pid.nc, pid.local, at);
  }

  ref(ref: Ref): void {
    const at = this.room(this.at, 16);
    this.at = this.refAt(ref, at);
  }

  /** Called before a PID or reference of another node is written. */
  protected announceNode(_nc: number): void {}

  /** Stores that the bytes of `value` belong at `at`. Called only for `partFrom` bytes or more. */
  protected partAt(_at: number, _value: Uint8Array): void {}

  protected byte(value: number, where: number): number {
    const at = this.room(where, 1);
    this.buffer[at] = value;
    return at + 1;
  }

  protected number(value: number, where: number): number {
    const at = this.room(where, 9);
    const { buffer } = this;
    const int = value | 0;
    if (int !== value || (int === 0 && Object.is(value, -0))) {
      buffer[at] = Tag.FLOAT;
      this.view.setFloat64(at + 1, value, true);
      return at + 9;
    }
    if (int >= 0 && int < Tag.SMALL_INT_COUNT) {
      buffer[at] = Tag.SMALL_INT + int;
      return at + 1;
    }
    if (int >= -128 && int < 128) {
      buffer[at] = Tag.INT8;
      buffer[at + 1] = int;
      return at + 2;
    }
    if (int >= -32768 && int < 32768) {
      buffer[at] = Tag.INT16;
      buffer[at + 1] = int;
      buffer[at + 2] = int >>> 8;
      return at + 3;
    }
    buffer[at] = Tag.INT32;
    writeU32(buffer, at + 1, int);
    return at + 5;
  }

  protected string(value: string, where: number): number {
    const { length } = value;
    if (length > SHORT) return this.longString(value, where);
    const header = length < Tag.SHORT_STRING_COUNT ? 1 : 2;
    const at = this.room(where, 2 + length * 3);
    const { buffer } = this;
    const start = at + header;
    let all = 0;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      buffer[start + index] = code;
      all |= code;
    }
    if (all >= 0x80) return this.unicode(value, at);
    if (header === 1) {
      buffer[at] = Tag.SHORT_STRING + length;
    } else {
      buffer[at] = Tag.STRING8;
      buffer[at + 1] = length;
    }
    return start + length;
  }

  /** Short text that is not ASCII; the room is reserved. */
  protected unicode(value: string, at: number): number {
    const { buffer } = this;
    if (value.length < Tag.SHORT_STRING_COUNT) {
      const end = writeUtf8(buffer, value, at + 1);
      const bytes = end - at - 1;
      if (bytes < Tag.SHORT_STRING_COUNT) {
        buffer[at] = Tag.SHORT_STRING + bytes;
        return end;
      }
    }
    const end = writeUtf8(buffer, value, at + 2);
    buffer[at] = Tag.STRING8;
    buffer[at + 1] = end - at - 2;
    return end;
  }

  protected longString(value: string, where: number): number {
    const { length } = value;
    const at = this.room(where, 5 + (length < 0x10000 ? length * 3 : Buffer.byteLength(value)));
    const { buffer } = this;
    const header = length <= MAX_STRING8 ? 2 : 5;
    const bytes = buffer.utf8Write(value, at + header);
    if (bytes !== length && !value.isWellFormed()) throw UNSENDABLE;
    if (bytes <= MAX_STRING8) {
      buffer[at] = Tag.STRING8;
      buffer[at + 1] = bytes;
      return at + 2 + bytes;
    }
    if (header === 2) buffer.copyWithin(at + 5, at + 2, at + 2 + bytes);
    buffer[at] = Tag.STRING;
    writeU32(buffer, at + 1, bytes);
    return at + 5 + bytes;
  }

  protected binary(value: Uint8Array, where: number): number {
    const { length } = value;
    // An empty array may have a detached buffer.
    if (length === 0) bytesOf(value);
    if (length >= this.partFrom) {
      const at = this.room(where, 5);
      this.buffer[at] = Tag.BINARY;
      writeU32(this.buffer, at + 1, length);
      this.partAt(at + 5, unshared(value));
      return at + 5;
    }
    let at = this.room(where, 5 + length);
    const { buffer } = this;
    if (length <= MAX_STRING8) {
      buffer[at] = Tag.BINARY8;
      buffer[at + 1] = length;
      at += 2;
    } else {
      buffer[at] = Tag.BINARY;
      writeU32(buffer, at + 1, length);
      at += 5;
    }
    if (length > SHORT_BYTES) buffer.set(value, at);
    else for (let index = 0; index < length; index++) buffer[at + index] = value[index] as number;
    return at + length;
  }

  protected viewAt(value: ArrayBuffer | ArrayBufferView, where: number): number {
    const kind = viewKind(value);
    if (kind === undefined) throw UNSENDABLE;
    const bytes = bytesOf(value);
    const isPart = bytes.length >= this.partFrom;
    const at = this.room(where, isPart ? 6 : 6 + bytes.length);
    this.buffer[at] = Tag.VIEW;
    this.buffer[at + 1] = kind;
    writeU32(this.buffer, at + 2, bytes.length);
    if (isPart) {
      this.partAt(at + 6, unshared(bytes));
      return at + 6;
    }
    this.buffer.set(bytes, at + 6);
    return at + 6 + bytes.length;
  }

  protected bigint(value: bigint, where: number): number {
    const isNegative = value < 0n;
    const digits = value === 0n ? '' : (isNegative ? -value : value).toString(16);
    const length = (digits.length + 1) >> 1;
    if (length > MAX_BIGINT_BYTES) throw bigintTooLarge(length);
    const at = this.room(where, 6 + length);
    const { buffer } = this;
    buffer[at] = Tag.BIGINT;
    buffer[at + 1] = isNegative ? 1 : 0;
    writeU32(buffer, at + 2, length);
    buffer.write(digits.length % 2 === 0 ? digits : `0${digits}`, at + 6, 'hex');
    buffer.subarray(at + 6, at + 6 + length).reverse();
    return at + 6 + length;
  }

  protected counted(tag: number, count: number, where: number): number {
    const at = this.room(where, 5);
    this.buffer[at] = tag;
    writeU32(this.buffer, at + 1, count);
    return at + 5;
  }

  protected refAt(ref: Ref, where: number): number {
    const at = this.number40(ref.nc, ref.local, where);
    const low = ref.id >>> 0;
    const high = (ref.id / TWO_32) | (ref.idHigh << 21);
    const { refs } = this;
    if (ref.nc === 0 && refs !== undefined) {
      refs.encrypt(high, low);
      writeU32(this.buffer, at, refs.low);
      writeU32(this.buffer, at + 4, refs.high);
    } else {
      writeU32(this.buffer, at, low);
      writeU32(this.buffer, at + 4, high);
    }
    return at + 8;
  }

  /** A node number and a local id; the room is reserved. */
  protected number40(nc: number, local: number, at: number): number {
    if (nc !== 0) this.announceNode(nc);
    const { buffer } = this;
    writeU32(buffer, at, local);
    buffer[at + 4] = local < TWO_32 ? 0 : local / TWO_32;
    buffer[at + 5] = nc;
    buffer[at + 6] = nc >>> 8;
    buffer[at + 7] = nc >>> 16;
    return at + 8;
  }
}

/** Returns bytes that native code may read: a copy when another thread may write to them. */
function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof ArrayBuffer ? bytes : new Uint8Array(bytes);
}

function bigintTooLarge(bytes: number): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_TOO_LARGE',
    `Cannot send a bigint of ${bytes} bytes: the limit is ${MAX_BIGINT_BYTES}. Send its digits as text or bytes.`,
    { details: { bytes, limit: MAX_BIGINT_BYTES } },
  );
}
