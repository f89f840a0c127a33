// The hot path outwards: values straight into bytes. One instance writes many messages; nothing is allocated per message.
//
// Methods take the place to write at and return the place behind what they wrote: that stays in a register, where a field
// would be written and read again for every value. `room` may move both, so positions to come back to are kept relative to
// `base`.

import { SnowmeshError } from '../errors/index.ts';
import { TermTag as Tag, TERM_VERSION } from '../wire/index.ts';
import { ByteWriter, writeU32 } from './byte-writer.ts';
import { checkMemory } from './check.ts';
import { type ErrorParts, type Field, isErrorType, partsOf } from './error-term.ts';
import { Collisions, FEW_KEYS } from './key-hash.ts';
import { isPrototypePolluted, type KeyNode, type KeyTrie } from './key-trie.ts';
import { MAX_BIGINT_BYTES, MAX_DEPTH, MAX_FIELDS } from './limits.ts';
import { WEIGH_FROM } from './memory.ts';
import { Pid } from './pid.ts';
import { Ref } from './ref.ts';
import type { RefCipher } from './ref-cipher.ts';
import { Tagged } from './tagged.ts';
import { writeUtf8 } from './text.ts';
import { unsendable } from './unsendable.ts';
import { isPlain, UNSENDABLE } from './verdict.ts';
import { bytesOf, viewKind } from './view.ts';

const TWO_32 = 2 ** 32;
/** Text up to this many characters is written here, longer text by native code. */
const SHORT = 40;
/** Bytes up to this many are written here. */
const SHORT_BYTES = 16;
/** A byte per character is certain to fit `u8 length`. */
const MAX_STRING8 = 255;

/** Thrown when an object turns out to have no shape while its values are already written: the message starts again. */
const RESTART: unique symbol = Symbol('restart');
/** After so many of them the encoder looks for the shape first, always. */
const MAX_RESTARTS = 64;

/** Writes values. Without shapes; {@link FrameWriter} adds those. */
export class Encoder extends ByteWriter {
  /** Ids of the shapes that may be used; undefined: keys are written out. */
  protected shapes: KeyTrie<number> | undefined = undefined;
  /** Hides the ids of this node's references; undefined: they are written as they are. */
  protected refs: RefCipher | undefined = undefined;
  private depth = 0;
  /** Objects are written after their shape was looked up, not while. */
  private isCareful = true;
  private restarts = 0;
  /** Of the term being written; made when it has a large Map or Set. */
  private collisions: Collisions | undefined;
  /** Keys of each shape, by id. */
  readonly shapeSizes: number[] = [];
  /** Binaries from this many bytes on are not copied: {@link partAt} notes where they belong. */
  partFrom: number = Number.POSITIVE_INFINITY;

  /**
   * A whole term: version and value. O(size of the value).
   *
   * Throws SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP, SNOW_ERR_TOO_LARGE; what stands behind `at` is void then.
   */
  term(value: unknown): void {
    const start = this.at - this.base;
    this.isCareful = this.shapes === undefined || this.restarts >= MAX_RESTARTS || isPrototypePolluted();
    try {
      this.at = this.whole(value, this.at);
    } catch (error) {
      if (error === RESTART) this.again(value, start);
      else throw error === UNSENDABLE ? unsendable(value) : error;
    }
    if (this.at - this.base - start > WEIGH_FROM)
      checkMemory(this.buffer.subarray(this.base + start, this.at), this);
  }

  private again(value: unknown, start: number): void {
    this.restarts++;
    this.isCareful = true;
    this.forgetParts();
    try {
      this.at = this.whole(value, this.base + start);
    } catch (error) {
      throw error === UNSENDABLE ? unsendable(value) : error;
    }
  }

  private whole(value: unknown, at: number): number {
    this.depth = 0;
    this.collisions = undefined;
    return this.value(value, this.byte(TERM_VERSION, at));
  }

  /** `u32 length` and the bytes. Write it before {@link term}, which may start again and then forgets it. */
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

  /** The bytes of `value` belong at `at`. Only called from `partFrom` bytes on. */
  protected partAt(_at: number, _value: Uint8Array): void {}

  /** The message starts again. */
  protected forgetParts(): void {}

  /** Announces the keys that lead to `node` as a shape. Returns its id, or −1: the keys have to be written out. */
  protected announceShape(_node: KeyNode<number>): number {
    return -1;
  }

  private value(value: unknown, at: number): number {
    if (typeof value === 'number') return this.number(value, at);
    if (typeof value === 'string') return this.string(value, at);
    if (typeof value === 'object') return value === null ? this.byte(Tag.NULL, at) : this.object(value, at);
    if (typeof value === 'boolean') return this.byte(value ? Tag.TRUE : Tag.FALSE, at);
    if (value === undefined) return this.byte(Tag.UNDEFINED, at);
    if (typeof value === 'bigint') return this.bigint(value, at);
    throw UNSENDABLE;
  }

  private byte(value: number, where: number): number {
    const at = this.room(where, 1);
    this.buffer[at] = value;
    return at + 1;
  }

  private number(value: number, where: number): number {
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

  private string(value: string, where: number): number {
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

  /** Short text that is not ASCII; room is there. */
  private unicode(value: string, at: number): number {
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

  private longString(value: string, where: number): number {
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

  private object(value: object, at: number): number {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype) return this.plain(value as Record<string, unknown>, at);
    if (prototype === Array.prototype) return this.list(value as unknown[], at);
    if (prototype === Pid.prototype) {
      const start = this.room(at, 9);
      this.buffer[start] = Tag.PID;
      return this.number40((value as Pid).nc, (value as Pid).local, start + 1);
    }
    return this.other(value, prototype, at);
  }

  /** Writes the values while the keys lead to the shape; its id is put in at the end. */
  private plain(value: Record<string, unknown>, where: number): number {
    if (this.isCareful) return this.carefully(value, where);
    this.enter();
    let at = this.room(where, 3);
    const start = at - this.base;
    at += 3;
    const shapes = this.shapes as KeyTrie<number>;
    let node = shapes.root;
    for (const key in value) {
      const { recent } = node;
      const next = recent.key === key ? recent : shapes.step(node, key);
      if (next === undefined) throw RESTART;
      node = next;
      at = this.value(value[key], at);
    }
    let id = node.value;
    if (id === undefined) {
      id = shapes.has(node) ? this.announceShape(node) : -1;
      if (id < 0) throw RESTART;
    }
    this.depth--;
    const { buffer } = this;
    const header = this.base + start;
    buffer[header] = Tag.SHAPED;
    buffer[header + 1] = id;
    buffer[header + 2] = id >>> 8;
    return at;
  }

  private carefully(value: Record<string, unknown>, where: number): number {
    this.enter();
    const keys = Object.keys(value);
    const id = this.shapeOf(keys, where);
    let at = this.room(where, 5);
    this.buffer[at] = id < 0 ? Tag.OBJECT : Tag.SHAPED;
    writeU32(this.buffer, at + 1, id < 0 ? keys.length : id);
    at += id < 0 ? 5 : 3;
    for (const key of keys) {
      if (id < 0) at = this.nameAt(key, at);
      at = this.value(value[key], at);
    }
    this.depth--;
    return at;
  }

  /** The id of a shape, or −1. The object is going to stand at `where`. */
  protected shapeOf(keys: readonly string[], _where: number): number {
    const { shapes } = this;
    if (shapes === undefined) return -1;
    let node: KeyNode<number> | undefined = shapes.root;
    for (const key of keys) {
      node = shapes.step(node, key);
      if (node === undefined) return -1;
    }
    return node.value ?? this.announceShape(node);
  }

  private list(value: unknown[], where: number): number {
    this.enter();
    const { length } = value;
    let at = this.room(where, 5);
    if (length < 256) {
      this.buffer[at] = Tag.LIST8;
      this.buffer[at + 1] = length;
      at += 2;
    } else {
      this.buffer[at] = Tag.LIST;
      writeU32(this.buffer, at + 1, length);
      at += 5;
    }
    for (let index = 0; index < length; index++) at = this.value(value[index], at);
    this.depth--;
    return at;
  }

  private other(value: object, prototype: unknown, at: number): number {
    if (prototype === Ref.prototype) {
      const start = this.room(at, 17);
      this.buffer[start] = Tag.REF;
      return this.refAt(value as Ref, start + 1);
    }
    if (prototype === null) return this.plain(value as Record<string, unknown>, at);
    if (prototype === Map.prototype) return this.map(value as Map<unknown, unknown>, at);
    if (prototype === Set.prototype) return this.set(value as Set<unknown>, at);
    if (prototype === Date.prototype) {
      const start = this.room(at, 9);
      this.buffer[start] = Tag.DATE;
      this.view.setFloat64(start + 1, (value as Date).getTime(), true);
      return start + 9;
    }
    if (value instanceof Uint8Array) return this.binary(value, at);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return this.viewAt(value, at);
    if (value instanceof Error) return this.struct(partsOf(value), at);
    if (prototype === Tagged.prototype) return this.tagged(value as Tagged, at);
    throw UNSENDABLE;
  }

  private map(value: Map<unknown, unknown>, where: number): number {
    this.enter();
    const { size } = value;
    if (size > FEW_KEYS) this.checkKeys(value.keys(), size);
    let at = this.counted(Tag.MAP, size, where);
    let count = 0;
    for (const [key, inner] of value) {
      at = this.value(inner, this.value(key, at));
      count++;
    }
    // A getter inside may have changed it.
    if (count !== size) throw UNSENDABLE;
    this.depth--;
    return at;
  }

  private set(value: Set<unknown>, where: number): number {
    this.enter();
    const { size } = value;
    if (size > FEW_KEYS) this.checkKeys(value, size);
    let at = this.counted(Tag.SET, size, where);
    let count = 0;
    for (const inner of value) {
      at = this.value(inner, at);
      count++;
    }
    if (count !== size) throw UNSENDABLE;
    this.depth--;
    return at;
  }

  private checkKeys(keys: Iterable<unknown>, size: number): void {
    this.collisions ??= new Collisions();
    if (!this.collisions.add(keys, size)) throw keysCollide();
  }

  private tagged({ type, fields }: Tagged, at: number): number {
    if (typeof type !== 'string' || isErrorType(type)) throw UNSENDABLE;
    if (typeof fields !== 'object' || fields === null || !isPlain(fields)) throw UNSENDABLE;
    return this.struct({ type, fields: Object.keys(fields).map((key): Field => [key, fields[key]]) }, at);
  }

  private struct({ type, fields }: ErrorParts, where: number): number {
    this.enter();
    if (fields.length > MAX_FIELDS) throw UNSENDABLE;
    let at = this.nameAt(type, this.byte(Tag.STRUCT, where));
    at = this.room(at, 2);
    this.buffer[at] = fields.length;
    this.buffer[at + 1] = fields.length >>> 8;
    at += 2;
    for (const [key, value] of fields) at = this.value(value, this.nameAt(key, at));
    this.depth--;
    return at;
  }

  private binary(value: Uint8Array, where: number): number {
    const { length } = value;
    // Of no bytes there may be none because their buffer is gone.
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

  private viewAt(value: ArrayBuffer | ArrayBufferView, where: number): number {
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

  private bigint(value: bigint, where: number): number {
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

  private counted(tag: number, count: number, where: number): number {
    const at = this.room(where, 5);
    this.buffer[at] = tag;
    writeU32(this.buffer, at + 1, count);
    return at + 5;
  }

  private enter(): void {
    if (this.depth >= MAX_DEPTH) throw UNSENDABLE;
    this.depth++;
  }

  private refAt(ref: Ref, where: number): number {
    const at = this.number40(ref.nc, ref.local, where);
    const low = ref.id % TWO_32;
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

  /** A node number and a local id; room is there. */
  private number40(nc: number, local: number, at: number): number {
    if (nc !== 0) this.announceNode(nc);
    const { buffer } = this;
    writeU32(buffer, at, local % TWO_32);
    buffer[at + 4] = local / TWO_32;
    buffer[at + 5] = nc;
    buffer[at + 6] = nc >>> 8;
    buffer[at + 7] = nc >>> 16;
    return at + 8;
  }
}

/** Bytes that native code may read: no other thread writes to them. */
function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof ArrayBuffer ? bytes : new Uint8Array(bytes);
}

function keysCollide(): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_UNSENDABLE',
    'Cannot send a Map or Set whose number keys collide in the hash table: send a list of entries instead.',
  );
}

function bigintTooLarge(bytes: number): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_TOO_LARGE',
    `Cannot send a bigint of ${bytes} bytes: the limit is ${MAX_BIGINT_BYTES}. Send its digits as text or bytes.`,
    { details: { bytes, limit: MAX_BIGINT_BYTES } },
  );
}
