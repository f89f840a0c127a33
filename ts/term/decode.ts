// Decodes validated bytes: the hot path of receiving. The structure is trusted, values are not: a key such as
// `__proto__` becomes an own property, and nothing that a peer sends is run as code.

import { TermTag as Tag } from '../wire/index.ts';
import { isErrorType, makeError } from './error-term.ts';
import { canGenerate, literal, setOwn, WARM_UP } from './literal.ts';
import { Pid } from './pid.ts';
import type { Ref } from './ref.ts';
import { foreignRef, type RefCipher } from './ref-cipher.ts';
import { Tagged } from './tagged.ts';
import { TermBytes } from './term-bytes.ts';
import { makeView } from './view.ts';

const TWO_32 = 2 ** 32;

type Read = (decoder: TermDecoder) => object;

export interface TermDecoderOptions {
  /** Makes the PID of a node number and local id; default: a new {@link Pid}. */
  readonly pidOf?: (nc: number, local: number) => Pid;
  /** Decrypts the ids of this node's references. Default: they are not encrypted. */
  readonly refs?: RefCipher;
}

/** A list of keys that the peer has defined. */
class KnownShape {
  readonly keys: readonly string[];
  read: Read | undefined = undefined;
  uses = 0;

  constructor(keys: readonly string[]) {
    this.keys = keys;
  }
}

/** Reads the terms of one connection. */
export class TermDecoder extends TermBytes {
  private readonly shapes: KnownShape[] = [];
  private readonly pidOf: (nc: number, local: number) => Pid;
  private readonly refs: RefCipher | undefined;

  constructor(options: TermDecoderOptions = {}) {
    super();
    this.pidOf = options.pidOf ?? newPid;
    this.refs = options.refs;
  }

  /** The peer has defined a shape. O(keys). */
  defineShape(id: number, keys: readonly string[]): void {
    this.shapes[id] = new KnownShape(keys);
  }

  /**
   * Reads a whole term (version and value) that begins at `offset` and was validated. Strings and bytes are copied out.
   * O(bytes). Throws a RangeError for a value that V8 cannot hold, such as a bigint of more than 2^30 bits.
   *
   * @param isOurs Whether nothing writes into `bytes` again: a binary that makes up most of them then becomes a view, not a copy.
   */
  decode(bytes: Uint8Array, offset = 0, isOurs = false): unknown {
    if (isOurs) return this.decodeOurs(bytes, offset);
    this.use(bytes, offset + 1);
    return this.value();
  }

  /** @internal Called by the code that is generated for shapes. */
  value(): unknown {
    const { buffer, at } = this;
    const tag = buffer[at] as number;
    if (tag >= Tag.SMALL_INT) {
      this.at = at + 1;
      return tag < Tag.SHORT_STRING ? tag - Tag.SMALL_INT : this.text(tag - Tag.SHORT_STRING);
    }
    switch (tag) {
      case Tag.SHAPED:
        this.at = at + 3;
        return this.shaped(this.shapes[this.view.getUint16(at + 1, true)] as KnownShape);
      case Tag.STRING8:
        this.at = at + 2;
        return this.text(buffer[at + 1] as number);
      case Tag.INT8:
        this.at = at + 2;
        return this.view.getInt8(at + 1);
      case Tag.INT16:
        this.at = at + 3;
        return this.view.getInt16(at + 1, true);
      case Tag.INT32:
        this.at = at + 5;
        return this.view.getInt32(at + 1, true);
      case Tag.FLOAT:
        this.at = at + 9;
        return this.view.getFloat64(at + 1, true);
      case Tag.LIST8:
        this.at = at + 2;
        return this.list(buffer[at + 1] as number);
      case Tag.TRUE:
        this.at = at + 1;
        return true;
      case Tag.FALSE:
        this.at = at + 1;
        return false;
      case Tag.NULL:
        this.at = at + 1;
        return null;
      case Tag.UNDEFINED:
        this.at = at + 1;
        return undefined;
      case Tag.PID:
        this.at = at + 9;
        return this.pidAt(at + 1);
      default:
        this.at = at + 1;
        return this.rare(tag);
    }
  }

  private decodeOurs(bytes: Uint8Array, offset: number): unknown {
    this.useOurs(bytes, offset + 1);
    try {
      return this.value();
    } finally {
      this.forget();
    }
  }

  private rare(tag: number): unknown {
    switch (tag) {
      case Tag.STRING:
        return this.text(this.u32());
      case Tag.LIST:
        return this.list(this.u32());
      case Tag.REF:
        return this.ref();
      case Tag.INT:
        return this.i64();
      case Tag.BIGINT:
        return this.bigint();
      case Tag.BINARY8:
        return this.bytes(this.u8());
      case Tag.BINARY:
        return this.bytes(this.u32());
      case Tag.OBJECT:
        return this.object(this.u32());
      case Tag.MAP:
        return this.map(this.u32());
      case Tag.SET: {
        const set = new Set<unknown>();
        for (let left = this.u32(); left > 0; left--) set.add(this.value());
        return set;
      }
      case Tag.DATE:
        this.at += 8;
        return new Date(this.view.getFloat64(this.at - 8, true));
      case Tag.VIEW: {
        const kind = this.u8();
        return makeView(kind, this.copied(this.u32()).buffer);
      }
      case Tag.STRUCT:
        return this.struct();
      default:
        throw new RangeError(`not a validated term: tag ${tag} at ${this.at - 1}`);
    }
  }

  private shaped(shape: KnownShape): object {
    const { read } = shape;
    if (read !== undefined) return read(this);
    const { keys } = shape;
    if (++shape.uses > WARM_UP && canGenerate()) {
      shape.read = new Function('d', `return ${literal(keys, () => 'd.value()')};`) as Read;
    }
    const object: Record<string, unknown> = {};
    for (const key of keys) setOwn(object, key, this.value());
    return object;
  }

  private object(length: number): object {
    const object: Record<string, unknown> = {};
    for (let left = length; left > 0; left--) {
      const key = this.text(this.u16());
      setOwn(object, key, this.value());
    }
    return object;
  }

  /** Makes short lists by literals, which allocate exactly the memory they need. */
  private list(length: number): unknown[] {
    switch (length) {
      case 0:
        return [];
      case 1:
        return [this.value()];
      case 2:
        return [this.value(), this.value()];
      case 3:
        return [this.value(), this.value(), this.value()];
      case 4:
        return [this.value(), this.value(), this.value(), this.value()];
      default: {
        const list: unknown[] = [];
        for (let index = 0; index < length; index++) list.push(this.value());
        return list;
      }
    }
  }

  private map(length: number): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>();
    for (let left = length; left > 0; left--) {
      const key = this.value();
      map.set(key, this.value());
    }
    return map;
  }

  private struct(): unknown {
    const type = this.text(this.u16());
    const fields: [string, unknown][] = [];
    for (let left = this.u16(); left > 0; left--) {
      const key = this.text(this.u16());
      fields.push([key, this.value()]);
    }
    if (isErrorType(type)) return makeError(type, fields);
    const object: Record<string, unknown> = {};
    for (const [key, value] of fields) setOwn(object, key, value);
    return new Tagged(type, object);
  }

  private pidAt(at: number): Pid {
    const { buffer, view } = this;
    const nc =
      (buffer[at + 5] as number) | ((buffer[at + 6] as number) << 8) | ((buffer[at + 7] as number) << 16);
    return this.pidOf(nc, (buffer[at + 4] as number) * TWO_32 + view.getUint32(at, true));
  }

  private ref(): Ref {
    const { buffer, view, at } = this;
    this.at = at + 16;
    const nc =
      (buffer[at + 5] as number) | ((buffer[at + 6] as number) << 8) | ((buffer[at + 7] as number) << 16);
    const local = (buffer[at + 4] as number) * TWO_32 + view.getUint32(at, true);
    const low = view.getUint32(at + 8, true);
    const high = view.getUint32(at + 12, true);
    const { refs } = this;
    return refs === undefined ? foreignRef(nc, local, high, low) : refs.receive(nc, local, high, low);
  }
}

function newPid(nc: number, local: number): Pid {
  return new Pid(nc, local);
}
