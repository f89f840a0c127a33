/** The delays between attempts to connect: random from 0 to a bound that doubles, so that clients do not reconnect at the same time. */
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

  /** ms until the next attempt. @param spread Least bound in ms: the server asks for it when all its clients reconnect at once. */
  next(spread: number): number {
    const bound = Math.min(this.most, this.base * 2 ** this.attempts++);
    return this.random() * Math.max(bound, spread);
  }

  /** An attempt succeeded: the next bound is the first one again. */
  reset(): void {
    this.attempts = 0;
  }
}
