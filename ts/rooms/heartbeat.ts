import type { Runtime } from '../actor/index.ts';
import type { Connection } from './connection.ts';

/** Ticks of an interval. Each connection belongs to one of them, so pings are spread over the interval. */
const TICKS = 16;
const LOST = { code: 1006, reason: 'no sign of life' };

/**
 * Ends connections to clients that were lost without a close: a client that was silent for an interval is pinged, and when it is
 * silent for another interval its connection ends.
 *
 * A blocked event loop reads nothing, and its timers run before it reads again. So a tick only looks at connections after the next
 * read of all sockets, and after a long block no connection ends for a whole interval.
 */
export class Heartbeat {
  readonly #runtime: Runtime;
  readonly #connections: Iterable<Connection>;
  readonly #intervalMs: number;
  #tick = 0;
  #dueAt = 0;
  /** No connection is ended before. */
  #judgesFrom = 0;
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
    this.#cancel = this.#runtime.after(ms, () => this.#beat());
  }

  #beat(): void {
    const now = this.#runtime.now();
    if (now > this.#dueAt + this.#intervalMs / 2) this.#judgesFrom = now + this.#intervalMs;
    this.#tick = (this.#tick + 1) % TICKS;
    this.#wait();
    const tick = this.#tick; // while one phase of timers runs, the next beat may come
    setImmediate(() => this.#look(tick, now));
  }

  #look(tick: number, now: number): void {
    if (this.#isClosed) return;
    for (const connection of this.#connections) {
      if (connection.number % TICKS !== tick) continue;
      if (connection.isAlive) {
        connection.isAlive = false;
        connection.ping();
      } else if (now >= this.#judgesFrom && connection.givesSigns) connection.terminate(LOST);
      else connection.ping();
    }
  }
}
