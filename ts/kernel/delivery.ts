// How messages enter a mailbox.
import { Mailbox, NOTHING } from '../mailbox/index.ts';
import { ByteCopies, copyAgain } from '../term/index.ts';
import { type Cell, ENVELOPES, LIMITED, QUEUED, wake } from './cell.ts';
import { endForFullMailbox } from './death.ts';
import { SystemMessage } from './system-message.ts';
import { settle } from './taking.ts';

/** {@link deliver} for a message of user code: the trace context of its sender is stored with it. */
export function deliverSent(cell: Cell, message: unknown): void {
  const { tracing } = cell.kernel;
  if (tracing !== null) tracing.enters(cell, message);
  deliver(cell, message);
}

/**
 * {@link deliverSent} for one message to many actors. A function actor gets its copy at once, because its matches see messages that they
 * do not take.
 */
export function deliverEnvelope(cell: Cell, envelope: Envelope): void {
  if (cell.body === null) return deliverSent(cell, envelope.open());
  cell.flags |= ENVELOPES;
  deliverSent(cell, envelope);
}

/** Puts a message into a living actor's mailbox, or resolves the pending receive with it. */
export function deliver(cell: Cell, message: unknown): void {
  if ((cell.flags & LIMITED) !== 0 && !(message instanceof SystemMessage) && !admit(cell)) return;
  const { wait } = cell;
  // A queued actor may have an older message that matches: the oldest goes first (B5).
  if (wait !== null && wait.isSafe && (cell.flags & QUEUED) === 0) {
    const fits = wait.match === null ? isEmpty(cell) : wait.match.takes(message);
    if (fits && cell.kernel.scheduler.tryContinue()) {
      settle(cell, wait, message);
      return;
    }
    push(cell, message);
    if (fits) wake(cell);
    return;
  }
  push(cell, message);
  wake(cell);
}

function isEmpty(cell: Cell): boolean {
  return cell.mailbox === null || cell.mailbox.size === 0;
}

function push(cell: Cell, message: unknown): void {
  cell.mailbox ??= new Mailbox();
  cell.mailbox.push(message, cell);
  if ((cell.flags & LIMITED) !== 0) cell.extra?.gate?.entered(message);
}

/** Applies the mailbox's limit. False: the message is dropped. */
function admit(cell: Cell): boolean {
  const gate = cell.extra?.gate;
  if (gate === null || gate === undefined || cell.mailbox === null || !gate.isFull) return true;
  const { deadLetters } = cell.kernel;
  const dropped = gate.policy === 'drop-old' ? gate.dropOldest(cell.mailbox) : NOTHING;
  if (dropped !== NOTHING) {
    deadLetters.count('dropped_old', cell.pid);
    cell.kernel.tracing?.dropped(cell, dropped);
    if (!cell.isDead) return true;
    deadLetters.count('noproc', cell.pid); // a listener has ended it
    return false;
  }
  deadLetters.count('dropped_new', cell.pid);
  if (gate.policy === 'exit' && !cell.isDead) endForFullMailbox(cell);
  return false;
}

/** One message in the mailboxes of several actors. Each receiver gets its copy when it handles the message. */
export class Envelope {
  private readonly message: unknown;
  private readonly bytes: ByteCopies;
  /** Receivers that have not opened it. A receiver that died without opening it stays counted. */
  private left: number;

  constructor(message: unknown, receivers: number) {
    this.message = message;
    this.left = receivers;
    this.bytes = new ByteCopies(receivers - 1); // the last receiver gets the message itself
  }

  /** The receiver's own copy; the last receiver gets the message itself. O(size). */
  open(): unknown {
    return --this.left === 0 ? this.message : copyAgain(this.message, this.bytes);
  }

  /** A copy for looking into a mailbox: the message stays in it. O(size). */
  peek(): unknown {
    return copyAgain(this.message, this.bytes);
  }
}
