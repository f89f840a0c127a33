// Crash, exit and death of an actor.
import { actorCrash, actorExit } from '../diagnostics/index.ts';
import type { Pid } from '../term/index.ts';
import { BUSY, type Cell, cellOf, DEAD, LEAVING, QUEUED, TERMINATING } from './cell.ts';
import type { Starter } from './cell-extras.ts';
import { crashReason, isLeave, type Leave } from './crash-reason.ts';
import type { ExitReason } from './exit-reason.ts';
import { silentLogger } from './logger.ts';
import { type LoggedTag, reportedTag } from './message-tag.ts';
import { ON_DEATH } from './program.ts';
import { promiseOf } from './promise.ts';
import { release } from './taking.ts';
import { forgetLatest } from './wait.ts';

/** Most PIDs of ancestors in a crash report, and in introspection. */
const MAX_ANCESTORS = 9;

/** Ends an actor whose code threw `thrown`. `message`: the one that its handler was called with. */
export function crash(cell: Cell, thrown: unknown, message?: unknown): void {
  if (cell.isDead) return;
  if (leaveIfExited(cell)) return;
  if (isOwnLeave(cell, thrown)) return; // code that called `self.exit` rejects while onTerminate runs
  const reason = crashReason(thrown);
  report(cell, reason, message);
  leave(cell, reason);
}

/** Logs a crash, or an exit for another reason than `normal` and `shutdown`. */
export function report(cell: Cell, reason: ExitReason, message: unknown): void {
  if (actorCrash.hasSubscribers)
    actorCrash.publish({ runtime: cell.kernel, pid: cell.pid, label: cell.label, reason });
  const { logger } = cell.kernel;
  if (logger === silentLogger) return;
  try {
    logger.error(
      {
        event: 'actor_crash',
        actor: cell.pid.toString(),
        name: cell.label,
        reason,
        lastMessage: nameOf(message === undefined ? cell.lastTag : reportedTag(message)),
        ancestors: ancestorsOf(cell).map(String),
      },
      'an actor crashed',
    );
  } catch {
    // A logger that throws must not disturb the runtime.
  }
}

function nameOf(tag: LoggedTag): string | undefined {
  return typeof tag === 'string' ? tag : tag?.name;
}

/**
 * Ends an actor that exits by itself or crashed: a handler's `onTerminate` runs first. While it runs, other code that the actor left
 * pending may fail: the first reason stays (A5).
 */
export function leave(cell: Cell, reason: ExitReason): void {
  if (cell.isDead || (cell.flags & TERMINATING) !== 0) return;
  try {
    const { body } = cell;
    if (body?.onTerminate === undefined) return terminate(cell, reason);
    cell.flags = (cell.flags & ~LEAVING) | TERMINATING | BUSY;
    const pending = promiseOf(body.onTerminate(reason, cell));
    if (pending === undefined) return terminate(cell, reason);
    pending.then(
      () => terminate(cell, reason),
      (error) => failedTerminate(cell, reason, error),
    );
  } catch (error) {
    failedTerminate(cell, reason, error);
  }
  return undefined;
}

/** Ends an actor whose handler has called `self.exit`. False: it has not. */
export function leaveIfExited(cell: Cell): boolean {
  if ((cell.flags & LEAVING) === 0) return false;
  leave(cell, cell.extra?.leavingWith);
  return true;
}

/** `onTerminate` failed with `error`, or was left by `self.exit`. `first`: the reason that the actor had. */
function failedTerminate(cell: Cell, first: ExitReason, error: unknown): void {
  if (cell.isDead) return;
  if (isOwnLeave(cell, error)) return terminate(cell, error.reason === undefined ? first : error.reason);
  const reason = crashReason(error);
  report(cell, reason, undefined);
  terminate(cell, reason);
}

/** Whether the actor itself left its code. The exit of another actor that leaves it is an error (A3). */
export function isOwnLeave(cell: Cell, thrown: unknown): thrown is Leave {
  return isLeave(thrown) && thrown.pid === cell.pid;
}

/** Ends an actor whose mailbox is full and has the policy `exit`. */
export function endForFullMailbox(cell: Cell): void {
  const reason = { mailbox_full: cell.extra?.gate?.max };
  report(cell, reason, undefined);
  terminate(cell, reason);
}

/**
 * Ends an actor at once. Order: it is marked dead; its names, timers and aliases are released; then its links and monitors get
 * their signals (A8). Deaths that follow from it are queued: a chain of a million links needs no deep stack.
 */
export function terminate(cell: Cell, reason: ExitReason): void {
  if (cell.isDead) return;
  const { kernel } = cell;
  cell.flags = (cell.flags | DEAD) & ~QUEUED;
  cell.pid.route = undefined;
  kernel.table.remove(cell.pid.local);
  if (cell.wait !== null) release(cell, cell.wait);
  forgetLatest();
  const { body } = cell;
  if (body?.[ON_DEATH] !== undefined) cell.onDeath(() => body[ON_DEATH]?.());
  const { extra } = cell;
  const unread = cell.mailbox === null ? 0 : cell.mailbox.clear();
  kernel.names.release(cell.pid);
  if (extra !== null) {
    for (const timer of extra.timers ?? []) timer.end();
    if (extra.aliases !== null) kernel.aliases.endAll(extra.aliases);
    while (extra.calls !== null) extra.calls.withdraw(); // a pending call leaves nothing behind (G5)
  }
  // Code of users, which may run now, must not find anything of the actor.
  if (unread > 0) kernel.deadLetters.count('unread', cell.pid, unread);
  if (actorExit.hasSubscribers)
    actorExit.publish({ runtime: kernel, pid: cell.pid, label: cell.label, reason, turns: cell.turns });
  cell.empty();
  if (extra !== null) kernel.deaths.push(cell.pid, extra, reason);
}

/** Removes and returns the starter of an actor, so that it gets one outcome only. */
export function takeStarter(cell: Cell): Starter | null {
  const extra = cell.extra;
  if (extra === null || extra.starter === null) return null;
  const { starter } = extra;
  extra.starter = null;
  return starter;
}

/**
 * The PIDs above an actor, its parent first, at most MAX_ANCESTORS: those stored when it was spawned, otherwise the ancestors that still live.
 * None for null, which is code outside of actors.
 */
export function ancestorsOf(cell: Cell | null): readonly Pid[] {
  if (cell === null) return [];
  const stored = cell.extra?.ancestors ?? [];
  if (stored.length > 0) return [cell.parent, ...stored].slice(0, MAX_ANCESTORS);
  const found = [cell.parent];
  for (let above = cellOf(cell.parent); above !== undefined && found.length < MAX_ANCESTORS; ) {
    found.push(above.parent);
    above = cellOf(above.parent);
  }
  return found;
}
