import type { Runtime } from '../actor/index.ts';
import type { Connection } from './connection.ts';

/** A client must say hello within this. Unit: ms. */
const HELLO_MS = 10_000;

/** Finds clients that say no hello: one timer for all, since those that came first are due first. */
export class HelloDeadline {
  readonly #runtime: Runtime;
  readonly #missed: (connection: Connection) => void;
  /** When each is due. ms of the monotonic clock. */
  readonly #waiting = new Map<Connection, number>();
  #isSet = false;

  /** @param missed called for each that has said nothing in time. */
  constructor(runtime: Runtime, missed: (connection: Connection) => void) {
    this.#runtime = runtime;
    this.#missed = missed;
  }

  /** A client that has come. */
  start(connection: Connection): void {
    this.#waiting.set(connection, this.#runtime.now() + HELLO_MS);
    if (!this.#isSet) this.#lookAfter(HELLO_MS);
  }

  /** It has said hello, or is gone. */
  stop(connection: Connection): void {
    this.#waiting.delete(connection);
  }

  #lookAfter(ms: number): void {
    this.#isSet = true;
    this.#runtime.after(ms, () => this.#look());
  }

  #look(): void {
    this.#isSet = false;
    const now = this.#runtime.now();
    for (const [connection, due] of this.#waiting) {
      if (due > now) return this.#lookAfter(due - now);
      this.#waiting.delete(connection);
      this.#missed(connection);
    }
  }
}
