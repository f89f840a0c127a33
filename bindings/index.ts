/**
 * The native core, typed.
 *
 * For: opening a node's sockets, and moving batches of frames between the native core and the actors.
 * Guarantees: the addon is loaded once, its ABI stamp is checked, and a missing binary is one readable error.
 * Must not know: actors, terms, mailboxes. Only `ts/term` and `ts/node` may import this module.
 *
 * Shape of the traffic: everything inbound arrives through `onBatch` as entries packed back to back into the
 * `rx` buffer that the caller owns; everything outbound is frames the caller packed into a `tx` chunk it owns.
 */
import { type AddonExports, loadAddon } from './load.ts';
import type * as generated from './native.d.ts';

/** The ABI stamp this TypeScript was written against; the addon must answer the same number. */
export const ABI = 14;

/** How a node's sockets behave. Every time is in milliseconds, every size in bytes. */
export interface OpenOptions {
  /** Full node name, `name@host:port`. */
  name: string;
  /** Address to listen on, e.g. `127.0.0.1` or `::`. */
  listenHost: string;
  /** TCP port to listen on; 0 takes any free one (see {@link Native.port}). */
  listenPort: number;
  /** The shared secret. Dropped when the key is derived from it. */
  cookie: string;
  /** The incarnation of this start. Default: 64 random bits. */
  incarnation?: bigint;
  /** Peers do not tell other nodes of a hidden node. Default false. */
  hidden?: boolean;
  /** Silence after which a PING is sent. Default 5 000. */
  tickMs?: number;
  /** Silence after which a session ends. Default 20 000. */
  downMs?: number;
  /** From connect or accept to authenticated. Default 7 000. */
  handshakeMs?: number;
  /** Unauthenticated connections at once. Default 1 024. */
  maxHandshakes?: number;
  /** Largest message accepted from a peer. Default 134 217 728. */
  maxMessage?: number;
  /** Undelivered received bytes that a lane may hold before reading stops. Default 16 777 216. */
  inboxBytes?: number;
  /**
   * Unsent bytes of short frames that a session may hold; more end it with the cause `overflow`. Long messages have a limit of
   * their own, `outboxBytes` + `maxMessage`. Default 67 108 864; a node passes `outbox.limit` + `maxMessage` + 16 MiB.
   */
  outboxBytes?: number;
  /** Which thread reads the sockets: that of the event loop (the default where the runtime allows it) or a native one. */
  reader?: 'loop' | 'thread';
  /** Longest busy wait for the next bytes after traffic, in microseconds; 0 turns it off. Default 50. */
  spinUs?: number;
}

/**
 * Receives `bytes` bytes of entries at the start of the lane's `rx` buffer, each
 * `u32 bodyLength | u8 tag | u8 0 | u16 session | body`; `bigs` holds the frames that BIG entries point to.
 * Called on the isolate's own thread; microtasks run afterwards. Must not throw. Returns {@link BatchAnswer} bits.
 */
export type OnBatch = (bytes: number, bigs: Uint8Array[] | null) => number;

export const BatchAnswer = {
  /**
   * `onBatch` is called once more, with `(0, null)`; also when it threw. The microtasks and `nextTick`s of this call have run then,
   * unless it was made inside of another callback.
   */
  CALL_AGAIN: 1,
} as const;

/** Counters of one node; bytes are TLS payload, before encryption. */
export interface NativeStats {
  /** Live sessions. */
  sessions: number;
  /** Connections that are not authenticated yet. */
  handshakes: number;
  /** (name, incarnation) pairs known. */
  identities: number;
  framesIn: number;
  framesOut: number;
  bytesIn: number;
  bytesOut: number;
  /** Calls of `onBatch`. */
  batches: number;
  /** Bytes waiting in all outboxes and streams. */
  outboxBytes: number;
  /** Bytes waiting in all inboxes. */
  inboxBytes: number;
  /** How often the native thread took over reading from a stalled event loop. */
  takeovers: number;
  /** ms since the event loop of the node last turned; 0 while it waits for events, and without peers. */
  loopAgeMs: number;
  /** Busy waits that found bytes, and those that found none. */
  spinHits: number;
  spinMisses: number;
  /** True when the event loop reads the sockets itself. */
  loopReader: boolean;
}

/** Counters of one session since it came up; bytes are TLS payload, before encryption. */
export interface SessionStats {
  framesIn: number;
  /** Including those that still wait. */
  framesOut: number;
  bytesIn: number;
  bytesOut: number;
  /** ms since bytes were last received. */
  silentMs: number;
}

/** All native functions. All are synchronous, and errors have a `SNOW_ERR_…` code. Only {@link Native.open} may block: it looks up `listenHost`. */
export interface Native {
  abi(): number;
  /** Starts a node: listens, then calls `onBatch`. Throws NODE_NAME, COOKIE_WEAK, LISTEN, BAD_OPTION. Returns its handle. */
  open(options: OpenOptions, rx: Uint8Array, onBatch: OnBatch): number;
  /** The port the node listens on. */
  port(handle: number): number;
  /** The incarnation of this start. */
  incarnation(handle: number): bigint;
  /**
   * Requests a session; exactly one CONNECT_RESULT with `request` follows. `reason` is a `DialReason` of `ts/wire`; another number
   * throws BAD_OPTION. The same call with the reason ASKED, before the result, makes that the reason of the dial if its host still waits
   * to be looked up.
   */
  dial(handle: number, request: number, name: string, host: string, port: number, reason: number): void;
  /**
   * Ends a session with `cause`, a `DownCause` of `ts/wire`; another number throws BAD_OPTION. What was flushed is sent first,
   * SESSION_DOWN follows. Unknown sessions are ignored.
   */
  hangup(handle: number, session: number, cause: number): void;
  /** Registers this isolate's chunk for `session`; it is referenced until SESSION_DOWN. */
  tx(handle: number, session: number, chunk: Uint8Array): void;
  /** Encrypts and sends `chunk[0..bytes]` (whole frames). Returns how many bytes still wait (0: all sent), −1: no such session. */
  flush(handle: number, session: number, bytes: number): number;
  /**
   * Queues one frame (`tag | body`, given in parts, copied) on a stream. Returns how many bytes wait in streams and the
   * outbox, −1: no such session.
   */
  bulk(handle: number, session: number, stream: number, parts: readonly Uint8Array[]): number;
  /**
   * Copies the next slice of a frame of `total` bytes (`tag | body`), one frame at a time for each session. A `total` of 0 drops
   * the slices that were copied. Returns false: no such session.
   */
  gather(handle: number, session: number, total: number, slice: Uint8Array): boolean;
  /** Queues the gathered frame on a stream. Returns the same as {@link Native.bulk}. */
  gathered(handle: number, session: number, stream: number): number;
  /** The number of an identity, `nc` = slot · 256 + creation; one without a number gets one. Throws TOO_MANY_NODES. */
  numberOf(handle: number, name: string, incarnation: bigint): number;
  /** Stops the node in order: sends GOODBYE, waits up to 1 s until everything is sent, then STOPPED; the handle is invalid afterwards. */
  close(handle: number): void;
  /** Attaches this isolate to a node as another lane; returns its scheduler index. Throws NO_NODE, TOO_MANY_LANES. */
  attach(handle: number, rx: Uint8Array, onBatch: OnBatch): number;
  /** Detaches a lane; nothing is delivered to it afterwards. */
  detach(handle: number, lane: number): void;
  /** Keeps the OS process alive while the node is open. */
  ref(handle: number): void;
  /** Reverses {@link Native.ref}. */
  unref(handle: number): void;
  stats(handle: number): NativeStats;
  /** Null: the session is not up. */
  sessionStats(handle: number, session: number): SessionStats | null;
  /**
   * From now on the process ends `limitMs` after the first of these signals (Infinity: never), and one second after a second one,
   * also while JavaScript is busy: with one line on standard error and the exit code 128 + signal. The signals must have
   * listeners already. Does nothing on Windows. Throws NATIVE_FAULT when the system refuses a pipe or a thread.
   */
  armSignalWatchdog(signals: number[], limitMs: number): void;
  /** Restores the signal handlers that were there before {@link Native.armSignalWatchdog}. */
  disarmSignalWatchdog(): void;
  /**
   * Writes `bytes` to each socket in `sockets`, a list of 32-bit file descriptors. Each descriptor is replaced by the number of
   * bytes that the kernel took, 0 on any error.
   */
  writeToAll(sockets: Uint8Array, bytes: Uint8Array): void;
  /** Validates one term (version byte first). Throws BAD_TERM. */
  termCheck(bytes: Uint8Array): void;
  /** Reference packing: `slot 16 | creation 8 | local 40`. */
  pidPack(nc: number, local: number): bigint;
  /** Reference unpacking: `[nc, local]`. */
  pidUnpack(pid: bigint): [number, number];
}

/** Does not compile if {@link Native} differs from the Rust signatures. */
type Agrees<T extends Native> = T;
export type NativeSignatures = Agrees<typeof generated>;

let loaded: Native | undefined;

/**
 * The native core of this process, loaded on first use.
 *
 * @returns the same object each time.
 * @throws NativeLoadError `SNOW_ERR_NATIVE_MISSING` when no binary fits this platform, `SNOW_ERR_NATIVE_ABI` when
 * the binary was built for another version of this package.
 */
export function loadNative(): Native {
  loaded ??= loadAddon(ABI) as AddonExports & Native;
  return loaded;
}
