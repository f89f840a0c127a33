import { checkTimeout } from '../actor/index.ts';
import { checkOptionNames, type OptionNames } from '../errors/index.ts';

/** The options of `node.stop`. */
export interface NodeStopOptions {
  /** ms for the supervision trees to end in order; default 10 000. Infinity: no limit. */
  readonly timeout?: number | undefined;
}

const STOP_OPTIONS: OptionNames<NodeStopOptions> = { timeout: true };
const STOP_TIMEOUT_MS = 10_000;

/** The one stop of a node, and the time limit for its supervision trees. */
export class StopTime {
  readonly #after: (ms: number, action: () => void) => () => void;
  #end!: () => void;
  /** Resolves when the time is up. */
  readonly isUp: Promise<void> = new Promise((resolve) => {
    this.#end = resolve;
  });
  #stopped: Promise<void> | undefined;
  /** Undefined once the trees have ended. */
  #timers: (() => void)[] | undefined = [];

  /** @param after runs `action` once after `ms`; returns a function that cancels it. */
  constructor(after: (ms: number, action: () => void) => () => void) {
    this.#after = after;
  }

  /** The time limit in `options`. Throws SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_TIME. */
  static limitOf(options: NodeStopOptions): number {
    checkOptionNames('stop', options, STOP_OPTIONS);
    return checkTimeout(options.timeout ?? STOP_TIMEOUT_MS);
  }

  /** Runs `stop` at the first call. Every call, also one that `stop` makes, gives the same promise. */
  once(stop: () => Promise<void>): Promise<void> {
    if (this.#stopped !== undefined) return this.#stopped;
    let settle!: (stopped: Promise<void>) => void;
    const stopped = new Promise<void>((resolve) => (settle = resolve));
    this.#stopped = stopped;
    settle(stop());
    return stopped;
  }

  /** Limits the time from now on. Of several limits, the one that ends first counts. */
  limit(ms: number): void {
    if (ms === 0) this.#end();
    else if (ms !== Number.POSITIVE_INFINITY) this.#timers?.push(this.#after(ms, this.#end));
  }

  /** The trees have ended: cancels all limits. */
  over(): void {
    for (const cancel of this.#timers ?? []) cancel();
    this.#timers = undefined;
  }
}
