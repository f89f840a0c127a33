// One message for many actors of this node.
//
// A handler's mailbox gets the message in an envelope and it is copied when its turn comes (B8): what waits in a thousand mailboxes
// lies in memory once, and a copy that is made just before it is handled mostly dies young. A function actor may look at
// what it does not take, so it gets its copy at once.

import type { Runtime } from '../actor/runtime.ts';
import { cellOf } from '../kernel/cell.ts';
import { deliver } from '../kernel/delivery.ts';
import { Envelope } from '../kernel/envelope.ts';
import { copyTerm, type Pid } from '../term/index.ts';

/**
 * Puts a message into the mailboxes of actors of this node. O(actors).
 *
 * @param isOurs nobody else holds `message`; otherwise it is copied first.
 * @throws SNOW_ERR_UNSENDABLE, SNOW_ERR_TOO_DEEP; then nobody has got it.
 */
export function fanOut(runtime: Runtime, to: readonly Pid[], message: unknown, isOurs: boolean): void {
  const own = isOurs ? message : copyTerm(message);
  // What a copy is the same as can be shared by all.
  const isShared = to.length > 1 && copyTerm(own) !== own;
  const envelope = isShared ? new Envelope(own, to.length) : undefined;
  for (const pid of to) {
    const cell = cellOf(pid);
    if (cell === undefined) runtime.deadLetters.count('noproc', pid);
    else if (envelope === undefined) deliver(cell, own);
    else deliver(cell, cell.body === null ? envelope.open() : envelope);
  }
}
