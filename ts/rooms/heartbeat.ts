import type { Runtime } from '../actor/index.ts';
import type { Connection } from './connection.ts';

/** An interval is divided into this many ticks. Each connection is checked at one of them, so pings are spread over the interval. */
const TICKS = 16;
const LOST = { code: 1006, reason: 'no answer to a ping' };

/**
 * Ends connections whose client is gone without a close. A client that is silent for an interval is pinged; if it is silent for another
 * interval, its connection ends.
 *
 * After the event loop was blocked, its timers run before it reads the sockets. So a tick checks connections only after the next read of all
 * sockets, and after a long block no connection ends for a whole interval.
 */
export class Heartbeat {
  readonly #runtime: Runtime;
  readonly #connections: Iterable<Connection>;
  readonly #intervalMs: number;
  #tick = 0;
  #dueAt = 0;
  /** No connection is ended before this time. */
  #graceUntil = 0;
  #isClosed = false;
  #cancel = (): void => {};

  constructor(runtime: Runtime, connections: Iterable<Connection>, intervalMs: number) {
    this.#runtime = runtime;
    this.#connections = connections;
    this.#intervalMs = intervalMs;
    if (intervalMs > 0) this.#wait();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  #wait(): void {
    const ms = this.#intervalMs / TICKS;
    this.#dueAt = this.#runtime.now() + ms;
    this.#cancel = this.#runtime.after(ms, () => this.#onTick());
  }

  #onTick(): void {
    const now = this.#runtime.now();
    if (now > this.#dueAt + this.#intervalMs / 2) this.#graceUntil = now + this.#intervalMs;
    this.#tick = (this.#tick + 1) % TICKS;
    this.#wait();
    const tick = this.#tick; // the next tick may run in the same timer phase
    setImmediate(() => this.#check(tick, now));
  }

  #check(tick: number, now: number): void {
    if (this.#isClosed) return;
    for (const connection of this.#connections) {
      if (connection.number % TICKS !== tick) continue;
      // What an unread socket has received is not known. After the next read the client has an interval to answer.
      const isHeld = connection.queued?.isHeld === true;
      if (connection.isAlive || isHeld) {
        connection.isAlive = isHeld;
        connection.ping();
      } else if (now >= this.#graceUntil && connection.hasHeartbeat) connection.terminate(LOST);
      else connection.ping();
    }
  }
}
