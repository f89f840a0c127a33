import type { Logger } from '../../actor/index.ts';
import { MAX_FOUND } from '../../discovery/index.ts';
import { kindOf, SnowmeshError } from '../../errors/index.ts';
import type { NodeDiscovery } from '../options.ts';

/** How long the node waits for a discovery to start, and to stop. Unit: ms. */
const START_MS = 10_000;
const STOP_MS = 5000;

/** What FollowedDiscovery needs. */
export interface DiscoveryPort {
  /** Called with all names that the discovery lists now. */
  found(names: readonly string[]): void;
  /** Runs `action` once after `ms`; returns what cancels it. */
  after(ms: number, action: () => void): () => void;
  readonly logger: Logger;
}

/** The discovery of a node: from `start` to `stop`, the node connects to the names that it lists. */
export class FollowedDiscovery {
  readonly #port: DiscoveryPort;
  /** The discovery, once it has started or is late. */
  #discovery: NodeDiscovery | undefined;
  #stopping: Promise<void> | undefined;

  constructor(port: DiscoveryPort) {
    this.#port = port;
  }

  /**
   * Starts the discovery and waits up to START_MS for it. Rejects with an error that it throws within that time; such a discovery is
   * not stopped, since it may belong to another node.
   */
  async start(discovery: NodeDiscovery, self: Parameters<NodeDiscovery['start']>[1]): Promise<void> {
    const listener = {
      found: (names: readonly string[]) => this.#foundBy(names),
      failed: (error: unknown) => this.#failed('a discovery failed', error),
    };
    let isLate = false;
    const started = Promise.resolve(discovery.start(listener, self)).then(
      () => {
        this.#discovery = discovery;
        // A stop that came before its start may have ended nothing.
        return this.#isStopped ? this.#stop(discovery) : undefined;
      },
      (error: unknown) => {
        if (!isLate) throw error;
        this.#failed('a discovery did not start', error);
      },
    );
    isLate = !(await this.#inTime(started, START_MS));
    if (!isLate) return;
    this.#discovery = discovery;
    this.#failed('a discovery is late', overdue('started', START_MS));
  }

  /** Stops the discovery. Resolves when it has stopped, or after STOP_MS. Further calls have no effect. */
  stop(): Promise<void> {
    this.#stopping ??= this.#discovery === undefined ? Promise.resolve() : this.#stop(this.#discovery);
    return this.#stopping;
  }

  get #isStopped(): boolean {
    return this.#stopping !== undefined;
  }

  /** A discovery of a user may pass anything, and may go on after its end. */
  #foundBy(names: readonly string[]): void {
    if (this.#isStopped) return;
    const isList = Array.isArray(names);
    const count = isList ? countOf(names) : 0;
    if (isList && count <= MAX_FOUND) return this.#port.found(names);
    const what = isList ? `${count} names, more than ${MAX_FOUND}` : `no list of names: ${kindOf(names)}`;
    this.#failed(
      'a discovery failed',
      new SnowmeshError('SNOW_ERR_DISCOVERY', `the discovery found ${what}`),
    );
  }

  async #stop(discovery: NodeDiscovery): Promise<void> {
    try {
      if (await this.#inTime(Promise.resolve(discovery.stop()), STOP_MS)) return;
      throw overdue('stopped', STOP_MS);
    } catch (error) {
      this.#warn('a discovery could not be stopped', error);
    }
  }

  /** Resolves to false when `work` is not done after `ms`. Rejects if `work` rejects before that. */
  async #inTime(work: Promise<void>, ms: number): Promise<boolean> {
    let cancel = (): void => {};
    const late = new Promise<boolean>((resolve) => {
      cancel = this.#port.after(ms, () => resolve(false));
    });
    try {
      return await Promise.race([work.then(() => true), late]);
    } finally {
      cancel();
    }
  }

  #failed(what: string, error: unknown): void {
    if (!this.#isStopped) this.#warn(what, error);
  }

  #warn(what: string, error: unknown): void {
    this.#port.logger.warn({ event: 'discovery_failed', err: error }, what);
  }
}

/** How many different names a list has. */
function countOf(names: readonly string[]): number {
  return names.length <= MAX_FOUND ? names.length : new Set(names).size;
}

function overdue(what: 'started' | 'stopped', ms: number): SnowmeshError {
  const why = `the discovery has not ${what} after ${ms} ms; the node goes on without waiting for it`;
  return new SnowmeshError('SNOW_ERR_DISCOVERY', why);
}
