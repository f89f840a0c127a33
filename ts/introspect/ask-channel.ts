// The channel to other nodes that introspection uses. ts/node provides it.

/** A peer during one session: the object stays the same. */
export interface AskedPeer {
  readonly node: string;
}

/** This node's end of the channel. */
export interface AskChannel<P extends AskedPeer = AskedPeer> {
  peer(node: string): P | undefined;
  /** Sends to some peers. Returns those whose outbox is full, or whose session ended. */
  broadcast(peers: Iterable<P>, value: unknown): P[];
  close(): void;
}
