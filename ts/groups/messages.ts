// The messages of a channel of groups (docs/wire.md, section 10). A peer may send anything: `parseMessage` returns a message in
// which every part has the right type and size, or undefined.
import { Pid } from '../term/index.ts';
import { MAX_GROUP_BYTES, PART } from './limits.ts';

export const CHANNEL = 'groups';
export const VERSION = 1;

/** Members of one group. A PID that joined or leaves several times is listed as often. */
export type Entry = readonly [group: string, pids: readonly Pid[]];

export type Message =
  | readonly ['hello', version: number]
  | readonly ['sync', entries: readonly Entry[], isFirst: boolean]
  | readonly ['join', entries: readonly Entry[]]
  | readonly ['leave', entries: readonly Entry[]]
  | readonly ['cast', group: string, message: unknown]
  | readonly ['bye'];

/** Whether a value can name a group: 1 to 255 bytes of well-formed text. */
export function isGroupName(value: unknown): value is string {
  if (typeof value !== 'string' || value === '') return false;
  // UTF-8 takes at most three bytes for each UTF-16 code unit.
  if (value.length * 3 > MAX_GROUP_BYTES && Buffer.byteLength(value) > MAX_GROUP_BYTES) return false;
  return value.isWellFormed();
}

/**
 * Checks a message of a peer: undefined when it is malformed. It may name only actors of the peer, whose PIDs have the number `nc` (T12).
 * O(size).
 */
export function parseMessage(value: unknown, nc: number): Message | undefined {
  return Array.isArray(value) && isMessage(value, nc) ? (value as unknown as Message) : undefined;
}

function isMessage(value: readonly unknown[], nc: number): boolean {
  switch (value[0]) {
    case 'hello':
      return value.length === 2 && Number.isSafeInteger(value[1]) && (value[1] as number) > 0;
    case 'sync':
      return value.length === 3 && areEntries(value[1], nc) && typeof value[2] === 'boolean';
    case 'join':
    case 'leave':
      return value.length === 2 && areEntries(value[1], nc);
    case 'cast':
      return value.length === 3 && isGroupName(value[1]);
    case 'bye':
      return value.length === 1;
    default:
      return false;
  }
}

function areEntries(value: unknown, nc: number): boolean {
  if (!Array.isArray(value)) return false;
  let room = PART;
  for (const entry of value) {
    if (!Array.isArray(entry) || entry.length !== 2 || !isGroupName(entry[0])) return false;
    const pids: unknown = entry[1];
    if (!Array.isArray(pids) || pids.length === 0 || pids.length > room) return false;
    room -= pids.length;
    if (!pids.every((pid) => pid instanceof Pid && pid.nc === nc)) return false;
  }
  return true;
}

/** Splits memberships into messages of at most `PART` PIDs. O(memberships). */
export function* parts(
  entries: Iterable<readonly [group: string, pids: readonly Pid[], ...unknown[]]>,
): IterableIterator<Entry[]> {
  let part: Entry[] = [];
  let room = PART;
  for (const [group, pids] of entries) {
    for (let from = 0; from < pids.length; ) {
      const some = pids.slice(from, from + room);
      part.push([group, some]);
      from += some.length;
      room -= some.length;
      if (room > 0) continue;
      yield part;
      part = [];
      room = PART;
    }
  }
  if (part.length > 0) yield part;
}
