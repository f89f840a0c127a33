import type { Logger } from '../../actor/index.ts';
import type { NodeDiscovery } from '../options.ts';

/** A discovery that takes longer to stop is left behind. Unit: ms. */
const STOP_MS = 5000;

/** What following a discovery needs. */
export interface DiscoveryPort {
  /** All names that it lists now. */
  found(names: readonly string[]): void;
  /** Runs `action` once after `ms`; returns what cancels it. */
  after(ms: number, action: () => void): () => void;
  readonly logger: Logger;
}

/** The discovery of a node: this node connects to what it finds, from `start` to `stop`. */
export class FollowedDiscovery {
  readonly #port: DiscoveryPort;
  #discovery: NodeDiscovery | undefined;

  constructor(port: DiscoveryPort) {
    this.#port = port;
  }

  /** Starts it. What it throws comes through: a discovery that did not start may belong to another node, and is not stopped. */
  async start(discovery: NodeDiscovery, self: Parameters<NodeDiscovery['start']>[1]): Promise<void> {
    const listener = {
      found: (names: readonly string[]) => this.#port.found(names),
      failed: (error: unknown) => this.#port.logger.warn({ err: error }, 'a discovery failed'),
    };
    await discovery.start(listener, self);
    this.#discovery = discovery;
  }

  async stop(): Promise<void> {
    const discovery = this.#discovery;
    if (discovery === undefined) return;
    let cancel = (): void => {};
    const late = new Promise((_resolve, reject) => {
      const error = new Error(`it has not stopped after ${STOP_MS} ms`);
      cancel = this.#port.after(STOP_MS, () => reject(error));
    });
    try {
      await Promise.race([discovery.stop(), late]);
    } catch (error) {
      this.#port.logger.warn({ err: error }, 'a discovery could not be stopped');
    }
    cancel();
  }
}
