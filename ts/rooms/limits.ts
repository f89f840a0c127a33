// What one client, one room and one node may ask for: nothing here grows without bound by what others send.

/** Greatest number of a room message: 48 bits in a binary frame. */
export const MAX_SEQUENCE = 2 ** 48 - 1;
/** Greatest number of a client's message: 32 bits in a binary frame. */
export const MAX_CLIENT_NUMBER = 2 ** 32 - 1;
/** How often a session may be resumed. */
export const MAX_GENERATION = 2 ** 32 - 1;
/** Members of one peer in one room. */
export const MAX_MEMBERS = 10_000_000;
/** Rooms of which one peer may want messages. */
export const MAX_INTEREST = 1_000_000;
/** Origins and keys of nodes that are remembered; the oldest is forgotten first. */
export const MAX_ORIGINS = 16_384;
/** Entries in one message between nodes about interest or presence. */
export const PART = 500;
/** Longest meta of a connection in a presence, as JSON. Unit: bytes. */
export const MAX_META_BYTES = 4096;
/** Connections of one peer in the presences of all rooms. */
export const MAX_PRESENT = 1_000_000;
/** Keys and connections that one broadcast may exclude. */
export const MAX_EXCEPT = 64;
/** Characters of one of those: a sign, and a key or an id. */
export const MAX_EXCEPT_CHARS = 256;
/**
 * Rooms without members whose members may come back. Beyond it the one that has waited longest is given up: whoever comes back is told
 * `resync` if something was missed.
 */
export const MAX_RETURNING = 262_144;
/** Origins in a client's cursor of one room: more than nodes that can be connected and origins that have ended. */
export const MAX_CURSOR = 1024;
/** Origins that a room knows before those that have ended are forgotten. */
export const MAX_ROOM_ORIGINS = 128;
/** Ended origins that a room still knows after that. */
export const ENDED_ORIGINS_KEPT = 64;
/** Origins that have ended within the window, as a node remembers them. */
export const MAX_ENDED = 1024;
/** What a kept message takes in memory beside its payload, about. Unit: bytes. */
export const MESSAGE_OVERHEAD_BYTES = 256;
/** Sessions of clients of which peers said what was taken; the one named longest ago is forgotten first. */
export const MAX_HEARD = 262_144;
/** How long a resume waits for the history of peers. Unit: ms. */
export const HISTORY_MS = 2000;
/** Changes of member counts are told to peers after this. Unit: ms. */
export const COUNT_MS = 100;

/** Longest message that is bridged to other clusters. Unit: bytes. */
export const MAX_BRIDGED_BYTES = 1024 * 1024;
/** Rooms whose last bridged message a node remembers. */
export const MAX_BRIDGED_ROOMS = 100_000;

/** How much of the past a node keeps for clients that come back. */
export interface ResumeLimits {
  /** How long a room message is kept for clients that reconnect. Unit: ms; 0: no resume. Default 120 000. */
  readonly windowMs: number;
  /** Messages kept a room. Default 1 000. */
  readonly count: number;
  /** Bytes kept a room. Default 1 MiB. */
  readonly bytes: number;
  /**
   * Bytes kept on this node for all rooms, its own and those it keeps messages of for other nodes; each message counts 256 bytes more. Beyond
   * it the rooms that were silent longest lose what is kept: who missed that is told `resync`. Default 256 MiB.
   */
  readonly totalBytes: number;
}

/** What happens to messages for a client that reads too slowly. */
export type SlowPolicy = 'drop-new' | 'drop-old' | 'close';

export interface Limits {
  /** Longest message of a client. Unit: bytes. Default 64 KiB. */
  readonly messageBytes: number;
  /** Messages a second that a client may send for long; twice as many at once. Default 100. */
  readonly messagesPerSecond: number;
  /** Rooms a connection may be in. Default 1 000. */
  readonly rooms: number;
  /** Messages of a client that may wait for its handler; while more do, its socket is not read. Default 256. */
  readonly waiting: number;
  /** Bytes that may wait for one client. Default 1 MiB. */
  readonly bufferBytes: number;
  /** What happens beyond `bufferBytes`. Default `close`, with code 1013. */
  readonly slow: SlowPolicy;
  /** Connections of one address; 0: any number. Default 0. */
  readonly connectionsPerAddress: number;
  /** How long a first join waits for peers to know of it. Unit: ms. Default 5 000. */
  readonly joinMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  messageBytes: 64 * 1024,
  messagesPerSecond: 100,
  rooms: 1000,
  waiting: 256,
  bufferBytes: 1024 * 1024,
  slow: 'close',
  connectionsPerAddress: 0,
  joinMs: 5000,
};

export const DEFAULT_RESUME: ResumeLimits = {
  windowMs: 120_000,
  count: 1000,
  bytes: 1024 * 1024,
  totalBytes: 256 * 1024 * 1024,
};
