// How a message gets into a mailbox, and who is woken for it.
import { Mailbox } from '../mailbox/index.ts';
import { type Cell, LIMITED, QUEUED, wake } from './cell.ts';
import { endOfMailbox } from './death.ts';
import { SystemMessage } from './system-message.ts';
import { settle } from './wait.ts';

/** Puts a message into a living actor's mailbox, or straight into the receive that waits for it. */
export function deliver(cell: Cell, message: unknown): void {
  if ((cell.flags & LIMITED) !== 0 && !(message instanceof SystemMessage) && !admit(cell)) return;
  const { wait } = cell;
  // One that waits for its turn may have an older message that fits (B5).
  if (wait !== null && wait.isSafe && (cell.flags & QUEUED) === 0) {
    const fits = wait.test === null ? isEmpty(cell) : wait.test(message);
    if (fits && cell.runtime.scheduler.goOn()) {
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

/** What a mailbox limit says. System messages are exempt. */
function admit(cell: Cell): boolean {
  const gate = cell.extra?.gate;
  if (gate === null || gate === undefined || cell.mailbox === null || !gate.isFull) return true;
  const { deadLetters } = cell.runtime;
  if (gate.policy === 'drop-old' && gate.dropOldest(cell.mailbox)) {
    deadLetters.count('dropped_old', cell.pid);
    return true;
  }
  deadLetters.count('dropped_new', cell.pid);
  if (gate.policy === 'exit') endOfMailbox(cell);
  return false;
}
