import type { Status } from './connector.ts';
import type { Presence } from './presence.ts';
import { KEY_ROOM, type PresenceDiff, type ResyncReason } from './protocol.ts';

/** A message of a room. */
export interface RoomData<T = unknown> {
  readonly room: string;
  readonly data: T;
  /** Its sender and its number there; together they identify it. */
  readonly origin: string;
  readonly sequence: number;
}

/** What a client emits. */
export interface ClientEvents<T = unknown> {
  status: Status;
  /** A message of a room. */
  message: RoomData<T>;
  /** A message to this user: to the connection, or to its key. */
  direct: T;
  /** It is in a room: after `join`, by the server, or again after a reconnect. */
  joined: { readonly room: string };
  left: { readonly room: string };
  /** Messages of a room may be missing: load what is shown anew. `room` is empty for what was sent to the user, by `sendTo`. */
  resync: { readonly room: string; readonly reason: ResyncReason };
  /** The server did not allow something: a room, or what was sent (`room` is empty then). */
  refused: { readonly room: string; readonly reason: string };
  /** The presence of a room changed; `all` has all of it. */
  presence: { readonly room: string; readonly diff: PresenceDiff; readonly all: Presence };
  /** The server dropped so many messages, because this client read too slowly. */
  lost: number;
  /** Messages wait to be taken by the server. */
  queue: number;
}

const ALL: Readonly<Record<keyof ClientEvents, true>> = {
  status: true,
  message: true,
  direct: true,
  joined: true,
  left: true,
  resync: true,
  refused: true,
  presence: true,
  lost: true,
  queue: true,
};

/** The names of the events. */
export const CLIENT_EVENTS = Object.keys(ALL) as readonly (keyof ClientEvents)[];

/** The event for a room. That of the user has no name that an application knows. */
export function resyncOf(room: string, reason: ResyncReason): ClientEvents['resync'] {
  return { room: room.startsWith(KEY_ROOM) ? '' : room, reason };
}
