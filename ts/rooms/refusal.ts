// Refuses the upgrade of a connection: with an HTTP response, or with a close code, which a page can read.
import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { CloseCode, SUBPROTOCOL } from '../client/index.ts';
import { LONGEST_CLOSE_MS } from './limits.ts';
import type { RoomSocket } from './socket-port.ts';

/** How an upgrade is refused, by `authorize` or by the server itself. */
export interface RefusedUpgrade {
  /** The status of the HTTP response. */
  readonly status: number;
  readonly reason: string;
  readonly retryAfterMs?: number;
}

/** A socket of `ws`. */
export type UpgradedSocket = RoomSocket & Required<Pick<RoomSocket, 'on' | 'terminate'>>;

/** Refusals after which `snowmesh/client` does not try again: the close code for the HTTP status. */
const FINAL: Readonly<Record<number, number>> = { 401: CloseCode.unauthorized, 403: CloseCode.forbidden };

/** Answers an upgrade with an HTTP response, and closes the connection. */
export function refuse(socket: Duplex, { status, reason, retryAfterMs = 0 }: RefusedUpgrade): void {
  const retry = retryAfterMs > 0 ? `Retry-After: ${Math.ceil(retryAfterMs / 1000)}\r\n` : '';
  const head =
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    `Content-Length: ${Buffer.byteLength(reason)}\r\n${retry}\r\n`;
  socket.on('error', ignore); // the other end may have closed it already
  socket.once('finish', () => socket.destroy());
  socket.end(head + reason);
}

/**
 * The code to close with after an upgrade, because a browser does not tell a page the status of a refused one; undefined: the client
 * reads no close codes, or the refusal is not final.
 */
export function closeCodeOf({ status }: RefusedUpgrade, { headers }: IncomingMessage): number | undefined {
  const offered = headers['sec-websocket-protocol']?.split(',') ?? [];
  return offered.some((one) => one.trim() === SUBPROTOCOL) ? FINAL[status] : undefined;
}

/** Closes a WebSocket with that code. */
export function closeRefused(webSocket: UpgradedSocket, code: number, reason: string): void {
  const tooLate = setTimeout(() => webSocket.terminate(), LONGEST_CLOSE_MS);
  webSocket.on('error', ignore);
  webSocket.on('close', () => clearTimeout(tooLate));
  // The reason of a close frame has at most 123 bytes. A character that is cut becomes one of three bytes.
  webSocket.close(code, Buffer.from(reason).subarray(0, 120).toString());
}

/** For errors of a socket that is closed anyway. */
export function ignore(): void {}
