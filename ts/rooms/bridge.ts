/** What a bridge tells. */
export interface RoomBridgeListener {
  /** It carries messages from now on: at first, and after each time it did not. */
  up(): void;
  /** It carries none until `up`. */
  down(why: string): void;
  /** Somebody has published, this node included. */
  message(room: string, bytes: Uint8Array): void;
}

/**
 * A way for room messages between clusters that are not one mesh: a broker that all of them reach. `redisBridge` of `snowmesh/rooms/redis`
 * is one.
 *
 * What one node publishes has to come in that order, and at most once, to every node that has subscribed; what is published while a node is not
 * connected may be lost.
 */
export interface RoomBridge {
  /** Called once. It connects, and again whenever the connection was lost. */
  open(listener: RoomBridgeListener): void;
  /** This node wants what is published for a room, until `unsubscribe`; also after a reconnect. */
  subscribe(room: string): void;
  unsubscribe(room: string): void;
  /** Publishes for a room. False: it is down, or too much waits. What failed later is told by `down`. */
  publish(room: string, bytes: Uint8Array): boolean;
  close(): void;
}

/** How rooms span clusters. */
export interface BridgeOptions {
  readonly via: RoomBridge;
  /** Names this cluster: nodes that are connected have the same, those of other clusters another one. 1 to 64 bytes. */
  readonly cluster: string;
  /** Which rooms are bridged. Default: all, those of users (`sendTo`) included, whose name begins with U+0000. */
  rooms?(room: string): boolean;
}
