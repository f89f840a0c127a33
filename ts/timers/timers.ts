import type { Clock } from './clock.ts';
import { Timer, TimerHeap } from './timer-heap.ts';

/** Timers fired in one go before the event loop gets its turn. */
const BATCH = 1000;

/** All timers of one runtime: one heap, and one armed clock for its earliest. */
export class Timers {
  readonly clock: Clock;
  /** Whether an armed timer keeps the OS process alive. */
  keepAlive = true;
  private readonly heap = new TimerHeap();
  private order = 0;
  private armedAt = Number.POSITIVE_INFINITY;
  private disarm: (() => void) | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Timers that wait. */
  get size(): number {
    return this.heap.live;
  }

  /** Calls `fire` not before `delay` ms from now. O(log n), O(1) for delays that do not get shorter. */
  after(delay: number, fire: () => void): Timer {
    return this.at(this.clock.now() + delay, fire);
  }

  /** Calls `fire` not before `time` on the clock. */
  at(time: number, fire: () => void): Timer {
    const timer = new Timer(time, this.order++, fire);
    this.heap.push(timer);
    if (time < this.armedAt) this.arm(time);
    return timer;
  }

  /** Returns the ms that were left, or false when it fired or was cancelled before. O(1) amortised. */
  cancel(timer: Timer): number | false {
    if (!this.heap.cancel(timer)) return false;
    if (this.heap.live === 0) this.rest();
    return Math.max(0, timer.at - this.clock.now());
  }

  /** The ms left, or false when it fired or was cancelled. */
  read(timer: Timer): number | false {
    return timer.fire === undefined ? false : Math.max(0, timer.at - this.clock.now());
  }

  /** Sets whether waiting timers keep the process alive. */
  setKeepAlive(keepAlive: boolean): void {
    this.keepAlive = keepAlive;
    if (this.disarm !== undefined) this.arm(this.armedAt);
  }

  /** Cancels everything. */
  clear(): void {
    this.heap.clear();
    this.rest();
  }

  private arm(time: number): void {
    this.disarm?.();
    this.armedAt = time;
    this.disarm = this.clock.arm(time - this.clock.now(), this.ring, this.keepAlive);
  }

  private rest(): void {
    this.disarm?.();
    this.disarm = undefined;
    this.armedAt = Number.POSITIVE_INFINITY;
  }

  private readonly ring = (): void => {
    this.disarm = undefined;
    this.armedAt = Number.POSITIVE_INFINITY;
    const now = this.clock.now();
    for (let fired = 0; fired < BATCH; fired++) {
      const timer = this.heap.popDue(now);
      if (timer === undefined) break;
      const fire = timer.fire as () => void;
      timer.fire = undefined;
      fire();
    }
    const next = this.heap.peek();
    if (next !== undefined && next.at < this.armedAt) this.arm(next.at);
  };
}
