/** What waits, as JSON can say it: a third item marks bytes. */
export type SavedOutbox = readonly [
  last: number,
  waiting: readonly (readonly [number: number, data: unknown, isBytes?: 1])[],
];

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

  save(): SavedOutbox {
    const waiting = this.waiting.map(([number, data]) =>
      data instanceof Uint8Array ? ([number, [...data], 1] as const) : ([number, data] as const),
    );
    return [this.last, waiting];
  }

  /** Continues what an earlier outbox saved: the same numbers, so that the server drops what it has taken. */
  restore([last, waiting]: SavedOutbox): void {
    this.last = last;
    this.waiting = waiting.map(([number, data, isBytes]) => [
      number,
      isBytes === 1 ? Uint8Array.from(data as number[]) : data,
    ]);
  }

  all(): readonly (readonly [number: number, data: unknown])[] {
    return this.waiting;
  }
}
