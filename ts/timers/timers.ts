import { type Alarm, type Clock, MAX_DELAY } from './clock.ts';
import { INACTIVE, type Timer, Wheel } from './wheel.ts';

export { Timer } from './wheel.ts';

/** Timers fired in one go before the event loop gets its turn. */
const BATCH = 5000;

/** All timers of one runtime: one wheel, and one alarm of the clock for its earliest. */
export class Timers {
  readonly clock: Clock;
  private readonly wheel: Wheel;
  private keepAlive: boolean;
  private alarm: Alarm | null = null;
  private alarmAt = Number.POSITIVE_INFINITY;
  /** The alarm does not keep the process alive: no timer was pending when it was last checked. */
  private isReleased = false;
  private isReleasing = false;

  constructor(clock: Clock, keepAlive = false) {
    this.clock = clock;
    this.keepAlive = keepAlive;
    this.wheel = new Wheel(Math.floor(clock.now()));
  }

  /** Timers that wait. */
  get size(): number {
    return this.wheel.size;
  }

  now(): number {
    return this.clock.now();
  }

  /** Fires `timer`, which must not be waiting, not before `delay` ms from now. O(1). Infinity: never. */
  start(timer: Timer, delay: number): void {
    this.startAt(timer, this.clock.now() + delay);
  }

  /** Fires `timer` not before `due` on the clock. O(1). */
  startAt(timer: Timer, due: number): void {
    timer.due = due;
    if (due === Number.POSITIVE_INFINITY) return;
    this.wheel.add(timer);
    const tick = Math.ceil(due); // the wheel fires in whole ms: at the fraction the alarm would ring in vain
    if (tick < this.alarmAt) this.arm(tick);
    else if (this.isReleased) this.hold();
  }

  /** False: it had fired or been cancelled before. O(1). */
  cancel(timer: Timer): boolean {
    if (timer.slot === INACTIVE) return false;
    this.wheel.remove(timer);
    // The alarm stays: one early ring costs less than setting alarms for timers that never fire.
    if (this.keepAlive && this.wheel.size === 0 && !this.isReleasing) this.release();
    return true;
  }

  /** ms left; false: it fired or was cancelled. */
  read(timer: Timer): number | false {
    return timer.slot === INACTIVE ? false : Math.max(0, timer.due - this.clock.now());
  }

  /** Whether waiting timers keep the OS process alive. */
  setKeepAlive(keepAlive: boolean): void {
    this.keepAlive = keepAlive;
    if (this.wheel.size > 0) this.arm(this.alarmAt);
    else this.rest();
  }

  /** Cancels all of them. */
  clear(): void {
    this.wheel.clear();
    this.rest();
  }

  private arm(tick: number): void {
    this.alarm?.cancel();
    this.alarmAt = tick;
    const delay = Math.max(0, tick - this.clock.now());
    this.isReleased = false;
    this.alarm = this.clock.arm(Math.min(delay, MAX_DELAY), this.ring, this.keepAlive);
  }

  /**
   * No timer is pending: the alarm stays for the next timer but no longer keeps the process alive. Decided when the event loop
   * has turned, because calls in a row start and cancel a timer each.
   */
  private release(): void {
    if (this.alarm?.keepAlive === undefined) return this.rest();
    this.isReleasing = true;
    setImmediate(this.releaseNow);
  }

  private readonly releaseNow = (): void => {
    this.isReleasing = false;
    if (this.wheel.size > 0 || this.alarm === null) return;
    this.isReleased = true;
    this.alarm.keepAlive?.(false);
  };

  private hold(): void {
    this.isReleased = false;
    this.alarm?.keepAlive?.(true);
  }

  private rest(): void {
    this.alarm?.cancel();
    this.alarm = null;
    this.alarmAt = Number.POSITIVE_INFINITY;
  }

  private readonly ring = (): void => {
    this.alarm = null;
    this.alarmAt = Number.POSITIVE_INFINITY;
    const { wheel } = this;
    wheel.advance(Math.floor(this.clock.now()));
    for (let fired = 0; fired < BATCH; fired++) {
      const timer = wheel.takeDue();
      if (timer === null) break;
      timer.fire();
    }
    if (wheel.size > 0) {
      const next = wheel.nextTick();
      if (next < this.alarmAt) this.arm(next);
    }
  };
}
