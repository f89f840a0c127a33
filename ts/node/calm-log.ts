import type { Logger } from '../actor/index.ts';

/** At most one line of a kind in this time. Unit: ms. */
export const LOG_PAUSE_MS = 10_000;

/** What writing lines needs. */
export interface CalmLogPort {
  readonly logger: Logger;
  /** Runs `action` once after `ms`; returns what cancels it. */
  after(ms: number, action: () => void): () => void;
}

interface Held {
  count: number;
  write: (count: number) => void;
}

/**
 * Writes lines that unauthenticated connections and peers can cause: the first of a kind at once, then one every LOG_PAUSE_MS with the last facts and
 * `count`, how many lines it stands for.
 */
export class CalmLog {
  readonly #port: CalmLogPort;
  readonly #held = new Map<string, Held>();

  constructor(port: CalmLogPort) {
    this.#port = port;
  }

  /** `message` is the kind of the line. */
  write(level: 'debug' | 'warn' | 'error', facts: object, message: string): void {
    const write = (count: number): void =>
      this.#port.logger[level](count === 1 ? facts : { ...facts, count }, message);
    const held = this.#held.get(message);
    if (held !== undefined) {
      held.count++;
      held.write = write;
      return;
    }
    write(1);
    this.#pause(message);
  }

  #pause(message: string): void {
    const held: Held = { count: 0, write: () => {} };
    this.#held.set(message, held);
    this.#port.after(LOG_PAUSE_MS, () => {
      this.#held.delete(message);
      if (held.count === 0) return;
      held.write(held.count);
      this.#pause(message);
    });
  }
}
