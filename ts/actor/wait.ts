// A pending receive: the record that senders, turns and the end of an actor work on.
import { NOTHING, type Test } from '../mailbox/index.ts';
import type { Timer } from '../timers/index.ts';
import { Call } from './call.ts';
import { type Cell, LIMITED } from './cell.ts';
import { loggedTag } from './match.ts';

/** A pending receive. Most wait for any message without an end, so what others need besides is apart. */
export class Wait {
  /** Null: any message. */
  readonly test: Test | null;
  readonly keys: readonly unknown[];
  /** The test is ours and cannot throw: senders may run it. */
  readonly isSafe: boolean;
  resolve: (value: unknown) => void = nothing;
  limits: WaitLimits | null = null;

  constructor(test: Test | null, isSafe: boolean, keys: readonly unknown[]) {
    this.test = test;
    this.isSafe = isSafe;
    this.keys = isSafe ? keys : [this];
  }
}

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
  release(cell, wait);
  wait.resolve(taken(cell, message));
}

export function release(cell: Cell, wait: Wait): void {
  cell.wait = null;
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
  if (typeof message === 'object' && message !== null) {
    cell.handling = message instanceof Call ? message : cell.handling;
    cell.lastTag = loggedTag(message);
  } else cell.lastTag = undefined;
  return message;
}

function nothing(): void {}
