// A pending receive, and the promise behind it.
import type { Keys, Mailbox } from '../mailbox/index.ts';
import type { Timer } from '../timers/index.ts';
import { type CompiledMatch, hasKeys } from './key-match.ts';

/** What a pending receive waits for. The cell has what resolves its promise: `Cell.suspend`. */
export class Wait {
  /** Null: any message. Replaced when the actor is asked to stop during its init. */
  match: CompiledMatch | null;
  /** The match is not user code and cannot throw: senders may run it. */
  readonly isSafe: boolean;
  /** Those of the match; if it has none, the mailbox remembers how far it searched under the receive itself. */
  readonly keys: Keys;
  limits: WaitLimits | null = null;

  constructor(match: CompiledMatch | null) {
    this.match = match;
    this.isSafe = match === null || match.isSafe;
    this.keys = match === null || hasKeys(match) ? (match?.keys ?? NONE) : this;
  }
}

const NONE: Keys = [];

/** Drops what a mailbox remembers under a receive that has ended. */
export function forgetWait(mailbox: Mailbox, wait: Wait): void {
  if (wait.keys === wait) mailbox.forget(wait);
}

/** The pending receive of every actor that waits for any message without a limit. All share it: it never changes. */
export const ANY: Wait = new Wait(null);

/** What may end a receive without a message. */
export interface WaitLimits {
  readonly timer: Timer | null;
  readonly disarm: (() => void) | null;
}

/** The functions that settle the promise that {@link deferred} made last. Read them at once: the next promise overwrites them. */
export const latest: { resolve: (value: unknown) => void; reject: (reason: unknown) => void } = {
  resolve: ignore,
  reject: ignore,
};

/** Drops the functions in {@link latest}: they keep the code that awaits their promise, also when its actor has ended. */
export function forgetLatest(): void {
  latest.resolve = latest.reject = ignore;
}

/** A pending promise that costs no closure; {@link latest} settles it. */
export function deferred(): Promise<unknown> {
  return new Promise(capture);
}

function capture(resolve: (value: unknown) => void, reject: (reason: unknown) => void): void {
  latest.resolve = resolve;
  latest.reject = reject;
}

function ignore(): void {}
