/** What spends of a rate. */
export interface Spender {
  /** What it has done so far is within the rate up to this time. ms of a monotonic clock. */
  paidUntil: number;
}

/** Its share of so many ms may be spent at once. */
const BURST_MS = 2000;

/** So many events a second for long, and twice as many at once, for each of many spenders. */
export class RateLimit {
  readonly #msEach: number;

  constructor(perSecond: number) {
    this.#msEach = 1000 / perSecond;
  }

  /** False: this one is too many. @param now ms of a monotonic clock. */
  take(spender: Spender, now: number): boolean {
    const paidUntil = Math.max(spender.paidUntil, now) + this.#msEach;
    if (paidUntil > now + BURST_MS + this.#msEach / 2) return false; // half of one more than the sum of rounding errors
    spender.paidUntil = paidUntil;
    return true;
  }
}
