// One name this node has to do with: connected, being dialled, or both at once for a moment. A peer that is neither is
// forgotten, so that names which lead nowhere leave nothing behind (L16).
import type { NodeName } from './node-name.ts';
import type { Outgoing } from './outgoing.ts';
import type { Session } from './session.ts';

/** How a dial ended, in words. Indexed by the native status. */
export const DIAL_RESULTS = [
  'up',
  'unreachable',
  'timeout',
  'cookie',
  'incompatible',
  'wrong-name',
  'duplicate',
  'stopping',
] as const;

export type DialResult = (typeof DIAL_RESULTS)[number];

export class Peer {
  readonly name: NodeName;
  session: Session | undefined = undefined;
  /** Frames written before there is a session; it becomes the session's own when that comes up. */
  waiting: Outgoing | undefined = undefined;
  /** The dial under way, 0 for none. */
  request = 0;
  /** Those who wait for its end. */
  readonly #callers: ((result: DialResult) => void)[] = [];

  constructor(name: NodeName) {
    this.name = name;
  }

  /** Nothing keeps it: neither a session nor a dial. */
  get isIdle(): boolean {
    return this.session === undefined && this.request === 0;
  }

  /** Resolves when the dial under way has ended. */
  dialled(): Promise<DialResult> {
    return new Promise((resolve) => this.#callers.push(resolve));
  }

  /** The dial has ended. */
  settle(result: DialResult): void {
    this.request = 0;
    for (const resolve of this.#callers.splice(0)) resolve(result);
  }
}
