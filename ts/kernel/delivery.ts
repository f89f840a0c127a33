// How messages enter a mailbox.
import { Mailbox, NOTHING } from '../mailbox/index.ts';
import { ByteCopies, copyAgain } from '../term/index.ts';
import { type Cell, LIMITED, QUEUED, wake } from './cell.ts';
import { endOfMailbox } from './death.ts';
import { SystemMessage } from './system-message.ts';
import { settle } from './taking.ts';

/** `deliver` for what user code sent: a trace context goes along. */
export function deliverSent(cell: Cell, message: unknown): void {
  const { tracing } = cell.kernel;
  if (tracing !== null) tracing.enters(cell, message);
  deliver(cell, message);
}

/** Puts a message into a living actor's mailbox, or straight into the receive that waits for it. */
export function deliver(cell: Cell, message: unknown): void {
  if ((cell.flags & LIMITED) !== 0 && !(message instanceof SystemMessage) && !admit(cell)) return;
  const { wait } = cell;
  // An actor that is queued for a turn may have an older message that matches, which goes first (B5).
  if (wait !== null && wait.isSafe && (cell.flags & QUEUED) === 0) {
    const fits = wait.test === null ? isEmpty(cell) : wait.test(message);
    if (fits && cell.kernel.scheduler.goOn()) {
      settle(cell, wait, message);
      return;
    }
    push(cell, message);
    if (fits || wait.test === null) wake(cell);
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
  cell.mailbox.push(message);
  if ((cell.flags & LIMITED) !== 0) cell.extra?.gate?.entered(message);
}

/** Whether a full mailbox takes one more message, as its limit says. */
function admit(cell: Cell): boolean {
  const gate = cell.extra?.gate;
  if (gate === null || gate === undefined || cell.mailbox === null || !gate.isFull) return true;
  const { deadLetters } = cell.kernel;
  const dropped = gate.policy === 'drop-old' ? gate.dropOldest(cell.mailbox) : NOTHING;
  if (dropped !== NOTHING) {
    deadLetters.count('dropped_old', cell.pid);
    cell.kernel.tracing?.dropped(cell, dropped);
    return true;
  }
  deadLetters.count('dropped_new', cell.pid);
  if (gate.policy === 'exit') endOfMailbox(cell);
  return false;
}

/** A message that lies in several mailboxes and is copied when it is handled. */
export class Envelope {
  private readonly message: unknown;
  private readonly bytes: ByteCopies;
  /** Receivers that have not opened it; a receiver that died stays counted. */
  private left: number;

  constructor(message: unknown, receivers: number) {
    this.message = message;
    this.left = receivers;
    this.bytes = new ByteCopies(receivers - 1); // the last one gets the message itself
  }

  /** The receiver's own message: a copy, for the last one the message itself. O(size). */
  open(): unknown {
    return --this.left === 0 ? this.message : copyAgain(this.message, this.bytes);
  }

  /** What a receiver that looks into its mailbox sees. O(size). */
  peek(): unknown {
    return copyAgain(this.message, this.bytes);
  }
}
