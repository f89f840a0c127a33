import { mailboxLong } from '../diagnostics/index.ts';
import { LONG_MAILBOX } from '../mailbox/index.ts';
import { type Cell, LIMITED } from './cell.ts';
import type { Kernel } from './kernel.ts';

/** A mailbox that is short again after this time held a burst, which is not reported. Unit: ms. */
export const BURST_MS = 1000;

const TEXT =
  'an actor takes its messages more slowly than they come; the option `mailbox` can limit how many wait';

/**
 * Reports long mailboxes: an actor without a limit that takes its messages more slowly than they come uses up the memory of its node in
 * the end. An actor with a limit is not reported, because its limit says how many messages may wait.
 */
export class LongMailboxes {
  readonly #kernel: Kernel;
  /** Actors whose mailboxes are looked at again when BURST_MS have passed. */
  readonly #noted = new Set<Cell>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** The mailbox of an actor has become long, or twice as long as when it was noted last. */
  note(cell: Cell): void {
    if ((cell.flags & LIMITED) !== 0 || this.#noted.has(cell)) return;
    this.#noted.add(cell);
    this.#kernel.timers.clock.arm(BURST_MS, () => this.#look(cell), false);
  }

  #look(cell: Cell): void {
    this.#noted.delete(cell);
    const messages = cell.mailbox?.size ?? 0;
    if (messages < LONG_MAILBOX) return;
    const { pid, label } = cell;
    const runtime = this.#kernel;
    if (mailboxLong.hasSubscribers) mailboxLong.publish({ runtime, pid, label, messages });
    const facts = { event: 'mailbox_long', actor: pid.toString(), name: label, messages };
    runtime.throttledLog.write('warn', facts, TEXT, facts.actor);
  }
}
