/** The state of one client in a `RateLimit`. */
export interface RateState {
  /** When its next message arrives if it keeps exactly to the rate, in ms of a monotonic clock. */
  theoreticalArrival: number;
}

/** A burst may have the messages of this time. Unit: ms. */
const BURST_MS = 2000;

/** Limits the messages per second of many clients, by the generic cell rate algorithm. A burst may have twice the messages of a second. */
export class RateLimit {
  readonly #msEach: number;

  constructor(perSecond: number) {
    this.#msEach = 1000 / perSecond;
  }

  /** Counts a message. False: it exceeds the limit. @param now In ms of a monotonic clock. */
  take(state: RateState, now: number): boolean {
    const theoreticalArrival = Math.max(state.theoreticalArrival, now) + this.#msEach;
    if (theoreticalArrival > now + BURST_MS + this.#msEach / 2) return false; // half a message is a margin for rounding errors
    state.theoreticalArrival = theoreticalArrival;
    return true;
  }
}
