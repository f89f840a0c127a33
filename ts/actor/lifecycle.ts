// Birth, turns and death of an actor.
import { Mailbox, NOTHING } from '../mailbox/index.ts';
import type { Pid } from '../term/index.ts';
import { Call } from './call.ts';
import { withdrawCalls } from './calls.ts';
import {
  BUSY,
  Cell,
  cellOf,
  DEAD,
  LIMITED,
  QUEUED,
  READY,
  type Starter,
  TERMINATING,
  TRAPS,
} from './cell.ts';
import { crashReason, isLeave } from './crash-reason.ts';
import { wake } from './delivery.ts';
import { type ExitReason, isCleanExit } from './exit-reason.ts';
import { MailboxGate } from './mailbox-gate.ts';
import { loggedTag } from './match.ts';
import type { Runtime } from './runtime.ts';
import { passOn } from './signals.ts';
import type { SpawnOptions } from './spawn-options.ts';
import { type HandlerBody, IGNORE, type Startable } from './spec.ts';
import { StopRequest } from './stop-request.ts';
import { Exit } from './system-message.ts';
import { release, settle, take } from './waiting.ts';

/** Messages a handler takes in one turn. */
const MESSAGES_PER_TURN = 64;
/** PIDs in a crash report. */
const MOST_ANCESTORS = 9;

/** Makes the control block of a new actor; it runs when `wake` gives it a turn. */
export function createCell(
  runtime: Runtime,
  parent: Pid,
  birth: { what: Startable; isHandler: boolean; args: readonly unknown[] },
  options: SpawnOptions | undefined,
): Cell {
  const gate = options?.mailbox === undefined ? null : new MailboxGate(options.mailbox);
  const local = runtime.table.nextId();
  const label = options?.label ?? (birth.what.name || 'anonymous');
  const cell = new Cell(runtime, local, parent, label, birth);
  runtime.table.add(local, cell);
  if (options === undefined) return cell;
  if (options.trapExit === true) cell.flags |= TRAPS;
  if (gate !== null) {
    cell.flags |= LIMITED;
    cell.more().gate = gate;
  }
  if (options.name !== undefined) {
    try {
      runtime.names.register(options.name, cell.pid);
    } catch (error) {
      cell.flags |= DEAD;
      cell.pid.route = undefined;
      runtime.table.remove(local);
      throw error;
    }
  }
  return cell;
}

/** One turn. True: a promise was settled. */
export function runCell(cell: Cell): boolean {
  cell.flags &= ~QUEUED;
  if ((cell.flags & (DEAD | BUSY)) !== 0) return false;
  if (cell.birth !== null) {
    begin(cell);
    if (cell.isDead || cell.body === null) return true;
  }
  if (cell.body !== null) {
    handle(cell);
    return false;
  }
  return resume(cell);
}

/** The actor's first turn: its function is called, or its init. */
export function begin(cell: Cell): void {
  const { what, isHandler, args } = cell.birth as NonNullable<Cell['birth']>;
  cell.birth = null;
  try {
    if (typeof what === 'function' && !isHandler)
      return follow(cell, what(cell.self, ...(args as unknown[])));
    if (typeof what !== 'function' && what.kind === 'function') {
      return follow(cell, what.body(cell.self, ...(args as unknown[])));
    }
    const init = typeof what === 'function' ? (what as unknown as (...all: unknown[]) => unknown) : what.init;
    const made = (init as (...all: unknown[]) => unknown)(cell.self, ...args);
    if (!isPromise(made)) return embody(cell, made);
    cell.flags |= BUSY;
    made.then(
      (body) => {
        cell.flags &= ~BUSY;
        if (!cell.isDead) embody(cell, body);
      },
      (error) => crash(cell, error),
    );
  } catch (error) {
    crash(cell, error);
  }
  return undefined;
}

/** Who waits for this actor's init, now answered. */
export function takeStarter(cell: Cell): Starter | null {
  const extra = cell.extra;
  if (extra === null || extra.starter === null) return null;
  const { starter } = extra;
  extra.starter = null;
  return starter;
}

function embody(cell: Cell, made: unknown): void {
  if (cell.leaving !== null) return terminate(cell, cell.leaving.reason);
  if (made === IGNORE) {
    const starter = takeStarter(cell);
    terminate(cell, 'normal');
    starter?.ignored();
    return;
  }
  if (typeof made !== 'object' || made === null) {
    return crash(cell, new TypeError(`The init of ${cell.label} made no handler, but ${String(made)}.`));
  }
  cell.body = made as HandlerBody<never>;
  cell.flags |= READY;
  takeStarter(cell)?.ready();
  if (cell.mailbox !== null && cell.mailbox.size > 0) wake(cell);
}

/** The end of a function actor's code is the end of the actor. */
function follow(cell: Cell, result: unknown): void {
  if (!isPromise(result)) return terminate(cell, 'normal');
  result.then(
    () => terminate(cell, 'normal'),
    (error) => crash(cell, error),
  );
}

/** A function actor's turn: does its receive find something? */
function resume(cell: Cell): boolean {
  const { wait } = cell;
  if (wait === null) return false;
  let found: unknown;
  try {
    found = take(cell, wait);
  } catch (error) {
    crash(cell, error);
    return false;
  }
  if (found === NOTHING || cell.wait !== wait) return false;
  settle(cell, wait, found);
  return true;
}

/** A handler actor's turn. */
function handle(cell: Cell): void {
  const { scheduler } = cell.runtime;
  for (let handled = 0; handled < MESSAGES_PER_TURN; handled++) {
    const { mailbox } = cell;
    if (mailbox === null || mailbox.size === 0) return;
    if (handled > 0 && !scheduler.spend()) break;
    const message = mailbox.shift();
    if ((cell.flags & LIMITED) !== 0) cell.extra?.gate?.left(message);
    if (!handleOne(cell, message)) return;
  }
  if (cell.mailbox !== null && cell.mailbox.size > 0) wake(cell);
}

/** False: the actor takes no further message now. */
function handleOne(cell: Cell, message: unknown): boolean {
  const body = cell.body as HandlerBody<never>;
  if (message instanceof StopRequest) {
    if (!isCleanExit(message.reason)) report(cell, message.reason, undefined);
    leave(cell, message.reason);
    return false;
  }
  if (message instanceof Exit && message.from.equals(cell.parent)) {
    leave(cell, message.reason); // I5, in its turn: what was sent before comes first (B1)
    return false;
  }
  if (message instanceof Call) cell.handling = message;
  try {
    const pending = body.onMessage(message as never, cell.self as never);
    if (isPromise(pending)) {
      cell.flags |= BUSY;
      pending.then(
        () => handledLate(cell),
        (error) => crash(cell, error, message),
      );
      return false;
    }
  } catch (error) {
    crash(cell, error, message);
    return false;
  }
  cell.handling = null;
  if (cell.leaving !== null) {
    leave(cell, cell.leaving.reason);
    return false;
  }
  return !cell.isDead;
}

function handledLate(cell: Cell): void {
  if (cell.isDead || (cell.flags & TERMINATING) !== 0) return;
  cell.flags &= ~BUSY;
  cell.handling = null;
  if (cell.leaving !== null) leave(cell, cell.leaving.reason);
  else if (cell.mailbox !== null && cell.mailbox.size > 0) wake(cell);
}

/** The actor's code threw. */
export function crash(cell: Cell, thrown: unknown, message?: unknown): void {
  if (cell.isDead) return;
  if (cell.leaving !== null) return leave(cell, cell.leaving.reason);
  if (isLeave(thrown)) {
    // Its onTerminate runs already when asynchronous code that called `self.exit` comes to its end.
    return (cell.flags & TERMINATING) === 0 ? terminate(cell, 'normal') : undefined;
  }
  const reason = crashReason(thrown);
  report(cell, reason, message);
  leave(cell, reason);
}

/** Reports a crash, or an exit for a reason that is no clean end; once. */
export function report(cell: Cell, reason: ExitReason, message: unknown): void {
  try {
    cell.runtime.logger.error(
      {
        event: 'actor_crash',
        actor: cell.pid.toString(),
        name: cell.label,
        reason,
        lastMessage: message === undefined ? cell.lastTag : loggedTag(message),
        ancestors: lineOf(cell).map(String),
      },
      'an actor crashed',
    );
  } catch {
    // A logger that fails must not take the runtime along.
  }
}

/** Ends an actor that ends by itself: a handler's `onTerminate` first. */
export function leave(cell: Cell, reason: ExitReason): void {
  if (cell.isDead) return;
  if ((cell.flags & TERMINATING) !== 0) return terminate(cell, reason);
  try {
    const onTerminate = cell.body?.onTerminate;
    if (onTerminate === undefined) return terminate(cell, reason);
    cell.flags |= TERMINATING | BUSY;
    cell.leaving = null;
    const pending = onTerminate.call(cell.body, reason, cell.self as never);
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

/** A mailbox over its limit ends its actor. */
export function endOfMailbox(cell: Cell): void {
  const reason = { mailbox_full: cell.extra?.gate?.max };
  report(cell, reason, undefined);
  terminate(cell, reason);
}

/**
 * The end of an actor, in the order that rule A8 wants: dead for everybody, then names, timers and aliases, then those who
 * watch. Ends of others that follow from it are queued, so a chain of a million links needs no deep stack.
 */
export function terminate(cell: Cell, reason: ExitReason): void {
  if (cell.isDead) return;
  const { runtime } = cell;
  cell.flags = (cell.flags | DEAD) & ~QUEUED;
  cell.pid.route = undefined;
  runtime.table.remove(cell.pid.local);
  if (cell.wait !== null) release(cell, cell.wait);
  const { extra } = cell;
  const unread = cell.mailbox === null ? 0 : cell.mailbox.clear();
  if (unread > 0) runtime.deadLetters.count('unread', cell.pid, unread);
  runtime.names.release(cell.pid);
  const starter = takeStarter(cell);
  if (extra !== null) {
    for (const timer of extra.timers ?? []) runtime.timers.cancel(timer);
    for (const id of extra.aliases ?? []) runtime.aliases.delete(id);
    withdrawCalls(extra);
  }
  cell.empty();
  if (extra !== null) passOn(runtime, cell.pid, extra, reason);
  starter?.failed(reason);
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

/** What waits in an actor's mailbox, oldest first. */
export function mailboxOf(cell: Cell | undefined): unknown[] {
  return cell?.mailbox instanceof Mailbox ? [...cell.mailbox] : [];
}

/** The PIDs above a new actor, for crash reports. */
export function ancestorsOf(parent: Cell | null): readonly Pid[] {
  return parent === null ? [] : lineOf(parent);
}

/** The PIDs above an actor, its parent first: what was written down at its birth, or who still lives of them. */
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
