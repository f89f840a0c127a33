import { misuse } from './errors.ts';

/** What waits, as JSON can say it: a third item marks bytes. */
export type SavedOutbox = readonly [
  last: number,
  waiting: readonly (readonly [number: number, data: unknown, isBytes?: 1])[],
];

/** A message as it was when it was sent: JSON, or bytes. */
export type Message = string | Uint8Array;

/**
 * Takes the message that a value is at this moment.
 *
 * @throws SNOW_ERR_UNSENDABLE for what JSON cannot say: a symbol, a function, undefined, a BigInt, a circle.
 */
export function messageOf(data: unknown): Message {
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(data);
  } catch (error) {
    cause = error;
  }
  if (text !== undefined) return text;
  const why = cause === undefined ? `a ${typeof data}` : String(cause);
  throw misuse('SNOW_ERR_UNSENDABLE', `send: JSON cannot say this message: ${why}`, cause);
}

/** Messages that the server has not said it has taken, each with its number. */
export class Outbox {
  private waiting: (readonly [number: number, message: Message])[] = [];
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
  add(message: Message): number | undefined {
    if (this.waiting.length >= this.limit) return undefined;
    this.waiting.push([++this.last, message]);
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
    this.waiting = this.waiting.map(([, message]) => [++this.last, message]);
  }

  save(): SavedOutbox {
    const waiting = this.waiting.map(([number, message]) =>
      typeof message === 'string'
        ? ([number, JSON.parse(message) as unknown] as const)
        : ([number, [...message], 1] as const),
    );
    return [this.last, waiting];
  }

  /** Continues what an earlier outbox saved: the same numbers, so that the server drops what it has taken. */
  restore([last, waiting]: SavedOutbox): void {
    this.last = last;
    this.waiting = waiting.map(([number, data, isBytes]) => [
      number,
      isBytes === 1 ? Uint8Array.from(data as number[]) : JSON.stringify(data),
    ]);
  }

  all(): readonly (readonly [number: number, message: Message])[] {
    return this.waiting;
  }
}
