import { kindOf, misuse } from './errors.ts';

/** The outbox as a JSON value. A third item of an entry marks bytes. */
export type SavedOutbox = readonly [
  last: number,
  waiting: readonly (readonly [number: number, data: unknown, isBytes?: 1])[],
];

/** An encoded message: JSON text, or bytes. */
export type EncodedMessage = string | Uint8Array;

/**
 * Encodes a value as a message, so that later changes of the value have no effect.
 *
 * @throws SNOW_ERR_UNSENDABLE for a value that JSON cannot represent: a symbol, a function, undefined, a promise, a BigInt, a circular object.
 */
export function messageOf(data: unknown): EncodedMessage {
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  let text: string | undefined;
  let cause: unknown;
  try {
    if (!(data instanceof Promise)) text = JSON.stringify(data); // of a promise it would be {}
  } catch (error) {
    cause = error;
  }
  if (text !== undefined) return text;
  const why = cause === undefined ? kindOf(data) : String(cause);
  throw misuse('SNOW_ERR_UNSENDABLE', `send: JSON cannot represent this message: ${why}`, cause);
}

/** The bytes of a message in its envelope, as the server counts them. */
export function bytesInEnvelope(message: EncodedMessage): number {
  return typeof message === 'string' ? new TextEncoder().encode(message).length + 20 : message.length + 5;
}

/** The messages that the server has not acknowledged, each with its number. */
export class Outbox {
  /** By number, in order. */
  private waiting = new Map<number, EncodedMessage>();
  private last = 0;
  /** The last number of an earlier client, until the first welcome; Infinity: there is none. */
  private restored = Infinity;
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** How many messages it holds. */
  get size(): number {
    return this.waiting.size;
  }

  /** Adds a message and returns its number; undefined: the outbox is full. */
  add(message: EncodedMessage): number | undefined {
    if (this.size >= this.limit) return undefined;
    this.waiting.set(++this.last, message);
    return this.last;
  }

  /** The server acknowledged the message with this number. */
  taken(number: number): void {
    this.waiting.delete(number);
  }

  /**
   * A connection begins: the server has taken all messages of the session up to this number. Another client with the same state may have used the
   * numbers of messages that were added since the outbox was restored, so these get new ones.
   */
  takenUpTo(number: number): void {
    const { restored, waiting } = this;
    this.restored = Infinity;
    this.last = Math.max(number, Math.min(this.last, restored));
    this.waiting = new Map();
    for (const [each, message] of waiting)
      if (each > restored) this.waiting.set(++this.last, message);
      else if (each > number) this.waiting.set(each, message);
  }

  /** A new session began: the messages get new numbers, from 1 on. */
  renumber(): void {
    this.last = 0;
    this.waiting = new Map([...this.waiting.values()].map((message) => [++this.last, message]));
  }

  /** Drops the messages that are longer than the server takes. Returns their number. */
  dropLonger(bytes: number): number {
    const { size } = this;
    for (const [number, message] of this.waiting)
      if (bytesInEnvelope(message) > bytes) this.waiting.delete(number);
    return size - this.size;
  }

  /** The outbox as a JSON value. */
  save(): SavedOutbox {
    const waiting = [...this.waiting].map(([number, message]) =>
      typeof message === 'string'
        ? ([number, JSON.parse(message) as unknown] as const)
        : ([number, [...message], 1] as const),
    );
    return [this.last, waiting];
  }

  /** Restores a saved outbox. The numbers stay the same, so that the server drops messages that it has taken already. */
  restore([last, waiting]: SavedOutbox): void {
    this.last = this.restored = last;
    for (const [number, data, isBytes] of waiting)
      this.waiting.set(number, isBytes === 1 ? Uint8Array.from(data as number[]) : JSON.stringify(data));
  }

  all(): ReadonlyMap<number, EncodedMessage> {
    return this.waiting;
  }
}
