// The saved state of a client - its session, its positions in rooms and its unacknowledged messages - as text, and as messages to the
// server.
import { misuse } from './errors.ts';
import type { JoinedRoom } from './joined-room.ts';
import type { SavedOutbox } from './outbox.ts';
import type { ResumeRoom } from './protocol.ts';

type State = readonly [
  session: string | null,
  rooms: readonly ResumeRoom[],
  heardAt: number,
  outbox: SavedOutbox,
];

/** About the most characters of rooms in one message. */
const PART_CHARS = 16_384;

type JoinedRooms = ReadonlyMap<string, JoinedRoom>;

/** Rooms as a hello and a saved state name them. */
export function positionsOf(rooms: JoinedRooms): ResumeRoom[] {
  return [...rooms].map(([room, { ticket, cursor }]) => [room, ticket, cursor] as const);
}

/** Splits rooms into parts, at least one, so that no message is longer than servers accept. */
export function partsOf(rooms: JoinedRooms): ResumeRoom[][] {
  const parts: ResumeRoom[][] = [[]];
  let chars = 0;
  for (const place of positionsOf(rooms)) {
    const more = JSON.stringify(place).length;
    if (chars > 0 && chars + more > PART_CHARS) {
      parts.push([]);
      chars = 0;
    }
    chars += more;
    parts.at(-1)?.push(place);
  }
  return parts;
}

/** Parses the text of `client.state`. @throws SNOW_ERR_BAD_OPTION */
export function readState(text: string): State {
  let state: unknown;
  try {
    state = JSON.parse(text);
  } catch {}
  if (isState(state)) return state;
  const why = 'option state is not a valid client.state: leave it out to begin a new session';
  throw misuse('SNOW_ERR_BAD_OPTION', why);
}

function isState(value: unknown): value is State {
  if (!Array.isArray(value) || value.length !== 4) return false;
  const [session, rooms, at, outbox] = value;
  return (
    (session === null || typeof session === 'string') &&
    Array.isArray(rooms) &&
    rooms.every(
      (each) =>
        Array.isArray(each) &&
        typeof each[0] === 'string' &&
        typeof each[1] === 'string' &&
        typeof each[2] === 'object' &&
        each[2] !== null &&
        Object.values(each[2] as object).every(Number.isSafeInteger),
    ) &&
    Number.isFinite(at) &&
    isOutbox(outbox)
  );
}

function isOutbox(value: unknown): value is SavedOutbox {
  if (!Array.isArray(value) || !Number.isSafeInteger(value[0]) || !Array.isArray(value[1])) return false;
  return value[1].every(
    (each) =>
      Array.isArray(each) &&
      each.length > 1 &&
      Number.isSafeInteger(each[0]) &&
      (each[2] === undefined || Array.isArray(each[1])),
  );
}
