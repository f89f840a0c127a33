import type { Cursor } from './protocol.ts';

/** What a client stores of a joined room: the signed proof of membership, and its position. */
export interface JoinedRoom {
  ticket: string;
  cursor: Record<string, number>;
}

/** Moves the position of the client on to a message. False: the client has had the message. One without a sequence has no position. */
export function advance(joined: JoinedRoom | undefined, origin: string, sequence: number): boolean {
  if (joined === undefined || sequence === 0) return true;
  if (sequence <= (joined.cursor[origin] ?? 0)) return false;
  joined.cursor[origin] = sequence;
  return true;
}

/** These origins have ended: no further message of them comes, so they are removed from the cursor. */
export function forgetOrigins(
  joined: JoinedRoom | undefined,
  origin: string,
  sequence: number,
  origins: readonly string[],
): void {
  if (!advance(joined, origin, sequence)) return;
  for (const each of origins) if (each !== origin) delete joined?.cursor[each];
}

/** The greater sequence of each origin: after a `resync` the server may know of fewer messages than the client has got. */
export function later(one: Cursor, other: Cursor): Cursor {
  const cursor: Record<string, number> = { ...one };
  for (const [origin, sequence] of Object.entries(other))
    cursor[origin] = Math.max(cursor[origin] ?? 0, sequence);
  return cursor;
}
