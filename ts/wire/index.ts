/**
 * The numbers on which the native core and TypeScript must agree.
 *
 * For: tags of frames, of native events and of terms; causes, statuses and limits.
 * Guarantees: they are those of the Rust sources; `scripts/check-drift.mjs` fails if they are not.
 * Must not know: anything. It imports nothing but its own files.
 */
// Generated from native/ by scripts/generate-wire.mjs. Do not edit.

export * as TermTag from './term-tag.ts';
export * as TermWeight from './term-weight.ts';

/** Tags of session frames that the native core delivers to JavaScript: docs/wire.md, section 6. */
export const FrameTag = {
  /** A message to a PID. */
  SEND: 0x10,
  /** A message to a registered name. */
  REG_SEND: 0x11,
  /** Names of the sender's other peers: hints only. */
  PEER_LIST: 0x12,
  /** Asks for a link. */
  LINK: 0x13,
  /** Removes a link. */
  UNLINK: 0x14,
  /** An exit signal over a link. */
  EXIT: 0x15,
  /** Asks for a monitor. */
  MONITOR: 0x16,
  /** Removes a monitor. */
  DEMONITOR: 0x17,
  /** A monitored actor has ended. */
  MONITOR_EXIT: 0x18,
  /** Asks for a spawn. */
  SPAWN: 0x19,
  /** The answer to a spawn. */
  SPAWN_REPLY: 0x1a,
  /** Global names: registration. */
  GLOBAL_REGISTER: 0x1b,
  /** Global names: removal. */
  GLOBAL_UNREGISTER: 0x1c,
  /** Global names: synchronisation. */
  GLOBAL_SYNC: 0x1d,
  /** A broadcast into a room. */
  ROOM_BROADCAST: 0x1e,
  /** Announces the keys that a shape id stands for. */
  SHAPE: 0x31,
  /** Confirms an UNLINK. */
  UNLINK_ACK: 0x33,
  /** An explicit exit signal. */
  EXIT2: 0x34,
  /** A call to a PID. */
  CALL: 0x35,
  /** A call to a registered name. */
  REG_CALL: 0x36,
  /** The answer to a call. */
  REPLY: 0x37,
  /** A message to an alias. */
  ALIAS_SEND: 0x38,
  /** The actor that requested a start has received its reply. */
  SPAWN_ACK: 0x3a,
  /** Control messages of the layers above a session. */
  SYSTEM: 0x3f,
} as const;

/** Tags of session frames that the native core handles itself. */
export const KeptTag = {
  /** Announces the pair that a number of the sender stands for. */
  SLOT: 0x30,
  /** A piece of a long frame. */
  FRAGMENT: 0x32,
  /** The sender ends the session in order. */
  GOODBYE: 0x39,
  /** Asks for a PONG. */
  PING: 0xf0,
  /** Answers a PING. */
  PONG: 0xf1,
} as const;

/** Tags of handshake frames: docs/wire.md, section 3. */
export const HandshakeTag = {
  /** Handshake: the dialler's first frame. */
  HELLO: 0x01,
  /** Handshake: the acceptor's first frame. */
  CHALLENGE: 0x02,
  /** Handshake: the dialler's proof. */
  PROOF: 0x03,
  /** Handshake: the acceptor's proof and decision. */
  ACK: 0x04,
  /** Handshake: a refusal, instead of any other frame. */
  REFUSE: 0x0f,
} as const;

/** Tags of entries that the native core makes; they are never sent to a peer. */
export const NativeEvent = {
  SESSION_UP: 0xa0,
  SESSION_DOWN: 0xa1,
  NODE_SLOT: 0xa2,
  CONNECT_RESULT: 0xa3,
  WRITABLE: 0xa4,
  STREAM_DONE: 0xa5,
  PEER_LOOP: 0xa6,
  BIG: 0xa7,
  STOPPED: 0xa8,
  REFUSED: 0xa9,
  NODE_FORGOTTEN: 0xaa,
} as const;

/** Why a session ended: the first byte of SESSION_DOWN, and the cause given to `hangup`. */
export const DownCause = {
  /** The connection broke, or was closed without GOODBYE. */
  CLOSED: 0,
  /** Nothing was received for the down interval. */
  TIMEOUT: 1,
  /** This node ended it. */
  DISCONNECT: 2,
  /** A newer session of the same name took its place. */
  REPLACED: 3,
  /** The peer broke the protocol. */
  PROTOCOL: 4,
  /** This node is stopping. */
  STOPPING: 5,
  /** The peer ended it in order. */
  GOODBYE: 6,
  /** The peer does not read and the outbox is full. */
  OVERFLOW: 7,
  /** Another node connected to the peer under this node's name. */
  DISPLACED: 8,
} as const;

/** Why a node is dialled, given to `dial`. */
export const DialReason = {
  /** This node, its program or its discovery, asked for it. */
  ASKED: 0,
  /** It was a peer, and its session was lost. */
  LOST: 1,
  /** A peer listed it. */
  HINTED: 2,
} as const;

/** The status byte of CONNECT_RESULT. */
export const ConnectStatus = {
  /** A session with that name is up. */
  UP: 0,
  /** No node accepted the connection. */
  REFUSED: 1,
  /** The handshake took too long. */
  TIMEOUT: 2,
  /** The cookies differ. */
  AUTH: 3,
  /** Version or capabilities do not match. */
  INCOMPATIBLE: 4,
  /** Another node answers there. */
  WRONG_NAME: 5,
  /** The peer preferred its own connection, which did not come up in time. */
  DUPLICATE: 6,
  /** This node or the peer is stopping. */
  STOPPING: 7,
  /** Another node of this node's name is connected there. */
  NAME_TAKEN: 8,
  /** Its host has no address, or could not be looked up. */
  DNS: 9,
} as const;

/** The longest `length` of a frame before authentication. */
export const MAX_HANDSHAKE_FRAME = 4096;

/** The longest `length` of a frame in a session. */
export const MAX_FRAME = 16777216;

/** A sender splits a frame whose tag and body are longer than this. */
export const FRAGMENT_BYTES = 131072;

/** The longest joined frame, by default. */
export const MAX_MESSAGE = 134217728;

/** The most streams of fragments that may be open at once. */
export const MAX_STREAMS = 1024;

/** The longest name of an actor, node, function, room or channel in bytes. */
export const MAX_NAME_BYTES = 255;

/** The `ms` of a CALL that has no deadline. */
export const FOR_EVER = 0xffff_ffff;

/** Pairs that a node may number, and so that a peer may announce on one connection: all that it has. */
export const MAX_SLOTS = 262144;

/** Shapes that a peer may announce on one connection. */
export const MAX_SHAPES = 4096;

/** Keys that one shape may have. */
export const MAX_SHAPE_KEYS = 64;

/** Bytes that the keys of all shapes of one connection may have together. */
export const MAX_SHAPE_BYTES = 16777216;

/** The version byte that begins every term. */
export const TERM_VERSION = 2;

/** How deep containers may be nested: a value that is no container has depth 0, an empty list 1. */
export const MAX_DEPTH = 128;

/** The limit of the estimates of one term, without the contents of its strings and binaries. */
export const MAX_TERM_MEMORY = 1073741824;

/** Entries of one LIST, SET, MAP or OBJECT. V8 holds no more in a Set or Map. */
export const MAX_ENTRIES = 16777216;

/** Bytes of a BIGINT's magnitude. */
export const MAX_BIGINT_BYTES = 1048576;

/** Bytes of a STRING: V8 holds no more characters. */
export const MAX_STRING_BYTES = 536870888;

/** A container of at most this many keys stays within STEPS_PER_KEY whatever they are, and is not counted. */
export const FEW_KEYS = 64;

/** Comparisons that colliding keys of one term may cost, in addition to STEPS_PER_KEY for each key. */
export const FREE_STEPS = 1048576;

/** Comparisons that each key may cost. Keys that were not chosen to collide cost fewer than two. */
export const STEPS_PER_KEY = 64;

/** The longest node name in bytes. */
export const MAX_NODE_NAME_BYTES = 255;

/** The minimum length of a cookie in bytes. */
export const MIN_COOKIE_BYTES = 16;

/** The minimum number of different characters in a cookie. */
export const MIN_COOKIE_DISTINCT = 6;

/** Bytes of an entry's header, `u32 length of the body | u8 tag | u8 0 | u16 session`. */
export const ENTRY_HEADER = 8;
