/** Messages that the server has not said it has taken, each with its number. */
export class Outbox {
  private waiting: (readonly [number: number, data: unknown])[] = [];
  private last = 0;
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Messages that wait. */
  get size(): number {
    return this.waiting.length;
  }

  /** Gives the message its number; undefined: too many wait. */
  add(data: unknown): number | undefined {
    if (this.waiting.length >= this.limit) return undefined;
    this.waiting.push([++this.last, data]);
    return this.last;
  }

  /** All up to this number are taken, or this one is. */
  taken(number: number, isEvery: boolean): void {
    this.waiting = this.waiting.filter(([each]) => (isEvery ? each > number : each !== number));
    if (isEvery && number > this.last) this.last = number;
  }

  /** The session is another one: what waits is numbered anew. */
  renumber(): void {
    this.last = 0;
    this.waiting = this.waiting.map(([, data]) => [++this.last, data]);
  }

  all(): readonly (readonly [number: number, data: unknown])[] {
    return this.waiting;
  }
}
