// How messages leave a mailbox: a pending receive takes one, and ends with it or without.
import { type Keys, type Matcher, NOTHING } from '../mailbox/index.ts';
import { Call } from './call.ts';
import { type Cell, LIMITED, type Resume, TRACED } from './cell.ts';
import { TIMEOUT } from './match.ts';
import { systemTag, userTag } from './message-tag.ts';
import { SystemMessage } from './system-message.ts';
import { forgetWait, type Wait } from './wait.ts';

/** Removes and returns the message that `match` takes, null: the oldest; or NOTHING. Throws what the match throws. */
export function take(cell: Cell, match: Matcher | null, keys: Keys): unknown {
  const { mailbox } = cell;
  if (mailbox === null || mailbox.size === 0) return NOTHING;
  const found = match === null ? mailbox.shift() : mailbox.take(match, keys);
  if (found !== NOTHING && (cell.flags & LIMITED) !== 0) cell.extra?.gate?.left(found);
  return found;
}

/** Ends a pending receive with a message or TIMEOUT. The actor's code continues in a microtask. */
export function settle(cell: Cell, wait: Wait, message: unknown): void {
  const resume = release(cell, wait);
  resume(taken(cell, message));
}

/** Ends a pending receive with TIMEOUT, which is no message: crash reports still name the message before. */
export function timeOut(cell: Cell, wait: Wait): void {
  const { lastTag, turns } = cell;
  settle(cell, wait, TIMEOUT);
  cell.lastTag = lastTag;
  cell.turns = turns;
}

/** Ends a pending receive without an outcome. Returns what resolves its promise. */
export function release(cell: Cell, wait: Wait): Resume {
  const resume = cell.endWait();
  if (wait.limits !== null) {
    const { timer, disarm } = wait.limits;
    if (timer !== null) cell.kernel.timers.cancel(timer);
    disarm?.();
  }
  if (cell.mailbox !== null) forgetWait(cell.mailbox, wait);
  return resume;
}

/** Records which message the actor handles now: for crash reports, and for the deadline of nested calls. */
export function taken(cell: Cell, message: unknown): unknown {
  if (cell.handling !== null && cell.kernel.now() >= cell.handling.deadline) cell.handling = null;
  cell.turns++;
  if ((cell.flags & TRACED) !== 0) cell.kernel.tracing?.received(cell, message);
  if (message instanceof SystemMessage) {
    cell.lastTag = systemTag(message);
    if (message instanceof Call) cell.handling = message;
  } else cell.lastTag = userTag(message);
  return message;
}
