const EPOCH_MS = Date.UTC(2026, 0, 1);
/** The highest rate of registrations that is plausible over a long time. */
const TICKS_PER_MS = 1_000;
/** Stamps up to this are plausible at any time, also on a machine with a wrong clock. */
const ALWAYS_PLAUSIBLE = 2 ** 40;
/** The difference between the clocks of two machines that is accepted. */
const SKEW_MS = 86_400_000;

/**
 * A Lamport clock: a node that knows an entry registers later names with greater stamps.
 *
 * A peer cannot drive the clock to its maximum, where it would stop: stamps more than a day above `greatest` are implausible, and the
 * clock follows plausible ones up to `greatest` only: the greatest stamp that a cluster can have reached since 2026. It advances
 * faster than any real clock of registrations, so a clock that a peer has driven to it falls behind it soon.
 */
export class LamportClock {
  readonly #timeMs: () => number;
  #now = 0;

  constructor(timeMs: () => number = Date.now) {
    this.#timeMs = timeMs;
  }

  get now(): number {
    return this.#now;
  }

  tick(): number {
    return ++this.#now;
  }

  /** Follows a stamp of a peer. Returns false for an implausible one. */
  see(stamp: number): boolean {
    const greatest = ALWAYS_PLAUSIBLE + Math.max(0, this.#timeMs() - EPOCH_MS) * TICKS_PER_MS;
    if (stamp > greatest + SKEW_MS * TICKS_PER_MS) return false;
    this.#now = Math.max(this.#now, Math.min(stamp, greatest));
    return true;
  }
}
