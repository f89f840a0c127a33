// The client of rooms, for browsers and every other runtime with a WebSocket, and the protocol between client and server.
//
// Guarantees: a client that reconnects within the resume window gets each message of its rooms exactly once, in the order of each
// sender, or the event `resync`. Messages that it sends while offline are stored, up to a limit, and the server handles each once. It sends
// at the rate that the server takes.
// Clients reconnect after random delays.
//
// Must not know: Node.js. Nothing here is imported from outside this folder, and all of it together stays under 6.8 KiB gzipped.
export type { ClientEvents, RoomData } from './client-events.ts';
export type { ClientOptions } from './client-options.ts';
export { connectRooms } from './connect-rooms.ts';
export type { ClientSocket, Status } from './connector.ts';
export type { ClientError, ClientErrorCode } from './errors.ts';
export type { Presence, PresenceChange } from './presence.ts';
export {
  Binary,
  type ClientMessage,
  CloseCode,
  type Cursor,
  FAILED,
  KEY_ROOM,
  MAX_ROOM_BYTES,
  type PresenceDiff,
  type PresenceEntry,
  type Rate,
  type ResumeRoom,
  type ResyncReason,
  type ServerMessage,
  SUBPROTOCOL,
  type Welcome,
} from './protocol.ts';
export { RoomClient } from './room-client.ts';
