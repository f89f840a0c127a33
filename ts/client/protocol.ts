// The messages of client and server over one WebSocket. A text frame is a JSON array whose first item is the kind of the message; a binary
// frame's first byte is its kind. docs/rooms.md has the table.

/** The WebSocket subprotocol. A socket without it gets only the payloads of messages, and cannot resume. */
export const SUBPROTOCOL = 'snowmesh.rooms.1';

/** The codes with which a server closes a socket. */
export const CloseCode = {
  /** The client did not answer, or the server stops. */
  goingAway: 1001,
  /** The client broke a limit or the protocol. */
  policy: 1008,
  /** A message was longer than the limit. */
  tooBig: 1009,
  /** The handler of the connection crashed. */
  crashed: 1011,
  /** The server restarts: resume elsewhere, or here later. */
  restart: 1012,
  /** The client reads too slowly, or the server has too many connections. */
  tryLater: 1013,
  /** The same session was resumed over another socket. */
  resumedElsewhere: 4001,
  /** The server does not accept the credentials of the client: it does not try again. */
  unauthorized: 4401,
  /** The server does not allow the client: it does not try again. */
  forbidden: 4403,
} as const;

/** The first byte of a binary frame. */
export const Binary = {
  /** To the connection: the payload. From the client: `u32` number, payload. */
  direct: 1,
  /** `u8` length and room, `u8` length and origin, `u48` sequence, payload. */
  room: 2,
} as const;

/** The position of a client in one room: the sequence of the newest message that it got of each origin. */
export type Cursor = Readonly<Record<string, number>>;

/** How many messages of a client a server takes, heartbeats and joins included. */
export interface Rate {
  /** Messages per second in the long run. */
  readonly perSecond: number;
  /** Messages at once, at least 2. */
  readonly burst: number;
}

/** The first message of a server. */
export interface Welcome {
  /** The session id, for a later resume. */
  readonly session: string;
  /** The connection's id. */
  readonly id: string;
  /** Whether the session that the hello named continues. */
  readonly resumed: boolean;
  /** The number of the last message that the server has taken from this client. If the session does not continue, later ones get new numbers. */
  readonly last: number;
  /** ms for which a client may be silent. */
  readonly beatMs: number;
  /** ms over which clients spread their first reconnect if the server disappears. */
  readonly spreadMs: number;
  /** The rate that the client has to keep. Servers of earlier versions do not tell it. */
  readonly rate?: Rate;
  /** Longest message of a client, with its envelope. Unit: bytes. Servers of earlier versions do not tell it. */
  readonly messageBytes?: number;
}

/** The presence of one key: the metadata of its connections. */
export interface PresenceEntry {
  readonly key: string;
  readonly metas: readonly unknown[];
}

/** A change of the presence of a room. Each key is in one of the lists only. */
export interface PresenceDiff {
  /** Keys that were not in the room. */
  readonly joins: readonly PresenceEntry[];
  /** Keys whose metadata changed. */
  readonly updates: readonly PresenceEntry[];
  /** Keys that left the room, with their last metadata. */
  readonly leaves: readonly PresenceEntry[];
}

/**
 * Why a room could not be resumed without a gap. `window`: the missed messages are no longer kept, because they are too old or too many.
 * `lost`: nodes were lost that may have broadcast messages.
 */
export type ResyncReason = 'window' | 'lost';

/** The reason of `refused` when the handler of the server has failed: the client asks again. */
export const FAILED = 'failed';

/** A room to resume: its name, the signed proof of membership, and the position of the client in it. */
export type ResumeRoom = readonly [room: string, ticket: string, cursor: Cursor];

/** The messages of a client: JSON arrays whose first element is the kind. */
export type ClientMessage =
  | readonly [
      'hello',
      session: string | null,
      rooms: readonly ResumeRoom[],
      fork: boolean,
      /** ms since the client last got data of the session. */
      awayMs: number,
    ]
  | readonly ['resume', rooms: readonly ResumeRoom[]]
  | readonly ['join', ref: number, room: string]
  | readonly ['leave', ref: number, room: string]
  | readonly ['send', number: number, data: unknown]
  | readonly ['beat'];

/** The messages of a server, in the same form. */
export type ServerMessage =
  | readonly ['welcome', Welcome]
  | readonly ['joined', ref: number, room: string, ticket: string, cursor: Cursor]
  | readonly ['resync', room: string, ticket: string, cursor: Cursor, reason: ResyncReason]
  | readonly ['forget', room: string, origin: string, sequence: number, origins: readonly string[]]
  | readonly ['left', ref: number, room: string]
  | readonly ['refused', ref: number, room: string, reason: string]
  | readonly ['m', room: string, origin: string, sequence: number, data: unknown]
  | readonly ['d', data: unknown]
  | readonly ['ack', number: number]
  | readonly ['presence', room: string, diff: PresenceDiff]
  | readonly ['present', room: string, entries: readonly PresenceEntry[]]
  | readonly ['lost', count: number]
  | readonly ['drain', to: string | null]
  | readonly ['beat'];

/** The prefix of the room of one user's connections. No other room has it. */
export const KEY_ROOM = '\0';

/** Most bytes of UTF-8 of a room's name, and of a user's key with its prefix. */
export const MAX_ROOM_BYTES = 255;

/** A binary frame of the server. Without a room it is a message to the connection. */
export interface BinaryMessage {
  readonly room: string | undefined;
  readonly origin: string;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Reads a binary frame of the server. */
export function readBinary(bytes: Uint8Array): BinaryMessage {
  if (bytes[0] === Binary.direct)
    return { room: undefined, origin: '', sequence: 0, payload: bytes.subarray(1) };
  let at = 1;
  const text = (): string => {
    const end = at + 1 + (bytes[at] as number);
    const part = new TextDecoder().decode(bytes.subarray(at + 1, end));
    at = end;
    return part;
  };
  const [room, origin] = [text(), text()];
  let sequence = 0;
  for (const end = at + 6; at < end; at++) sequence = sequence * 256 + (bytes[at] as number);
  return { room, origin, sequence, payload: bytes.subarray(at) };
}

/** A frame with a client's message: JSON text, or bytes. */
export function writeMessage(number: number, payload: string | Uint8Array): string | Uint8Array<ArrayBuffer> {
  if (typeof payload === 'string') return `["send",${number},${payload}]`;
  const bytes = new Uint8Array(5 + payload.length);
  bytes[0] = Binary.direct;
  new DataView(bytes.buffer).setUint32(1, number);
  bytes.set(payload, 5);
  return bytes;
}
