// What introspection needs from the node above: a channel of its own, as ts/node/channels.ts makes them.

/** A peer from the up to the down of its session: the same object all that time. */
export interface AskedPeer {
  readonly node: string;
}

/** The end of the channel here. */
export interface AskChannel<P extends AskedPeer = AskedPeer> {
  peer(node: string): P | undefined;
  /** Sends to some peers. Gives those whose outbox is full, or whose session is over. */
  broadcast(peers: Iterable<P>, value: unknown): P[];
  close(): void;
}
