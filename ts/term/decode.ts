// The hot path inwards: bytes that were validated become values. Structure is trusted here, values never are: a key such as
// `__proto__` becomes an own property, and nothing a peer sends is run as code.
import { Pid } from './pid.ts';
import { Ref } from './ref.ts';
import * as Tag from './tag.ts';
import { ERROR_PREFIX, makeError, Tagged } from './tagged.ts';
import { makeView } from './view.ts';

const TWO_32 = 2 ** 32;
/** ASCII strings up to this length are built from character codes. */
const SHORT = 16;

type FastBuffer = Buffer & { utf8Slice(start: number, end: number): string };
type Constructor = (decoder: TermDecoder) => object;

const scratch = new Float64Array(1);
const scratchBytes = new Uint8Array(scratch.buffer);

export interface TermDecoderOptions {
  /** Makes the PID of a node number and local id; default: a new {@link Pid}. */
  readonly pidOf?: (nc: number, local: number) => Pid;
}

/** Reads the terms of one connection. */
export class TermDecoder {
  private buffer: FastBuffer = Buffer.alloc(0) as FastBuffer;
  private source: Uint8Array = this.buffer;
  private at = 0;
  private readonly shapes: (Constructor | undefined)[] = [];
  private readonly pidOf: (nc: number, local: number) => Pid;

  constructor(options: TermDecoderOptions = {}) {
    this.pidOf = options.pidOf ?? newPid;
  }

  /** The peer announced a shape. */
  defineShape(id: number, keys: readonly string[]): void {
    this.shapes[id] = shapeConstructor(keys);
  }

  /** Reads a whole term (version and value) that begins at `offset`. Strings and bytes are copied out. */
  decode(bytes: Uint8Array, offset = 0): unknown {
    if (bytes !== this.source) {
      this.source = bytes;
      this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) as FastBuffer;
    }
    this.at = offset + 1;
    return this.value();
  }

  /** @internal For shape constructors. */
  value(): unknown {
    const tag = this.buffer[this.at++] as number;
    if (tag >= Tag.SMALL_INT) {
      if (tag < Tag.SHORT_STRING) return tag - Tag.SMALL_INT;
      return this.text(tag - Tag.SHORT_STRING);
    }
    switch (tag) {
      case Tag.SHAPED: {
        const construct = this.shapes[this.u16()] as Constructor;
        return construct(this);
      }
      case Tag.STRING8:
        return this.text(this.buffer[this.at++] as number);
      case Tag.STRING:
        return this.text(this.u32());
      case Tag.INT8:
        return ((this.buffer[this.at++] as number) << 24) >> 24;
      case Tag.INT16:
        return (this.u16() << 16) >> 16;
      case Tag.INT32:
        return this.u32() | 0;
      case Tag.FLOAT:
        return this.f64();
      case Tag.LIST8:
        return this.list(this.buffer[this.at++] as number);
      case Tag.LIST:
        return this.list(this.u32());
      case Tag.TRUE:
        return true;
      case Tag.FALSE:
        return false;
      case Tag.NULL:
        return null;
      case Tag.UNDEFINED:
        return undefined;
      case Tag.PID:
        return this.pid();
      case Tag.REF:
        return this.ref();
      default:
        return this.rare(tag);
    }
  }

  private rare(tag: number): unknown {
    switch (tag) {
      case Tag.INT:
        return this.i64();
      case Tag.BIGINT:
        return this.bigint();
      case Tag.BINARY8:
        return this.bytes(this.buffer[this.at++] as number);
      case Tag.BINARY:
        return this.bytes(this.u32());
      case Tag.OBJECT:
        return this.object(this.u32());
      case Tag.MAP: {
        const map = new Map<unknown, unknown>();
        for (let left = this.u32(); left > 0; left--) {
          const key = this.value();
          map.set(key, this.value());
        }
        return map;
      }
      case Tag.SET: {
        const set = new Set<unknown>();
        for (let left = this.u32(); left > 0; left--) set.add(this.value());
        return set;
      }
      case Tag.DATE:
        return new Date(this.f64());
      case Tag.VIEW: {
        const kind = this.buffer[this.at++] as number;
        return makeView(kind, this.bytes(this.u32()).buffer as ArrayBuffer);
      }
      default:
        return this.struct();
    }
  }

  private pid(): Pid {
    const { buffer, at } = this;
    this.at = at + 8;
    const low = readU32(buffer, at);
    const nc =
      (buffer[at + 5] as number) | ((buffer[at + 6] as number) << 8) | ((buffer[at + 7] as number) << 16);
    return this.pidOf(nc, (buffer[at + 4] as number) * TWO_32 + low);
  }

  private ref(): Ref {
    const { buffer, at } = this;
    const low = readU32(buffer, at);
    const nc =
      (buffer[at + 5] as number) | ((buffer[at + 6] as number) << 8) | ((buffer[at + 7] as number) << 16);
    this.at = at + 16;
    const id = readU32(buffer, at + 12) * TWO_32 + readU32(buffer, at + 8);
    return new Ref(nc, (buffer[at + 4] as number) * TWO_32 + low, id);
  }

  private list(length: number): unknown[] {
    const list: unknown[] = [];
    for (let index = 0; index < length; index++) list.push(this.value());
    return list;
  }

  private object(length: number): object {
    const object: Record<string, unknown> = {};
    for (let left = length; left > 0; left--) {
      const key = this.text(this.u16());
      setOwn(object, key, this.value());
    }
    return object;
  }

  private struct(): unknown {
    const type = this.text(this.u16());
    const fields: [string, unknown][] = [];
    for (let left = this.u16(); left > 0; left--) {
      const key = this.text(this.u16());
      fields.push([key, this.value()]);
    }
    if (type.startsWith(ERROR_PREFIX)) return makeError(type.slice(ERROR_PREFIX.length), fields);
    const object: Record<string, unknown> = {};
    for (const [key, value] of fields) setOwn(object, key, value);
    return new Tagged(type, object);
  }

  private text(length: number): string {
    const start = this.at;
    const end = start + length;
    this.at = end;
    if (length > SHORT) return this.buffer.utf8Slice(start, end);
    const { buffer } = this;
    let text = '';
    for (let index = start; index < end; index++) {
      const code = buffer[index] as number;
      if (code >= 0x80) return buffer.utf8Slice(start, end);
      text += ASCII[code];
    }
    return text;
  }

  private bytes(length: number): Uint8Array {
    const start = this.at;
    this.at = start + length;
    const copy = new Uint8Array(length);
    copy.set(this.buffer.subarray(start, this.at));
    return copy;
  }

  private f64(): number {
    const { buffer, at } = this;
    for (let index = 0; index < 8; index++) scratchBytes[index] = buffer[at + index] as number;
    this.at = at + 8;
    return scratch[0] as number;
  }

  private i64(): number | bigint {
    const low = this.u32();
    const high = this.u32() | 0;
    const value = high * TWO_32 + low;
    return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low);
  }

  private bigint(): bigint {
    const isNegative = this.buffer[this.at++] === 1;
    const length = this.u32();
    if (length === 0) return 0n;
    const digits = Buffer.from(this.buffer.subarray(this.at, this.at + length))
      .reverse()
      .toString('hex');
    this.at += length;
    const value = BigInt(`0x${digits}`);
    return isNegative ? -value : value;
  }

  private u16(): number {
    const { buffer, at } = this;
    this.at = at + 2;
    return (buffer[at] as number) | ((buffer[at + 1] as number) << 8);
  }

  private u32(): number {
    const { at } = this;
    this.at = at + 4;
    return readU32(this.buffer, at);
  }
}

const ASCII = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

function newPid(nc: number, local: number): Pid {
  return new Pid(nc, local);
}

function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

/** Objects of one shape are made by one literal, so that they share a hidden class and need no look-ups. */
function shapeConstructor(keys: readonly string[]): Constructor {
  // A key is only ever text inside quotes; `__proto__` as a computed key is an own property.
  const fields = keys.map((key) => `${key === '__proto__' ? '["__proto__"]' : quote(key)}:d.value()`);
  try {
    return new Function('d', `return {${fields.join(',')}};`) as Constructor;
  } catch {
    // Code generation is off (--disallow-code-generation-from-strings).
    return (decoder) => {
      const object: Record<string, unknown> = {};
      for (const key of keys) setOwn(object, key, decoder.value());
      return object;
    };
  }
}

/** A JavaScript string literal; JSON's, with the two line separators escaped as well. */
function quote(key: string): string {
  return JSON.stringify(key)
    .replace(/\u2028/g, '\\u2028')
    .replace(/\u2029/g, '\\u2029');
}
