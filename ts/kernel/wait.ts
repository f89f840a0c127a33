// A pending receive, and the promise behind it.
import type { Matcher } from '../mailbox/index.ts';
import type { Timer } from '../timers/index.ts';

/** A pending receive: what it waits for. `Cell.resume` settles its promise. */
export class Wait {
  /** Null: any message. */
  readonly match: Matcher | null;
  readonly keys: readonly unknown[];
  /** The match is not user code and cannot throw: senders may run it. */
  readonly isSafe: boolean;
  limits: WaitLimits | null = null;

  constructor(match: Matcher | null, isSafe: boolean, keys: readonly unknown[]) {
    this.match = match;
    this.isSafe = isSafe;
    this.keys = isSafe ? keys : [this];
  }
}

/** The pending receive of every actor that waits for any message without a limit. All share it: it never changes. */
export const ANY: Wait = new Wait(null, true, []);

/** What may end a receive without a message. */
export interface WaitLimits {
  readonly timer: Timer | null;
  readonly disarm: (() => void) | null;
}

/** The functions that settle the promise that {@link deferred} made last. Read them at once: the next promise overwrites them. */
export const latest: { resolve: (value: unknown) => void; reject: (reason: unknown) => void } = {
  resolve: () => {},
  reject: () => {},
};

/** A pending promise that costs no closure; {@link latest} settles it. */
export function deferred(): Promise<unknown> {
  return new Promise(capture);
}

function capture(resolve: (value: unknown) => void, reject: (reason: unknown) => void): void {
  latest.resolve = resolve;
  latest.reject = reject;
}
