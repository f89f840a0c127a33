import { ByteCopies, copyAgain } from '../term/index.ts';

/** A message that waits in several mailboxes. */
export class Envelope {
  private readonly message: unknown;
  private readonly bytes: ByteCopies;
  /** Receivers that have not opened it; those that died first stay counted. */
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
