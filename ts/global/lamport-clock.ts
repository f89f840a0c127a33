const EPOCH_MS = Date.UTC(2026, 0, 1);
/** No cluster ticks faster in the long run: a million registrations a second. */
const TICKS_PER_MS = 1_000;
/** Plausible whatever the time is: a machine may not know it. */
const ALWAYS_PLAUSIBLE = 2 ** 40;
/** How much the clocks of two machines may differ. */
const SKEW_MS = 86_400_000;

/**
 * Lamport's clock: what is registered by a node that knows of an entry has a greater stamp than that entry.
 *
 * A peer cannot drive it to its maximum, where it would stop. Stamps that no cluster can have reached since 2026 are
 * implausible; the clock follows others up to that line only, which moves on faster than an honest clock. So a clock that a
 * peer has driven to the line is behind it soon, and peers whose time differs by a day still find it plausible.
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

  /** Follows a stamp of a peer. False: it is implausible. */
  see(stamp: number): boolean {
    const line = ALWAYS_PLAUSIBLE + Math.max(0, this.#timeMs() - EPOCH_MS) * TICKS_PER_MS;
    if (stamp > line + SKEW_MS * TICKS_PER_MS) return false;
    this.#now = Math.max(this.#now, Math.min(stamp, line));
    return true;
  }
}
