import { isUtf8 } from 'node:buffer';
import { Binary } from '../client/index.ts';
import { kindOf, SnowmeshError } from '../errors/index.ts';
import { Frame, jsonFrame } from './frame.ts';
import { MAX_CURSOR, MAX_SEQUENCE } from './limits.ts';

/** How a payload is encoded. */
export const Kind = {
  text: 0,
  json: 1,
  binary: 2,
  /** Not a message of a user, but a list of origins that the room forgets. */
  forgotten: 3,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** The content of a message, encoded. */
export interface Content {
  readonly kind: Kind;
  readonly payload: Uint8Array;
}

/**
 * Encodes a message: a string as text, bytes as bytes, any other value as JSON. O(bytes).
 *
 * @throws SNOW_ERR_UNSENDABLE for a value that JSON cannot represent: a function, undefined, a promise, a BigInt, a circular object.
 */
export function contentOf(message: unknown): Content {
  if (typeof message === 'string') return { kind: Kind.text, payload: Buffer.from(message) };
  if (ArrayBuffer.isView(message)) {
    const { buffer, byteOffset, byteLength } = message;
    return { kind: Kind.binary, payload: new Uint8Array(buffer, byteOffset, byteLength).slice() };
  }
  if (message instanceof ArrayBuffer) return { kind: Kind.binary, payload: new Uint8Array(message.slice(0)) };
  return { kind: Kind.json, payload: Buffer.from(jsonText('room message', message)) };
}

/** Whether content of another node or cluster is of its kind: clients get text as it is, and JSON within other JSON. O(bytes). */
export function isContent({ kind, payload }: Content): boolean {
  if (kind === Kind.binary) return true;
  if (!isUtf8(payload)) return false;
  try {
    if (kind === Kind.json) JSON.parse(textOf(payload));
    return true;
  } catch {
    return false;
  }
}

/** A value as JSON. A promise, which would be {}, is refused as well: its `await` was forgotten. Throws SNOW_ERR_UNSENDABLE. */
export function jsonText(what: string, value: unknown): string {
  let text: string | undefined;
  let cause: unknown;
  try {
    if (!(value instanceof Promise)) text = JSON.stringify(value);
  } catch (error) {
    cause = error;
  }
  if (text !== undefined) return text;
  const why = cause === undefined ? kindOf(value) : String(cause);
  throw new SnowmeshError('SNOW_ERR_UNSENDABLE', `JSON cannot represent this ${what}: ${why}`, { cause });
}

/**
 * The connections that do not get a message: each entry is `#` and the id of a connection, or `@` and a key. An id may follow a second time, with
 * a space and how often the session had been resumed: another client that leaves the session later does not get the message either.
 */
export type Except = readonly string[];

/** An ended origin, and the sequence of its newest message. */
export type ForgottenOrigin = readonly [origin: string, newest: number];

/** The content of a message that lists origins which a room forgets. */
export function forgetting(origins: readonly ForgottenOrigin[]): Content {
  return { kind: Kind.forgotten, payload: Buffer.from(JSON.stringify(origins)) };
}

/** Whether a value can be an origin: 64 bits in base 36. Origins are keys of plain objects, so `constructor` and the like are not allowed. */
export const isOrigin = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-z]{1,13}$/.test(value) && !(value in Object.prototype);

/** One message of a room. */
export class RoomMessage {
  /** Identifies its sender: 64 random bits in base 36, for each `createRooms` of a node. */
  readonly origin: string;
  /** Counts the messages of the origin, over all rooms. 0: the message has no sequence and cannot be resumed. */
  readonly sequence: number;
  /** Sequence of the origin's message before it in this room; 0: none. A receiver that has that message misses none between the two. */
  readonly previous: number;
  readonly content: Content;
  readonly except: Except;
  /** When it arrived here, in ms of the monotonic clock. */
  readonly arrivedAt: number;
  /** The origin of the peer that this node has sent a copy of its own message, because no peer is interested in the room; empty: none. */
  keptBy = '';
  /** The ended origins that the room forgets by this message; undefined: it is a message of a user. */
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

  /** The frame for clients of the subprotocol, with the room, the origin and the sequence. Encoded once. */
  enveloped(room: string): Frame {
    this.#enveloped ??= this.#envelope(room);
    return this.#enveloped;
  }

  /** The frame for plain connections: the payload only. Encoded once. */
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

/** Merges rows of messages, each in its order, by the arrival time of their first messages. */
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

/** The frame of a payload without envelope. */
export function plainFrame(content: Content): Frame {
  return new Frame(content.kind !== Kind.binary, [content.payload]);
}

/** The frame of a message to one connection, for clients of the subprotocol. */
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

/** The origins in the content of a peer; none if it is not valid. */
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
