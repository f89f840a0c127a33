import { INACTIVE, type Timer } from '../timers/index.ts';
import { SystemMessage } from './system-message.ts';

/** A running timer. It belongs to this runtime and cannot be sent. */
export class TimerRef {
  /** @internal */
  readonly timer: Timer;

  /** @internal */
  constructor(timer: Timer) {
    this.timer = timer;
  }

  /** Whether it will still fire. */
  get isActive(): boolean {
    return this.timer.slot !== INACTIVE;
  }
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
