/** The native side of a session. */
export interface Carrier {
  /** Names the memory that `flush` reads. */
  adopt(chunk: Uint8Array): void;
  /** Sends the first bytes of the chunk. Returns what waits outside of streams, −1 when the session is over. */
  flush(bytes: number): number;
  /** Queues `tag | body`, given in parts, on a stream. Returns what waits in all, −1 when the session is over. */
  bulk(stream: number, frame: readonly Uint8Array[]): number;
  /** Copies a slice of a frame of `total` bytes; 0 drops what was copied. False: the session is over. */
  gather(total: number, slice: Uint8Array): boolean;
  /** Queues what was gathered, like `bulk`. */
  gathered(stream: number): number;
}
