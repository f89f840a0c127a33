// Errors of the client. The client imports nothing from outside its folder, so they are not SnowmeshErrors, but their codes are in
// docs/errors.md.
import { KEY_ROOM, MAX_ROOM_BYTES } from './protocol.ts';

/** The codes of the errors that a client throws or rejects with. */
export type ClientErrorCode =
  | 'SNOW_ERR_BAD_ARGUMENT'
  | 'SNOW_ERR_BAD_NAME'
  | 'SNOW_ERR_BAD_OPTION'
  | 'SNOW_ERR_CLIENT_CLOSED'
  | 'SNOW_ERR_ROOM_FAILED'
  | 'SNOW_ERR_ROOM_REFUSED'
  | 'SNOW_ERR_TOO_LARGE'
  | 'SNOW_ERR_UNSENDABLE';

/** An error of a client. */
export interface ClientError extends Error {
  readonly code: ClientErrorCode;
}

/** An error that is not a mistake of the program. */
export function failure(code: ClientErrorCode, message: string): ClientError {
  return Object.assign(new Error(message), { code });
}

export function clientClosed(why = 'the client was closed: make a new one'): ClientError {
  return failure('SNOW_ERR_CLIENT_CLOSED', why);
}

/** An error that is a mistake of the program: a TypeError. */
export function misuse(code: ClientErrorCode, message: string, cause?: unknown): ClientError {
  return Object.assign(new TypeError(message, cause === undefined ? undefined : { cause }), { code });
}

/** @throws SNOW_ERR_BAD_ARGUMENT when `given` is not a function; `what` is the called method. */
export function checkFunction(what: string, given: unknown): void {
  if (typeof given !== 'function')
    throw misuse('SNOW_ERR_BAD_ARGUMENT', `${what} needs a function, not ${kindOf(given)}`);
}

/** @throws SNOW_ERR_BAD_ARGUMENT, SNOW_ERR_BAD_NAME when `room` is not a valid room name; `what` is the called method. */
export function checkRoom(what: string, room: unknown): void {
  if (typeof room !== 'string')
    throw misuse('SNOW_ERR_BAD_ARGUMENT', `${what} needs the name of a room, not ${kindOf(room)}`);
  if (room !== '' && !room.startsWith(KEY_ROOM) && utf8Bytes(room) <= MAX_ROOM_BYTES) return;
  const shown = JSON.stringify(room.slice(0, 40));
  const wanted = `1 to ${MAX_ROOM_BYTES} bytes of text that does not begin with U+0000`;
  throw misuse('SNOW_ERR_BAD_NAME', `${shown} cannot name a room: use ${wanted}`);
}

/** A short description of a value for an error message. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object')
    return typeof (value as { then?: unknown }).then === 'function'
      ? 'a promise (did you forget await?)'
      : 'an object';
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : `a ${typeof value}`;
}

/** The bytes of a text in UTF-8; Infinity: the text is not well-formed. */
function utf8Bytes(text: string): number {
  try {
    return encodeURIComponent(text).replace(/%../g, '.').length;
  } catch {
    return Infinity;
  }
}
