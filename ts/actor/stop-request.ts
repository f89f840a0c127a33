import type { ExitReason } from './exit-reason.ts';
import { SystemMessage } from './system-message.ts';

/** @internal Asks a handler actor to end in order (rule I6). */
export class StopRequest extends SystemMessage {
  readonly reason: ExitReason;

  constructor(reason: ExitReason) {
    super();
    this.reason = reason;
  }
}
