// A node without actors: drives the native surface directly, so that tests of the boundary need no upper layer.
import { loadNative, type Native, type NativeStats, type OpenOptions } from '../../bindings/index.ts';
import { ConnectStatus, DialReason, DownCause, NativeEvent } from '../../ts/wire/index.ts';
import { within } from '../support/deadline.ts';

export { ConnectStatus, DialReason, DownCause, NativeEvent };
export const SEND = 0x10;
export const REG_SEND = 0x11;
export const SHAPE = 0x31;
export const COOKIE = 'a cookie for tests, 32 letters..';

/** One entry of a batch, copied out. */
export interface Entry {
  readonly tag: number;
  readonly session: number;
  readonly body: Buffer;
}

export interface RawOptions extends Partial<OpenOptions> {
  /** Sees every entry before it is stored; false: do not store it. */
  onEntry?: (entry: Entry, node: RawNode) => boolean | undefined;
}

/** The lane part, which a further isolate has too: a buffer, entries, waits. */
export class RawLane {
  readonly native: Native = loadNative();
  readonly entries: Entry[] = [];
  readonly rx: Uint8Array = new Uint8Array(640 * 1024);
  readonly #view = Buffer.from(this.rx.buffer);
  readonly #waits = new Set<() => void>();
  readonly #numbers: number[] = [];
  /** How many entries `numbers` has read. */
  #read = 0;
  handle = 0;
  lane = 0;
  onEntry: ((entry: Entry) => boolean | undefined) | undefined;
  /** What `onBatch` answers. */
  answer = 0;

  /** Called when `onBatch` is called without bytes. */
  onEmpty: (() => void) | undefined;

  readonly onBatch = (bytes: number, bigs: Uint8Array[] | null): number => {
    if (bytes === 0) this.onEmpty?.();
    for (let at = 0; at < bytes; ) {
      const length = this.#view.readUInt32LE(at);
      const tag = this.#view.readUInt8(at + 4);
      const session = this.#view.readUInt16LE(at + 6);
      let body = Buffer.from(this.#view.subarray(at + 8, at + 8 + length));
      if (tag === NativeEvent.BIG) body = Buffer.from(bigs?.[body.readUInt32LE(0)] ?? []);
      at += 8 + length;
      const entry = { tag, session, body };
      if (this.onEntry?.(entry) !== false) this.entries.push(entry);
    }
    for (const wait of this.#waits) wait();
    return this.answer;
  };

  /** The first entry, seen already or yet to come, that matches. */
  find(what: string, matches: (entry: Entry) => boolean): Promise<Entry> {
    return within(
      what,
      new Promise((resolve) => {
        const look = (): void => {
          const found = this.entries.find(matches);
          if (found === undefined) return;
          this.#waits.delete(look);
          resolve(found);
        };
        this.#waits.add(look);
        look();
      }),
    );
  }

  event(tag: number, matches: (entry: Entry) => boolean = () => true): Promise<Entry> {
    return this.find(`entry ${tag.toString(16)}`, (entry) => entry.tag === tag && matches(entry));
  }

  /** The integers of the SEND entries so far. O(entries since the last call): tests ask in each turn of the event loop. */
  numbers(): readonly number[] {
    for (; this.#read < this.entries.length; this.#read++) {
      const { tag, body } = this.entries[this.#read] as Entry;
      if (tag === SEND) this.#numbers.push(body.readInt32LE(10));
    }
    return this.#numbers;
  }
}

/** A peer as SESSION_UP announces it. */
export interface RawPeer {
  readonly session: number;
  readonly nc: number;
  readonly incarnation: bigint;
  readonly name: string;
  readonly dialledByUs: boolean;
}

/** A PING or PONG on the wire: length, tag, sequence, loop age. */
export const TICK_BYTES: number = 4 + 1 + 8 + 4;

export class RawNode extends RawLane {
  readonly name: string;
  readonly incarnation: bigint;
  readonly #tx = new Map<number, Buffer>();

  constructor({ onEntry, ...options }: RawOptions = {}) {
    super();
    this.onEntry = onEntry && ((entry) => onEntry(entry, this));
    const base = { name: 'raw@127.0.0.1:0', listenHost: '127.0.0.1', listenPort: 0, cookie: COOKIE };
    const given = { ...base, ...options };
    this.handle = this.native.open(given, this.rx, this.onBatch);
    this.name = given.name.replace(/:0$/, `:${this.port}`);
    this.incarnation = this.native.incarnation(this.handle);
  }

  get port(): number {
    return this.native.port(this.handle);
  }

  get stats(): NativeStats {
    return this.native.stats(this.handle);
  }

  /** Dials and waits for the answer; throws unless the session is up. */
  async connect(name: string, port: number, request = 1): Promise<RawPeer> {
    const { status, detail } = await this.dial(name, port, request);
    if (status !== ConnectStatus.UP) throw new Error(`not up: ${status} ${detail}`);
    return this.up((peer) => peer.name === name);
  }

  async dial(name: string, port: number, request = 1): Promise<{ status: number; detail: string }> {
    this.native.dial(this.handle, request, name, '127.0.0.1', port, DialReason.ASKED);
    const { body } = await this.event(
      NativeEvent.CONNECT_RESULT,
      (entry) => entry.body.readUInt32LE(0) === request,
    );
    return { status: body.readUInt8(4), detail: body.subarray(7).toString() };
  }

  /** The first session up that matches. */
  async up(matches: (peer: RawPeer) => boolean = () => true): Promise<RawPeer> {
    return peerOf(await this.event(NativeEvent.SESSION_UP, (entry) => matches(peerOf(entry))));
  }

  /** The end of that session. */
  async down(session: number): Promise<number> {
    const { body } = await this.event(NativeEvent.SESSION_DOWN, (entry) => entry.session === session);
    return body.readUInt8(0);
  }

  /** Writes frames and flushes them at once; gives what `flush` gives. */
  flush(session: number, ...frames: Buffer[]): number {
    let chunk = this.#tx.get(session);
    if (chunk === undefined) {
      chunk = Buffer.alloc(256 * 1024);
      this.#tx.set(session, chunk);
      this.native.tx(this.handle, session, chunk);
    }
    let at = 0;
    for (const frame of frames) at += frame.copy(chunk, at);
    return this.native.flush(this.handle, session, at);
  }

  /** Sends the number to the peer's actor with that local id. */
  send(peer: RawPeer, value: number, local = 1): number {
    return this.flush(peer.session, sendFrame(peer.nc, local, value));
  }

  ref(): void {
    this.native.ref(this.handle);
  }

  /** Leaves and waits until the native side is done. */
  async close(): Promise<void> {
    this.native.close(this.handle);
    await this.event(NativeEvent.STOPPED);
  }
}

export function peerOf({ session, body }: Entry): RawPeer {
  return {
    session,
    nc: body.readUInt32LE(0),
    incarnation: body.readBigUInt64LE(4),
    name: body.subarray(25 + body.readUInt16LE(21)).toString(), // the network stands before it
    dialledByUs: (body.readUInt8(12) & 1) !== 0,
  };
}

/** `u32 length | tag | body`. */
export function frame(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.writeUInt32LE(body.length + 1);
  head[4] = tag;
  return Buffer.concat([head, body]);
}

export function pidBytes(nc: number, local: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE((BigInt(nc) << 40n) | BigInt(local));
  return bytes;
}

export function nameBytes(name: string): Buffer {
  const text = Buffer.from(name);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length);
  return Buffer.concat([length, text]);
}

/** The local id of serial 1 on that scheduler. */
export function localOn(scheduler: number, serial = 1): number {
  return scheduler * 2 ** 34 + serial;
}

export function sendFrame(nc: number, local: number, value: number): Buffer {
  const term = Buffer.alloc(6);
  term[0] = 2;
  term[1] = 0x22;
  term.writeInt32LE(value, 2);
  return frame(SEND, pidBytes(nc, local), term);
}

/** `tag | body` of a SEND that carries `size` bytes, for `bulk`. */
export function bigFrame(nc: number, local: number, size: number, fill = 7): Buffer {
  const head = Buffer.alloc(1 + 8 + 1 + 1 + 4);
  head[0] = SEND;
  pidBytes(nc, local).copy(head, 1);
  head[9] = 2;
  head[10] = 0x09;
  head.writeUInt32LE(size, 11);
  return Buffer.concat([head, Buffer.alloc(size, fill)]);
}
