/**
 * The native core, typed.
 *
 * For: opening a node's sockets and moving batches of frames between the native core and the actor floors.
 * Guarantees: the addon is loaded once, its ABI stamp is checked, and a missing binary is one readable error.
 * Must not know: actors, terms, mailboxes. Only `ts/term` and `ts/node` may import this room.
 *
 * Shape of the traffic: everything inbound arrives through `onBatch` as entries packed back to back into the
 * `rx` buffer that the caller owns; everything outbound is frames the caller packed into a `tx` chunk it owns.
 */
import { type AddonExports, loadAddon } from './load.ts';
import type * as generated from './native.d.ts';

/** The ABI stamp this TypeScript was written against; the addon must answer the same number. */
export const ABI = 8;

/** How a node's sockets behave. Every time is in milliseconds, every size in bytes. */
export interface OpenOptions {
  /** Full node name, `name@host` or `name@host:port`. */
  name: string;
  /** Address to listen on, e.g. `127.0.0.1` or `::`. */
  listenHost: string;
  /** TCP port to listen on; 0 takes any free one (see {@link Native.port}). */
  listenPort: number;
  /** The shared secret. Never stored in the clear beyond start. */
  cookie: string;
  /** This start's identity. Default: 64 random bits. */
  incarnation?: bigint;
  /** Hidden nodes are not gossiped. Default false. */
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
  /** Undelivered inbound bytes a lane holds before reading stops. Default 16 777 216. */
  inboxBytes?: number;
  /** Unsent bytes a session holds before it ends with cause `overflow`; of long messages, which wait apart, `maxMessage` more. Default 67 108 864; a node passes `outbox.limit` + `maxMessage` + 16 MiB. */
  outboxBytes?: number;
  /** What reads sockets: the event loop (default where the runtime allows) or a native thread. */
  reader?: 'loop' | 'thread';
  /** Longest busy wait for the next bytes after traffic, in microseconds; 0 turns it off. Default 50. */
  spinUs?: number;
}

/**
 * Receives `bytes` bytes of entries at the start of the lane's `rx` buffer, each
 * `u32 bodyLength | u8 tag | u8 0 | u16 session | body`; `bigs` holds the frames that BIG entries point to.
 * Called on the isolate's own thread; microtasks drain after it. Must not throw.
 * Returns bit 0 set while the caller still has runnable work (then the native side does not busy-wait).
 */
export type OnBatch = (bytes: number, bigs: Uint8Array[] | null) => number;

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
  /** How often the native thread took reading over from a stalled event loop. */
  takeovers: number;
  /** ms for which the event loop of the node has not turned; 0 while it waits for something to happen, and without peers. */
  loopAgeMs: number;
  /** Busy waits that found bytes, and that did not. */
  spinHits: number;
  spinMisses: number;
  /** True when the event loop reads the sockets itself. */
  loopReader: boolean;
}

/** Counters of one session since it came up; bytes are TLS payload, before encryption. */
export interface SessionStats {
  framesIn: number;
  /** Those that still wait included. */
  framesOut: number;
  bytesIn: number;
  bytesOut: number;
  /** ms since bytes last came. */
  silentMs: number;
}

/** The whole native surface. All calls are synchronous and non-blocking; errors carry a `SNOW_ERR_…` code. */
export interface Native {
  abi(): number;
  /** Starts a node: listens, then calls `onBatch`. Throws NODE_NAME, COOKIE_WEAK, LISTEN, BAD_OPTION. Returns its handle. */
  open(options: OpenOptions, rx: Uint8Array, onBatch: OnBatch): number;
  /** The port the node listens on. */
  port(handle: number): number;
  /** The incarnation of this start. */
  incarnation(handle: number): bigint;
  /** Asks for a session; exactly one CONNECT_RESULT with `request` follows. */
  dial(handle: number, request: number, name: string, host: string, port: number): void;
  /** Ends a session with `cause`: what was flushed is sent first, SESSION_DOWN follows. Unknown sessions are ignored. */
  hangup(handle: number, session: number, cause: number): void;
  /** Registers this isolate's chunk for `session`; it is referenced until SESSION_DOWN. */
  tx(handle: number, session: number, chunk: Uint8Array): void;
  /** Seals and sends `chunk[0..bytes]` (whole frames). Returns bytes that still wait (0: all sent), −1: no such session. */
  flush(handle: number, session: number, bytes: number): number;
  /**
   * Queues one frame (`tag | body`, given in parts, copied) on a stream. Returns bytes waiting in streams and outbox, −1: no
   * such session.
   */
  bulk(handle: number, session: number, stream: number, parts: readonly Uint8Array[]): number;
  /**
   * Copies the next slice of a frame of `total` bytes (`tag | body`), one frame at a time for a session. A total of 0 drops what
   * was copied. Returns false: no such session.
   */
  gather(handle: number, session: number, total: number, slice: Uint8Array): boolean;
  /** Queues the gathered frame on a stream. Returns as {@link Native.bulk}. */
  gathered(handle: number, session: number, stream: number): number;
  /** Numbers an identity: returns its nc (slot · 256 + creation). Throws TOO_MANY_NODES. */
  slot(handle: number, name: string, incarnation: bigint): number;
  /** Leaves in order: GOODBYE, up to 1 s to drain, then STOPPED; after that the handle is dead. */
  close(handle: number): void;
  /** Joins this isolate to a node as a further lane; returns the scheduler index. Throws NO_NODE, TOO_MANY_LANES. */
  attach(handle: number, rx: Uint8Array, onBatch: OnBatch): number;
  /** Leaves a node; nothing is delivered to the lane afterwards. */
  detach(handle: number, lane: number): void;
  /** Keeps the OS process alive while the node is open. */
  ref(handle: number): void;
  /** Undoes {@link Native.ref}. */
  unref(handle: number): void;
  stats(handle: number): NativeStats;
  /** Null: the session is not up. */
  sessionStats(handle: number, session: number): SessionStats | null;
  /**
   * From now on the process ends `limitMs` after the first of these signals, also while JavaScript is busy, with one line on standard
   * error and the code 128 + signal; Infinity: never. A second signal leaves it one second. The signals need listeners already. Does nothing on Windows.
   */
  armLastWord(signals: number[], limitMs: number): void;
  /** Undoes {@link Native.armLastWord}. */
  disarmLastWord(): void;
  /**
   * Writes the same bytes to many sockets of this process, whose descriptors `sockets` has, 32 bits each. Each is replaced by how many bytes
   * the kernel took; 0: none, for whatever reason.
   */
  spread(sockets: Uint8Array, bytes: Uint8Array): void;
  /** Validates one term (version byte first). Throws BAD_TERM. */
  termCheck(bytes: Uint8Array): void;
  /** Reference packing: `slot 16 | creation 8 | local 40`. */
  pidPack(nc: number, local: number): bigint;
  /** Reference unpacking: `[nc, local]`. */
  pidUnpack(pid: bigint): [number, number];
}

/** Does not compile when the Rust signatures and {@link Native} disagree. */
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
