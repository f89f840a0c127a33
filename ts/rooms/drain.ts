import type { Runtime } from '../actor/index.ts';
import { CloseCode } from '../client/index.ts';
import { badOption, checkOptionNames, type OptionNames } from '../errors/index.ts';
import type { Connection } from './connection.ts';

/** How connections are closed. */
export interface DrainOptions {
  /** ms until the last connection is closed. Default 10 000. */
  readonly over?: number | undefined;
  /** The URL of a WebSocket, with its host, to which clients reconnect. Default: their own URLs. */
  readonly to?: string | undefined;
}

/** The connections to close. */
interface Drainable extends Iterable<Connection> {
  readonly size: number;
  /** Closed connections whose handlers are not finished with what the clients sent. */
  readonly finishing: number;
}

const OPTIONS: OptionNames<DrainOptions> = { over: true, to: true };
/** Connections are closed in groups; the time between two groups. Unit: ms. */
const STEP_MS = 50;
const MAX_MS = 2 ** 31 - 1;

/** Closes all connections gradually before the server stops. */
export class Drain {
  readonly #runtime: Runtime;
  readonly #clients: Drainable;
  #endsAt = 0;
  #to: string | null = null;
  #draining: Promise<void> | undefined;
  #done = (): void => {};

  constructor(runtime: Runtime, clients: Drainable) {
    this.#runtime = runtime;
    this.#clients = clients;
  }

  /** ms after which a refused client should try again; 0: it is not refused. */
  get retryAfterMs(): number {
    return this.#draining === undefined ? 0 : Math.max(1000, this.#endsAt - this.#runtime.now());
  }

  /** @throws SNOW_ERR_BAD_OPTION */
  start(options: DrainOptions): Promise<void> {
    checkOptionNames('drain', options, OPTIONS);
    const { over = 10_000, to } = options;
    if (!(typeof over === 'number' && over >= 0 && over <= MAX_MS))
      throw badOption('over', over, `ms from 0 to ${MAX_MS}`);
    if (to !== undefined && !isAbsoluteSocketUrl(to))
      throw badOption('to', to, 'a URL that begins with wss:// or ws://');
    if (this.#draining === undefined) {
      this.#endsAt = this.#runtime.now() + over;
      this.#to = to ?? null;
      for (const connection of this.#clients) connection.notify(['drain', this.#to]);
      this.#draining = new Promise((resolve) => (this.#done = resolve));
      this.#step();
      this.ended();
    }
    return this.#draining;
  }

  /** A connection was accepted: during and after a drain it is sent away. */
  accepted(connection: Connection): Connection {
    if (this.#draining === undefined) return connection;
    connection.notify(['drain', this.#to]);
    connection.close(CloseCode.restart, 'the server restarts');
    return connection;
  }

  /** A connection, or its handler, has ended. */
  ended(): void {
    if (this.#clients.size === 0 && this.#clients.finishing === 0) this.#done();
  }

  #step(): void {
    const left = Math.ceil(Math.max(0, this.#endsAt - this.#runtime.now()) / STEP_MS) + 1;
    let some = Math.ceil(this.#clients.size / left);
    for (const connection of this.#clients) {
      if (some-- === 0) break;
      connection.close(CloseCode.restart, 'the server restarts');
    }
    if (this.#clients.size > 0) this.#runtime.after(STEP_MS, () => this.#step());
  }
}

/** ms over which clients spread their reconnects if the server disappears: 500 clients per second, at least 1 s, at most 30 s. */
export function spreadOf(connections: number): number {
  return Math.min(30_000, Math.max(1000, connections * 2));
}

/** Whether every client takes it for the URL of a WebSocket: only a browser takes one without a host. */
function isAbsoluteSocketUrl(value: unknown): boolean {
  return typeof value === 'string' && /^(?:wss?|https?):\/\/[^/?#][^#]*$/i.test(value) && URL.canParse(value);
}
