// A bridge between clusters over publish/subscribe of Redis or a server with the same protocol (Valkey, KeyDB).
import { createRequire } from 'node:module';
import { badOption, checkOptionNames, type OptionNames, SnowmeshError } from '../errors/index.ts';
import type { RoomBridge, RoomBridgeListener } from './bridge.ts';

export type { BridgeOptions, RoomBridge, RoomBridgeListener } from './bridge.ts';

/** Options of {@link redisBridge}. */
export interface RedisBridgeOptions {
  /** The URL of the broker, `redis://…` or `rediss://…` (TLS), with user, password and database as the package `ioredis` reads them. */
  readonly url: string;
  /** The prefix of the names of channels. Default `snowmesh:`. */
  readonly prefix?: string | undefined;
  /** Most bytes that wait to be sent to the broker; further messages are not published. 1 to 2 147 483 648; default 16 MiB. */
  readonly pendingBytes?: number | undefined;
}

/** The part of a client of `ioredis` that the bridge uses. */
interface Redis {
  on(event: string, listener: (...args: never[]) => void): unknown;
  connect(): Promise<void>;
  disconnect(): void;
  publish(channel: string, message: Buffer): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
}
type RedisClass = new (url: string, options: object) => Redis;

const OPTIONS: OptionNames<RedisBridgeOptions> = { url: true, prefix: true, pendingBytes: true };
const MAX_PENDING = 2 ** 31;
/** The delay between two attempts to connect; it doubles each time. Unit: ms. */
const RETRY_MS = { first: 100, most: 5000 } as const;

/**
 * Creates a bridge over Redis, for the option `bridge` of `createRooms`. Needs the package `ioredis`. Each node has two connections to the broker. The broker
 * passes each message to the nodes that have members in its room, and stores none.
 *
 * @returns the bridge; it connects when the rooms are created.
 * @throws SNOW_ERR_NO_REDIS when `ioredis` is not installed; SNOW_ERR_BAD_OPTION for an unknown option or a wrong value.
 * @example
 * const rooms = createRooms(node, { bridge: { via: redisBridge({ url: 'redis://127.0.0.1:6379' }), cluster: 'eu' } });
 */
export function redisBridge(options: RedisBridgeOptions): RoomBridge {
  checkOptionNames('redisBridge', options, OPTIONS);
  const { url, prefix = 'snowmesh:', pendingBytes = 16 * 1024 * 1024 } = options;
  if (typeof url !== 'string' || !/^rediss?:\/\//.test(url))
    throw new SnowmeshError(
      'SNOW_ERR_BAD_OPTION',
      'option url of redisBridge must begin with redis:// or rediss://',
    );
  if (typeof prefix !== 'string')
    throw new SnowmeshError('SNOW_ERR_BAD_OPTION', 'option prefix of redisBridge must be a string');
  if (!Number.isSafeInteger(pendingBytes) || pendingBytes < 1 || pendingBytes > MAX_PENDING)
    throw badOption('pendingBytes of redisBridge', pendingBytes, `a whole number from 1 to ${MAX_PENDING}`);
  return new RedisBridge(loadRedis(), url, prefix, pendingBytes);
}

class RedisBridge implements RoomBridge {
  readonly #publisher: Redis;
  readonly #subscriber: Redis;
  readonly #prefix: string;
  readonly #pendingBytes: number;
  readonly #rooms = new Set<string>();
  #listener: RoomBridgeListener | undefined;
  #waiting = 0;
  #isPublisherReady = false;
  #isSubscriberReady = false;
  #isUp = false;
  #why = '';

  constructor(Client: RedisClass, url: string, prefix: string, pendingBytes: number) {
    const options = {
      lazyConnect: true,
      // Receivers notice a message that was lost with a connection, but a message that is sent again later would be out of order.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (times: number) => Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** Math.min(times, 10)),
    };
    this.#publisher = new Client(url, options);
    this.#subscriber = new Client(url, options);
    this.#prefix = prefix;
    this.#pendingBytes = pendingBytes;
  }

  open(listener: RoomBridgeListener): void {
    this.#listener = listener;
    this.#follow(this.#publisher, (isReady) => {
      this.#isPublisherReady = isReady;
      this.#updateState();
    });
    this.#follow(this.#subscriber, (isReady) => {
      this.#isSubscriberReady = false;
      if (isReady) this.#subscribeAll();
      else this.#updateState();
    });
    this.#subscriber.on('messageBuffer', (channel: Buffer, bytes: Buffer) => {
      const name = channel.toString();
      if (name.startsWith(this.#prefix)) listener.message(name.slice(this.#prefix.length), bytes);
    });
  }

  subscribe(room: string): void {
    this.#rooms.add(room);
    if (this.#isSubscriberReady) this.#subscriber.subscribe(this.#prefix + room).catch(ignore);
  }

  unsubscribe(room: string): void {
    this.#rooms.delete(room);
    if (this.#isSubscriberReady) this.#subscriber.unsubscribe(this.#prefix + room).catch(ignore);
  }

  publish(room: string, bytes: Uint8Array): boolean {
    if (!this.#isUp || this.#waiting + bytes.length > this.#pendingBytes) return false;
    this.#waiting += bytes.length;
    const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    // If publishing fails, the connection ends, too.
    const taken = (): void => void (this.#waiting -= bytes.length);
    this.#publisher.publish(this.#prefix + room, message).then(taken, taken);
    return true;
  }

  close(): void {
    this.#listener = undefined;
    this.#publisher.disconnect();
    this.#subscriber.disconnect();
  }

  #follow(client: Redis, ready: (isReady: boolean) => void): void {
    client.on('ready', () => ready(true));
    client.on('close', () => ready(false));
    client.on('error', (error: Error) => {
      this.#why = error.message;
    });
    client.connect().catch(ignore); // `close` follows, and another attempt
  }

  /** Subscribes to all wanted rooms; then the bridge is up. */
  #subscribeAll(): void {
    const all = [...this.#rooms].map((room) => this.#subscriber.subscribe(this.#prefix + room));
    // Commands are sent in order: later subscriptions follow these.
    this.#isSubscriberReady = true;
    Promise.all(all).then(() => this.#updateState(), ignore);
    if (all.length === 0) this.#updateState();
  }

  #updateState(): void {
    const isUp = this.#isPublisherReady && this.#isSubscriberReady;
    if (isUp === this.#isUp) return;
    this.#isUp = isUp;
    if (isUp) this.#listener?.up();
    else this.#listener?.down(this.#why === '' ? 'the connection to the broker was lost' : this.#why);
    this.#why = '';
  }
}

const ignore = (): void => {};

function loadRedis(): RedisClass {
  try {
    return (createRequire(import.meta.url)('ioredis') as { readonly Redis: RedisClass }).Redis;
  } catch (cause) {
    throw new SnowmeshError('SNOW_ERR_NO_REDIS', undefined, { cause });
  }
}
