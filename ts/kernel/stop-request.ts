import type { Startable } from '../actor/spec.ts';
import { BUSY, type Cell } from './cell.ts';
import { terminate } from './death.ts';
import { deliver } from './delivery.ts';
import type { ExitReason } from './exit-reason.ts';
import { Exit, SystemMessage } from './system-message.ts';

/** The tag of a call from another node that asks its target to end in order. No actor gets to see it. */
export const STOP_TAG = '$snowmesh.stop';

/** @internal Asks a handler actor to end in order (rule I6). */
export class StopRequest extends SystemMessage {
  readonly reason: ExitReason;

  constructor(reason: ExitReason) {
    super();
    this.reason = reason;
  }
}

/** An actor here is asked to end in order. */
export function askToEnd(cell: Cell, reason: ExitReason): void {
  const { birth } = cell;
  // One that is busy and has no body is in its init.
  const isHandler =
    cell.body !== null ||
    (cell.flags & BUSY) !== 0 ||
    (birth !== null && (birth.isHandler || isHandlerSpec(birth.what)));
  if (isHandler) return deliver(cell, new StopRequest(reason));
  if (!cell.isTrapping) return terminate(cell, reason);
  // A function actor that traps exits decides itself, as it does when its parent ends.
  deliver(cell, new Exit(cell.parent, reason));
}

function isHandlerSpec(what: Startable): boolean {
  return typeof what !== 'function' && what.kind === 'handler';
}
