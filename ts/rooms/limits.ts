// The limits for what one client, one room and one peer can make this node store or do.

/** Greatest sequence of a room message: it has 48 bits in a binary frame. */
export const MAX_SEQUENCE = 2 ** 48 - 1;
/** Longest message that names the rooms which a client resumes, also if `limits.messageBytes` is less: a client cannot shorten it. Unit: bytes. */
export const MAX_RESUME_BYTES = 64 * 1024;
/** From so many bytes of messages on that wait for the handler of a client, its socket is not read. Parsed they take up to ten times as much. */
export const MAX_WAITING_BYTES = 1024 * 1024;
/** Most fragments of one message of a client: each takes about 100 bytes of memory, also one that is empty. */
export const MAX_FRAGMENTS = 1024;
/** Greatest number of a client's message: it has 32 bits in a binary frame. */
export const MAX_CLIENT_NUMBER = 2 ** 32 - 1;
/** Most resumes of one session. */
export const MAX_GENERATION = 2 ** 32 - 1;
/** Most members of one peer in one room. */
export const MAX_MEMBERS = 10_000_000;
/** Most rooms that one peer may want. */
export const MAX_INTEREST = 1_000_000;
/** Most origins and signing keys of nodes that are remembered. Beyond it the node with the most of them loses its oldest one. */
export const MAX_ORIGINS = 16_384;
/** Most entries in one message between nodes about interest or presence. */
export const PART = 500;
/** Longest meta of a tracked connection, as JSON. Unit: bytes. */
export const MAX_META_BYTES = 4096;
/** Most tracked connections of one peer in the presences of all rooms. */
export const MAX_PRESENT = 1_000_000;
/** From so many characters of their rooms, keys, ids and metas on no more are taken: V8 has one or two bytes for each. */
export const MAX_PRESENT_CHARACTERS = 256 * 1024 * 1024;
/** Most keys and connections that one broadcast may exclude. */
export const MAX_EXCEPT = 64;
/** Longest of those: a prefix character, and a key or an id. Unit: characters. */
export const MAX_EXCEPT_CHARS = 256;
/**
 * Most rooms that are kept because former members may reconnect. Beyond it the room that has waited longest is dropped: a client that
 * reconnects is told `resync` if it missed something.
 */
export const MAX_RETURNING = 262_144;
/** Most origins in a client's cursor of one room: more than connected nodes and remembered ended origins together. */
export const MAX_CURSOR = 1024;
/** A room that knows more origins than this forgets ended ones. */
export const MAX_ROOM_ORIGINS = 128;
/** Ended origins that a room keeps then. */
export const ENDED_ORIGINS_KEPT = 64;
/** What is spent in one turn of the event loop on answers to peers that ask for kept messages, before one more answer. Unit: estimated bytes. */
export const ANSWERED_PER_TURN = 1024 * 1024;
/** Most questions of one peer about kept messages that wait, and origins in them. */
export const MAX_QUESTIONS = 262_144;
/** Most of what a node that stops hands over to others: it is encoded at once. Unit: estimated bytes. */
export const MAX_HANDED_BYTES = 8 * 1024 * 1024;
/** Most kept messages in one message that hands them over, and what they take unless it is a single one. Unit: estimated bytes. */
export const MAX_COPIES = 1024;
export const COPIES_BYTES = 256 * 1024;
/** A peer that has been interested for so long gets the messages of all nodes: they know that it is interested. Unit: ms. */
export const SETTLED_MS = 5000;
/** Most origins that a node remembers as ended within the window. Beyond it the node with the most of them loses its oldest one. */
export const MAX_ENDED = 1024;
/** Estimated memory of a kept message, and of a waiting packet of messages, in addition to its bytes. Unit: bytes. */
export const MESSAGE_OVERHEAD_BYTES = 256;
/**
 * How long it is remembered which messages of a client were taken, after its connection ended; the resume window, if that is longer. So a message
 * without acknowledgement is handled once also if its client comes back later than messages of rooms are kept. Unit: ms.
 */
export const TAKEN_MS = 15 * 60_000;
/** Most client sessions for which the last taken message that peers reported is remembered; the oldest report is forgotten first. */
export const MAX_REPORTED = 262_144;
/** Most client sessions without a connection here of which the last taken message is remembered; the one that ended first is forgotten first. */
export const MAX_TAKEN = 262_144;
/** Most hellos of a peer in one session: each of them is answered with the state of all rooms. */
export const MAX_HELLOS = 1000;
/** Most `lost` messages of a peer about one end of an origin that are answered with the newest messages of that origin. */
export const MAX_LOSSES = 100;
/** Most rooms of a client that wait for the answers of peers at the same time when it resumes. Each answer may have all kept messages of a room. */
export const MAX_RESUMING = 16;
/** The longest wait for a client to answer the close frame: it may send until then. Unit: ms. */
export const LONGEST_CLOSE_MS = 2000;
/** Rooms of a client that are resumed, or refused, in one turn of the event loop. */
export const RESUMED_PER_TURN = 100;
/** How long a resume waits for kept messages of peers. Unit: ms. */
export const HISTORY_MS = 2000;
/** How often peers are asked for kept messages for one client: while peers stop and origins end, answers do not show all. */
export const MISSED_ROUNDS = 8;
/** Delay until peers are told changed member counts. Unit: ms. */
export const COUNT_MS = 100;

/** Longest message that is sent to other clusters. Unit: bytes. */
export const MAX_BRIDGED_BYTES = 1024 * 1024;
/** Most rooms of which a node remembers the last message for other clusters. */
export const MAX_BRIDGED_ROOMS = 100_000;

/** How many messages a node keeps for clients that reconnect. */
export interface ResumeLimits {
  /** How long a room message is kept. Unit: ms; 0: clients cannot resume. Default 120 000. */
  readonly windowMs: number;
  /** Most messages kept per room. Default 1 000. */
  readonly count: number;
  /** Most bytes of messages kept per room. Default 1 MiB. */
  readonly bytes: number;
  /**
   * Most bytes kept on this node for all rooms, including copies for other nodes. Each message counts 256 bytes more than its payload. Beyond
   * the limit the rooms without messages for the longest time lose their kept messages; a client that missed them is told `resync`.
   * Default 256 MiB.
   */
  readonly totalBytes: number;
}

/** What happens when a client reads too slowly: new messages are dropped, old messages are dropped, or the connection is closed. */
export type SlowPolicy = 'drop-new' | 'drop-old' | 'close';

/** The limits for one client. */
export interface Limits {
  /** Longest message of a client. Unit: bytes. Default 64 KiB. */
  readonly messageBytes: number;
  /** Messages per second that a client may send in the long run; a burst may have twice as many. Default 100. */
  readonly messagesPerSecond: number;
  /** Most rooms of one connection. Default 1 000. */
  readonly rooms: number;
  /** Messages of a client that wait for its handler; from this number on, or from 1 MiB on, its socket is not read. Default 256. */
  readonly waiting: number;
  /**
   * Most bytes that wait to be sent to one client; each packet of messages counts 256 more, and one that is longer than the limit may wait beside
   * it. Default 1 MiB.
   */
  readonly bufferBytes: number;
  /** What happens when `bufferBytes` is exceeded. Default `close`, with code 1013. */
  readonly slow: SlowPolicy;
  /** Most connections from one address; 0: any number. Default 0. */
  readonly connectionsPerAddress: number;
  /** How long the first join of a room on this node waits for the answers of peers. Unit: ms. Default 5 000. */
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
