// The request to stop a handler actor, which waits in the mailbox like a message. User code never sees it.
import type { Keys } from '../mailbox/index.ts';
import { type Cell, STOP_ASKED } from './cell.ts';
import type { ExitReason } from './exit-reason.ts';
import type { CompiledMatch } from './key-match.ts';
import { SystemMessage } from './system-message.ts';
import { Wait } from './wait.ts';

/** Makes a handler actor stop after the messages before it. */
export class StopRequest extends SystemMessage {
  readonly reason: ExitReason;

  constructor(reason: ExitReason) {
    super();
    this.reason = reason;
  }
}

/** An actor in its init is asked to stop: the receives of the init, also a pending one, must leave the request in the mailbox. */
export function hideStop(cell: Cell): void {
  if ((cell.flags & STOP_ASKED) !== 0) return;
  cell.flags |= STOP_ASKED;
  const { wait } = cell;
  if (wait === null) return;
  if (wait.limits === null) cell.wait = new Wait(new ButStop(wait.match));
  else wait.match = new ButStop(wait.match); // its timer and its signal know it
}

/** Takes what another match takes, null: any message, but no request to stop. */
export class ButStop implements CompiledMatch {
  readonly isSafe: boolean;
  readonly keys: Keys;
  readonly firstIn: CompiledMatch['firstIn'] = undefined;
  readonly broad: CompiledMatch | undefined;
  private readonly match: CompiledMatch | null;

  constructor(match: CompiledMatch | null) {
    this.match = match;
    this.isSafe = match === null || match.isSafe;
    this.keys = match === null ? [] : match.keys;
    this.broad = match?.broad;
  }

  takes(message: unknown): boolean {
    return !(message instanceof StopRequest) && (this.match === null || this.match.takes(message));
  }
}
