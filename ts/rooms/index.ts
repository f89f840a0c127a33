// Rooms: named sets of WebSocket connections, over all nodes of a cluster, to which messages are broadcast. No broker is needed.
//
// A node knows only its own members. It tells its peers which rooms it wants. A broadcast is sent once to each node that wants the room,
// is encoded there once for all members, and is never forwarded. Every node keeps the last messages of its rooms, so that a client that
// reconnects, to this node or another one, gets the messages that it missed.
//
// Guarantees: a member gets each broadcast once, in the order of the broadcasting node, and none after its leave was acknowledged. A resumed
// client misses and repeats nothing, or is told `resync`. Must not know: sessions and frames between nodes, the parsing of WebSockets
// (the package `ws` does that).

export type { SomeOf } from '../errors/index.ts';
export type { Admission, Refusal } from './authorization.ts';
export type { BridgeOptions, RoomBridge, RoomBridgeListener } from './bridge.ts';
export type { BridgeStats } from './bridging.ts';
export type { Connection } from './connection.ts';
export type { ConnectionHandler } from './connection-actor.ts';
export type { DrainOptions } from './drain.ts';
export type { Limits, ResumeLimits, SlowPolicy } from './limits.ts';
export type { AcceptOptions, ExceptOptions, HeartbeatOptions, RoomsOptions } from './options.ts';
export type { Presence } from './presence.ts';
export type { RoomsHost } from './room-service.ts';
export {
  createRooms,
  Rooms,
} from './rooms.ts';
export type { RoomsEvents, RoomsStats } from './rooms-events.ts';
export type { CloseReason } from './socket-events.ts';
export type { RoomSocket } from './socket-port.ts';
export type { AttachOptions, Origins } from './upgrade.ts';
