import type { Runtime } from '../actor/index.ts';
import type { Connection } from './connection.ts';

/** An interval is cut into so many ticks, and each connection has its tick: pings are spread. */
const TICKS = 16;
const LOST = { code: 1006, reason: 'no sign of life' };

/**
 * Finds clients that are gone without a word: one that was silent for an interval is pinged, silent for another one it is ended.
 *
 * A blocked event loop reads no sign of life, so the time in which it was blocked does not count.
 */
export class Heartbeat {
  readonly #runtime: Runtime;
  readonly #connections: Iterable<Connection>;
  readonly #intervalMs: number;
  #tick = 0;
  #dueAt = 0;
  /** No connection is ended before. */
  #judgesFrom = 0;
  #cancel = (): void => {};

  constructor(runtime: Runtime, connections: Iterable<Connection>, intervalMs: number) {
    this.#runtime = runtime;
    this.#connections = connections;
    this.#intervalMs = intervalMs;
    if (intervalMs > 0) this.#wait();
  }

  close(): void {
    this.#cancel();
  }

  #wait(): void {
    const ms = this.#intervalMs / TICKS;
    this.#dueAt = this.#runtime.now() + ms;
    this.#cancel = this.#runtime.after(ms, () => this.#beat());
  }

  #beat(): void {
    const now = this.#runtime.now();
    // What has come meanwhile is read after this.
    if (now > this.#dueAt + this.#intervalMs / 2) this.#judgesFrom = now + this.#intervalMs;
    this.#tick = (this.#tick + 1) % TICKS;
    for (const connection of this.#connections) {
      if (connection.number % TICKS !== this.#tick) continue;
      if (connection.isAlive) {
        connection.isAlive = false;
        connection.ping();
      } else if (now >= this.#judgesFrom && connection.givesSigns) connection.terminate(LOST);
      else connection.ping();
    }
    this.#wait();
  }
}
