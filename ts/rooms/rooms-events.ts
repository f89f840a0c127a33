import type { EventEmitter } from 'node:events';
import type { Runtime } from '../actor/index.ts';
import type { BridgeStats } from './bridging.ts';
import type { ClientCounters } from './clients.ts';
import type { Connection } from './connection.ts';
import type { CloseReason } from './socket-events.ts';

/** The current figures of the rooms of one node. */
export interface RoomsStats extends Readonly<ClientCounters> {
  /** Open connections of this node. */
  readonly connections: number;
  /** Rooms that this node knows: those with members here or on a peer, and those with kept messages. */
  readonly rooms: number;
  /** Broadcasts that a peer did not get at once, because its queue was full; each peer counts. */
  readonly refusedByPeers: number;
  /** The figures of the bridge to other clusters; undefined: there is no bridge. */
  readonly bridge: BridgeStats | undefined;
}

/** The events of `Rooms`. */
export interface RoomsEvents<User = unknown, Out = unknown> {
  /** A client reads too slowly. `dropped` is the number of dropped messages; 0: its connection is closed. */
  slow: [connection: Connection<User, Out>, dropped: number];
  /** The bridge to other clusters works (`isUp`), or has stopped working for the reason `why`. */
  bridge: [isUp: boolean, why: string];
  /** A connection ended. */
  close: [connection: Connection<User, Out>, why: CloseReason];
}

/** Calls the listeners of an event. What one throws, or rejects with, is logged. */
export function emit<E extends keyof RoomsEvents>(
  runtime: Runtime,
  events: EventEmitter<RoomsEvents>,
  event: E,
  ...values: RoomsEvents[E]
): void {
  for (const listener of events.rawListeners(event))
    runtime.guard(() => Reflect.apply(listener, events, values));
}
