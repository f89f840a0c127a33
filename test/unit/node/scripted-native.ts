// A native core that does nothing by itself: a test hands it events and looks at what it was given.
import {
  BatchAnswer,
  type Native,
  type NativeStats,
  type OnBatch,
  type OpenOptions,
  type SessionStats,
} from '../../../bindings/index.ts';
import { NativeEvent } from '../../../ts/wire/index.ts';

/** Builds the body of an entry. */
export class Body {
  readonly #parts: Buffer[] = [];

  u8(value: number): this {
    this.#parts.push(Buffer.from([value]));
    return this;
  }

  u16(value: number): this {
    const part = Buffer.alloc(2);
    part.writeUInt16LE(value);
    this.#parts.push(part);
    return this;
  }

  u32(value: number): this {
    const part = Buffer.alloc(4);
    part.writeUInt32LE(value);
    this.#parts.push(part);
    return this;
  }

  u64(value: bigint): this {
    const part = Buffer.alloc(8);
    part.writeBigUInt64LE(value);
    this.#parts.push(part);
    return this;
  }

  name(text: string): this {
    const bytes = Buffer.from(text);
    this.u16(bytes.length);
    this.#parts.push(bytes);
    return this;
  }

  bytes(bytes: Uint8Array): this {
    this.#parts.push(Buffer.from(bytes));
    return this;
  }

  done(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

export interface Dial {
  readonly request: number;
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly reason: number;
}

/** A frame that was flushed, or handed over for a stream. */
export interface Sent {
  readonly session: number;
  readonly tag: number;
  readonly body: Buffer;
  /** The stream it went to; undefined: it was flushed from the chunk. */
  readonly stream: number | undefined;
}

export class ScriptedNative implements Native {
  readonly dials: Dial[] = [];
  readonly sent: Sent[] = [];
  readonly hangups: number[] = [];
  flushes = 0;
  /** What `flush` and `bulk` answer. */
  pending = 0;
  isClosed = false;
  /** Part of a long frame was copied, and neither queued nor dropped. */
  gathering = false;
  readonly #slices: Uint8Array[] = [];
  options: OpenOptions | undefined;
  #rx: Uint8Array = new Uint8Array(0);
  #onBatch: OnBatch = () => 0;
  readonly #chunks = new Map<number, Uint8Array>();

  abi(): number {
    return 1;
  }

  open(options: OpenOptions, rx: Uint8Array, onBatch: OnBatch): number {
    this.options = options;
    this.#rx = rx;
    this.#onBatch = onBatch;
    return 1;
  }

  port(): number {
    return this.options?.listenPort || 4711;
  }

  incarnation(): bigint {
    return 77n;
  }

  dial(_handle: number, request: number, name: string, host: string, port: number, reason: number): void {
    this.dials.push({ request, name, host, port, reason });
  }

  hangup(_handle: number, session: number): void {
    this.hangups.push(session);
  }

  tx(_handle: number, session: number, chunk: Uint8Array): void {
    this.#chunks.set(session, chunk);
  }

  flush(_handle: number, session: number, bytes: number): number {
    this.flushes++;
    const chunk = this.#chunks.get(session);
    if (chunk === undefined) return -1;
    const frames = Buffer.from(chunk.slice(0, bytes));
    for (let at = 0; at < bytes; ) {
      const end = at + 4 + frames.readUInt32LE(at);
      this.sent.push({
        session,
        tag: frames[at + 4] ?? 0,
        body: frames.subarray(at + 5, end),
        stream: undefined,
      });
      at = end;
    }
    return this.pending;
  }

  bulk(_handle: number, session: number, stream: number, parts: readonly Uint8Array[]): number {
    const bytes = Buffer.concat(parts);
    this.sent.push({ session, tag: bytes[0] ?? 0, body: bytes.subarray(1), stream });
    return this.pending;
  }

  gather(_handle: number, session: number, total: number, slice: Uint8Array): boolean {
    if (!this.gathering || total === 0) this.#slices.length = 0;
    if (total > 0) this.#slices.push(slice.slice());
    this.gathering = total > 0;
    return this.#chunks.has(session);
  }

  gathered(handle: number, session: number, stream: number): number {
    this.gathering = false;
    return this.bulk(handle, session, stream, this.#slices.splice(0));
  }

  numberOf(): number {
    return 0;
  }

  close(): void {
    this.isClosed = true;
    this.emit(NativeEvent.STOPPED, 0, new Body());
  }

  attach(): number {
    return 0;
  }

  detach(): void {}
  ref(): void {}
  unref(): void {}

  writeToAll(): void {}

  stats(): NativeStats {
    return {} as NativeStats;
  }

  sessionStats(): SessionStats {
    return { framesIn: 1, framesOut: 5, bytesIn: 2, bytesOut: 3, silentMs: 4 };
  }

  armSignalWatchdog(): void {}
  disarmSignalWatchdog(): void {}
  termCheck(): void {}

  pidPack(nc: number, local: number): bigint {
    return (BigInt(nc) << 40n) | BigInt(local);
  }

  pidUnpack(pid: bigint): [number, number] {
    return [Number(pid >> 40n), Number(pid & 0xff_ffff_ffffn)];
  }

  /** Hands one entry up, as a batch of its own. */
  emit(tag: number, session: number, body: Body, bigs: Uint8Array[] | null = null): number {
    const bytes = body.done();
    const entry = new Body().u32(bytes.length).u8(tag).u8(0).u16(session).bytes(bytes).done();
    this.#rx.set(entry);
    const answer = this.#onBatch(entry.length, bigs);
    if ((answer & BatchAnswer.CALL_AGAIN) !== 0) process.nextTick(() => this.#onBatch(0, null));
    return answer;
  }

  up(session: number, nc: number, name: string, incarnation = BigInt(nc), flags = 1): void {
    const body = new Body().u32(nc).u64(incarnation).u8(flags).u64(0n).name('127.0.0.1').name(name);
    this.emit(NativeEvent.SESSION_UP, session, body);
  }

  down(session: number, cause = 0): void {
    this.emit(NativeEvent.SESSION_DOWN, session, new Body().u8(cause).name(''));
  }

  slotEvent(nc: number, name: string, incarnation = BigInt(nc)): void {
    this.emit(NativeEvent.NODE_SLOT, 0, new Body().u32(nc).u64(incarnation).name(name));
  }

  dialled(request: number, status: number, detail = 'words'): void {
    this.emit(NativeEvent.CONNECT_RESULT, 0, new Body().u32(request).u8(status).name(detail));
  }
}
