import { EventEmitter } from 'node:events';
import { CloseCode } from '../client/index.ts';
import type { SocketData } from './client-input.ts';
import type { RoomSocket } from './socket-port.ts';

/** Why a connection ended. */
export interface CloseReason {
  /** The code of the WebSocket; 1006: the connection was lost; 1002, 1007 or 1009: its frames or messages were not those of a WebSocket. */
  readonly code: number;
  /** The reason that the closing end, or the library of the socket, gave; it may be empty. */
  readonly reason: string;
}

/** Gets the events of a socket. */
export interface SocketListener {
  /** @internal */
  received(data: SocketData): void;
  /** @internal Set to true when data or a pong arrives. */
  isAlive: boolean;
  /** @internal The client broke WebSocket itself: its library closes the socket, and reads no more. */
  broken(why: CloseReason): void;
  /** @internal */
  ended(why: CloseReason): void;
}

/** A message, as WebSocket libraries pass it. */
type Incoming = string | Uint8Array | ArrayBuffer | readonly Uint8Array[] | { readonly data?: unknown };

const LISTENER: unique symbol = Symbol('snowmesh.socketListener');

/** A socket that refers to the listener of its events. */
interface Followed {
  [LISTENER]: SocketListener;
}

/** Listens to the events of a socket, by `on` (like `ws`) or `addEventListener` (like WebSocket); without either there are no events. */
export function listen(socket: RoomSocket, listener: SocketListener): void {
  if (socket instanceof EventEmitter)
    followEmitter(socket as EventEmitter as EventEmitter & Followed, listener);
  else if (typeof socket.on === 'function') {
    socket.on('message', (data: Incoming, isBinary?: boolean) => listener.received(dataOf(data, isBinary)));
    socket.on('pong', () => void (listener.isAlive = true));
    socket.on('close', (code?: number, reason?: unknown) => listener.ended(reasonOf(code, reason)));
    socket.on('error', (error: unknown) => failed(listener, error));
  } else {
    if ('binaryType' in socket) socket.binaryType = 'arraybuffer'; // a blob could only be read later
    socket.addEventListener?.('message', (event: { readonly data: unknown }) =>
      listener.received(dataOf(event.data as Incoming)),
    );
    socket.addEventListener?.('close', ({ code, reason }: Partial<CloseReason>) =>
      listener.ended(reasonOf(code, reason)),
    );
  }
}

/** Sends a ping, if the socket can. */
export function ping(socket: RoomSocket): void {
  // Most clients send heartbeats and are never pinged, so a socket gets the listener at its first ping.
  if (socket instanceof EventEmitter && !socket.listeners('pong').includes(onPong)) {
    socket.on('pong', onPong);
  }
  try {
    socket.ping?.();
  } catch {
    // It is closed: its silence ends the connection.
  }
}

/** An emitter calls its listeners with itself as `this`, so one function serves all sockets, and an idle one needs no closures. */
function followEmitter(socket: EventEmitter & Followed, listener: SocketListener): void {
  socket[LISTENER] = listener;
  socket.on('message', onMessage);
  socket.on('close', onClose);
  socket.on('error', onError);
}

function onMessage(this: Followed, data: Incoming, isBinary?: boolean): void {
  this[LISTENER].received(dataOf(data, isBinary));
}

function onPong(this: Followed): void {
  this[LISTENER].isAlive = true;
}

function onClose(this: Followed, code?: number, reason?: unknown): void {
  this[LISTENER].ended(reasonOf(code, reason));
}

function onError(this: Followed, error: unknown): void {
  failed(this[LISTENER], error);
}

/** `ws` tells the reason of a close that it begins only in its error: its `close` event has the code 1006 then. */
function failed(listener: SocketListener, error: unknown): void {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  const closeCode = codeOfError(String(code));
  if (closeCode !== undefined) listener.broken(reasonOf(closeCode, message));
}

/** The code with which `ws` closes for an error; undefined: it is one of the network, and a `close` event follows. */
function codeOfError(code: string): number | undefined {
  if (code === 'WS_ERR_INVALID_UTF8' || code.startsWith('Z_')) return 1007;
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' || code === 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH')
    return CloseCode.tooBig;
  if (code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') return CloseCode.policy;
  return code.startsWith('WS_ERR_') ? 1002 : undefined;
}

const reasonOf = (code = 1006, reason: unknown = ''): CloseReason => ({ code, reason: String(reason) });

/** The data of a message. `ws` passes text as bytes, with `isBinary` false. */
function dataOf(data: Incoming, isBinary?: boolean): SocketData {
  if (typeof data === 'string') return { isText: true, bytes: Buffer.from(data) };
  const isText = isBinary === false;
  if (data instanceof Uint8Array)
    return { isText, bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength) };
  if (data instanceof ArrayBuffer) return { isText, bytes: Buffer.from(data) };
  return { isText, bytes: Array.isArray(data) ? Buffer.concat(data) : Buffer.alloc(0) };
}
