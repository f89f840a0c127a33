import type { BridgeStats } from './bridging.ts';
import type { ClientCounters } from './clients.ts';
import type { Connection } from './connection.ts';
import type { CloseReason } from './socket-events.ts';

/** Figures of the moment. */
export interface RoomsStats extends Readonly<ClientCounters> {
  readonly connections: number;
  /** Rooms this node knows: with members here or on a peer, or with messages that are kept. */
  readonly rooms: number;
  /** Broadcasts that a peer did not get at once, because too much waited for it. */
  readonly refusedByPeers: number;
  /** Of the bridge to other clusters; undefined: there is none. */
  readonly bridge: BridgeStats | undefined;
}

/** What rooms emit. */
export interface RoomsEvents {
  /** A client reads too slowly: so many messages were dropped; 0: it is closed. */
  slow: [connection: Connection, dropped: number];
  /** The bridge to other clusters carries messages, or not any more, and why. */
  bridge: [isUp: boolean, why: string];
  /** A connection ended. */
  close: [connection: Connection, why: CloseReason];
}
