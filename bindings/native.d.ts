/* Generated from native/addon by scripts/check-drift.mjs --write. */

/** The ABI stamp. */
export declare function abi(): number

/** Arms it: `limit_ms` after the first of the signals the process ends, Infinity: never; after a second one it ends soon. */
export declare function armLastWord(signals: Array<number>, limitMs: number): void

/** Joins this isolate to a node of this process as a further lane; returns its scheduler index. */
export declare function attach(handle: number, rx: Uint8Array, onBatch: (bytes: number, bigs: Uint8Array[] | null) => number): number

/** Queues one frame on a stream; returns bytes that wait in streams and outbox, −1 when the session is not up. */
export declare function bulk(handle: number, session: number, stream: number, parts: readonly Uint8Array[]): number

/** Leaves in order; STOPPED follows. Keeps the process alive until then. */
export declare function close(handle: number): void

/** Leaves a node; unknown lanes are ignored. Lane 0 leaves by `close`. */
export declare function detach(handle: number, lane: number): void

/** Asks for a session; one CONNECT_RESULT follows. */
export declare function dial(handle: number, request: number, name: string, host: string, port: number): void

/** Disarms it: signals are handled as before. */
export declare function disarmLastWord(): void

/** Seals and sends the first `bytes` of the chunk; returns bytes that still wait, −1 when the session is not up. */
export declare function flush(handle: number, session: number, bytes: number): number

/**
 * Copies a slice of a long frame of `total` bytes; false when the session is not up. One frame at a time: with a total of
 * 0 what was gathered is dropped.
 */
export declare function gather(handle: number, session: number, total: number, slice: Uint8Array): boolean

/** Queues the gathered frame on a stream; returns as [`bulk`]. */
export declare function gathered(handle: number, session: number, stream: number): number

/** Ends a session in order. */
export declare function hangup(handle: number, session: number, cause: number): void

/** The incarnation of a node's start. */
export declare function incarnation(handle: number): bigint

/** Counters of one node. */
export interface NativeStats {
  /** Live sessions. */
  sessions: number
  /** Connections that are not authenticated yet. */
  handshakes: number
  /** Pairs of name and incarnation that are numbered. */
  identities: number
  /** Frames handed to lanes. */
  framesIn: number
  /** Frames that lanes gave to sessions. */
  framesOut: number
  /** Plain bytes received. */
  bytesIn: number
  /** Plain bytes sealed. */
  bytesOut: number
  /** Calls of `onBatch` in this isolate. */
  batches: number
  /** Bytes that wait in outboxes and streams. */
  outboxBytes: number
  /** Bytes that wait in inboxes. */
  inboxBytes: number
  /** How often the thread took reading over from a stalled loop. */
  takeovers: number
  /** Milliseconds for which the loop of lane 0 has not turned; 0 while it waits, and without sessions. */
  loopAgeMs: number
  /** Busy waits that found bytes. */
  spinHits: number
  /** Busy waits that did not. */
  spinMisses: number
  /** The event loop of this isolate reads the sockets. */
  loopReader: boolean
}

/** Starts a node with this isolate as lane 0; returns its handle. */
export declare function open(options: OpenOptions, rx: Uint8Array, onBatch: (bytes: number, bigs: Uint8Array[] | null) => number): number

/** How a node's sockets behave. */
export interface OpenOptions {
  /** Full node name. */
  name: string
  /** Address to listen on. */
  listenHost: string
  /** Port to listen on; 0 takes any. */
  listenPort: number
  /** The shared secret. */
  cookie: string
  /** This start's identity. */
  incarnation?: bigint
  /** Not gossiped. */
  hidden?: boolean
  /** Silence after which a PING is sent. */
  tickMs?: number
  /** Silence after which a session ends. */
  downMs?: number
  /** From connect or accept to authenticated. */
  handshakeMs?: number
  /** Unauthenticated connections at once. */
  maxHandshakes?: number
  /** Largest message accepted. */
  maxMessage?: number
  /** Undelivered bytes a lane holds. */
  inboxBytes?: number
  /** Unsent bytes a session holds. */
  outboxBytes?: number
  /** What reads sockets. */
  reader?: 'loop' | 'thread'
  /** Longest busy wait in microseconds. */
  spinUs?: number
}

/** Packs a PID. */
export declare function pidPack(nc: number, local: number): bigint

/** Unpacks a PID into nc and local id. */
export declare function pidUnpack(pid: bigint): [number, number]

/** The port a node listens on. */
export declare function port(handle: number): number

/** Keeps the OS process alive while the node is open. */
export declare function ref(handle: number): void

/** Counters of a session; null when it is not up. */
export declare function sessionStats(handle: number, session: number): SessionStats | null

/** Counters of one session. */
export interface SessionStats {
  /** Frames handed to lanes. */
  framesIn: number
  /** Frames that lanes gave it to send. */
  framesOut: number
  /** Plain bytes received. */
  bytesIn: number
  /** Plain bytes sealed. */
  bytesOut: number
  /** Milliseconds since bytes last came. */
  silentMs: number
}

/** Numbers an identity. */
export declare function slot(handle: number, name: string, incarnation: bigint): number

/**
 * Writes bytes to each of the sockets whose descriptors, 32 bits each, `sockets` has; each is replaced by how many bytes
 * the kernel took, 0 when it took none for whatever reason.
 */
export declare function spread(sockets: Uint8Array, bytes: Uint8Array): void

/** Counters of a node. */
export declare function stats(handle: number): NativeStats

/** Validates one term. */
export declare function termCheck(bytes: Uint8Array): void

/** Registers this isolate's sending chunk for a session that is up; ignored when it is not. */
export declare function tx(handle: number, session: number, chunk: Uint8Array): void

/** Undoes `ref`. */
export declare function unref(handle: number): void
