import type { Alarm, Clock } from '../timers/index.ts';
import { FIRST_PAUSE_MS, MAX_ASKED_AGAIN, MAX_PAUSE_MS } from './limits.ts';

/**
 * Pauses before this node asks another one again that refuses a name for an entry that this node does not have. The entry may have
 * ended already, which the other node has not seen yet, or this node may not have received it yet. The pauses grow.
 */
export class RetryPauses {
  readonly #clock: Clock;
  readonly #pending = new Map<Alarm, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Calls `next` after a pause. Returns false after MAX_ASKED_AGAIN pauses, which take about five seconds.
   *
   * @param asked the number of pauses before.
   */
  begin(asked: number, next: () => void): boolean {
    if (asked >= MAX_ASKED_AGAIN) return false;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** asked, MAX_PAUSE_MS);
    const end = (): void => {
      this.#pending.delete(alarm);
      next();
    };
    const alarm = this.#clock.arm(pauseMs, end, false);
    this.#pending.set(alarm, next);
    return true;
  }

  /** Ends all pauses at once. */
  close(): void {
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const [alarm, next] of pending) {
      alarm.cancel();
      next();
    }
  }
}
