/** Times between attempts to connect: random between 0 and a bound that doubles, so that clients do not come back in step. */
export class Backoff {
  private attempts = 0;
  private readonly base: number;
  private readonly most: number;
  private readonly random: () => number;

  constructor(base: number, most: number, random: () => number) {
    this.base = base;
    this.most = most;
    this.random = random;
  }

  /** ms until the next attempt. @param spread the bound is not less: so many others come back, too. */
  next(spread: number): number {
    const bound = Math.min(this.most, this.base * 2 ** this.attempts++);
    return this.random() * Math.max(bound, spread);
  }

  /** It worked. */
  reset(): void {
    this.attempts = 0;
  }
}
