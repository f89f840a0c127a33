import type { SocketFanOut } from '../node/index.ts';
import type { Packet } from './frame.ts';
import { MESSAGE_OVERHEAD_BYTES, type SlowPolicy } from './limits.ts';
import type { Flushable, OutputBatch } from './output-batch.ts';
import type { CloseReason } from './socket-events.ts';
import type { BoundPort, SocketPort } from './socket-port.ts';

const NONE: (() => void)[] = [];
const FAILED = { code: 1006, reason: 'its socket failed' };

export interface SendBufferLimits {
  readonly bufferBytes: number;
  readonly slow: SlowPolicy;
}

/** What all send buffers of a node share. */
export interface SendBufferHost<Owner> {
  readonly output: OutputBatch;
  readonly limits: SendBufferLimits;
  /** Messages were dropped, because the client reads too slowly. */
  dropped(owner: Owner, count: number): void;
  /** The client reads too slowly: the connection must be closed. */
  tooSlow(owner: Owner): void;
}

/** Gets the events of a send buffer. */
export interface SendBufferOwner {
  /** @internal Writing to the socket failed: the connection must be ended. */
  terminate(why: CloseReason): void;
  /** @internal The client reads again. @param dropped How many messages were dropped. */
  caughtUp(dropped: number): void;
}

/** The packets that wait for one socket. Their bytes are limited. They are written once per turn of the event loop, when the socket accepts data. */
export class SendBuffer<Owner extends SendBufferOwner> implements Flushable {
  readonly #port: SocketPort<unknown>;
  readonly #socket: unknown;
  readonly #host: SendBufferHost<Owner>;
  readonly #owner: Owner;
  /** The waiting packets: usually none, or one. */
  #queue: Packet | Packet[] | undefined;
  /** The waiting packets that are never dropped: messages of the protocol. */
  #kept: Set<Packet> | undefined;
  #bytes = 0;
  /** Bytes of packets that were longer than what may wait and are not known to be read: they may wait beside that. */
  #long = 0;
  #dropped = 0;
  #isFlushScheduled = false;
  #awaitsSocket = false;
  /** A packet was refused and the connection will be closed: later ones would hide that it is missing. */
  #isGivenUp = false;
  #isClosed = false;
  /** Called when no more bytes wait than may. */
  #onRead: (() => void)[] = NONE;

  constructor({ port, socket }: BoundPort, host: SendBufferHost<Owner>, owner: Owner) {
    this.#port = port;
    this.#socket = socket;
    this.#host = host;
    this.#owner = owner;
  }

  /** Bytes that wait in the socket, and estimated memory of what waits here. */
  get waiting(): number {
    return this.#bytes + this.#port.buffered(this.#socket);
  }

  /** Whether no more bytes wait than may. */
  get mayQueue(): boolean {
    return this.#isClosed || this.waiting <= this.#host.limits.bufferBytes;
  }

  /**
   * Waits while more bytes wait than may. What many rooms have for a client, which it asked for at once, would make it a slow one: it would be
   * closed, and ask for the same again.
   */
  async untilRead(): Promise<void> {
    if (this.mayQueue) return;
    await new Promise<void>((resolve) => {
      this.#onRead = [...this.#onRead, resolve];
      this.#awaitSocket();
    });
  }

  /** Queues a packet that may be dropped. */
  push(packet: Packet): void {
    if (this.#isClosed || this.#isGivenUp) return;
    const { bufferBytes, slow } = this.#host.limits;
    // An empty buffer accepts any packet; otherwise a long one could never be sent.
    if (this.waiting > 0) {
      const cost = costOf(packet);
      if (this.waiting + cost > this.#most(packet) && slow === 'drop-old')
        this.#dropOldest(cost + bufferBytes / 4); // more than needed, so that each packet is visited only a few times
      if (this.waiting + cost > this.#most(packet)) return this.#overflow(packet);
    }
    this.#add(packet);
  }

  /** Queues a packet that must not be dropped. If too many bytes wait, the connection is closed. */
  pushKept(packet: Packet): void {
    if (this.#isClosed || this.#isGivenUp) return;
    if (this.waiting > this.#most(packet) + this.#host.limits.bufferBytes) return this.#giveUp();
    if (this.#host.limits.slow === 'drop-old') {
      this.#kept ??= new Set();
      this.#kept.add(packet);
    }
    this.#add(packet);
  }

  flush(fanOut?: SocketFanOut): void {
    this.#isFlushScheduled = false;
    const queue = this.#queue;
    if (queue === undefined) return;
    if (this.#port.isBlocked(this.#socket)) return this.#awaitSocket();
    // Before the write: a socket of another library may call back from it, and more is queued then.
    this.#queue = undefined;
    this.#bytes = 0;
    this.#kept?.clear();
    try {
      if (Array.isArray(queue)) this.#port.writeAll(this.#socket, queue);
      else this.#port.write(this.#socket, queue, fanOut);
    } catch {
      this.close(); // a socket of another library: the other connections continue
      // After the writes of this turn: a listener may close a socket whose packet is not written yet.
      queueMicrotask(() => this.#owner.terminate(FAILED));
      return;
    }
    if (this.#dropped === 0) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#owner.caughtUp(dropped);
  }

  /** Drops everything; nothing is written any more. */
  close(): void {
    this.#isClosed = true;
    this.#queue = undefined;
    this.#bytes = 0;
    this.#kept = undefined;
    this.#wake();
  }

  /** How many bytes may wait when a packet is added: beside a long one as many as otherwise, but not a second long one. */
  #most(packet: Packet): number {
    const { bufferBytes } = this.#host.limits;
    const { waiting } = this;
    this.#long = waiting > bufferBytes ? Math.min(this.#long, waiting) : 0;
    return costOf(packet) > bufferBytes ? bufferBytes : bufferBytes + this.#long;
  }

  #wake(): void {
    const all = this.#onRead;
    this.#onRead = NONE;
    for (const resolve of all) resolve();
  }

  #add(packet: Packet): void {
    if (this.#queue === undefined) this.#queue = packet;
    else if (Array.isArray(this.#queue)) this.#queue.push(packet);
    else this.#queue = [this.#queue, packet];
    const cost = costOf(packet);
    this.#bytes += cost;
    if (cost > this.#host.limits.bufferBytes) this.#long += cost;
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    this.#host.output.flushLater(this);
  }

  #awaitSocket(): void {
    if (this.#awaitsSocket) return;
    this.#awaitsSocket = true;
    this.#port.onceWritable(this.#socket, () => {
      this.#awaitsSocket = false;
      this.flush();
      if (this.#onRead.length === 0) return;
      if (this.mayQueue) this.#wake();
      else this.#awaitSocket();
    });
  }

  #overflow(packet: Packet): void {
    if (this.#host.limits.slow === 'close') return this.#giveUp();
    this.#drop(packet.frames.length);
  }

  #giveUp(): void {
    this.#isGivenUp = true;
    this.#host.tooSlow(this.#owner);
  }

  #dropOldest(bytes: number): void {
    let missing = bytes;
    const queue = this.#queue ?? [];
    const left = (Array.isArray(queue) ? queue : [queue]).filter((packet) => {
      if (missing <= 0 || this.#kept?.has(packet) === true) return true;
      missing -= costOf(packet);
      this.#bytes -= costOf(packet);
      this.#drop(packet.frames.length);
      return false;
    });
    this.#queue = left.length > 0 ? left : undefined;
  }

  #drop(count: number): void {
    this.#dropped += count;
    this.#host.dropped(this.#owner, count);
  }
}

/** Many short packets take far more memory than their bytes. */
const costOf = ({ bytes }: Packet): number => bytes + MESSAGE_OVERHEAD_BYTES;
