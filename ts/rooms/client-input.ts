// Parses what a client sends. The result is a message whose parts all have the right type, or a text that says what is wrong.
import { Binary, type ClientMessage } from '../client/index.ts';
import { MAX_CLIENT_NUMBER } from './limits.ts';
import { isRoomName } from './room.ts';

export type ClientInput = ClientMessage | string;

/** The data of a WebSocket message. */
export interface SocketData {
  readonly isText: boolean;
  readonly bytes: Buffer;
}

/** @returns a string says what is wrong. */
export function parseClient({ isText, bytes }: SocketData): ClientInput {
  if (!isText) {
    if (bytes.length < 5 || bytes[0] !== Binary.direct) return 'a binary frame that is not of the protocol';
    return ['send', bytes.readUInt32BE(1), bytes.subarray(5)];
  }
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    return 'text that is not JSON';
  }
  return isClientMessage(value) ? value : 'a message that is not of the protocol';
}

function isClientMessage(value: unknown): value is ClientMessage {
  if (!Array.isArray(value)) return false;
  switch (value[0]) {
    case 'hello':
      return (
        value.length === 5 &&
        (value[1] === null || typeof value[1] === 'string') &&
        isResumeRooms(value[2]) &&
        typeof value[3] === 'boolean' &&
        isNumber(value[4])
      );
    case 'resume':
      return value.length === 2 && isResumeRooms(value[1]);
    case 'join':
    case 'leave':
      return value.length === 3 && isNumber(value[1]) && isRoomName(value[2]);
    case 'send':
      return value.length === 3 && isNumber(value[1]) && (value[1] as number) <= MAX_CLIENT_NUMBER;
    case 'beat':
      return value.length === 1;
    default:
      return false;
  }
}

/** The length of the message limits their number. Rooms beyond the limit of a connection are refused, each. */
const isResumeRooms = (value: unknown): boolean => Array.isArray(value) && value.every(isResumeRoom);

function isResumeRoom(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length === 3 &&
    isRoomName(value[0]) &&
    typeof value[1] === 'string' &&
    typeof value[2] === 'object' &&
    value[2] !== null
  );
}

const isNumber = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
