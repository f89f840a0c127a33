import type { Limits } from '../options.ts';
import { Streams } from './streams.ts';

/**
 * Counts the bytes that wait to be sent to one peer. Above the high-water mark the peer is busy and `sendWait` waits; above the
 * limit, user messages are refused.
 */
export class Backlog {
  streams = new Streams();
  readonly #highWater: number;
  readonly #onBusy: () => void;
  #limit: number;
  /** Bytes outside of streams. */
  #plain = 0;
  #isBusy = false;
  /** Resolved when the backlog is at or below the high-water mark. */
  readonly #waiters: (() => void)[] = [];

  /** @param onBusy called each time the backlog passes the high-water mark. */
  constructor(limits: Limits, onBusy: () => void) {
    this.#highWater = limits.highWater;
    this.#limit = limits.waiting;
    this.#onBusy = onBusy;
  }

  /** All waiting bytes. A frame of a stream counts until all of it has been sent. */
  get bytes(): number {
    return this.#plain + this.streams.bytes;
  }

  get isFull(): boolean {
    return this.bytes >= this.#limit;
  }

  get isBelowHighWater(): boolean {
    return this.bytes <= this.#highWater;
  }

  /** The session is up: sets its limit. `onBusy` is called again if the backlog is still above the high-water mark. */
  open(limit: number): void {
    this.#limit = limit;
    this.#isBusy = false;
  }

  /** Adds bytes that are held until the session is up. */
  add(bytes: number): void {
    this.set(this.#plain + bytes);
  }

  /** Sets the bytes outside of streams. */
  set(bytes: number): void {
    this.#plain = Math.max(0, bytes);
    if (this.isBelowHighWater || this.#isBusy) return;
    this.#isBusy = true;
    this.#onBusy();
  }

  /** Sets the bytes in all, those of streams included. */
  setTotal(bytes: number): void {
    this.set(bytes - this.streams.bytes);
  }

  /** The bytes outside of streams have shrunk to `bytes`. Returns true when the peer was busy and is not any more. */
  shrink(bytes: number): boolean {
    this.#plain = bytes;
    return this.settle();
  }

  /** Resolves the waiting promises when there is room. Returns true when the peer was busy and is not any more. */
  settle(): boolean {
    if (!this.isBelowHighWater) return false;
    const wasBusy = this.#isBusy;
    this.#isBusy = false;
    this.#wake();
    return wasBusy;
  }

  /** Resolves the waiting promises when there is room; whether the peer counts as busy stays as it is. */
  wakeIfRoom(): void {
    if (this.isBelowHighWater) this.#wake();
  }

  /** Resolves when the backlog is at or below the high-water mark. */
  whenRoom(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** The session has ended: nothing waits any more. */
  close(): void {
    this.streams = new Streams();
    this.shrink(0);
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}
