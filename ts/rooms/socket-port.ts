// Writes packets to a socket: as bytes directly to the stream of a socket of `ws`, or message by message to any object with `send` and
// `close`.
// oxlint-disable no-underscore-dangle -- these are the names of `ws`
import { Socket } from 'node:net';
import { badArgument } from '../errors/index.ts';
import type { FanOutStream, SocketFanOut } from '../node/index.ts';
import type { Frame, Packet } from './frame.ts';

/** The socket for `rooms.accept`: the server's end of a WebSocket, of any library. */
export interface RoomSocket {
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  /** Bytes that were passed to `send` and are not transmitted yet. Without it a slow client is not noticed. */
  readonly bufferedAmount?: number;
  /** The negotiated subprotocol. */
  readonly protocol?: string;
  /** Closes it without a closing handshake. */
  terminate?(): void;
  /** Sends a ping, which the other end answers. */
  ping?(): void;
  /** Stops reading until `resume`. */
  pause?(): void;
  resume?(): void;
  // oxlint-disable-next-line typescript/no-explicit-any -- as emitters of Node.js declare it
  on?(event: string, listener: (...args: any[]) => void): unknown;
  addEventListener?(event: string, listener: (event: never) => void): unknown;
}

/** Writes packets to sockets of one kind. It has no state: one object serves all sockets of its kind. */
export interface SocketPort<S> {
  /** Bytes that were written and are not transmitted yet. */
  buffered(socket: S): number;
  /** Whether nothing should be written until `onceWritable` calls back. */
  isBlocked(socket: S): boolean;
  /** @param fanOut Collects writes of the same bytes to several sockets. */
  write(socket: S, packet: Packet, fanOut?: SocketFanOut): void;
  writeAll(socket: S, packets: readonly Packet[]): void;
  /** Calls back once, later, when the socket accepts data, or less waits in it; not when it is closed. */
  onceWritable(socket: S, listener: () => void): void;
}

/** A port, and a socket of its kind. */
export interface BoundPort {
  readonly port: SocketPort<unknown>;
  readonly socket: unknown;
}

/** The stream of a server's socket of `ws`. */
interface RawStream extends FanOutStream {
  readonly writableNeedDrain: boolean;
  cork(): void;
  uncork(): void;
  once(event: 'drain', listener: () => void): unknown;
  write(bytes: Uint8Array, written?: () => void): boolean;
}

interface ServerSocketOfWs extends RoomSocket {
  readonly _socket: RawStream;
  readonly _isServer: boolean;
  readonly _extensions: Readonly<Record<string, unknown>>;
}

export function portOf(socket: RoomSocket): BoundPort {
  if (!isOfWs(socket)) return { port: SEND_PORT as SocketPort<unknown>, socket };
  const stream = socket._socket;
  const isPlain = Object.getPrototypeOf(stream) === Socket.prototype; // TLS encrypts the bytes of each socket differently
  const port = 'permessage-deflate' in socket._extensions ? DEFLATING[+isPlain] : RAW[+isPlain];
  return { port: port as SocketPort<unknown>, socket: stream };
}

/** Whether frames can be written between those of `ws`: that needs a stream without compression that depends on earlier frames. */
function isOfWs(socket: RoomSocket): socket is ServerSocketOfWs {
  const { _socket, _isServer, _extensions } = socket as Partial<ServerSocketOfWs>;
  return _isServer === true && typeof _socket?.cork === 'function' && typeof _extensions === 'object';
}

const NOTHING = Buffer.alloc(0);

class RawPort implements SocketPort<RawStream> {
  readonly #deflates: boolean;
  readonly #isPlain: boolean;

  constructor(deflates: boolean, isPlain: boolean) {
    this.#deflates = deflates;
    this.#isPlain = isPlain;
  }

  buffered(stream: RawStream): number {
    return stream.writableLength;
  }

  isBlocked(stream: RawStream): boolean {
    return stream.writableNeedDrain;
  }

  onceWritable(stream: RawStream, listener: () => void): void {
    if (stream.writableNeedDrain) stream.once('drain', listener);
    else if (stream.writable) stream.write(NOTHING, listener);
  }

  write(stream: RawStream, packet: Packet, fanOut?: SocketFanOut): void {
    if (this.#deflates && packet.frames.length > 1) return this.writeAll(stream, [packet]);
    if (!stream.writable) return;
    const wire = this.#deflates ? (packet.frames[0] as Frame).deflated : packet.wire;
    if (this.#isPlain && fanOut !== undefined) fanOut.add(stream, wire);
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

/** By whether the stream is plain TCP: false, true. */
const RAW: readonly RawPort[] = [new RawPort(false, false), new RawPort(false, true)];
const DEFLATING: readonly RawPort[] = [new RawPort(true, false), new RawPort(true, true)];

/** A socket without a `drain` event gets no data while more than this waits in it. Unit: bytes. */
const HIGH_WATER_BYTES = 64 * 1024;
/** Its buffer is checked again after this time. */
const POLL_MS = 20;

class SendPort implements SocketPort<RoomSocket> {
  buffered(socket: RoomSocket): number {
    return socket.bufferedAmount ?? 0;
  }

  isBlocked(socket: RoomSocket): boolean {
    return this.buffered(socket) > HIGH_WATER_BYTES;
  }

  onceWritable(_socket: RoomSocket, listener: () => void): void {
    setTimeout(listener, POLL_MS).unref();
  }

  write(socket: RoomSocket, { frames }: Packet): void {
    for (const { isText, payload } of frames) socket.send(isText ? payload.toString() : payload);
  }

  writeAll(socket: RoomSocket, packets: readonly Packet[]): void {
    for (const packet of packets) this.write(socket, packet);
  }
}

const SEND_PORT = new SendPort();

/** Closes a socket, with a closing handshake if it can. */
export function closeSocket(socket: RoomSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason);
  } catch {
    endSocket(socket, code, reason);
  }
}

/** Ends a socket, without a closing handshake if it can. */
export function endSocket(socket: RoomSocket, code: number, reason: string): void {
  try {
    if (socket.terminate === undefined) socket.close(code, reason);
    else socket.terminate();
  } catch {
    // It has ended already.
  }
}

/** Throws SNOW_ERR_BAD_ARGUMENT unless the user of a WebSocket may close it with these (RFC 6455 section 5.5: the reason is short). */
export function checkClose(code: unknown, reason: unknown): void {
  if (!isCloseCode(code))
    throw badArgument('close', 'a close code: 1000, 1001, 1008 to 1013, 3000 to 4999', code);
  if (typeof reason !== 'string' || Buffer.byteLength(reason) > 123)
    throw badArgument('close', 'a string of at most 123 bytes as the reason', reason);
}

const isCloseCode = (code: unknown): boolean =>
  typeof code === 'number' &&
  (code === 1000 || code === 1001 || (code >= 1008 && code <= 1013) || (code >= 3000 && code <= 4999));
