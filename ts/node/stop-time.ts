import { checkTimeout } from '../actor/index.ts';
import { checkOptionNames, type OptionNames } from '../errors/index.ts';

/** How a node stops. */
export interface NodeStopOptions {
  /** ms that supervision trees have to end in order; default 10 000. Infinity: no limit. */
  readonly timeout?: number;
}

const STOP_OPTIONS: OptionNames<NodeStopOptions> = { timeout: true };
const STOP_TIMEOUT_MS = 10_000;

/** The time that supervision trees have when a node stops. */
export class StopTime {
  readonly #after: (ms: number, action: () => void) => () => void;
  #end!: () => void;
  /** Resolves when the time is up. */
  readonly isUp: Promise<void> = new Promise((resolve) => {
    this.#end = resolve;
  });
  /** Undefined once the trees have ended. */
  #timers: (() => void)[] | undefined = [];

  /** @param after calls back once after so many ms; returns what cancels it. */
  constructor(after: (ms: number, action: () => void) => () => void) {
    this.#after = after;
  }

  /** The shortest limit counts. Throws SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_TIME. */
  static limitOf(options: NodeStopOptions): number {
    checkOptionNames('stop', options, STOP_OPTIONS);
    return checkTimeout(options.timeout ?? STOP_TIMEOUT_MS);
  }

  limit(ms: number): void {
    if (ms === 0) this.#end();
    else if (ms !== Number.POSITIVE_INFINITY) this.#timers?.push(this.#after(ms, this.#end));
  }

  /** The trees have ended. */
  over(): void {
    for (const cancel of this.#timers ?? []) cancel();
    this.#timers = undefined;
  }
}
