import type { Alarm, Clock } from '../timers/index.ts';
import { FIRST_PAUSE_MS, MAX_PAUSE_MS, MAX_ASKED_AGAIN } from './limits.ts';

/**
 * Pauses before a node is asked again that refuses a name for an entry which this node does not have: the entry may have ended
 * here already and not yet there, or be on its way to here. Each pause is longer than the one before.
 */
export class Pauses {
  readonly #clock: Clock;
  readonly #pending = new Map<Alarm, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Calls `next` after a pause. False: it was asked often enough, some five seconds long.
   *
   * @param asked how often it was asked again before.
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

  /** Ends all pauses now. */
  close(): void {
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const [alarm, next] of pending) {
      alarm.cancel();
      next();
    }
  }
}
