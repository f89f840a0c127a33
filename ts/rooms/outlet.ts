import type { Spread } from '../node/index.ts';
import type { Packet } from './frame.ts';
import type { SlowPolicy } from './limits.ts';
import type { BoundPort, SocketPort } from './socket-port.ts';
import type { Flushable, Turn } from './turn.ts';

export interface OutletLimits {
  readonly bufferBytes: number;
  readonly slow: SlowPolicy;
}

/** What all outlets of a node share. */
export interface OutletHost {
  readonly turn: Turn;
  readonly limits: OutletLimits;
}

/** What an outlet tells its connection. */
export interface OutletOwner {
  /** @internal Messages were dropped because the client reads too slowly. */
  dropped(count: number): void;
  /** @internal It is to be closed for that. */
  tooSlow(): void;
  /** @internal It reads again, after so many messages were dropped. */
  caughtUp(dropped: number): void;
}

/** What waits to be written to one socket: bounded in bytes, written once a turn, and not before the socket takes more. */
export class Outlet implements Flushable {
  readonly #port: SocketPort<unknown>;
  readonly #socket: unknown;
  readonly #host: OutletHost;
  readonly #owner: OutletOwner;
  /** What waits: most often nothing, or one packet for all members of a room. */
  #queue: Packet | Packet[] | undefined;
  /** Packets that are never dropped: answers and notices. */
  #kept: Set<Packet> | undefined;
  #bytes = 0;
  #dropped = 0;
  #isTouched = false;
  #awaitsSocket = false;
  #isClosed = false;

  constructor({ port, socket }: BoundPort, host: OutletHost, owner: OutletOwner) {
    this.#port = port;
    this.#socket = socket;
    this.#host = host;
    this.#owner = owner;
  }

  /** Bytes that wait, here and in the socket. */
  get waiting(): number {
    return this.#bytes + this.#port.buffered(this.#socket);
  }

  /** Queues what may be dropped. */
  push(packet: Packet): void {
    if (this.#isClosed) return;
    const { bufferBytes, slow } = this.#host.limits;
    // A single message is let through, or a long one could never be sent.
    if (this.waiting > 0) {
      if (this.waiting + packet.bytes > bufferBytes && slow === 'drop-old')
        this.#dropOldest(packet.bytes + bufferBytes / 4); // some at once, so that each is looked at a few times only
      if (this.waiting + packet.bytes > bufferBytes) return this.#overflow(packet);
    }
    this.#add(packet);
  }

  /** Queues what must not be dropped; a client that lets too much of that wait is closed, too. */
  pushKept(packet: Packet): void {
    if (this.#isClosed) return;
    if (this.waiting > 2 * this.#host.limits.bufferBytes) return this.#owner.tooSlow();
    if (this.#host.limits.slow === 'drop-old') {
      this.#kept ??= new Set();
      this.#kept.add(packet);
    }
    this.#add(packet);
  }

  flush(spread?: Spread): void {
    this.#isTouched = false;
    const queue = this.#queue;
    if (queue === undefined) return;
    if (this.#port.isBlocked(this.#socket)) return this.#awaitSocket();
    if (Array.isArray(queue)) this.#port.writeAll(this.#socket, queue);
    else this.#port.write(this.#socket, queue, spread);
    this.#queue = undefined;
    this.#bytes = 0;
    this.#kept?.clear();
    if (this.#dropped === 0) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#owner.caughtUp(dropped);
  }

  /** Nothing is written any more. */
  close(): void {
    this.#isClosed = true;
    this.#queue = undefined;
    this.#bytes = 0;
    this.#kept = undefined;
  }

  #add(packet: Packet): void {
    if (this.#queue === undefined) this.#queue = packet;
    else if (Array.isArray(this.#queue)) this.#queue.push(packet);
    else this.#queue = [this.#queue, packet];
    this.#bytes += packet.bytes;
    if (this.#isTouched) return;
    this.#isTouched = true;
    this.#host.turn.touch(this);
  }

  #awaitSocket(): void {
    if (this.#awaitsSocket) return;
    this.#awaitsSocket = true;
    this.#port.onceWritable(this.#socket, () => {
      this.#awaitsSocket = false;
      this.flush();
    });
  }

  #overflow(packet: Packet): void {
    if (this.#host.limits.slow === 'close') return this.#owner.tooSlow();
    this.#drop(packet.frames.length);
  }

  #dropOldest(bytes: number): void {
    let missing = bytes;
    const queue = this.#queue ?? [];
    const left = (Array.isArray(queue) ? queue : [queue]).filter((packet) => {
      if (missing <= 0 || this.#kept?.has(packet) === true) return true;
      missing -= packet.bytes;
      this.#bytes -= packet.bytes;
      this.#drop(packet.frames.length);
      return false;
    });
    this.#queue = left.length > 0 ? left : undefined;
  }

  #drop(count: number): void {
    this.#dropped += count;
    this.#owner.dropped(count);
  }
}
