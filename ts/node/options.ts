// The options of a node: defaults, limits and their checks.

import type { Logger } from '../actor/index.ts';
import { badOption, checkFlag, checkOptionNames, type OptionNames } from '../errors/index.ts';
import type { Clock } from '../timers/index.ts';

/** Which nodes a node connects to by itself: see {@link NodeOptions.autoConnect}. */
export type AutoConnect = 'use' | 'once' | 'explicit' | 'never';

/** Whether a node connects to the peers of its peers (`full`), or only to the nodes it is given (`explicit`). */
export type MeshMode = 'full' | 'explicit';

/** How many bytes of output to one peer may wait. */
export interface OutboxOptions {
  /** Above this the peer counts as busy: `busy` is emitted and `sendWait` waits. Default 1 048 576. */
  readonly highWater?: number | undefined;
  /**
   * Above this, user messages are dropped as dead letters `remote_full`, and calls fail with `overload`, as do spawns and answers of
   * more than 4 KiB. Signals, and shorter spawns and answers, are still sent; when more than `limit` + `maxMessage` + 16 MiB waits (and
   * `maxMessage` more of long messages), the session ends with `overflow`. Choose several times the size of the largest message: while one
   * fills the outbox, no other message can be sent. Default 268 435 456.
   */
  readonly limit?: number | undefined;
  /** The same limit while the connection is being made. Default 4 194 304. */
  readonly waiting?: number | undefined;
}

/** Where to listen when it differs from the node's name (behind a proxy or a port mapping). */
export interface ListenOptions {
  /** Address to bind. Default: the name's host when that is an address, `127.0.0.1` for `localhost`, else `0.0.0.0`. */
  readonly host?: string | undefined;
  /** Default: the name's port. */
  readonly port?: number | undefined;
}

/** The options of `startNode`. All times are in ms. */
export interface NodeOptions {
  /**
   * `name@host`, `name@host:port` or `name@[ipv6]:port`; port 0 takes a free port, which becomes part of the name.
   * Without a name the node is `nonode@nohost`: everything local works, and the native core is not loaded.
   */
  readonly name?: string | undefined;
  /** The secret that all nodes of the cluster share: at least 16 bytes. Make one with `openssl rand -base64 32`. */
  readonly cookie?: string | undefined;
  /** A file that holds the cookie, readable by its owner (or group) only. Used when `cookie` is not given. */
  readonly cookieFile?: string | undefined;
  readonly listen?: ListenOptions | undefined;
  /** Peers do not tell each other of a hidden node, and `nodes()` lists it only on request. Default false. */
  readonly hidden?: boolean | undefined;
  /** Time without output to a peer after which a tick is sent. Default 5 000. */
  readonly tickMs?: number | undefined;
  /** Time without input from a peer after which it counts as down. Default 20 000. */
  readonly downMs?: number | undefined;
  /** Time that a connection has to authenticate. Default 7 000. */
  readonly handshakeMs?: number | undefined;
  /** Most connections that are not authenticated yet. Default 1 024. */
  readonly maxHandshakes?: number | undefined;
  /** Largest message to and from a peer, in bytes. Default 134 217 728. */
  readonly maxMessage?: number | undefined;
  /**
   * `use` (default): a send, link or monitor to a node connects to it. `once`: the same until a connection is lost; after that only a
   * call of `connect`, on either side, connects the two nodes again. `explicit`: using a node never connects to it; `connect`, mesh and
   * discovery do. `never`: this node dials no other node; others that are to be connected with it have to be told of it, by discovery or `connect`.
   */
  readonly autoConnect?: AutoConnect | undefined;
  /**
   * `full` (default): visible nodes tell each other their visible peers, connect to those, and dial lost peers again.
   * `explicit`: a node connects only to the nodes it is given. Without effect on a hidden node, and with `autoConnect: 'never'`.
   */
  readonly mesh?: MeshMode | undefined;
  /** Finds the nodes to connect to; those that are not connected are dialled again. A list, DNS, a file, a port mapper, … */
  readonly discovery?: NodeDiscovery | undefined;
  readonly outbox?: OutboxOptions | undefined;
  /** Most bytes from peers that wait while JavaScript is busy. Default 16 777 216. */
  readonly inboxBytes?: number | undefined;
  /** What reads sockets: the event loop (default where it can) or a native thread. */
  readonly reader?: 'loop' | 'thread' | undefined;
  /** Longest busy wait for more bytes after traffic, in µs; 0 turns it off. Default 50. */
  readonly spinUs?: number | undefined;
  /**
   * Whether other nodes of the cluster may inspect this one (`node.introspect`): its actors with their labels, names and tags, its
   * supervisors, names, groups and rooms; never a message or a state. Default true.
   */
  readonly introspection?: boolean | undefined;
  /** Default: warnings and errors on standard error. A pino logger fits. */
  readonly logger?: Logger | undefined;
  /** Time for timers and time-outs; tests pass a virtual one. */
  readonly clock?: Clock | undefined;
}

/** Finds nodes: the result of `staticList`, `dnsDiscovery`, …, or any object of this shape. */
export interface NodeDiscovery {
  /**
   * Starts to look for nodes. Calls `found` with the whole set of names now and whenever it changes, and `failed` with each error.
   * `self` is the name of this node in parts, for a discovery that registers it; undefined for a hidden node.
   */
  start(
    listener: { found(names: readonly string[]): void; failed(error: unknown): void },
    self?: { readonly name: string; readonly host: string; readonly port: number },
  ): void | Promise<void>;
  stop(): void | Promise<void>;
}

/** Limits with their defaults filled in. */
export interface Limits {
  readonly highWater: number;
  readonly limit: number;
  readonly waiting: number;
  readonly maxMessage: number;
}

const MIB = 1024 * 1024;
const DEFAULT_MAX_MESSAGE = 128 * MIB;
const MAX_MESSAGE_CEILING = 0x7fff_0000;
/** Together with the largest message and the margin for signals it fits the 32 bits of the native core. */
const MAX_BYTES = 2_000_000_000;

/**
 * Checks every number and choice.
 *
 * @throws SNOW_ERR_BAD_OPTION naming the first option that is wrong.
 */
export function checkOptions(options: NodeOptions): Limits {
  checkOptionNames('startNode', options, OPTIONS);
  if (options.listen !== undefined) checkOptionNames('`listen` of startNode', options.listen, LISTEN_OPTIONS);
  if (options.outbox !== undefined) checkOptionNames('`outbox` of startNode', options.outbox, OUTBOX_OPTIONS);
  const host: unknown = options.listen?.host;
  if (host !== undefined && (typeof host !== 'string' || host === ''))
    throw badOption('listen.host', host, 'an address or a host name, such as 0.0.0.0');
  whole('tickMs', options.tickMs, 10, 3_600_000);
  whole('downMs', options.downMs, 11, 86_400_000);
  whole('handshakeMs', options.handshakeMs, 10, 600_000);
  whole('maxHandshakes', options.maxHandshakes, 1, 65_536);
  whole('spinUs', options.spinUs, 0, 10_000);
  whole('inboxBytes', options.inboxBytes, 64 * 1024, MAX_BYTES);
  whole('listen.port', options.listen?.port, 0, 65_535);
  oneOf('autoConnect', options.autoConnect, ['use', 'once', 'explicit', 'never']);
  oneOf('reader', options.reader, ['loop', 'thread']);
  oneOf('mesh', options.mesh, ['full', 'explicit']);
  checkFlag('startNode', 'hidden', options.hidden);
  checkFlag('startNode', 'introspection', options.introspection);
  checkDiscovery(options.discovery);
  methods('logger', options.logger, ['error', 'warn', 'info', 'debug']);
  methods('clock', options.clock, ['now', 'arm']);
  if ((options.downMs ?? 20_000) <= (options.tickMs ?? 5000)) {
    throw badOption('downMs', options.downMs ?? 20_000, `more than tickMs (${options.tickMs ?? 5000})`);
  }
  const { highWater = MIB, limit = 256 * MIB, waiting = 4 * MIB } = options.outbox ?? {};
  const { maxMessage = DEFAULT_MAX_MESSAGE } = options;
  whole('maxMessage', maxMessage, 65_536, MAX_MESSAGE_CEILING);
  whole('outbox.highWater', highWater, 1, MAX_BYTES);
  whole('outbox.limit', limit, 1, MAX_BYTES);
  whole('outbox.waiting', waiting, 1, MAX_BYTES);
  return { highWater, limit, waiting, maxMessage };
}

function checkDiscovery(discovery: NodeDiscovery | undefined): void {
  if (discovery === undefined) return;
  if (typeof discovery?.start === 'function' && typeof discovery.stop === 'function') return;
  const given = Array.isArray(discovery) ? 'a list' : typeof discovery;
  throw badOption('discovery', given, 'what staticList([…]), dnsDiscovery({ … }) and the like make');
}

const LISTEN_OPTIONS: OptionNames<ListenOptions> = { host: true, port: true };
const OUTBOX_OPTIONS: OptionNames<OutboxOptions> = { highWater: true, limit: true, waiting: true };

const OPTIONS: OptionNames<NodeOptions> = {
  name: true,
  cookie: true,
  cookieFile: true,
  listen: true,
  hidden: true,
  tickMs: true,
  downMs: true,
  handshakeMs: true,
  maxHandshakes: true,
  maxMessage: true,
  autoConnect: true,
  mesh: true,
  discovery: true,
  outbox: true,
  inboxBytes: true,
  reader: true,
  spinUs: true,
  introspection: true,
  logger: true,
  clock: true,
};

function whole(name: string, value: unknown, least: number, most: number): void {
  if (value === undefined) return;
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return;
  throw badOption(name, value, `a whole number from ${least} to ${most}`);
}

function methods(name: string, value: object | undefined, names: readonly string[]): void {
  if (value === undefined) return;
  const missing = names.find(
    (each) => typeof (value as Record<string, unknown> | null)?.[each] !== 'function',
  );
  if (missing === undefined) return;
  const given =
    value === null ? 'null' : typeof value === 'object' ? `an object without ${missing}` : typeof value;
  throw badOption(name, given, `an object with the methods ${names.join(', ')}`);
}

function oneOf(name: string, value: unknown, choices: readonly string[]): void {
  if (value !== undefined && !choices.includes(value as string))
    throw badOption(name, value, choices.join(', '));
}
