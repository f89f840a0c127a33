import { EventEmitter } from 'node:events';
import type { SocketData } from './client-input.ts';
import type { RoomSocket } from './socket-port.ts';

/** Why a connection ended. */
export interface CloseReason {
  /** The code of the WebSocket; 1006: the connection was lost. */
  readonly code: number;
  /** The reason that the closing end gave; it may be empty. */
  readonly reason: string;
}

/** Gets the events of a socket. */
export interface SocketListener {
  /** @internal */
  received(data: SocketData): void;
  /** @internal Set to true when data or a pong arrives. */
  isAlive: boolean;
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
    socket.on('error', ignore);
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
  socket.on('error', ignore);
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

/** For errors: a `close` event follows. */
function ignore(): void {}

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
