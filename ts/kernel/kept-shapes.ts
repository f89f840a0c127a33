// Keeps code fast that runs again after a pause.
import { Mailbox } from '../mailbox/index.ts';
import { Ref } from '../term/index.ts';
import type { Kernel } from './kernel.ts';

/**
 * Objects of the classes that each actor and each message needs. Nothing uses them.
 *
 * V8 drops a hidden class, and all optimised code that depends on it, when a full collection finds no object of that class. Without these
 * objects, a node that has no actor at such a moment would run slow code when it has actors again.
 */
export function keptShapes(kernel: Kernel): readonly object[] {
  const cell = kernel.newCell(0, kernel.root, '', { what: () => {}, isHandler: false, args: [] });
  cell.links();
  cell.watches();
  const mailbox = new Mailbox();
  const ref = new Ref(0, 0, 0);
  mailbox.push(ref);
  mailbox.mark(ref); // moves the message to a segment
  return [cell, mailbox];
}
