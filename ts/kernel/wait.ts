// A pending receive: the record that senders, turns and the end of an actor work on.
import { NOTHING, type Test } from '../mailbox/index.ts';
import type { Timer } from '../timers/index.ts';
import { Call } from './call.ts';
import { type Cell, LIMITED, nothing } from './cell.ts';
import { loggedTag } from './match.ts';

/** A pending receive: what it waits for. Its promise is the actor's `resume`. */
export class Wait {
  /** Null: any message. */
  readonly test: Test | null;
  readonly keys: readonly unknown[];
  /** The test is ours and cannot throw: senders may run it. */
  readonly isSafe: boolean;
  limits: WaitLimits | null = null;

  constructor(test: Test | null, isSafe: boolean, keys: readonly unknown[]) {
    this.test = test;
    this.isSafe = isSafe;
    this.keys = isSafe ? keys : [this];
  }
}

/** The pending receive of every actor that waits for any message without an end: nothing in it ever changes. */
export const ANY: Wait = new Wait(null, true, []);

/** What may end a receive without a message. */
interface WaitLimits {
  readonly timer: Timer | null;
  readonly disarm: (() => void) | null;
}

/** Takes a message for `wait` out of the mailbox, or NOTHING. What a matcher throws comes through. */
export function take(cell: Cell, wait: Wait): unknown {
  const { mailbox } = cell;
  if (mailbox === null || mailbox.size === 0) return NOTHING;
  const found = wait.test === null ? mailbox.shift() : mailbox.take(wait.test, wait.keys);
  if (found !== NOTHING && (cell.flags & LIMITED) !== 0) cell.extra?.gate?.left(found);
  return found;
}

/** Ends a wait with a message (or TIMEOUT). The actor's code goes on as a microtask. */
export function settle(cell: Cell, wait: Wait, message: unknown): void {
  const { resume } = cell;
  release(cell, wait);
  resume(taken(cell, message));
}

export function release(cell: Cell, wait: Wait): void {
  cell.wait = null;
  cell.resume = nothing; // the promise would keep the message
  if (wait.limits !== null) lift(cell, wait.limits);
  if (!wait.isSafe) cell.mailbox?.forget(wait);
}

function lift(cell: Cell, { timer, disarm }: WaitLimits): void {
  if (timer !== null) cell.runtime.timers.cancel(timer);
  disarm?.();
}

/** Notes what the actor is at. */
export function taken(cell: Cell, message: unknown): unknown {
  if (cell.handling !== null && cell.runtime.now() >= cell.handling.deadline) cell.handling = null;
  cell.lastTag = loggedTag(message);
  if (message instanceof Call) cell.handling = message;
  return message;
}
