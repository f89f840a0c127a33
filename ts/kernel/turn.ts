// The turns of an actor: its init, then bounded pieces of work; and the request to stop.

import { kindOf, SnowmeshError } from '../errors/index.ts';
import { NOTHING } from '../mailbox/index.ts';
import { Call } from './call.ts';
import {
  BUSY,
  type Cell,
  DEAD,
  ENVELOPES,
  IN_STORE,
  inStore,
  LIMITED,
  QUEUED,
  TERMINATING,
  wake,
  wakeUnfinished,
} from './cell.ts';
import { crash, leave, leaveIfExited, report, takeStarter, terminate } from './death.ts';
import { deliver, Envelope } from './delivery.ts';
import { type ExitReason, isCleanExit } from './exit-reason.ts';
import { reportedTag } from './message-tag.ts';
import { type Body, IGNORE } from './program.ts';
import { promiseOf } from './promise.ts';
import { hideStop, StopRequest } from './stop-request.ts';
import { Exit, SystemMessage } from './system-message.ts';
import { release, settle, take } from './taking.ts';
import type { TracingPort } from './tracing-port.ts';

/** One turn. True: a promise was settled. */
export function runCell(cell: Cell): boolean {
  cell.flags &= ~QUEUED;
  if ((cell.flags & DEAD) !== 0) return false;
  return (cell.flags & IN_STORE) !== 0 ? inStore(cell.extra, takeTurn, cell) : takeTurn(cell);
}

function takeTurn(cell: Cell): boolean {
  if ((cell.flags & BUSY) !== 0) return resume(cell); // its init is pending, and may receive
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
  const { tracing } = cell.kernel;
  if (tracing === null) start(cell);
  else beginTraced(tracing, cell);
}

function beginTraced(tracing: TracingPort, cell: Cell): void {
  tracing.begin(cell, () => start(cell));
}

function start(cell: Cell): void {
  const { what, isHandler, args } = cell.takeBirth();
  try {
    if (typeof what === 'function' && !isHandler) return follow(cell, what(cell, ...(args as unknown[])));
    if (typeof what !== 'function' && what.kind === 'function') {
      return follow(cell, what.body(cell, ...(args as unknown[])));
    }
    const init = typeof what === 'function' ? (what as unknown as (...all: unknown[]) => unknown) : what.init;
    cell.flags |= BUSY;
    const made = (init as (...all: unknown[]) => unknown)(cell, ...args);
    const pending = promiseOf(made);
    if (pending === undefined) return embody(cell, made);
    pending.then(
      (body) => embody(cell, body),
      (error) => crash(cell, error),
    );
  } catch (error) {
    crash(cell, error);
  }
  return undefined;
}

function embody(cell: Cell, made: unknown): void {
  cell.flags &= ~BUSY;
  if (cell.isDead) return;
  if (made === IGNORE) {
    const starter = takeStarter(cell);
    terminate(cell, 'normal');
    starter?.ignored();
    return;
  }
  if (typeof made !== 'object' || made === null) {
    const why = `The init of ${cell.label} returned no handler, but ${kindOf(made)}.`;
    return crash(cell, new SnowmeshError('SNOW_ERR_NOT_SPAWNABLE', why));
  }
  if (cell.wait !== null) release(cell, cell.wait); // of an init that did not await its receive
  cell.body = made as Body;
  takeStarter(cell)?.ready();
  if (cell.mailbox !== null && cell.mailbox.size > 0) wake(cell);
}

/** A function actor ends when its function returns, or its promise settles. */
function follow(cell: Cell, result: unknown): void {
  // Two bound functions take 60 bytes less than two closures with their context: each idle actor keeps them.
  const pending = promiseOf(result);
  if (pending === undefined) terminate(cell, 'normal');
  else pending.then(returned.bind(cell), threw.bind(cell));
}

function returned(this: Cell): void {
  terminate(this, 'normal');
}

function threw(this: Cell, error: unknown): void {
  crash(this, error);
}

/** A function actor's turn: settles its pending receive if a message matches. */
function resume(cell: Cell): boolean {
  const { wait } = cell;
  if (wait === null) return false;
  let found: unknown;
  try {
    found = take(cell, wait.match, wait.keys);
  } catch (error) {
    crash(cell, error);
    return false;
  }
  if (found === NOTHING || cell.wait !== wait) return false;
  settle(cell, wait, found);
  return true;
}

/**
 * A handler actor's turn: handles all messages that are in the mailbox when the turn begins, so that a backlog does not grow while
 * senders run in between. What it sends to itself meanwhile waits for its next turn: an actor that works through a list by sending
 * to itself must not run many times before the actors that it sends to.
 */
function handle(cell: Cell): void {
  const { scheduler } = cell.kernel;
  const most = cell.mailbox === null ? 0 : cell.mailbox.size;
  for (let handled = 0; handled < most; handled++) {
    const { mailbox } = cell;
    if (mailbox === null || mailbox.size === 0) return;
    if (handled > 0 && !scheduler.spend()) return wakeUnfinished(cell);
    const message = mailbox.shift();
    cell.turns++;
    if ((cell.flags & LIMITED) !== 0) cell.extra?.gate?.left(message);
    const goesOn =
      message instanceof SystemMessage
        ? handleSystem(cell, message)
        : handleOne(cell, message, opened(cell, message));
    if (!goesOn) return;
  }
  if (cell.mailbox !== null && cell.mailbox.size > 0) wake(cell);
}

/** The message of what the mailbox held. */
function opened(cell: Cell, item: unknown): unknown {
  return (cell.flags & ENVELOPES) !== 0 && item instanceof Envelope ? item.open() : item;
}

/** False: the actor takes no further message now. */
function handleSystem(cell: Cell, message: SystemMessage): boolean {
  if (message instanceof StopRequest) {
    if (!isCleanExit(message.reason)) report(cell, message.reason, undefined);
    leave(cell, message.reason);
    return false;
  }
  if (message instanceof Exit && message.from.equals(cell.parent)) {
    leave(cell, message.reason); // its parent ended, so it ends (I5); messages sent earlier were handled first (B1)
    return false;
  }
  if (message instanceof Call) cell.handling = message;
  return handleOne(cell, message, message);
}

/** Calls the handler with `message`; `item` is what the mailbox held. False: the actor takes no further message now. */
function handleOne(cell: Cell, item: unknown, message: unknown): boolean {
  const body = cell.body as Body;
  const { tracing } = cell.kernel;
  try {
    const pending = promiseOf(
      tracing === null ? body.onMessage(message, cell) : tracing.turn(cell, item, message, body),
    );
    if (pending !== undefined) {
      cell.flags |= BUSY;
      cell.lastTag = reportedTag(message);
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
  if (!cell.isOver) return true;
  leaveIfExited(cell);
  return false;
}

function handledLate(cell: Cell): void {
  if (cell.isDead || (cell.flags & TERMINATING) !== 0) return;
  cell.flags &= ~BUSY;
  cell.handling = null;
  cell.lastTag = undefined;
  if (!leaveIfExited(cell) && cell.mailbox !== null && cell.mailbox.size > 0) wake(cell);
}

/** Tells an actor of this runtime to stop, as `stop` does (I6). */
export function requestStop(cell: Cell, reason: ExitReason): void {
  const { birth } = cell;
  if (cell.body !== null) return deliver(cell, new StopRequest(reason));
  // A busy actor without a body is in its init.
  const willBeHandler =
    (cell.flags & BUSY) !== 0 ||
    (birth !== null &&
      (birth.isHandler || (typeof birth.what !== 'function' && birth.what.kind === 'handler')));
  if (willBeHandler) {
    hideStop(cell);
    return deliver(cell, new StopRequest(reason));
  }
  if (!cell.isTrapping) return terminate(cell, reason);
  // A function actor that traps exits gets an Exit and decides by itself, as when its parent ends.
  deliver(cell, new Exit(cell.parent, reason));
}
