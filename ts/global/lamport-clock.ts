/**
 * Lamport's clock: what is registered by somebody who knew of an entry has a greater stamp than that entry.
 *
 * It stands still at the greatest safe integer rather than losing precision; a peer that drives it there makes stamps
 * equal, and then names of nodes decide.
 */
export class LamportClock {
  #now = 0;

  get now(): number {
    return this.#now;
  }

  tick(): number {
    this.#now = Math.min(this.#now + 1, Number.MAX_SAFE_INTEGER);
    return this.#now;
  }

  see(stamp: number): void {
    if (stamp > this.#now) this.#now = stamp;
  }
}
