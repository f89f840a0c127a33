import type { SocketData } from './client-input.ts';
import type { CloseReason } from './connection.ts';
import type { RoomSocket } from './socket-port.ts';

/** The events of a socket. */
export interface SocketListener {
  data(data: SocketData): void;
  /** A sign of life. */
  pong(): void;
  closed(why: CloseReason): void;
}

/** What came in, whatever library it came through. */
type Incoming = string | Uint8Array | ArrayBuffer | readonly Uint8Array[] | { readonly data?: unknown };

/** Follows a socket, by `on` (`ws` and the like) or `addEventListener` (WebSocket); without either there are no events. */
export function listen(socket: RoomSocket, listener: SocketListener): void {
  if (typeof socket.on === 'function') {
    socket.on('message', (data: Incoming, isBinary?: boolean) => listener.data(dataOf(data, isBinary)));
    socket.on('pong', () => listener.pong());
    socket.on('close', (code?: number, reason?: unknown) =>
      listener.closed({ code: code ?? 1006, reason: String(reason ?? '') }),
    );
    // `close` follows.
    socket.on('error', () => {});
    return;
  }
  socket.addEventListener?.('message', (event: { readonly data: unknown }) =>
    listener.data(dataOf(event.data as Incoming)),
  );
  socket.addEventListener?.('close', (event: Partial<CloseReason>) =>
    listener.closed({ code: event.code ?? 1006, reason: event.reason ?? '' }),
  );
}

/** Text that `ws` gives as bytes says so by `isBinary`. */
function dataOf(data: Incoming, isBinary?: boolean): SocketData {
  if (typeof data === 'string') return { isText: true, bytes: Buffer.from(data) };
  const isText = isBinary === false;
  if (data instanceof Uint8Array)
    return { isText, bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength) };
  if (data instanceof ArrayBuffer) return { isText, bytes: Buffer.from(data) };
  return { isText, bytes: Array.isArray(data) ? Buffer.concat(data) : Buffer.alloc(0) };
}
