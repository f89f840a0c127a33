// Terms as docs/wire.md, section 8, describes them, in plain TypeScript: for a peer that shares no code with snowmesh.
// Numbers become ints and floats by value; what JavaScript has no type for has a class here.

/** A PID as it stands in a frame of one sender: `slot` and `creation` are that sender's numbering. */
export interface PlainPid {
  readonly slot: number;
  readonly creation: number;
  readonly local: number;
}

export interface PlainRef {
  readonly owner: PlainPid;
  /** 64 bits; a bigint when a number cannot hold them. */
  readonly id: number | bigint;
}

/** The kinds of terms that JavaScript has no plain value for. */
export class Term<K extends string, V> {
  readonly kind: K;
  readonly value: V;

  constructor(kind: K, value: V) {
    this.kind = kind;
    this.value = value;
  }
}
export const pidTerm = (pid: PlainPid): Term<'pid', PlainPid> => new Term('pid', pid);
export const refTerm = (ref: PlainRef): Term<'ref', PlainRef> => new Term('ref', ref);
export const viewTerm = (
  view: number,
  bytes: Uint8Array,
): Term<'view', { view: number; bytes: Uint8Array }> => new Term('view', { view, bytes });
export const structTerm = (
  type: string,
  fields: Record<string, unknown>,
): Term<'struct', { type: string; fields: Record<string, unknown> }> => new Term('struct', { type, fields });

const VERSION = 2;
const TWO_40 = 2 ** 40;

/** Little-endian bytes, one behind the other. */
export class Writer {
  private readonly parts: Buffer[] = [];

  u8 = (value: number): this => this.add(1, (part) => part.writeUInt8(value));
  u16 = (value: number): this => this.add(2, (part) => part.writeUInt16LE(value));
  u32 = (value: number): this => this.add(4, (part) => part.writeUInt32LE(value));
  i32 = (value: number): this => this.add(4, (part) => part.writeInt32LE(value));
  u64 = (value: bigint): this => this.add(8, (part) => part.writeBigUInt64LE(value));
  i64 = (value: bigint): this => this.add(8, (part) => part.writeBigInt64LE(value));
  f64 = (value: number): this => this.add(8, (part) => part.writeDoubleLE(value));

  raw(bytes: Uint8Array): this {
    this.parts.push(Buffer.from(bytes));
    return this;
  }

  /** `N` */
  name(text: string): this {
    const bytes = Buffer.from(text);
    return this.u16(bytes.length).raw(bytes);
  }

  /** `P` */
  pid({ slot, creation, local }: PlainPid): this {
    return this.u64((BigInt(slot) << 48n) | (BigInt(creation) << 40n) | BigInt(local));
  }

  /** `R` */
  ref({ owner, id }: PlainRef): this {
    return this.pid(owner).u64(BigInt(id));
  }

  /** `T` */
  term(value: unknown): this {
    return this.u8(VERSION).value(value);
  }

  done(): Buffer {
    return Buffer.concat(this.parts);
  }

  private value(value: unknown): this {
    if (value === undefined) return this.u8(0x06);
    if (value === null) return this.u8(0x07);
    if (typeof value === 'boolean') return this.u8(value ? 0x03 : 0x04);
    if (typeof value === 'number') return this.number(value);
    if (typeof value === 'bigint') return this.bigint(value);
    if (typeof value === 'string') return this.string(value);
    if (value instanceof Term) return this.special(value);
    if (value instanceof Uint8Array) return this.u8(0x09).u32(value.length).raw(value);
    if (value instanceof Date) return this.u8(0x10).f64(value.getTime());
    if (Array.isArray(value)) return this.u8(0x0a).u32(value.length).all(value);
    if (value instanceof Set) return this.u8(0x0c).u32(value.size).all(value);
    if (value instanceof Map)
      return this.u8(0x0b)
        .u32(value.size)
        .all([...value].flat());
    const entries = Object.entries(value as object);
    this.u8(0x0e).u32(entries.length);
    for (const [key, each] of entries) this.name(key).value(each);
    return this;
  }

  private all(values: Iterable<unknown>): this {
    for (const value of values) this.value(value);
    return this;
  }

  private number(value: number): this {
    if (!Number.isInteger(value) || Object.is(value, -0) || value !== (value | 0))
      return this.u8(0x02).f64(value);
    if (value >= 0 && value <= 63) return this.u8(0x40 + value);
    return this.u8(0x22).i32(value);
  }

  private bigint(value: bigint): this {
    let hex = (value < 0n ? -value : value).toString(16);
    if (hex.length % 2 === 1) hex = `0${hex}`;
    const bytes = value === 0n ? Buffer.alloc(0) : Buffer.from(hex, 'hex').reverse();
    return this.u8(0x08)
      .u8(value < 0n ? 1 : 0)
      .u32(bytes.length)
      .raw(bytes);
  }

  private string(value: string): this {
    const bytes = Buffer.from(value);
    if (bytes.length <= 31) return this.u8(0x80 + bytes.length).raw(bytes);
    return this.u8(0x05).u32(bytes.length).raw(bytes);
  }

  private special({ kind, value }: Term<string, unknown>): this {
    if (kind === 'pid') return this.u8(0x1e).pid(value as PlainPid);
    if (kind === 'ref') return this.u8(0x1f).ref(value as PlainRef);
    if (kind === 'view') {
      const { view, bytes } = value as { view: number; bytes: Uint8Array };
      return this.u8(0x11).u8(view).u32(bytes.length).raw(bytes);
    }
    const { type, fields } = value as { type: string; fields: Record<string, unknown> };
    const entries = Object.entries(fields);
    this.u8(0x14).name(type).u16(entries.length);
    for (const [key, each] of entries) this.name(key).value(each);
    return this;
  }

  private add(size: number, write: (part: Buffer) => void): this {
    const part = Buffer.alloc(size);
    write(part);
    return this.raw(part);
  }
}

/** Reads what a Writer of any kind wrote. `shapes`: the key lists that came in SHAPE frames, by id. */
export class Reader {
  private at = 0;
  private readonly bytes: Buffer;
  private readonly shapes: readonly (readonly string[])[];

  constructor(bytes: Buffer, shapes: readonly (readonly string[])[] = []) {
    this.bytes = bytes;
    this.shapes = shapes;
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  u8 = (): number => this.take(1).readUInt8();
  u16 = (): number => this.take(2).readUInt16LE();
  u32 = (): number => this.take(4).readUInt32LE();
  u64 = (): bigint => this.take(8).readBigUInt64LE();
  f64 = (): number => this.take(8).readDoubleLE();
  text = (length: number): string =>
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.take(length));
  name = (): string => this.text(this.u16());
  rest = (): Buffer => this.take(this.bytes.length - this.at);

  take(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw new RangeError('a frame is too short');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  pid(): PlainPid {
    const bits = this.u64();
    const local = Number(bits % BigInt(TWO_40));
    return { slot: Number(bits >> 48n), creation: Number((bits >> 40n) & 0xffn), local };
  }

  ref(): PlainRef {
    const owner = this.pid();
    const id = this.u64();
    return { owner, id: id < 2n ** 53n ? Number(id) : id };
  }

  term(): unknown {
    const version = this.u8();
    if (version !== VERSION) throw new RangeError(`a term of version ${version}`);
    const value = this.value();
    if (!this.isAtEnd) throw new RangeError('bytes are left behind a term');
    return value;
  }

  private value(): unknown {
    const tag = this.u8();
    if (tag >= 0x40 && tag <= 0x7f) return tag - 0x40;
    if (tag >= 0x80 && tag <= 0x9f) return this.text(tag - 0x80);
    const read = READERS[tag];
    if (read === undefined) throw new RangeError(`an unknown term tag 0x${tag.toString(16)}`);
    return read(this);
  }

  /** `count` values. */
  values(count: number): unknown[] {
    return Array.from({ length: count }, () => this.value());
  }

  shaped(): unknown {
    const keys = this.shapes[this.u16()];
    if (keys === undefined) throw new RangeError('a shape that was not announced');
    return Object.fromEntries(keys.map((key) => [key, this.value()]));
  }

  fields(count: number): Record<string, unknown> {
    return Object.fromEntries(Array.from({ length: count }, () => [this.name(), this.value()]));
  }

  bigint(): bigint {
    const isNegative = this.u8() === 1;
    const bytes = this.take(this.u32());
    const magnitude = bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
    return isNegative ? -magnitude : magnitude;
  }
}

const bytesOf = (from: Buffer): Uint8Array => new Uint8Array(from);

const READERS: Readonly<Record<number, (from: Reader) => unknown>> = {
  0x01: (from) => {
    const value = from.take(8).readBigInt64LE();
    return BigInt.asIntN(54, value) === value && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  },
  0x02: (from) => from.f64(),
  0x03: () => true,
  0x04: () => false,
  0x05: (from) => from.text(from.u32()),
  0x06: () => undefined,
  0x07: () => null,
  0x08: (from) => from.bigint(),
  0x09: (from) => bytesOf(from.take(from.u32())),
  0x0a: (from) => from.values(from.u32()),
  0x0b: (from) => {
    const flat = from.values(2 * from.u32());
    return new Map(
      Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index], flat[2 * index + 1]]),
    );
  },
  0x0c: (from) => new Set(from.values(from.u32())),
  0x0e: (from) => from.fields(from.u32()),
  0x0f: (from) => from.shaped(),
  0x10: (from) => new Date(from.f64()),
  0x11: (from) => {
    const view = from.u8();
    return viewTerm(view, bytesOf(from.take(from.u32())));
  },
  0x14: (from) => {
    const type = from.name();
    return structTerm(type, from.fields(from.u16()));
  },
  0x1e: (from) => pidTerm(from.pid()),
  0x1f: (from) => refTerm(from.ref()),
  0x20: (from) => from.take(1).readInt8(),
  0x21: (from) => from.take(2).readInt16LE(),
  0x22: (from) => from.take(4).readInt32LE(),
  0x23: (from) => from.text(from.u8()),
  0x24: (from) => from.values(from.u8()),
  0x25: (from) => bytesOf(from.take(from.u8())),
};
