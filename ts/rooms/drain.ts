import type { Runtime } from '../actor/index.ts';
import { CloseCode } from '../client/index.ts';
import { checkOptionNames, kindOf, type OptionNames, SnowmeshError } from '../errors/index.ts';
import type { Connection } from './connection.ts';

/** How clients are sent away. */
export interface DrainOptions {
  /** Over how many ms. Default 10 000. */
  readonly over?: number;
  /** URL of the WebSocket where they should go. Default: where they came from. */
  readonly to?: string;
}

/** The clients that may be sent away. */
interface Drainable extends Iterable<Connection> {
  readonly size: number;
}

const OPTIONS: OptionNames<DrainOptions> = { over: true, to: true };
/** Some are closed at once, every so many ms. */
const STEP_MS = 50;
const MAX_MS = 2 ** 31 - 1;

/** Sends clients away before the server stops. */
export class Drain {
  readonly #runtime: Runtime;
  readonly #clients: Drainable;
  #endsAt = 0;
  #under: Promise<void> | undefined;

  constructor(runtime: Runtime, clients: Drainable) {
    this.#runtime = runtime;
    this.#clients = clients;
  }

  /** ms that a client should stay away; 0: it may come. */
  get retryAfterMs(): number {
    return this.#under === undefined ? 0 : Math.max(1000, this.#endsAt - this.#runtime.now());
  }

  /** @throws SNOW_ERR_BAD_OPTION */
  start(options: DrainOptions): Promise<void> {
    checkOptionNames('drain', options, OPTIONS);
    const { over = 10_000, to } = options;
    if (!(typeof over === 'number' && over >= 0 && over <= MAX_MS))
      throw new SnowmeshError(
        'SNOW_ERR_BAD_OPTION',
        `option over is ${String(over)}; it must be ms from 0 to ${MAX_MS}`,
      );
    if (to !== undefined && typeof to !== 'string')
      throw new SnowmeshError('SNOW_ERR_BAD_OPTION', `option to is ${kindOf(to)}; it must be a URL`);
    if (this.#under === undefined) {
      this.#endsAt = this.#runtime.now() + over;
      for (const connection of this.#clients) connection.notify(['drain', to ?? null]);
      this.#under = new Promise((resolve) => this.#step(resolve));
    }
    return this.#under;
  }

  #step(done: () => void): void {
    const left = Math.ceil(Math.max(0, this.#endsAt - this.#runtime.now()) / STEP_MS) + 1;
    let some = Math.ceil(this.#clients.size / left);
    for (const connection of this.#clients) {
      if (some-- === 0) break;
      connection.close(CloseCode.restart, 'the server restarts');
    }
    if (this.#clients.size === 0) done();
    else this.#runtime.after(STEP_MS, () => this.#step(done));
  }
}

/** Over how many ms so many clients should come back, if all have to: 500 a second. */
export function spreadOf(connections: number): number {
  return Math.min(30_000, Math.max(1000, connections * 2));
}
