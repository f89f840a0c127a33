// Writes the same bytes to many sockets. One call of the addon writes to all that are plain TCP sockets without pending writes: it
// saves the overhead of the streams, about half of the time of the system call.
// oxlint-disable no-underscore-dangle -- a stream of Node.js has its file descriptor in `_handle`
import { loadNative } from '../../bindings/index.ts';

/** A stream whose socket can be written to directly as long as the stream has no pending writes. */
export interface FanOutStream {
  readonly writable: boolean;
  readonly writableLength: number;
  readonly writableCorked: number;
  readonly connecting?: boolean;
  readonly _handle?: { readonly fd?: number } | null;
  write(bytes: Uint8Array): boolean;
}

/** Sockets that one call of the addon writes to. */
const MAX_SOCKETS_PER_CALL = 1024;

/** Collects the writes of one turn; `run` makes them together. Nothing else may write to the streams before `run`. */
export class SocketFanOut {
  readonly #streams = new Map<Buffer, FanOutStream[]>();
  readonly #sockets = new Int32Array(MAX_SOCKETS_PER_CALL);
  readonly #bytes = new Uint8Array(this.#sockets.buffer);

  add(stream: FanOutStream, bytes: Buffer): void {
    const streams = this.#streams.get(bytes);
    if (streams === undefined) this.#streams.set(bytes, [stream]);
    else streams.push(stream);
  }

  run(): void {
    for (const [bytes, streams] of this.#streams)
      for (let from = 0; from < streams.length; from += MAX_SOCKETS_PER_CALL)
        this.#write(bytes, streams, from, Math.min(streams.length, from + MAX_SOCKETS_PER_CALL));
    this.#streams.clear();
  }

  #write(bytes: Buffer, streams: readonly FanOutStream[], from: number, to: number): void {
    const sockets = this.#sockets;
    for (let at = from; at < to; at++) sockets[at - from] = descriptorOf(streams[at] as FanOutStream);
    loadNative().writeToAll(this.#bytes.subarray(0, 4 * (to - from)), bytes);
    for (let at = from; at < to; at++) {
      const taken = sockets[at - from] as number;
      // The stream waits until the socket takes more, and reports an error of the socket.
      if (taken < bytes.length) (streams[at] as FanOutStream).write(bytes.subarray(taken));
    }
  }
}

/** The file descriptor to write to; −1 when the bytes must go through the stream. */
function descriptorOf(stream: FanOutStream): number {
  const { writable, writableLength, writableCorked, connecting, _handle } = stream;
  const isIdle = writable && writableLength === 0 && writableCorked === 0 && connecting !== true;
  return isIdle ? (_handle?.fd ?? -1) : -1;
}
