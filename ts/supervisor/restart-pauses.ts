import type { Backoff } from './child-spec.ts';

/** The growing pauses before restarts of one child ({@link Backoff}). Pure: time and randomness are parameters. */
export class RestartPauses {
  readonly #backoff: Required<Backoff>;
  #restarts = 0;
  #startedAt: number | undefined;

  constructor(backoff: Required<Backoff>) {
    this.#backoff = backoff;
  }

  /** The child was started at `now` (ms). */
  started(now: number): void {
    this.#startedAt = now;
  }

  /** The pause before the next restart, in ms. After a run of at least `max`, the pauses start at `min` again. */
  next(now: number, random: number): number {
    const { min, max, factor, jitter } = this.#backoff;
    if (this.#startedAt !== undefined && now - this.#startedAt >= max) this.#restarts = 0;
    this.#startedAt = undefined;
    const pause = Math.min(min * factor ** this.#restarts++, max);
    return Math.round(pause * (1 + jitter * random));
  }
}
