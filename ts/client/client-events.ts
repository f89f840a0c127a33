import type { Status } from './connector.ts';
import type { PresenceChange } from './presence.ts';
import { KEY_ROOM, type ResyncReason } from './protocol.ts';

/** A message of a room. */
export interface RoomData<T = unknown> {
  readonly room: string;
  readonly data: T;
  /** The id of its sender. Together with `sequence` it identifies the message. */
  readonly origin: string;
  /** The number of the message at its sender. */
  readonly sequence: number;
}

/** The events of a client, by name, with their values. */
export interface ClientEvents<T = unknown> {
  /** The status of the connection changed. */
  status: Status;
  /** A message of a room. */
  message: RoomData<T>;
  /** A message to this user: to its connection, or to all connections of its key. */
  direct: T;
  /** The client is in a room: after `join`, because the server joined it, or again after a reconnect. */
  joined: { readonly room: string };
  /** The client has left a room. */
  left: { readonly room: string };
  /** Messages of a room may be missing: reload what the page shows. `room` is empty for messages to the user, sent by `sendTo`. */
  resync: { readonly room: string; readonly reason: ResyncReason };
  /** The server could not decide about a room, because its handler failed: the client is not in it, and asks again after a delay. */
  failed: { readonly room: string };
  /** The server refused a room, or a message (`room` is empty then). */
  refused: { readonly room: string; readonly reason: string };
  /**
   * The server refused the connection for good, and the client is closed: its token is wrong or has expired (`status` 401), or it is not allowed
   * (403). `connectRooms(newUrl, { state: client.state })` continues.
   */
  denied: { readonly status: 401 | 403; readonly reason: string };
  /** The presence of a room changed. */
  presence: PresenceChange;
  /** The server dropped messages, because this client reads too slowly. The value is their number. */
  lost: number;
  /** The number of messages that the server has not acknowledged has changed. The value is that number. */
  queue: number;
}

const ALL: Readonly<Record<keyof ClientEvents, true>> = {
  status: true,
  message: true,
  direct: true,
  joined: true,
  left: true,
  resync: true,
  failed: true,
  refused: true,
  denied: true,
  presence: true,
  lost: true,
  queue: true,
};

/** The names of the events. */
export const CLIENT_EVENTS = Object.keys(ALL) as readonly (keyof ClientEvents)[];

/** The value of a `resync` event. For the room of a user the name is empty. */
export function resyncOf(room: string, reason: ResyncReason): ClientEvents['resync'] {
  return { room: room.startsWith(KEY_ROOM) ? '' : room, reason };
}
