/* Generated from native/addon by scripts/check-drift.mjs --write. */

/** The ABI stamp. */
export declare function abi(): number

/**
 * From now on the process ends `limit_ms` after the first of these signals (Infinity: never), and one second after a second one.
 * Fails, and is then disarmed, when the system refuses a pipe or a thread.
 */
export declare function armSignalWatchdog(signals: Array<number>, limitMs: number): void

/** Attaches this isolate to a node of this process as another lane; returns its scheduler index. */
export declare function attach(handle: number, rx: Uint8Array, onBatch: (bytes: number, bigs: Uint8Array[] | null) => number): number

/** Queues one frame on a stream; returns how many bytes wait in streams and the outbox, −1 if the session is not up. */
export declare function bulk(handle: number, session: number, stream: number, parts: readonly Uint8Array[]): number

/** Stops a node in order; STOPPED follows. Keeps the process alive until then. */
export declare function close(handle: number): void

/**
 * Detaches a lane of this isolate from a node, inside of its `onBatch` when that is over; unknown lanes are ignored. Lane 0 is
 * detached by `close`.
 */
export declare function detach(handle: number, lane: number): void

/** Requests a session; one CONNECT_RESULT follows. */
export declare function dial(handle: number, request: number, name: string, host: string, port: number, reason: number): void

/** Restores the handlers that were there before `armSignalWatchdog`. */
export declare function disarmSignalWatchdog(): void

/** Seals and sends the first `bytes` of the chunk; returns how many bytes still wait, −1 if the session is not up. */
export declare function flush(handle: number, session: number, bytes: number): number

/**
 * Copies the next slice of a long frame of `total` bytes; false if the session is not up. One frame at a time; a `total` of
 * 0 drops the slices that were copied.
 */
export declare function gather(handle: number, session: number, total: number, slice: Uint8Array): boolean

/** Queues the gathered frame on a stream; returns the same as [`bulk`]. */
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
  /** Pairs of name and incarnation that have a number. */
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
  /** How often the I/O thread took over reading from a stalled event loop. */
  takeovers: number
  /** Milliseconds since the loop of lane 0 last turned; 0 while it waits for events, and without sessions. */
  loopAgeMs: number
  /** Busy waits that found bytes. */
  spinHits: number
  /** Busy waits that found none. */
  spinMisses: number
  /** The event loop of this isolate reads the sockets. */
  loopReader: boolean
}

/** The number of an identity; one without a number gets one. */
export declare function numberOf(handle: number, name: string, incarnation: bigint): number

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
  /** The incarnation of this start; none: random. */
  incarnation?: bigint
  /** Peers do not tell other nodes of it. */
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
  /** Which thread reads the sockets. */
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
  /** Milliseconds since bytes were last received. */
  silentMs: number
}

/** Counters of a node. */
export declare function stats(handle: number): NativeStats

/** Validates one term. */
export declare function termCheck(bytes: Uint8Array): void

/** Registers this isolate's sending chunk for a session; ignored if the session is not up. */
export declare function tx(handle: number, session: number, chunk: Uint8Array): void

/** Reverses `ref`. */
export declare function unref(handle: number): void

/**
 * Writes `bytes` to each socket in `sockets`, a list of 32-bit file descriptors. Each descriptor is replaced by the number of
 * bytes that the kernel took, 0 on any error.
 */
export declare function writeToAll(sockets: Uint8Array, bytes: Uint8Array): void
