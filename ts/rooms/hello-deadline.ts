import type { Runtime } from '../actor/index.ts';
import type { Connection } from './connection.ts';

/** A client must send its hello within this time. Unit: ms. */
const HELLO_MS = 10_000;

/** Finds clients that send no hello in time. One timer serves all, because the oldest connection is due first. */
export class HelloDeadline {
  readonly #runtime: Runtime;
  readonly #missed: (connection: Connection) => void;
  /** The deadline of each connection, in ms of the monotonic clock. */
  readonly #waiting = new Map<Connection, number>();
  #isSet = false;

  /** @param missed is called for each connection without a hello in time. */
  constructor(runtime: Runtime, missed: (connection: Connection) => void) {
    this.#runtime = runtime;
    this.#missed = missed;
  }

  /** A connection was accepted. */
  start(connection: Connection): void {
    this.#waiting.set(connection, this.#runtime.now() + HELLO_MS);
    if (!this.#isSet) this.#checkAfter(HELLO_MS);
  }

  /** Its client has sent the hello, or it is closed. */
  stop(connection: Connection): void {
    this.#waiting.delete(connection);
  }

  #checkAfter(ms: number): void {
    this.#isSet = true;
    this.#runtime.after(ms, () => this.#check());
  }

  #check(): void {
    this.#isSet = false;
    const now = this.#runtime.now();
    for (const [connection, due] of this.#waiting) {
      if (due > now) return this.#checkAfter(due - now);
      this.#waiting.delete(connection);
      this.#missed(connection);
    }
  }
}
