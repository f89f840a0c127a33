// The hot path outwards: values straight into bytes. One instance writes many messages; nothing is allocated per message.
import { SnowmeshError } from '../errors/index.ts';
import { MAX_DEPTH, MAX_MESSAGE } from './limits.ts';
import { Pid } from './pid.ts';
import { Ref } from './ref.ts';
import * as Tag from './tag.ts';
import { errorFields, errorType, Tagged } from './tagged.ts';
import { isPlain, UNSENDABLE, unsendable } from './unsendable.ts';
import { bytesOf, viewKind } from './view.ts';

const TWO_32 = 2 ** 32;
/** Strings up to this many characters are tried as ASCII, character by character. */
const SHORT = 40;

type FastBuffer = Buffer & { utf8Write(text: string, offset: number): number };

const scratch = new Float64Array(1);
const scratchBytes = new Uint8Array(scratch.buffer);

/** Writes values and fixed-width numbers into a buffer that grows when it must. */
export class Encoder {
  buffer: FastBuffer;
  at = 0;
  /** Longest message, in bytes. */
  limit: number = MAX_MESSAGE;
  private capacity: number;
  private depth = 0;

  constructor(buffer: Uint8Array) {
    this.buffer = asBuffer(buffer);
    this.capacity = buffer.length;
  }

  /** Goes on in another buffer. */
  use(buffer: Uint8Array, at: number): void {
    this.buffer = asBuffer(buffer);
    this.capacity = buffer.length;
    this.at = at;
  }

  /** A whole term: version and value. Throws SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP, SNOW_ERR_TOO_LARGE. */
  term(value: unknown): void {
    this.u8(Tag.STF_VERSION);
    this.depth = 0;
    try {
      this.value(value);
    } catch (error) {
      throw error === UNSENDABLE ? unsendable(value) : error;
    }
  }

  u8(value: number): void {
    this.room(1);
    this.buffer[this.at++] = value;
  }

  u16(value: number): void {
    this.room(2);
    const { buffer, at } = this;
    buffer[at] = value;
    buffer[at + 1] = value >>> 8;
    this.at = at + 2;
  }

  u32(value: number): void {
    this.room(4);
    const { buffer, at } = this;
    buffer[at] = value;
    buffer[at + 1] = value >>> 8;
    buffer[at + 2] = value >>> 16;
    buffer[at + 3] = value >>> 24;
    this.at = at + 4;
  }

  u64(value: number | bigint): void {
    if (typeof value === 'bigint') {
      this.u32(Number(value & 0xffffffffn));
      this.u32(Number((value >> 32n) & 0xffffffffn));
    } else {
      this.u32(value % TWO_32);
      this.u32(value / TWO_32);
    }
  }

  /** `u16 length` and UTF-8. Throws UNSENDABLE beyond 65 535 bytes or with lone surrogates. */
  name(text: string): void {
    const { length } = text;
    this.room(2 + length * 3);
    const start = this.at;
    this.at = start + 2;
    this.text(text, length);
    const bytes = this.at - start - 2;
    if (bytes > 0xffff) throw UNSENDABLE;
    this.buffer[start] = bytes;
    this.buffer[start + 1] = bytes >>> 8;
  }

  pid(pid: Pid): void {
    this.room(8);
    this.number40(pid.nc, pid.local);
  }

  ref(ref: Ref): void {
    this.room(16);
    this.number40(ref.nc, ref.local);
    this.u64(ref.id);
  }

  /** Called before a PID or reference of another node is written. */
  announceNode(_nc: number): void {}

  /** The announced shape of these keys; -1: write them out. */
  shapeOf(_keys: readonly string[]): number {
    return -1;
  }

  private value(value: unknown): void {
    switch (typeof value) {
      case 'number':
        return this.number(value);
      case 'string':
        return this.string(value);
      case 'object':
        return value === null ? this.u8(Tag.NULL) : this.object(value);
      case 'boolean':
        return this.u8(value ? Tag.TRUE : Tag.FALSE);
      case 'undefined':
        return this.u8(Tag.UNDEFINED);
      case 'bigint':
        return this.bigint(value);
      default:
        throw UNSENDABLE;
    }
  }

  private number(value: number): void {
    this.room(9);
    const { buffer, at } = this;
    if ((value | 0) !== value || (value === 0 && 1 / value < 0)) {
      buffer[at] = Tag.FLOAT;
      this.at = at + 1;
      this.f64(value);
    } else if (value >= 0 && value < Tag.SMALL_INT_COUNT) {
      buffer[at] = Tag.SMALL_INT + value;
      this.at = at + 1;
    } else if (value >= -128 && value < 128) {
      buffer[at] = Tag.INT8;
      buffer[at + 1] = value;
      this.at = at + 2;
    } else if (value >= -32768 && value < 32768) {
      buffer[at] = Tag.INT16;
      buffer[at + 1] = value;
      buffer[at + 2] = value >>> 8;
      this.at = at + 3;
    } else {
      buffer[at] = Tag.INT32;
      buffer[at + 1] = value;
      buffer[at + 2] = value >>> 8;
      buffer[at + 3] = value >>> 16;
      buffer[at + 4] = value >>> 24;
      this.at = at + 5;
    }
  }

  private f64(value: number): void {
    scratch[0] = value;
    const { buffer, at } = this;
    for (let index = 0; index < 8; index++) buffer[at + index] = scratchBytes[index] as number;
    this.at = at + 8;
  }

  private string(value: string): void {
    const { length } = value;
    if (length < Tag.SHORT_STRING_COUNT) {
      this.room(2 + length * 3);
      const start = this.at;
      this.at = start + 1;
      this.text(value, length);
      const bytes = this.at - start - 1;
      if (bytes < Tag.SHORT_STRING_COUNT) this.buffer[start] = Tag.SHORT_STRING + bytes;
      else this.widen(start, bytes);
      return;
    }
    const most = length < 0x10000 ? length * 3 : Buffer.byteLength(value);
    this.room(5 + most);
    const start = this.at;
    const header = most < 256 ? 2 : 5;
    this.at = start + header;
    this.text(value, length);
    const bytes = this.at - start - header;
    if (header === 2) {
      this.buffer[start] = Tag.STRING8;
      this.buffer[start + 1] = bytes;
    } else {
      this.header(start, Tag.STRING, bytes);
    }
  }

  /** A short string that took more bytes than characters: moves it behind a longer header. */
  private widen(start: number, bytes: number): void {
    this.buffer.copyWithin(start + 2, start + 1, start + 1 + bytes);
    this.buffer[start] = Tag.STRING8;
    this.buffer[start + 1] = bytes;
    this.at = start + 2 + bytes;
  }

  /** UTF-8 at the current place; room is there. */
  private text(text: string, length: number): void {
    const { buffer, at } = this;
    if (length <= SHORT) {
      let index = 0;
      for (; index < length; index++) {
        const code = text.charCodeAt(index);
        if (code >= 0x80) break;
        buffer[at + index] = code;
      }
      if (index === length) {
        this.at = at + length;
        return;
      }
    }
    const written = buffer.utf8Write(text, at);
    if (written !== length && !text.isWellFormed()) throw UNSENDABLE;
    this.at = at + written;
  }

  private object(value: object): void {
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Pid.prototype) {
      this.room(9);
      this.buffer[this.at++] = Tag.PID;
      this.number40((value as Pid).nc, (value as Pid).local);
      return;
    }
    if (prototype === Ref.prototype) {
      this.u8(Tag.REF);
      this.ref(value as Ref);
      return;
    }
    if (this.depth >= MAX_DEPTH) throw UNSENDABLE;
    this.depth++;
    if (prototype === Object.prototype || prototype === null) this.plain(value as Record<string, unknown>);
    else if (prototype === Array.prototype) this.list(value as unknown[]);
    else this.other(value, prototype);
    this.depth--;
  }

  private plain(value: Record<string, unknown>): void {
    const keys = Object.keys(value);
    const { length } = keys;
    const shape = length === 0 ? -1 : this.shapeOf(keys);
    if (shape >= 0) {
      this.room(3);
      this.buffer[this.at] = Tag.SHAPED;
      this.buffer[this.at + 1] = shape;
      this.buffer[this.at + 2] = shape >>> 8;
      this.at += 3;
      for (let index = 0; index < length; index++) this.value(value[keys[index] as string]);
      return;
    }
    this.u8(Tag.OBJECT);
    this.u32(length);
    for (let index = 0; index < length; index++) {
      const key = keys[index] as string;
      this.name(key);
      this.value(value[key]);
    }
  }

  private list(value: unknown[]): void {
    const { length } = value;
    this.room(5);
    if (length < 256) {
      this.buffer[this.at++] = Tag.LIST8;
      this.buffer[this.at++] = length;
    } else {
      this.u8(Tag.LIST);
      this.u32(length);
    }
    for (let index = 0; index < length; index++) this.value(value[index]);
  }

  private other(value: object, prototype: unknown): void {
    if (prototype === Map.prototype) {
      this.u8(Tag.MAP);
      this.u32((value as Map<unknown, unknown>).size);
      for (const [key, inner] of value as Map<unknown, unknown>) {
        this.value(key);
        this.value(inner);
      }
    } else if (prototype === Set.prototype) {
      this.u8(Tag.SET);
      this.u32((value as Set<unknown>).size);
      for (const inner of value as Set<unknown>) this.value(inner);
    } else if (prototype === Date.prototype) {
      this.room(9);
      this.buffer[this.at++] = Tag.DATE;
      this.f64((value as Date).getTime());
    } else if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
      this.binary(value);
    } else if (value instanceof Error) {
      this.struct(errorType(value), errorFields(value));
    } else if (value instanceof Tagged && typeof value.type === 'string' && isPlain(value.fields)) {
      this.struct(value.type, Object.entries(value.fields));
    } else {
      throw UNSENDABLE;
    }
  }

  private binary(value: ArrayBuffer | ArrayBufferView): void {
    if (ArrayBuffer.isView(value) && !(value.buffer instanceof ArrayBuffer)) throw UNSENDABLE;
    const bytes = bytesOf(value);
    const { length } = bytes;
    this.room(6 + length);
    const start = this.at;
    if (!(value instanceof Uint8Array)) {
      const kind = viewKind(value);
      if (kind === undefined) throw UNSENDABLE;
      this.u8(Tag.VIEW);
      this.u8(kind);
      this.u32(length);
    } else if (length < 256) {
      this.buffer[start] = Tag.BINARY8;
      this.buffer[start + 1] = length;
      this.at = start + 2;
    } else {
      this.at = start + 5;
      this.header(start, Tag.BINARY, length);
    }
    this.buffer.set(bytes, this.at);
    this.at += length;
  }

  private bigint(value: bigint): void {
    const isNegative = value < 0n;
    const digits = (isNegative ? -value : value).toString(16);
    const length = value === 0n ? 0 : (digits.length + 1) >> 1;
    this.u8(Tag.BIGINT);
    this.u8(isNegative ? 1 : 0);
    this.u32(length);
    this.room(length);
    for (let index = 0, end = digits.length; index < length; index++, end -= 2) {
      this.buffer[this.at++] = Number.parseInt(digits.slice(Math.max(0, end - 2), end), 16);
    }
  }

  private struct(type: string, fields: readonly (readonly [string, unknown])[]): void {
    if (fields.length > 0xffff) throw UNSENDABLE;
    this.u8(Tag.STRUCT);
    this.name(type);
    this.u16(fields.length);
    for (const [key, value] of fields) {
      this.name(key);
      this.value(value);
    }
  }

  private header(at: number, tag: number, length: number): void {
    const { buffer } = this;
    buffer[at] = tag;
    buffer[at + 1] = length;
    buffer[at + 2] = length >>> 8;
    buffer[at + 3] = length >>> 16;
    buffer[at + 4] = length >>> 24;
  }

  private number40(nc: number, local: number): void {
    if (nc !== 0) this.announceNode(nc);
    const { buffer, at } = this;
    const high = (local / TWO_32) | 0;
    buffer[at] = local % TWO_32;
    buffer[at + 1] = local >>> 8;
    buffer[at + 2] = local >>> 16;
    buffer[at + 3] = local >>> 24;
    buffer[at + 4] = high;
    buffer[at + 5] = nc;
    buffer[at + 6] = nc >>> 8;
    buffer[at + 7] = nc >>> 16;
    this.at = at + 8;
  }

  private room(bytes: number): void {
    if (this.at + bytes > this.capacity) this.grow(bytes);
  }

  /** Makes room by moving what was written since `base` into a larger buffer of our own. */
  private grow(bytes: number): void {
    const base = this.frameStart();
    const written = this.at - base;
    if (written + bytes > this.limit + 1024) throw tooLarge(written + bytes, this.limit);
    const larger = asBuffer(
      new Uint8Array(Math.max(written + bytes, Math.min(2 * written, this.limit + 1024), 4096)),
    );
    larger.set(this.buffer.subarray(base, this.at));
    this.capacity = larger.length;
    this.buffer = larger;
    this.at = written;
    this.moved();
  }

  /** Where the message being written begins: growing keeps what stands from here on. */
  protected frameStart(): number {
    return 0;
  }

  /** The message was moved to the start of a buffer of its own. */
  protected moved(): void {}
}

export function tooLarge(bytes: number, limit: number): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_TOO_LARGE',
    `A message of ${bytes} bytes or more exceeds the limit of ${limit}: split it, or raise maxMessage on all nodes.`,
    {
      details: { bytes, limit },
    },
  );
}

function asBuffer(bytes: Uint8Array): FastBuffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) as FastBuffer;
}
