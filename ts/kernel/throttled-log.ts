import type { Logger } from './logger.ts';

/** At most one line of each kind is written in this time. Unit: ms. */
export const LOG_PAUSE_MS = 10_000;
/** Lines about further peers or actors are of one kind: a member can connect under very many names. */
export const MAX_HELD = 256;

/** What ThrottledLog needs. */
export interface ThrottledLogPort {
  readonly logger: Logger;
  /** Runs `action` once after `ms`. */
  after(ms: number, action: () => void): void;
}

interface Held {
  count: number;
  write: (count: number) => void;
}

/**
 * Limits the rate of log lines that messages, peers and unauthenticated connections can cause. The first line of a kind is written at once. Those
 * that follow within LOG_PAUSE_MS are written as one: the facts of the last, and `count`, the number of lines.
 */
export class ThrottledLog {
  readonly #port: ThrottledLogPort;
  readonly #held = new Map<string, Held>();

  constructor(port: ThrottledLogPort) {
    this.#port = port;
  }

  /** Lines with the same `message` are of one kind; with `about`, those about the same, unless MAX_HELD kinds have been written within LOG_PAUSE_MS. */
  write(level: keyof Logger, facts: object, message: string, about = ''): void {
    const own = `${message} ${about}`;
    const kind = this.#held.has(own) || this.#held.size < MAX_HELD ? own : message;
    const write = (count: number): void =>
      this.#port.logger[level](count === 1 ? facts : { ...facts, count }, message);
    const held = this.#held.get(kind);
    if (held !== undefined) {
      held.count++;
      held.write = write;
      return;
    }
    write(1);
    this.#pause(kind);
  }

  #pause(kind: string): void {
    const held: Held = { count: 0, write: () => {} };
    this.#held.set(kind, held);
    this.#port.after(LOG_PAUSE_MS, () => {
      this.#held.delete(kind);
      if (held.count === 0) return;
      held.write(held.count);
      this.#pause(kind);
    });
  }
}
