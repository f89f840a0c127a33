import { SystemMessage } from './system-message.ts';

/** A running timer. It belongs to this runtime and cannot be sent. */
export declare class TimerRef {
  readonly isActive: boolean;
}

/** What `startTimer` delivers. */
export class Timeout extends SystemMessage {
  readonly ref: TimerRef;
  readonly message: unknown;

  /** @internal */
  constructor(ref: TimerRef, message: unknown) {
    super();
    this.ref = ref;
    this.message = message;
  }
}
