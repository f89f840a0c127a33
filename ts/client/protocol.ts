// What client and server say to each other over one WebSocket: JSON arrays in text frames, the first value says which;
// binary messages in binary frames whose first byte does. docs/rooms.md has the table.

/** The WebSocket subprotocol. A socket that does not ask for it gets payloads as they are, without resume. */
export const SUBPROTOCOL = 'snowmesh.rooms.1';

/** Codes a socket is closed with. */
export const CloseCode = {
  /** The client did not answer, or the server stops. */
  goingAway: 1001,
  /** It broke a limit or the protocol. */
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
} as const;

/** First byte of a binary frame. */
export const Binary = {
  /** To the connection: the payload. From the client: `u32` number, payload. */
  direct: 1,
  /** `u8` length and room, `u8` length and origin, `u48` sequence, payload. */
  room: 2,
} as const;

/** The newest message seen of each origin in one room: sequence by origin. */
export type Cursor = Readonly<Record<string, number>>;

/** What a server tells a client first. */
export interface Welcome {
  /** What to resume with. */
  readonly session: string;
  /** The connection's id. */
  readonly id: string;
  /** Whether the session of the hello continues. */
  readonly resumed: boolean;
  /** Number of the last message that the server has taken from this session. */
  readonly last: number;
  /** How long a client may be silent, in ms. */
  readonly beatMs: number;
  /** Over how many ms to spread the first reconnect when the server vanishes. */
  readonly spreadMs: number;
}

/** Presence of one key: the metas of its connections. */
export interface PresenceEntry {
  readonly key: string;
  readonly metas: readonly unknown[];
}

/** A change of the presence of a room. A key stands in one of the lists only. */
export interface PresenceDiff {
  /** Keys that were not here. */
  readonly joins: readonly PresenceEntry[];
  /** Keys whose metas changed. */
  readonly updates: readonly PresenceEntry[];
  /** Keys that are gone, with the metas they had. */
  readonly leaves: readonly PresenceEntry[];
}

/**
 * Why a room could not be resumed without a gap. `window`: messages that were missed are no longer kept, because they are too old or
 * too many; `lost`: nodes were lost that may have broadcast some.
 */
export type ResyncReason = 'window' | 'lost';

/** A room to be resumed: its name, the proof of membership, and what was seen. */
export type ResumeRoom = readonly [room: string, ticket: string, cursor: Cursor];

export type ClientMessage =
  | readonly [
      'hello',
      session: string | null,
      rooms: readonly ResumeRoom[],
      fork: boolean,
      /** How long ago it heard something of the session. */
      awayMs: number,
    ]
  | readonly ['resume', rooms: readonly ResumeRoom[]]
  | readonly ['join', ref: number, room: string]
  | readonly ['leave', ref: number, room: string]
  | readonly ['send', number: number, data: unknown]
  | readonly ['beat'];

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

/** The room of a user's connections begins with this; no other room does. */
export const KEY_ROOM = '\0';

/** Longest name of a room, and of the key of a user with its prefix. Unit: bytes of UTF-8. */
export const MAX_ROOM_BYTES = 255;

/** A binary frame of the server; without a room it is to the connection. */
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

/** A client's message of bytes as a binary frame. */
export function writeBinary(number: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(5 + payload.length);
  bytes[0] = Binary.direct;
  new DataView(bytes.buffer).setUint32(1, number);
  bytes.set(payload, 5);
  return bytes;
}
