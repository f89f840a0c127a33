import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { LoopDelay } from './shape.ts';

/** How often the delay is measured. Unit: ms. */
const RESOLUTION_MS = 20;
/** What is told is about as old as this at most; and measuring ends when it was not asked for that long. Unit: ms. */
const WINDOW_MS = 10_000;
const UNUSED_MS = 60_000;
const NS_PER_MS = 1e6;

/** Measures how late the event loop is, from the first time that it is asked on until nobody has asked for a minute. */
export class LoopDelayMeter {
  #histogram: IntervalHistogram | undefined;
  #since = 0;
  #last: LoopDelay | undefined;
  #end: NodeJS.Timeout | undefined;

  /** Undefined: nothing was measured yet, or the platform cannot measure. */
  read(): LoopDelay | undefined {
    const now = performance.now();
    this.#end?.refresh();
    if (this.#histogram === undefined) {
      this.#start(now);
      return undefined;
    }
    const histogram = this.#histogram;
    if (histogram.count > 0) {
      this.#last = {
        mean: late(histogram.mean),
        p99: late(histogram.percentile(99)),
        max: late(histogram.max),
      };
    }
    if (now - this.#since >= WINDOW_MS) {
      histogram.reset();
      this.#since = now;
    }
    return this.#last;
  }

  close(): void {
    clearTimeout(this.#end);
    this.#histogram?.disable();
    this.#histogram = this.#last = this.#end = undefined;
  }

  #start(now: number): void {
    try {
      this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      this.#histogram.enable();
    } catch {
      return; // not on this platform
    }
    this.#since = now;
    this.#end = setTimeout(() => this.close(), UNUSED_MS).unref();
  }
}

/** The histogram holds whole intervals between two measurements. */
function late(intervalNs: number): number {
  const ms = intervalNs / NS_PER_MS - RESOLUTION_MS;
  return Number.isFinite(ms) ? Math.max(0, Math.round(ms * 10) / 10) : 0;
}
