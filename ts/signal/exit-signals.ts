// Exit signals, from links and from `sendExit`.
import {
  type Cell,
  deliver,
  Exit,
  type ExitReason,
  type Kernel,
  ownCell,
  terminate,
} from '../kernel/index.ts';
import { exitEffect } from '../link/index.ts';
import type { Pid } from '../term/index.ts';

/** Sends an explicit exit signal. `from` null: code outside of actors. */
export function sendExit(kernel: Kernel, from: Cell | null, to: Pid, reason: ExitReason): void {
  if (to.nc !== 0) return kernel.remote.exit2(from === null ? null : from.pid, to, reason);
  const cell = ownCell(kernel, to);
  if (cell === undefined) return;
  // An actor that sends itself `normal` and does not trap exits ends (E2).
  if (cell === from && reason === 'normal' && !cell.isTrapping) return terminate(cell, 'normal');
  receiveExit(cell, from === null ? kernel.root : from.pid, reason, false);
}

/** `cell` receives an exit signal. `isLoss`: because the node of `from` was lost. */
export function receiveExit(
  cell: Cell,
  from: Pid,
  reason: ExitReason,
  isLink: boolean,
  isLoss = false,
): void {
  if (cell.isDead) return;
  const effect = exitEffect(reason, isLink, cell.isTrapping);
  if (effect.kind === 'ignore') return;
  if (effect.kind === 'die') return terminate(cell, effect.reason);
  deliver(cell, new Exit(from, reason, isLoss));
}
