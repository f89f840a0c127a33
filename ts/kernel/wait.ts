// A pending receive, and the promise behind it.
import type { Mailbox, Matcher } from '../mailbox/index.ts';
import type { Timer } from '../timers/index.ts';

/** A pending receive: what it waits for. `Cell.resume` settles its promise. */
export class Wait {
  /** Null: any message. */
  readonly match: Matcher | null;
  readonly keys: readonly unknown[];
  /** The match is not user code and cannot throw: senders may run it. */
  readonly isSafe: boolean;
  limits: WaitLimits | null = null;

  /** `keys` of the match; without one, the mailbox remembers how far it searched under the receive itself. */
  constructor(match: Matcher | null, isSafe: boolean, keys: readonly unknown[]) {
    this.match = match;
    this.isSafe = isSafe;
    this.keys = match !== null && keys.length === 0 ? [this] : keys;
  }
}

/** Drops what a mailbox remembers under a receive that has ended. */
export function forgetWait(mailbox: Mailbox, wait: Wait): void {
  if (wait.keys[0] === wait) mailbox.forget(wait);
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
