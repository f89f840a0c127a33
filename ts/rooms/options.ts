import {
  badArgument,
  badOption,
  checkOptionNames,
  type OptionNames,
  type SomeOf,
  withDefaults,
} from '../errors/index.ts';
import type { UserOf } from './authorization.ts';
import type { BridgeOptions, RoomBridge } from './bridge.ts';
import { isClusterName } from './bridge-envelope.ts';
import type { ConnectionHandler } from './connection-actor.ts';
import { exceptConnection } from './except.ts';
import { DEFAULT_LIMITS, DEFAULT_RESUME, type Limits, type ResumeLimits, type SlowPolicy } from './limits.ts';
import { keyRoom } from './room.ts';
import type { Except } from './room-message.ts';

/** The user of an accepted socket. */
export type AcceptOptions<User = unknown> = UserOf<User> & {
  /** Identifies the user on all nodes, 1 to 254 bytes: its connections share a presence, and `sendTo` sends to all of them. */
  readonly key?: string | undefined;
  /** The address of the client, for logs. */
  readonly address?: string | undefined;
};

/** Connections that do not get a broadcast. */
export interface ExceptOptions {
  /** One connection, or the id of a connection on any node. */
  readonly connection?: { readonly id: string } | string | undefined;
  /** All connections of a user, on any node. */
  readonly key?: string | undefined;
}

/** How the server notices that a client is gone. */
export interface HeartbeatOptions {
  /**
   * A client that is silent for this time is pinged; if it stays silent for this time again, its connection ends. Unit: ms; 0: never. Default
   * 25 000.
   */
  readonly intervalMs: number;
}

/** The callbacks for clients, and the limits. */
export interface RoomsOptions<User = unknown, In = unknown, Out = unknown>
  extends ConnectionHandler<User, In, Out> {
  /**
   * Converts what a client sent (a JSON value, text or bytes) to what `message` gets; it may be async. If it throws or rejects, only that message is
   * refused, and the client gets the text of the error.
   */
  parse?(data: unknown): In | Promise<In>;
  readonly limits?: SomeOf<Limits> | undefined;
  /** How many messages are kept for clients that reconnect; `windowMs: 0` keeps none. */
  readonly resume?: SomeOf<ResumeLimits> | undefined;
  readonly heartbeat?: SomeOf<HeartbeatOptions> | undefined;
  /** Sends messages to other clusters and receives theirs, over a broker. */
  readonly bridge?: BridgeOptions | undefined;
}

export interface Settings {
  readonly limits: Limits;
  readonly resume: ResumeLimits;
  readonly heartbeat: HeartbeatOptions;
}

const OPTIONS: OptionNames<RoomsOptions> = {
  open: true,
  message: true,
  join: true,
  mail: true,
  close: true,
  parse: true,
  limits: true,
  resume: true,
  heartbeat: true,
  bridge: true,
};
const BRIDGE: OptionNames<BridgeOptions> = { via: true, cluster: true, rooms: true };
const BRIDGE_METHODS: readonly (keyof RoomBridge)[] = [
  'open',
  'subscribe',
  'unsubscribe',
  'publish',
  'close',
];
const LIMITS: OptionNames<Limits> = {
  messageBytes: true,
  messagesPerSecond: true,
  rooms: true,
  waiting: true,
  bufferBytes: true,
  slow: true,
  connectionsPerAddress: true,
  joinMs: true,
};
const RESUME: OptionNames<ResumeLimits> = { windowMs: true, count: true, bytes: true, totalBytes: true };
const HEARTBEAT: OptionNames<HeartbeatOptions> = { intervalMs: true };
const POLICIES: ReadonlySet<SlowPolicy> = new Set(['drop-new', 'drop-old', 'close']);

/** The longest delay of a timer. Unit: ms. */
const MAX_MS = 2 ** 31 - 1;

/** The settings, with defaults. @throws SNOW_ERR_BAD_OPTION naming the option. */
export function checkOptions(options: RoomsOptions): Settings {
  checkOptionNames('createRooms', options, OPTIONS);
  checkOptionNames(
    'limits',
    options.limits === undefined ? {} : options.limits,
    LIMITS as OptionNames<SomeOf<Limits>>,
  );
  checkOptionNames(
    'resume',
    options.resume === undefined ? {} : options.resume,
    RESUME as OptionNames<SomeOf<ResumeLimits>>,
  );
  checkOptionNames(
    'heartbeat',
    options.heartbeat === undefined ? {} : options.heartbeat,
    HEARTBEAT as OptionNames<SomeOf<HeartbeatOptions>>,
  );
  const limits = withDefaults(DEFAULT_LIMITS, options.limits);
  const resume = withDefaults(DEFAULT_RESUME, options.resume);
  const heartbeat = withDefaults<HeartbeatOptions>({ intervalMs: 25_000 }, options.heartbeat);
  for (const key of ['messageBytes', 'messagesPerSecond', 'rooms', 'waiting', 'bufferBytes'] as const)
    whole(`limits.${key}`, limits[key], 1, 2 ** 31);
  whole('limits.connectionsPerAddress', limits.connectionsPerAddress, 0, 2 ** 31);
  whole('limits.joinMs', limits.joinMs, 0, MAX_MS);
  whole('resume.windowMs', resume.windowMs, 0, MAX_MS);
  whole('resume.count', resume.count, 1, 10_000);
  whole('resume.bytes', resume.bytes, 1, 64 * 1024 * 1024);
  whole('resume.totalBytes', resume.totalBytes, 1, Number.MAX_SAFE_INTEGER);
  whole('heartbeat.intervalMs', heartbeat.intervalMs, 0, MAX_MS);
  if (!POLICIES.has(limits.slow))
    throw badOption('limits.slow', limits.slow, `one of ${[...POLICIES].join(', ')}`);
  for (const key of ['open', 'message', 'join', 'mail', 'close', 'parse'] as const)
    if (options[key] !== undefined && typeof options[key] !== 'function')
      throw badOption(key, options[key], 'a function');
  checkBridge(options.bridge);
  return { limits, resume, heartbeat };
}

function checkBridge(bridge: BridgeOptions | undefined): void {
  if (bridge === undefined) return;
  checkOptionNames('bridge', bridge, BRIDGE as OptionNames<BridgeOptions>);
  const { via, cluster } = bridge;
  for (const method of BRIDGE_METHODS)
    if (typeof via?.[method] !== 'function')
      throw badOption('bridge.via', via, `a RoomBridge: it has no method ${method}`);
  if (!isClusterName(cluster)) throw badOption('bridge.cluster', cluster, 'a name of 1 to 64 characters');
  if (bridge.rooms !== undefined && typeof bridge.rooms !== 'function')
    throw badOption('bridge.rooms', bridge['rooms'] as unknown, 'a function');
}

function whole(name: string, value: unknown, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most)
    throw badOption(name, value, `a whole number from ${least} to ${most}`);
}

const ACCEPT: OptionNames<AcceptOptions> = { key: true, user: true, address: true };

/** @throws SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_NAME, SNOW_ERR_BAD_ARGUMENT */
export function checkAccept(options: AcceptOptions): void {
  checkOptionNames('accept', options, ACCEPT);
  const { key, address } = options;
  if (key !== undefined) keyRoom(key);
  if (address !== undefined && typeof address !== 'string')
    throw badArgument('accept: address', 'a text', address);
}

const EXCEPT_OPTIONS: OptionNames<ExceptOptions> = { connection: true, key: true };

/** @throws SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_NAME, SNOW_ERR_BAD_ARGUMENT */
export function exceptOf(options: ExceptOptions): Except {
  checkOptionNames('broadcastExcept', options, EXCEPT_OPTIONS);
  const { connection, key } = options;
  const except: string[] = [];
  if (connection !== undefined) {
    const one: { id?: unknown } = typeof connection === 'string' ? { id: connection } : connection;
    if (typeof one?.id !== 'string')
      throw badArgument('broadcastExcept: connection', 'a connection or its id', connection);
    except.push(...exceptConnection(one as { id: string }));
  }
  if (key !== undefined) {
    keyRoom(key);
    except.push(`@${key}`);
  }
  return except;
}
