/** The bounds of the delays. */
export interface BackoffOptions {
  /** ms: the greatest first delay before the client tries again. It doubles with each attempt. Default 500. */
  readonly minDelay?: number | undefined;
  /** ms: the greatest delay before the client tries again. Default 30 000. */
  readonly maxDelay?: number | undefined;
  /** A source of random numbers from 0 to 1, for tests. Default: `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** The delays between attempts: random from 0 to a bound that doubles, so that clients do not try again at the same time. */
export class Backoff {
  private attempts = 0;
  private readonly base: number;
  private readonly most: number;
  private readonly random: () => number;

  constructor({ minDelay = 500, maxDelay = 30_000, random = Math.random }: BackoffOptions) {
    this.base = minDelay;
    this.most = maxDelay;
    this.random = random;
  }

  /** ms until the next attempt. @param spreadMs The least bound: a server names it for when all its clients reconnect at once. */
  next(spreadMs: number): number {
    const bound = Math.min(this.most, this.base * 2 ** this.attempts++);
    return this.random() * Math.max(bound, spreadMs);
  }

  /** An attempt succeeded: the next bound is the first one again. */
  reset(): void {
    this.attempts = 0;
  }
}
