/** Whole frames, or one frame of a stream. */
export type Held = { readonly frames: Uint8Array } | { readonly stream: number; readonly frame: Uint8Array };

interface Expectation {
  readonly nc: number;
  readonly stale: () => void;
}

/** The frames written to a peer while it is dialled, and the callbacks that wait for answers to them. */
export class BeforeSession {
  readonly #held: Held[] = [];
  readonly #expectations: Expectation[] = [];

  hold(held: Held): void {
    this.#held.push(held);
  }

  /** Something waits for an answer of an actor with node number `nc` (−1: any). */
  expect(nc: number, stale: () => void): void {
    this.#expectations.push({ nc, stale });
  }

  /** The node numbers from which answers are expected. */
  expected(): Set<number> {
    return new Set(this.#expectations.map(({ nc }) => nc).filter((nc) => nc >= 0));
  }

  /** Takes out the frames, oldest first. */
  takeFrames(): Held[] {
    return this.#held.splice(0);
  }

  /** The session is one to `nc`: what waits for another incarnation gets no answer. */
  failStale(nc: number): void {
    for (const { nc: expected, stale } of this.#expectations.splice(0))
      if (expected >= 0 && expected !== nc) stale();
  }

  clear(): void {
    this.#held.length = 0;
    this.#expectations.length = 0;
  }
}
