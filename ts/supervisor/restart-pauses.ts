import type { AllOf } from '../errors/index.ts';
import type { Backoff } from './child-spec.ts';

/** The growing pauses before restarts of one child ({@link Backoff}). Pure: time and randomness are parameters. */
export class RestartPauses {
  readonly #backoff: AllOf<Backoff>;
  #restarts = 0;
  /** Infinity while it does not run. */
  #startedAt = Number.POSITIVE_INFINITY;

  constructor(backoff: AllOf<Backoff>) {
    this.#backoff = backoff;
  }

  /** The child was started at `now` (ms). */
  started(now: number): void {
    this.#startedAt = now;
  }

  /** The pause before the next restart, in ms. After a run of at least `max`, the pauses start at `min` again. */
  next(now: number, random: number): number {
    const { min, max, factor, jitter } = this.#backoff;
    if (now - this.#startedAt >= max) this.#restarts = 0;
    this.#startedAt = Number.POSITIVE_INFINITY;
    // After very many restarts the power is Infinity, and Infinity times a min of 0 is no number.
    const pause = min === 0 ? 0 : Math.min(min * factor ** this.#restarts++, max);
    return Math.min(Math.round(pause * (1 + jitter * random)), Number.MAX_SAFE_INTEGER);
  }
}
