import { inspect } from 'node:util';
import { INACTIVE, type Timer } from '../timers/index.ts';
import { SystemMessage } from './system-message.ts';

/** A timer of an actor: for `cancelTimer` and `readTimer`. It belongs to this runtime and cannot be sent. */
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

  /** @internal What a log of JSON lines gets. */
  toJSON(): unknown {
    return { isActive: this.isActive };
  }

  /** @internal What `console.log` prints. */
  [inspect.custom](): string {
    return `TimerRef { isActive: ${this.isActive} }`;
  }
}

/**
 * The message of a timer that `startTimer` set. As Erlang's `{timeout, TimerRef, Message}`.
 *
 * @example
 * const timer = self.startTimer(1000, self.pid, 'retry');
 * const { message } = (await self.receive(timer)) as Timeout;
 */
export class Timeout extends SystemMessage {
  /** What `startTimer` returned. */
  readonly ref: TimerRef;
  /** What was passed to `startTimer`. */
  readonly message: unknown;

  /** @internal */
  constructor(ref: TimerRef, message: unknown) {
    super();
    this.ref = ref;
    this.message = message;
  }
}
