/** The native side of a session. */
export interface Carrier {
  /** Sets the memory that `flush` reads. */
  adopt(chunk: Uint8Array): void;
  /** Sends the first `bytes` of the chunk. Returns the waiting bytes outside of streams, −1 when the session has ended. */
  flush(bytes: number): number;
  /** Queues `tag | body`, given in parts, on a stream. Returns all waiting bytes, −1 when the session has ended. */
  bulk(stream: number, frame: readonly Uint8Array[]): number;
  /** Copies a slice of a frame of `total` bytes; a total of 0 drops the slices copied so far. False: the session has ended. */
  gather(total: number, slice: Uint8Array): boolean;
  /** Queues the gathered frame, like `bulk`. */
  gathered(stream: number): number;
}
