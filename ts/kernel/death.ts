// Crash, exit and death of an actor.
import { actorCrash, actorExit } from '../diagnostics/index.ts';
import type { Pid } from '../term/index.ts';
import { BUSY, type Cell, cellOf, DEAD, QUEUED, type Starter, TERMINATING } from './cell.ts';
import { crashReason, handOut, isLeave } from './crash-reason.ts';
import type { ExitReason } from './exit-reason.ts';
import { type LoggedTag, loggedTag } from './match.ts';
import { ON_DEATH } from './program.ts';
import { isPromise } from './promise.ts';
import { release } from './taking.ts';

/** PIDs in a crash report. */
const MOST_ANCESTORS = 9;

/** The actor's code threw. */
export function crash(cell: Cell, thrown: unknown, message?: unknown): void {
  if (cell.isDead) return;
  if (cell.leaving !== null) return leave(cell, cell.leaving.reason);
  if (isLeave(thrown)) {
    // While onTerminate runs, code that called `self.exit` before may still come to its end: nothing more to do.
    return (cell.flags & TERMINATING) === 0 ? terminate(cell, 'normal') : undefined;
  }
  const reason = crashReason(thrown);
  report(cell, reason, message);
  leave(cell, reason);
}

/** Logs a crash, or an exit with a reason that is no clean end. */
export function report(cell: Cell, reason: ExitReason, message: unknown): void {
  if (actorCrash.hasSubscribers)
    actorCrash.publish({ runtime: cell.kernel, pid: cell.pid, label: cell.label, reason });
  try {
    cell.kernel.logger.error(
      {
        event: 'actor_crash',
        actor: cell.pid.toString(),
        name: cell.label,
        reason,
        lastMessage: nameOf(message === undefined ? cell.lastTag : lastTag(message)),
        ancestors: lineOf(cell).map(String),
      },
      'an actor crashed',
    );
  } catch {
    // A logger that throws must not disturb the runtime.
  }
}

/** The tag of a message; of a cast, whose first element is the same for all, the second. */
function lastTag(message: unknown): LoggedTag {
  const tag = loggedTag(message);
  return tag === '$cast' && Array.isArray(message) ? (loggedTag(message.slice(1, 2)) ?? tag) : tag;
}

function nameOf(tag: LoggedTag): string | undefined {
  return typeof tag === 'string' ? tag : tag?.name;
}

/** Ends an actor that ends by itself: runs a handler's `onTerminate` first. */
export function leave(cell: Cell, reason: ExitReason): void {
  if (cell.isDead) return;
  if ((cell.flags & TERMINATING) !== 0) return terminate(cell, reason);
  try {
    const { body } = cell;
    if (body?.onTerminate === undefined) return terminate(cell, reason);
    cell.flags |= TERMINATING | BUSY;
    cell.leaving = null;
    const pending = body.onTerminate(reason, cell.self);
    if (!isPromise(pending)) return terminate(cell, reason);
    pending.then(
      () => terminate(cell, reason),
      (error) => failedTerminate(cell, error),
    );
  } catch (error) {
    failedTerminate(cell, error);
  }
  return undefined;
}

function failedTerminate(cell: Cell, error: unknown): void {
  if (cell.isDead) return;
  const { leaving } = cell as { leaving: { reason: unknown } | null };
  if (leaving !== null) return terminate(cell, leaving.reason);
  const reason = crashReason(error);
  report(cell, reason, undefined);
  terminate(cell, reason);
}

/** Ends an actor whose mailbox is full (policy `exit`). */
export function endOfMailbox(cell: Cell): void {
  const reason = { mailbox_full: cell.extra?.gate?.max };
  report(cell, reason, undefined);
  terminate(cell, reason);
}

/**
 * Ends an actor. Order: it is marked dead, then its names, timers and aliases are free, then links and monitors are
 * told (A8). Deaths that follow are queued, so a chain of a million links needs no deep stack.
 */
export function terminate(cell: Cell, reason: ExitReason): void {
  if (cell.isDead) return;
  const { kernel } = cell;
  cell.flags = (cell.flags | DEAD) & ~QUEUED;
  cell.pid.route = undefined;
  kernel.table.remove(cell.pid.local);
  if (cell.wait !== null) release(cell, cell.wait);
  const { body } = cell;
  if (body?.[ON_DEATH] !== undefined) cell.onDeath(() => body[ON_DEATH]?.());
  const { extra } = cell;
  const unread = cell.mailbox === null ? 0 : cell.mailbox.clear();
  if (unread > 0) kernel.deadLetters.count('unread', cell.pid, unread);
  kernel.names.release(cell.pid);
  const starter = takeStarter(cell);
  if (extra !== null) {
    for (const timer of extra.timers ?? []) kernel.timers.cancel(timer);
    if (extra.aliases !== null) kernel.aliases.endAll(extra.aliases);
    while (extra.calls !== null) extra.calls.withdraw(); // G5
  }
  if (actorExit.hasSubscribers)
    actorExit.publish({ runtime: kernel, pid: cell.pid, label: cell.label, reason, turns: cell.turns });
  cell.empty();
  if (extra !== null) kernel.deaths.push(cell.pid, extra, reason);
  starter?.failed(handOut(reason)());
}

/** Takes what waits for this actor's init: it is told once. */
export function takeStarter(cell: Cell): Starter | null {
  const extra = cell.extra;
  if (extra === null || extra.starter === null) return null;
  const { starter } = extra;
  extra.starter = null;
  return starter;
}

/** The PIDs above a new actor, for crash reports. */
export function ancestorsOf(parent: Cell | null): readonly Pid[] {
  return parent === null ? [] : lineOf(parent);
}

/** The PIDs above an actor, its parent first: those stored when it was spawned, else the ancestors that still live. */
function lineOf(cell: Cell): Pid[] {
  const noted = cell.extra?.ancestors ?? [];
  if (noted.length > 0) return [cell.parent, ...noted].slice(0, MOST_ANCESTORS);
  const line = [cell.parent];
  for (let above = cellOf(cell.parent); above !== undefined && line.length < MOST_ANCESTORS; ) {
    line.push(above.parent);
    above = cellOf(above.parent);
  }
  return line;
}
