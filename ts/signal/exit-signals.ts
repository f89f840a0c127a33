// Exit signals, from links and from `sendExit`.
import {
  type Cell,
  deliver,
  Exit,
  type ExitReason,
  type Kernel,
  ownCell,
  sendReason,
  terminate,
} from '../kernel/index.ts';
import type { Pid } from '../term/index.ts';

/** Sends an explicit exit signal. `from` null: code outside of actors. */
export function sendExit(kernel: Kernel, from: Cell | null, to: Pid, reason: ExitReason): void {
  if (to.nc !== 0)
    return sendReason((why) => kernel.remote.exit2(from === null ? null : from.pid, to, why), reason);
  const cell = ownCell(kernel, to);
  if (cell === undefined) return;
  // An actor that sends itself `normal` and does not trap exits ends (E2).
  if (cell === from && reason === 'normal' && !cell.isTrapping) return terminate(cell, 'normal');
  receiveExit(cell, from === null ? kernel.root : from.pid, reason, false);
}

/**
 * `cell` receives an exit signal. `isLink`: over a link, otherwise from `sendExit`. `isLoss`: because the node of `from` was lost.
 *
 * An explicit `kill` cannot be trapped; the actor ends with `killed` (E3, C7). A `kill` over a link is a reason like any other (C6).
 * An actor that traps exits gets a message. Others ignore `normal` (C4, E1) and end with any other reason, `shutdown` included (C5).
 */
export function receiveExit(
  cell: Cell,
  from: Pid,
  reason: ExitReason,
  isLink: boolean,
  isLoss = false,
): void {
  if (cell.isDead) return;
  if (reason === 'kill' && !isLink) terminate(cell, 'killed');
  else if (cell.isTrapping)
    deliver(cell, new Exit(from, reason, isLoss ? 'loss' : isLink ? 'link' : 'signal'));
  else if (reason !== 'normal') terminate(cell, reason);
}
