import type { Rate } from '../client/index.ts';
import type { Limits } from './limits.ts';

/** The state of one client in a `RateLimit`. */
export interface RateState {
  /** When its next message arrives if it keeps exactly to the rate, in ms of a monotonic clock. */
  theoreticalArrival: number;
}

/** A client is closed when this many times as many of its messages wait for the handler as the limit `waiting` says. */
export const MOST_WAITING = 4;
/** A burst may have the messages of this time. Unit: ms. */
const BURST_MS = 2000;

/**
 * What clients are told of the limits. A client has at most a burst on its way that this node has not read. If its socket is not read because
 * `waiting` messages wait, a burst more may still arrive.
 */
export function rateOf({ messagesPerSecond, waiting }: Limits): Rate {
  return {
    perSecond: messagesPerSecond,
    burst: Math.min((messagesPerSecond * BURST_MS) / 1000, (MOST_WAITING - 1) * waiting),
  };
}

/** Limits the messages per second of many clients, by the generic cell rate algorithm. A burst may have twice the messages of a second. */
export class RateLimit {
  readonly #msEach: number;

  constructor(perSecond: number) {
    this.#msEach = 1000 / perSecond;
  }

  /** Counts a message. False: it exceeds the limit. @param now In ms of a monotonic clock. */
  take(state: RateState, now: number): boolean {
    const theoreticalArrival = Math.max(state.theoreticalArrival, now) + this.#msEach;
    if (theoreticalArrival > now + BURST_MS + this.#msEach / 2) return false; // half a message is a margin for rounding errors
    state.theoreticalArrival = theoreticalArrival;
    return true;
  }
}
