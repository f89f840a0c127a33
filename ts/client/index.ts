// The client of rooms, for browsers and every other runtime with a WebSocket, and the protocol it shares with the server.
//
// Guarantees: a client that comes back within the window has each message of its rooms exactly once and in order per sender,
// or is told `resync`; what it sends while it is offline is kept up to a limit and taken by the server once; it never
// reconnects in step with others.
//
// Must not know: Node.js. Nothing here is imported from outside this folder, and all of it together stays under 6 KiB gzipped.
export type { ClientEvents, RoomData } from './client-events.ts';
export type { ClientOptions } from './client-options.ts';
export type { ClientSocket, Status } from './connector.ts';
export type { ClientError, ClientErrorCode } from './errors.ts';
export { type Presence, presenceOf } from './presence.ts';
export {
  Binary,
  type ClientMessage,
  CloseCode,
  type Cursor,
  KEY_ROOM,
  MAX_ROOM_BYTES,
  type PresenceDiff,
  type PresenceEntry,
  type ResumeRoom,
  type ResyncReason,
  type ServerMessage,
  SUBPROTOCOL,
  type Welcome,
} from './protocol.ts';
export { connectRooms, RoomClient } from './room-client.ts';
