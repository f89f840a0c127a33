// The same bytes to many sockets: where they are plain TCP sockets with nothing under way, one call of the addon writes to all of them.
// A write that goes through the stream costs about half as much again as the kernel's part of it.
// oxlint-disable no-underscore-dangle -- a stream of Node.js has its descriptor there
import { loadNative } from '../../bindings/index.ts';

/** A stream that bytes can be written to beside its own `write`, as long as that has nothing under way. */
export interface SpreadStream {
  readonly writable: boolean;
  readonly writableLength: number;
  readonly writableCorked: number;
  readonly connecting?: boolean;
  readonly _handle?: { readonly fd?: number } | null;
  write(bytes: Uint8Array): boolean;
}

/** Sockets that get the same bytes. */
interface Group {
  readonly bytes: Buffer;
  readonly streams: SpreadStream[];
}

/** Sockets of one call. */
const MOST = 1024;

/** Writes of one turn that are made together. Nothing else may write to their streams before `run`. */
export class Spread {
  readonly #groups = new Map<Buffer, Group>();
  readonly #sockets = new Int32Array(MOST);
  readonly #bytes = new Uint8Array(this.#sockets.buffer);

  add(stream: SpreadStream, bytes: Buffer): void {
    const group = this.#groups.get(bytes);
    if (group === undefined) this.#groups.set(bytes, { bytes, streams: [stream] });
    else group.streams.push(stream);
  }

  run(): void {
    for (const { bytes, streams } of this.#groups.values())
      for (let from = 0; from < streams.length; from += MOST)
        this.#write(bytes, streams, from, Math.min(streams.length, from + MOST));
    this.#groups.clear();
  }

  #write(bytes: Buffer, streams: readonly SpreadStream[], from: number, to: number): void {
    const sockets = this.#sockets;
    for (let at = from; at < to; at++) sockets[at - from] = descriptorOf(streams[at] as SpreadStream);
    loadNative().spread(this.#bytes.subarray(0, 4 * (to - from)), bytes);
    for (let at = from; at < to; at++) {
      const taken = sockets[at - from] as number;
      // The stream finds out what is wrong, or waits until the socket takes more.
      if (taken < bytes.length) (streams[at] as SpreadStream).write(bytes.subarray(taken));
    }
  }
}

/** −1: bytes have to go through the stream. */
function descriptorOf(stream: SpreadStream): number {
  const { writable, writableLength, writableCorked, connecting, _handle } = stream;
  const isIdle = writable && writableLength === 0 && writableCorked === 0 && connecting !== true;
  return isIdle ? (_handle?.fd ?? -1) : -1;
}
