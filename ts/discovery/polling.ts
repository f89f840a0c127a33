// Repeats the look-ups of a discovery, and tells its listener what changed. Look-ups never overlap, the pause between them grows with
// failures, and nothing here keeps the process alive.
import { type OptionNames, SnowmeshError } from '../errors/index.ts';
import { type Alarm, type Clock, systemClock } from '../timers/index.ts';
import { type Discovery, type DiscoveryListener, demand, MAX_FOUND } from './discovery.ts';

/** Longest pause after errors, unless the interval itself is longer. Unit: ms. */
export const MAX_PAUSE_MS = 30_000;

/** A look-up that takes longer has failed; what it finds after that is ignored. Unit: ms. */
export const LOOK_MS = 60_000;

/** How often a look-up is repeated. */
export interface PollingOptions {
  /** Pause between look-ups. Unit: ms. Default 5000. */
  readonly intervalMs?: number | undefined;
  /** Time; tests pass a virtual one. */
  readonly clock?: Clock | undefined;
}

/** The names of the options that all of them have. */
export const POLLING_OPTIONS: OptionNames<PollingOptions> = { intervalMs: true, clock: true };

/** What is asked, and how a failure of it is called. */
export interface Source {
  /** One look-up. `signal` aborts when its result is not needed any more. */
  look(signal: AbortSignal): Promise<readonly string[]>;
  /** What was looked for, for messages. */
  readonly what: string;
  /** Whether the pause grows with each failure in a row. */
  readonly backsOff: boolean;
}

/** A discovery that asks its source again and again. */
export class Polling implements Discovery {
  readonly #source: Source;
  readonly #intervalMs: number;
  readonly #clock: Clock;
  #listener: DiscoveryListener | undefined;
  #abort = new AbortController();
  #alarm: Alarm | undefined;
  #isLooking = false;
  /** A look-up was asked for while one was under way. */
  #isStale = false;
  #failures = 0;
  #lastFailure: string | undefined;
  #lastFound: string | undefined;

  /** @throws SNOW_ERR_BAD_OPTION for an interval that is no time. */
  constructor(source: Source, { intervalMs = 5000, clock = systemClock }: PollingOptions) {
    demand(
      Number.isFinite(intervalMs) && intervalMs >= 1,
      'intervalMs',
      intervalMs,
      'a number of ms, at least 1',
    );
    this.#source = source;
    this.#intervalMs = intervalMs;
    this.#clock = clock;
  }

  start(listener: DiscoveryListener): void {
    checkNotRunning(this.#listener);
    this.#listener = listener;
    this.#abort = new AbortController();
    this.#failures = 0;
    this.#lastFailure = undefined;
    this.#lastFound = undefined;
    void this.#look();
  }

  stop(): void {
    this.#listener = undefined;
    this.#alarm?.cancel();
    this.#abort.abort();
    this.#isStale = false;
  }

  /** Looks now instead of after the pause; during a look-up: once more after it. */
  hurry(): void {
    if (this.#listener === undefined) return;
    if (this.#isLooking) this.#isStale = true;
    else void this.#look();
  }

  async #look(): Promise<void> {
    const { signal } = this.#abort;
    this.#alarm?.cancel();
    this.#isLooking = true;
    try {
      const names = await this.#inTime(this.#source.look(signal));
      if (!signal.aborted) this.#found(names);
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
    }
    if (signal.aborted) return; // stopped meanwhile: another start has its own look-up
    this.#alarm?.cancel();
    this.#isLooking = false;
    if (this.#isStale) {
      this.#isStale = false;
      return this.#look();
    }
    this.#alarm = this.#clock.arm(this.#pause(), () => void this.#look(), false);
  }

  /** Rejects when a look-up hangs: otherwise no other one would follow. */
  async #inTime(looking: Promise<readonly string[]>): Promise<readonly string[]> {
    const late = new Promise<never>((_, reject) => {
      const fail = (): void => reject(new Error(`no answer within ${LOOK_MS / 1000} s`));
      this.#alarm = this.#clock.arm(LOOK_MS, fail, false);
    });
    return Promise.race([looking, late]);
  }

  /** Order and repetition carry no meaning: DNS shuffles its answers. */
  #found(names: readonly string[]): void {
    const set = [...new Set(names)].sort();
    if (set.length > MAX_FOUND) throw new Error(`${set.length} names, more than ${MAX_FOUND}`);
    this.#failures = 0;
    this.#lastFailure = undefined;
    const key = set.join('\n');
    if (key === this.#lastFound) return;
    this.#lastFound = key;
    this.#listener?.found(set);
  }

  /** Tells a failure once, also if it happens again and again. */
  #failed(cause: unknown): void {
    if (this.#source.backsOff) this.#failures++;
    const error = lookUpFailed(this.#source.what, cause);
    if (error.message === this.#lastFailure) return;
    this.#lastFailure = error.message;
    this.#listener?.failed(error);
  }

  #pause(): number {
    const longest = Math.max(this.#intervalMs, MAX_PAUSE_MS);
    return Math.min(this.#intervalMs * 2 ** Math.min(this.#failures, 20), longest);
  }
}

/** @throws SNOW_ERR_BAD_OPTION when it is running already: a discovery serves one node. */
export function checkNotRunning(running: unknown): void {
  demand(running === undefined, 'discovery', 'running already', 'one that no other node uses');
}

/** The error a listener gets. */
function lookUpFailed(what: string, cause: unknown): SnowmeshError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SnowmeshError('SNOW_ERR_DISCOVERY', `looking for nodes in ${what} failed: ${why}`, { cause });
}
