// Encodes values: the hot path of sending. One instance writes many messages, and allocates nothing for each.

import { SnowmeshError } from '../errors/index.ts';
import { FEW_KEYS, TermTag as Tag, TERM_VERSION } from '../wire/index.ts';
import { writeU32 } from './byte-writer.ts';
import { checkMemory } from './check.ts';
import { type ErrorParts, type Field, isErrorType, partsOf } from './error-term.ts';
import { Collisions } from './key-hash.ts';
import { isPrototypePolluted, type KeyNode, type KeyTrie } from './key-trie.ts';
import { MAX_DEPTH, MAX_FIELDS } from './limits.ts';
import { WEIGH_FROM } from './memory.ts';
import { Pid } from './pid.ts';
import { Ref } from './ref.ts';
import { ScalarWriter } from './scalar-writer.ts';
import { isPlain, UNSENDABLE } from './sendable.ts';
import { Tagged } from './tagged.ts';
import { unsendable } from './unsendable.ts';

/** Thrown when an object turns out to have no shape after some of its values were written: the message is written again. */
const RESTART: unique symbol = Symbol('restart');
/** After this many restarts the encoder always looks up the shape first. */
const MAX_RESTARTS = 64;

// Read once: V8 looks up the prototype of a class from another module each time.
const OBJECT: unknown = Object.prototype;
const ARRAY: unknown = Array.prototype;
const MAP: unknown = Map.prototype;
const SET: unknown = Set.prototype;
const DATE: unknown = Date.prototype;
const PID: unknown = Pid.prototype;
const REF: unknown = Ref.prototype;
const TAGGED: unknown = Tagged.prototype;

/** Writes values without shapes; {@link FrameWriter} adds those. */
export class Encoder extends ScalarWriter {
  /** Ids of the shapes that may be used; undefined: keys are written in full. */
  protected shapes: KeyTrie<number> | undefined = undefined;
  private depth = 0;
  /** Whether the shape of an object is looked up before its values are written, instead of meanwhile. Undefined: not decided yet. */
  private isCareful: boolean | undefined = true;
  private restarts = 0;
  /** For the term being written; created when it has a large Map or Set. */
  private collisions: Collisions | undefined;
  /** Keys of each shape, by id. */
  readonly shapeSizes: number[] = [];

  /**
   * Writes a whole term: version and value. O(size of the value).
   *
   * Throws SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP, SNOW_ERR_TOO_LARGE; the bytes after `at` are undefined then.
   */
  term(value: unknown): void {
    const start = this.at - this.base;
    this.isCareful = undefined;
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

  /** Called when the message is written again. */
  protected forgetParts(): void {}

  /** Defines the keys that lead to `node` as a shape. Returns its id; −1 when the keys have to be written in full. */
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

  private object(value: object, at: number): number {
    // Reading the prototype of an unknown object is expensive: arrays and bytes are told apart first.
    if (Array.isArray(value)) return this.list(value, at);
    if (ArrayBuffer.isView(value))
      return value instanceof Uint8Array ? this.binary(value, at) : this.viewAt(value, at);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === OBJECT) return this.plain(value as Record<string, unknown>, at);
    if (prototype === PID) {
      const start = this.room(at, 9);
      this.buffer[start] = Tag.PID;
      return this.number40((value as Pid).nc, (value as Pid).local, start + 1);
    }
    return this.other(value, prototype, at);
  }

  /** Writes the values while following the keys to the shape; its id is filled in at the end. */
  private plain(value: Record<string, unknown>, where: number): number {
    this.isCareful ??= this.shapes === undefined || this.restarts >= MAX_RESTARTS || isPrototypePolluted();
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

  /** The id of a shape, or −1. `where` is the position of the object. */
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
    const { length } = value; // after this, V8 knows the prototype of the usual arrays
    if (Object.getPrototypeOf(value) !== ARRAY) throw UNSENDABLE;
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
    if (prototype === REF) {
      const start = this.room(at, 17);
      this.buffer[start] = Tag.REF;
      return this.refAt(value as Ref, start + 1);
    }
    if (prototype === null) return this.plain(value as Record<string, unknown>, at);
    if (prototype === MAP) return this.map(value as Map<unknown, unknown>, at);
    if (prototype === SET) return this.set(value as Set<unknown>, at);
    if (prototype === DATE) {
      const start = this.room(at, 9);
      this.buffer[start] = Tag.DATE;
      this.view.setFloat64(start + 1, (value as Date).getTime(), true);
      return start + 9;
    }
    if (value instanceof ArrayBuffer) return this.viewAt(value, at);
    if (value instanceof Error) return this.struct(partsOf(value), at);
    if (prototype === TAGGED) return this.tagged(value as Tagged, at);
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
    // A getter of a value may have changed the size.
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

  private enter(): void {
    if (this.depth >= MAX_DEPTH) throw UNSENDABLE;
    this.depth++;
  }
}

function keysCollide(): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_UNSENDABLE',
    'Cannot send a Map or Set whose number keys collide in the hash table: send a list of entries instead.',
  );
}
