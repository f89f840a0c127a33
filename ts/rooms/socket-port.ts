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

/** How packets get into sockets of one kind. It has no state: one object serves all sockets of its kind. */
export interface SocketPort<S> {
  /** Bytes handed over that have not left. */
  buffered(socket: S): number;
  /** Nothing should be written before `onceWritable` calls back. */
  isBlocked(socket: S): boolean;
  /** @param spread takes what others may get, too. */
  write(socket: S, packet: Packet, spread?: Spread): void;
  writeAll(socket: S, packets: readonly Packet[]): void;
  /** Calls back once when what blocked the socket has left. */
  onceWritable(socket: S, listener: () => void): void;
}

/** A port with a socket of its kind. */
export interface BoundPort {
  readonly port: SocketPort<unknown>;
  readonly socket: unknown;
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

export function portOf(socket: RoomSocket): BoundPort {
  if (!isOfWs(socket)) return { port: SEND_PORT as SocketPort<unknown>, socket };
  const stream = socket._socket;
  const isPlain = Object.getPrototypeOf(stream) === Socket.prototype; // over TLS its bytes are others
  const port = 'permessage-deflate' in socket._extensions ? DEFLATING[+isPlain] : RAW[+isPlain];
  return { port: port as SocketPort<unknown>, socket: stream };
}

/** Frames of our own can go between those of `ws` as long as the stream has no compression with memory of earlier frames. */
function isOfWs(socket: RoomSocket): socket is ServerSocketOfWs {
  const { _socket, _isServer, _extensions } = socket as Partial<ServerSocketOfWs>;
  return _isServer === true && typeof _socket?.cork === 'function' && typeof _extensions === 'object';
}

class RawPort implements SocketPort<RawStream> {
  readonly #deflates: boolean;
  readonly #isPlain: boolean;

  constructor(deflates: boolean, isPlain: number) {
    this.#deflates = deflates;
    this.#isPlain = isPlain === 1;
  }

  buffered(stream: RawStream): number {
    return stream.writableLength;
  }

  isBlocked(stream: RawStream): boolean {
    return stream.writableNeedDrain;
  }

  onceWritable(stream: RawStream, listener: () => void): void {
    stream.once('drain', listener);
  }

  write(stream: RawStream, packet: Packet, spread?: Spread): void {
    if (this.#deflates && packet.frames.length > 1) return this.writeAll(stream, [packet]);
    if (!stream.writable) return;
    const wire = this.#deflates ? (packet.frames[0] as Frame).deflated : packet.wire;
    if (this.#isPlain && spread !== undefined) spread.add(stream, wire);
    else stream.write(wire);
  }

  writeAll(stream: RawStream, packets: readonly Packet[]): void {
    if (!stream.writable) return;
    stream.cork();
    for (const packet of packets) {
      if (!this.#deflates) stream.write(packet.wire);
      else for (const frame of packet.frames) stream.write(frame.deflated);
    }
    stream.uncork();
  }
}

/** By whether the stream is plain TCP: 0, 1. */
const RAW: readonly RawPort[] = [new RawPort(false, 0), new RawPort(false, 1)];
const DEFLATING: readonly RawPort[] = [new RawPort(true, 0), new RawPort(true, 1)];

/** As long as so much waits in a socket that has no `drain` event nothing more is given to it. Unit: bytes. */
const MUCH = 64 * 1024;
/** Then it is looked at again after so many ms. */
const LOOK_AGAIN_MS = 20;

class SendPort implements SocketPort<RoomSocket> {
  buffered(socket: RoomSocket): number {
    return socket.bufferedAmount ?? 0;
  }

  isBlocked(socket: RoomSocket): boolean {
    return this.buffered(socket) > MUCH;
  }

  onceWritable(_socket: RoomSocket, listener: () => void): void {
    setTimeout(listener, LOOK_AGAIN_MS).unref();
  }

  write(socket: RoomSocket, { frames }: Packet): void {
    for (const { isText, payload } of frames) socket.send(isText ? payload.toString() : payload);
  }

  writeAll(socket: RoomSocket, packets: readonly Packet[]): void {
    for (const packet of packets) this.write(socket, packet);
  }
}

const SEND_PORT = new SendPort();

/** Whether a WebSocket may be closed with that code by its user. */
export const isCloseCode = (code: unknown): boolean =>
  typeof code === 'number' &&
  (code === 1000 || code === 1001 || (code >= 1008 && code <= 1013) || (code >= 3000 && code <= 4999));
