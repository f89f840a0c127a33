/** Receives the events of a bridge. */
export interface RoomBridgeListener {
  /** The bridge works: after `open`, and again after each `down`. */
  up(): void;
  /** The bridge does not work until the next `up`. */
  down(why: string): void;
  /** A node has published a message for a room; it may be this node. */
  message(room: string, bytes: Uint8Array): void;
}

/**
 * Carries room messages between clusters that are not connected to each other, over a broker that all of them reach. `redisBridge` of
 * `snowmesh/rooms/redis` is one.
 *
 * Every subscribed node must get the messages of one publishing node in order and at most once. Messages that are published while a node is not
 * connected to the broker may be lost.
 */
export interface RoomBridge {
  /** Connects, and reconnects after each loss until `close`. Called once. */
  open(listener: RoomBridgeListener): void;
  /** Requests the messages of a room until `unsubscribe`, also after a reconnect. */
  subscribe(room: string): void;
  unsubscribe(room: string): void;
  /** Publishes a message for a room. False: the bridge does not work, or its queue is full. A later failure is reported by `down`. */
  publish(room: string, bytes: Uint8Array): boolean;
  close(): void;
}

/** How rooms are connected to other clusters. */
export interface BridgeOptions {
  /** The bridge, such as `redisBridge(…)`. */
  readonly via: RoomBridge;
  /** The name of this cluster, 1 to 64 characters. All its nodes have the same name, and no other cluster has it. */
  readonly cluster: string;
  /** Returns true for rooms whose messages are sent to other clusters. Default: all are, also those of `sendTo`, whose room begins with U+0000. */
  rooms?(room: string): boolean;
}
