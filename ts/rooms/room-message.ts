import { Binary } from '../client/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import { Frame, jsonFrame } from './frame.ts';
import { MAX_CURSOR, MAX_SEQUENCE } from './limits.ts';

/** How a payload is written down. */
export const Kind = {
  text: 0,
  json: 1,
  binary: 2,
  /** No message of a user: origins that the room does not know any more. */
  forgotten: 3,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** What a user sends, as bytes. */
export interface Content {
  readonly kind: Kind;
  readonly payload: Uint8Array;
}

/**
 * Text stays text, bytes stay bytes, anything else becomes JSON. O(size).
 *
 * @throws SNOW_ERR_UNSENDABLE for what JSON cannot say: a function, undefined, a bigint, a circle.
 */
export function contentOf(message: unknown): Content {
  if (typeof message === 'string') return { kind: Kind.text, payload: Buffer.from(message) };
  if (message instanceof Uint8Array) return { kind: Kind.binary, payload: Uint8Array.from(message) };
  if (message instanceof ArrayBuffer) return { kind: Kind.binary, payload: new Uint8Array(message.slice(0)) };
  let json: string | undefined;
  try {
    json = JSON.stringify(message);
  } catch (cause) {
    throw new SnowmeshError('SNOW_ERR_UNSENDABLE', `a room message cannot be written as JSON: ${cause}`, {
      cause,
    });
  }
  if (json === undefined)
    throw new SnowmeshError('SNOW_ERR_UNSENDABLE', `a room message cannot be ${typeof message}`);
  return { kind: Kind.json, payload: Buffer.from(json) };
}

/** Which connections a message leaves out: `#` and a connection's id, or `@` and a key. */
export type Except = readonly string[];

/** An origin that has ended, and the number of its newest message. */
export type ForgottenOrigin = readonly [origin: string, newest: number];

/** A message that tells which origins a room forgets. */
export function forgetting(origins: readonly ForgottenOrigin[]): Content {
  return { kind: Kind.forgotten, payload: Buffer.from(JSON.stringify(origins)) };
}

/** 64 bits in base 36. It is a key of cursors, which are plain objects: one that every object has, `constructor`, is none. */
export const isOrigin = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-z]{1,13}$/.test(value) && !(value in Object.prototype);

/** One message of a room, from its broadcast to the end of its window. */
export class RoomMessage {
  /** The node that broadcast it, in this life of its rooms: 64 random bits in base 36. */
  readonly origin: string;
  /** Counts the messages of the origin, in all its rooms. 0: it has no number and cannot be resumed. */
  readonly sequence: number;
  /** Sequence of the origin's message before it in this room: a receiver that has that one has no gap. */
  readonly previous: number;
  readonly content: Content;
  readonly except: Except;
  /** ms of this node's monotonic clock. */
  readonly arrivedAt: number;
  /** Ended origins that the room forgets with this message, and the newest message of each; undefined: a message of a user. */
  readonly forgotten: readonly ForgottenOrigin[] | undefined;
  #enveloped: Frame | undefined;
  #plain: Frame | undefined;

  constructor(
    id: { readonly origin: string; readonly sequence: number; readonly previous: number },
    content: Content,
    except: Except,
    arrivedAt: number,
  ) {
    this.origin = id.origin;
    this.sequence = id.sequence;
    this.previous = id.previous;
    this.content = content;
    this.except = except;
    this.arrivedAt = arrivedAt;
    if (content.kind === Kind.forgotten) this.forgotten = forgottenIn(content);
  }

  /** For clients of the subprotocol: with room and number. Made once. */
  enveloped(room: string): Frame {
    this.#enveloped ??= this.#envelope(room);
    return this.#enveloped;
  }

  /** For other clients: the payload as it is. Made once. */
  get plain(): Frame {
    this.#plain ??= plainFrame(this.content);
    return this.#plain;
  }

  #envelope(room: string): Frame {
    const { origin, sequence, content, forgotten } = this;
    if (forgotten !== undefined)
      return jsonFrame(['forget', room, origin, sequence, forgotten.map(([each]) => each)]);
    if (content.kind === Kind.binary) {
      const name = Buffer.from(room);
      const tail = Buffer.alloc(1 + origin.length + 6);
      tail[0] = origin.length;
      tail.write(origin, 1, 'latin1');
      tail.writeUIntBE(sequence, 1 + origin.length, 6);
      return new Frame(false, [Buffer.of(Binary.room, name.length), name, tail, content.payload]);
    }
    const head = Buffer.from(`["m",${JSON.stringify(room)},"${origin}",${sequence},`);
    return new Frame(true, [head, jsonOf(content), CLOSING]);
  }
}

/** Rows that are in order each, merged by the time of their heads. */
export function inOrderOfArrival(rows: readonly RoomMessage[][]): RoomMessage[] {
  const open = rows.filter((row) => row.length > 0).map((row) => ({ row, next: 0 }));
  if (open.length === 1) return [...(open[0] as { row: RoomMessage[] }).row];
  const merged: RoomMessage[] = [];
  for (;;) {
    let first: { row: RoomMessage[]; next: number } | undefined;
    let time = Number.POSITIVE_INFINITY;
    for (const each of open) {
      const head = each.row[each.next];
      if (head === undefined || head.arrivedAt >= time) continue;
      first = each;
      time = head.arrivedAt;
    }
    if (first === undefined) return merged;
    merged.push(first.row[first.next++] as RoomMessage);
  }
}

/** A message without envelope. */
export function plainFrame(content: Content): Frame {
  return new Frame(content.kind !== Kind.binary, [content.payload]);
}

/** A message to one connection of the subprotocol. */
export function directFrame(content: Content): Frame {
  return content.kind === Kind.binary
    ? new Frame(false, [Buffer.of(Binary.direct), content.payload])
    : new Frame(true, [DIRECT, jsonOf(content), CLOSING]);
}

const DIRECT = Buffer.from('["d",');
const CLOSING = Buffer.from(']');

function jsonOf({ kind, payload }: Content): Uint8Array {
  return kind === Kind.json ? payload : Buffer.from(JSON.stringify(textOf(payload)));
}

function textOf(payload: Uint8Array): string {
  return Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString();
}

/** What a peer wrote; nothing if that is none. */
function forgottenIn(content: Content): readonly ForgottenOrigin[] {
  try {
    const origins: unknown = JSON.parse(textOf(content.payload));
    const isGood = Array.isArray(origins) && origins.length <= MAX_CURSOR && origins.every(isForgotten);
    return isGood ? (origins as ForgottenOrigin[]) : [];
  } catch {
    return [];
  }
}

function isForgotten(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    isOrigin(value[0]) &&
    Number.isSafeInteger(value[1]) &&
    value[1] >= 0 &&
    value[1] <= MAX_SEQUENCE
  );
}
