// How packets get into a socket: as bytes straight into the stream below a socket of `ws`, or one message after the other into
// anything that has `send` and `close`.
// oxlint-disable no-underscore-dangle -- `ws` names the stream below a socket so
import { Socket } from 'node:net';
import type { Spread, SpreadStream } from '../node/index.ts';
import type { Frame, Packet } from './frame.ts';

/** What `accept` takes: a WebSocket of any library, a server's end of one, or a test's own. */
export interface RoomSocket {
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  /** Bytes that were sent and have not left. Without it nothing is ever held back. */
  readonly bufferedAmount?: number;
  /** The agreed subprotocol. */
  readonly protocol?: string;
  /** Ends it without a closing handshake. */
  terminate?(): void;
  /** Asks the other end for a sign of life. */
  ping?(): void;
  /** Reads no more until `resume`. */
  pause?(): void;
  resume?(): void;
  // oxlint-disable-next-line typescript/no-explicit-any -- as emitters of Node.js declare it
  on?(event: string, listener: (...args: any[]) => void): unknown;
  addEventListener?(event: string, listener: (event: never) => void): unknown;
}

export interface SocketPort {
  /** Bytes handed over that have not left. */
  readonly buffered: number;
  /** Nothing should be written before `onceWritable` calls back. */
  readonly isBlocked: boolean;
  /** @param spread takes what others may get, too. */
  write(packet: Packet, spread?: Spread): void;
  writeAll(packets: readonly Packet[]): void;
  /** Calls back once when what blocked the socket has left. */
  onceWritable(listener: () => void): void;
}

/** The stream below a server's socket of `ws`. */
interface RawStream extends SpreadStream {
  readonly writableNeedDrain: boolean;
  cork(): void;
  uncork(): void;
  once(event: 'drain', listener: () => void): unknown;
}

interface ServerSocketOfWs extends RoomSocket {
  readonly _socket: RawStream;
  readonly _isServer: boolean;
  readonly _extensions: Readonly<Record<string, unknown>>;
}

export function portOf(socket: RoomSocket): SocketPort {
  return isOfWs(socket) ? new RawPort(socket) : new SendPort(socket);
}

/** Frames of our own can go between those of `ws` as long as the stream has no compression with memory of earlier frames. */
function isOfWs(socket: RoomSocket): socket is ServerSocketOfWs {
  const { _socket, _isServer, _extensions } = socket as Partial<ServerSocketOfWs>;
  return _isServer === true && typeof _socket?.cork === 'function' && typeof _extensions === 'object';
}

class RawPort implements SocketPort {
  readonly #stream: RawStream;
  readonly #deflates: boolean;
  readonly #isPlain: boolean;

  constructor(socket: ServerSocketOfWs) {
    this.#stream = socket._socket;
    this.#deflates = 'permessage-deflate' in socket._extensions;
    this.#isPlain = Object.getPrototypeOf(this.#stream) === Socket.prototype; // over TLS its bytes are others
  }

  get buffered(): number {
    return this.#stream.writableLength;
  }

  get isBlocked(): boolean {
    return this.#stream.writableNeedDrain;
  }

  onceWritable(listener: () => void): void {
    this.#stream.once('drain', listener);
  }

  write(packet: Packet, spread?: Spread): void {
    const stream = this.#stream;
    if (this.#deflates && packet.frames.length > 1) return this.writeAll([packet]);
    if (!stream.writable) return;
    const wire = this.#deflates ? (packet.frames[0] as Frame).deflated : packet.wire;
    if (this.#isPlain && spread !== undefined) spread.add(stream, wire);
    else stream.write(wire);
  }

  writeAll(packets: readonly Packet[]): void {
    const stream = this.#stream;
    if (!stream.writable) return;
    stream.cork();
    for (const packet of packets) {
      if (!this.#deflates) stream.write(packet.wire);
      else for (const frame of packet.frames) stream.write(frame.deflated);
    }
    stream.uncork();
  }
}

/** As long as so much waits in a socket that has no `drain` event nothing more is given to it. Unit: bytes. */
const MUCH = 64 * 1024;
/** Then it is looked at again after so many ms. */
const LOOK_AGAIN_MS = 20;

class SendPort implements SocketPort {
  readonly #socket: RoomSocket;

  constructor(socket: RoomSocket) {
    this.#socket = socket;
  }

  get buffered(): number {
    return this.#socket.bufferedAmount ?? 0;
  }

  get isBlocked(): boolean {
    return this.buffered > MUCH;
  }

  onceWritable(listener: () => void): void {
    setTimeout(listener, LOOK_AGAIN_MS).unref();
  }

  write({ frames }: Packet): void {
    for (const { isText, payload } of frames) this.#socket.send(isText ? payload.toString() : payload);
  }

  writeAll(packets: readonly Packet[]): void {
    for (const packet of packets) this.write(packet);
  }
}

/** Whether a WebSocket may be closed with that code by its user. */
export const isCloseCode = (code: unknown): boolean =>
  typeof code === 'number' &&
  (code === 1000 || code === 1001 || (code >= 1008 && code <= 1013) || (code >= 3000 && code <= 4999));
