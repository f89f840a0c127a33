// A bridge between clusters over the publish/subscribe of Redis, or of what speaks its protocol (Valkey, KeyDB).
import { createRequire } from 'node:module';
import { checkOptionNames, type OptionNames, SnowmeshError } from '../errors/index.ts';
import type { RoomBridge, RoomBridgeListener } from './bridge.ts';

export type { BridgeOptions, RoomBridge, RoomBridgeListener } from './bridge.ts';

/** Where the broker is, and what may wait for it. */
export interface RedisBridgeOptions {
  /** `redis://` or `rediss://` (TLS), with user, password and database as the package `ioredis` takes them. */
  readonly url: string;
  /** What the names of channels begin with. Default `snowmesh:`. */
  readonly prefix?: string;
  /** Bytes that may wait to be taken by the broker; beyond that nothing is published. Default 16 MiB. */
  readonly pendingBytes?: number;
}

/** The part of a client of `ioredis` that is used. */
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
/** Between two attempts to connect. Unit: ms. */
const RETRY_MS = { first: 100, most: 5000 } as const;

/**
 * A bridge over Redis, for the option `bridge` of `createRooms`. Needs the package `ioredis`. Each node has two connections to the broker, which passes every
 * message to the nodes that have members in its room, and keeps none.
 *
 * @throws SNOW_ERR_NO_REDIS: `ioredis` is not installed; SNOW_ERR_BAD_OPTION
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
    throw new SnowmeshError(
      'SNOW_ERR_BAD_OPTION',
      `option pendingBytes of redisBridge is ${String(pendingBytes)}; it must be a whole number from 1 to ${MAX_PENDING}`,
    );
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
      // What is lost with a connection is seen by its receivers; what comes late would be out of order.
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
      this.#judge();
    });
    this.#follow(this.#subscriber, (isReady) => {
      this.#isSubscriberReady = false;
      if (isReady) this.#subscribeAll();
      else this.#judge();
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
    // A failure comes with the end of the connection.
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

  /** Everything that is wanted; then it is up. */
  #subscribeAll(): void {
    const all = [...this.#rooms].map((room) => this.#subscriber.subscribe(this.#prefix + room));
    // Commands go out in order: what is wanted from now on is asked for after these.
    this.#isSubscriberReady = true;
    Promise.all(all).then(() => this.#judge(), ignore);
    if (all.length === 0) this.#judge();
  }

  #judge(): void {
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
