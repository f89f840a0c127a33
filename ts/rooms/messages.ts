// The messages between nodes about rooms, except broadcasts (docs/wire.md, section 11). A peer may send anything, so `parseMessage` returns
// a message whose parts all have the right type and size, or undefined.
import {
  MAX_CLIENT_NUMBER,
  MAX_COPIES,
  MAX_CURSOR,
  MAX_ENDED,
  MAX_EXCEPT,
  MAX_EXCEPT_CHARS,
  MAX_GENERATION,
  MAX_MEMBERS,
  MAX_META_BYTES,
  MAX_SEQUENCE,
  PART,
} from './limits.ts';
import { isRoomName } from './room.ts';
import { type Except, isContent, isOrigin, Kind, RoomMessage } from './room-message.ts';

export const CHANNEL = 'rooms';
export const VERSION = 1;
/** Most kept messages in one answer; the oldest are left out. */
export const MAX_TOLD = 10_000;
const MAX_KEYS = 1024;
const KEY_BYTES = 32;
const MAX_ID_CHARS = 64;

/** A room and the sender's number of members in it; −1: the sender no longer wants the room. */
export type InterestEntry = readonly [room: string, members: number];
/** A room, the sender's counter, and the newest message that the sender broadcast into it. */
export type BaseEntry = readonly [room: string, counter: number, newest: number];
/** A room, and the newest message that the sender has of an origin. */
export type NewestEntry = readonly [room: string, newest: number];
/** A kept message in an answer. */
export type ToldMessage = readonly [
  origin: string,
  sequence: number,
  previous: number,
  kind: Kind,
  payload: Uint8Array,
  except: Except,
  ageMs: number,
];
/** A kept message for a peer. @param now In ms of the monotonic clock. */
export function toldOf(message: RoomMessage, now: number): ToldMessage {
  const { origin, sequence, previous, content, except, arrivedAt } = message;
  return [origin, sequence, previous, content.kind, content.payload, except, Math.max(0, now - arrivedAt)];
}

/** A kept message of a peer. It is kept here until its age is the window, too. */
export function messageOf(told: ToldMessage, now: number, windowMs: number): RoomMessage {
  const [origin, sequence, previous, kind, payload, except, age] = told;
  const id = { origin, sequence, previous };
  return new RoomMessage(id, { kind, payload }, except, now - Math.min(age, windowMs));
}

/** An origin that has ended within the window. The second value is true: the copies that it kept for others are lost. */
export type EndedOrigin = readonly [origin: string, areCopiesLost: boolean];
/** One connection of the sender in the presence of a room; null as the meta: it has left. */
export type PresentEntry = readonly [room: string, key: string, connection: string, meta: string | null];

/** The answer to an `ask`. */
export type ToldAnswer = readonly [
  'told',
  ref: number,
  room: string,
  messages: readonly ToldMessage[],
  newest: readonly (readonly [origin: string, sequence: number])[],
  ended: readonly EndedOrigin[],
  /** The requested origins to which the sender is connected. */
  connected: readonly string[],
  /** Those of `ended` of which the sender got the messages in the room until their end. */
  followed: readonly string[],
];

export type PeerMessage =
  | readonly [
      'hello',
      version: number,
      origin: string,
      keys: readonly (readonly [id: string, key: Uint8Array])[],
      /** The sender's rooms were created after the session began, so it did not get the receiver's hello. */
      isLate: boolean,
    ]
  | readonly ['interest', entries: readonly InterestEntry[]]
  | readonly ['based', entries: readonly BaseEntry[]]
  | readonly [
      'ask',
      ref: number,
      room: string,
      after: readonly (readonly [origin: string, sequence: number])[],
    ]
  | ToldAnswer
  | readonly ['lost', origin: string]
  | readonly ['newest', origin: string, entries: readonly NewestEntry[]]
  | readonly ['claim', ref: number, session: string, generation: number]
  | readonly ['last', ref: number, taken: number, heard: number, generation: number, before: number]
  | readonly ['presence', entries: readonly PresentEntry[]]
  | readonly ['copies', room: string, messages: readonly ToldMessage[]]
  | readonly [
      'bye',
      /** The origins of the peers that took part. */
      peers: readonly string[],
      ended: readonly EndedOrigin[],
    ];

/** The fields of a broadcast, except its payload. */
export interface Details {
  readonly sequence: number;
  readonly previous: number;
  readonly kind: Kind;
  readonly except: Except;
  /** The client message whose handler made this broadcast: session and number. */
  readonly cause: readonly [session: string, number: number] | null;
  /** The receiver keeps a copy although it has no members, in case the sender is lost. */
  readonly isBackup: boolean;
}

export function detailsTerm(details: Details): unknown {
  const { sequence, previous, kind, except, cause, isBackup } = details;
  return [sequence, previous, kind, except, cause, isBackup];
}

export function parseDetails(value: unknown): Details | undefined {
  if (!isTuple(value, isSequence, isSequence, isKind, isExcept, isCause, isBoolean)) return undefined;
  const [sequence, previous, kind, except, cause, isBackup] = value;
  if ((previous as number) >= (sequence as number) && sequence !== 0) return undefined;
  return { sequence, previous, kind, except, cause, isBackup } as Details;
}

/** A message of a peer; undefined: it is not valid. O(size). */
export function parseMessage(value: unknown): PeerMessage | undefined {
  return Array.isArray(value) && isMessage(value) ? (value as unknown as PeerMessage) : undefined;
}

type Test = (value: unknown) => boolean;

function isMessage(value: readonly unknown[]): boolean {
  const [tag, ...rest] = value;
  switch (tag) {
    case 'hello':
      return isTuple(rest, isCount, isOrigin, list(MAX_KEYS, tuple(isId, isKey)), isBoolean);
    case 'interest':
      return isTuple(
        rest,
        list(
          PART,
          tuple(isRoomName, (count) => count === -1 || isUpTo(MAX_MEMBERS)(count)),
        ),
      );
    case 'based':
      return isTuple(rest, list(PART, isBase));
    case 'ask':
      return isTuple(rest, isCount, isRoomName, list(MAX_CURSOR, tuple(isOrigin, isSequence)));
    case 'told':
      return isTuple(
        rest,
        isCount,
        isRoomName,
        list(MAX_TOLD, isTold),
        list(MAX_CURSOR, tuple(isOrigin, isSequence)),
        list(MAX_ENDED, tuple(isOrigin, isBoolean)),
        list(MAX_CURSOR, isOrigin),
        list(MAX_ENDED, isOrigin),
      );
    case 'lost':
      return isTuple(rest, isOrigin);
    case 'newest':
      return isTuple(rest, isOrigin, list(PART, tuple(isRoomName, isSequence)));
    case 'claim':
      return isTuple(rest, isCount, isId, isUpTo(MAX_GENERATION));
    case 'last':
      return isTuple(
        rest,
        isCount,
        isUpTo(MAX_CLIENT_NUMBER),
        isUpTo(MAX_CLIENT_NUMBER),
        isUpTo(MAX_GENERATION),
        isUpTo(MAX_CLIENT_NUMBER),
      );
    case 'presence':
      return isTuple(rest, list(PART, tuple(isRoomName, isRoomName, isId, isMeta)));
    case 'copies':
      return isTuple(rest, isRoomName, list(MAX_COPIES, isTold)) && (rest[1] as unknown[]).length > 0;
    case 'bye':
      return isTuple(rest, list(MAX_ENDED, isOrigin), list(MAX_ENDED, tuple(isOrigin, isBoolean)));
    default:
      return false;
  }
}

const isUpTo =
  (most: number): Test =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
const isCount: Test = isUpTo(Number.MAX_SAFE_INTEGER);
const isSequence: Test = isUpTo(MAX_SEQUENCE);
/** The newest message in a room is not newer than the sender's last message. */
const isBase: Test = (value) =>
  isTuple(value, isRoomName, isSequence, isSequence) && (value[2] as number) <= (value[1] as number);
const isBoolean: Test = (value) => typeof value === 'boolean';
const isKind: Test = (value) => isUpTo(Kind.forgotten)(value);
export const isId: Test = (value) =>
  typeof value === 'string' && value !== '' && value.length <= MAX_ID_CHARS;
const isKey: Test = (value) => value instanceof Uint8Array && value.length === KEY_BYTES;
const isMeta: Test = (value) => value === null || (typeof value === 'string' && isJson(value));
export const isExcept: Test = (value) =>
  Array.isArray(value) &&
  value.length <= MAX_EXCEPT &&
  value.every((each) => typeof each === 'string' && each.length <= MAX_EXCEPT_CHARS && /^[#@]/.test(each));
const isCause: Test = (value) => value === null || isTuple(value, isId, isUpTo(MAX_CLIENT_NUMBER));
const isTold: Test = (value) =>
  isTuple(
    value,
    isOrigin,
    isSequence,
    isSequence,
    isKind,
    (payload) => payload instanceof Uint8Array,
    isExcept,
    (age) => Number.isFinite(age) && (age as number) >= 0,
  ) &&
  (value[2] as number) < (value[1] as number) &&
  isContent({ kind: value[3] as Kind, payload: value[4] as Uint8Array });

function isTuple(value: unknown, ...tests: readonly Test[]): value is readonly unknown[] {
  return (
    Array.isArray(value) && value.length === tests.length && tests.every((test, index) => test(value[index]))
  );
}

const tuple =
  (...tests: readonly Test[]): Test =>
  (value) =>
    isTuple(value, ...tests);

const list =
  (most: number, test: Test): Test =>
  (value) =>
    Array.isArray(value) && value.length <= most && value.every(test);

/**
 * Sends the entries of some items, `PART` items at a time. Before and after each message others may change the items: what is sent is what
 * they are then.
 *
 * @param entryOf undefined: the item has none.
 */
export function* inParts<T, E>(
  items: Iterable<T>,
  entryOf: (item: T) => E | undefined,
  send: (entries: readonly E[]) => void,
): Generator<number, void> {
  let entries: E[] = [];
  let count = 0;
  for (const item of items) {
    const entry = entryOf(item);
    if (entry !== undefined) entries.push(entry);
    if (++count < PART) continue;
    if (entries.length > 0) send(entries);
    entries = [];
    count = 0;
    yield PART;
  }
  if (entries.length > 0) send(entries);
}

/** Splits entries into arrays of at most `PART` entries, one for each message. */
export function* parts<T>(entries: readonly T[]): IterableIterator<readonly T[]> {
  for (let at = 0; at < entries.length; at += PART) yield entries.slice(at, at + PART);
}

function isJson(text: string): boolean {
  if (text.length > MAX_META_BYTES) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
