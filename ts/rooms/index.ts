// Rooms: WebSocket connections that share messages over all nodes of a cluster, without a broker.
//
// A node knows the members on itself only. It tells peers which rooms it wants; a broadcast crosses once to each node that does, is put in
// a frame there once, and is never passed on. Every node keeps the last messages of its rooms, so that a client which comes back -
// here or elsewhere - gets what it missed.
//
// Guarantees: order per broadcasting node and member; exactly once per member; nothing after a leave was acknowledged; a resume without
// gaps and repeats, or a `resync`. Must not know: sessions and frames between nodes, how a WebSocket is parsed (`ws` does that).
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
export type { Admission, AttachOptions, Origins, Refusal } from './upgrade.ts';
