import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { LoopDelay } from './answers.ts';

/** ms between two measurements. */
const RESOLUTION_MS = 20;
/** The figures are of about the last so many ms. */
const WINDOW_MS = 10_000;
/** The measurement ends after so many ms without a read. */
const UNUSED_MS = 60_000;
const NS_PER_MS = 1e6;

/** Measures how late the event loop is. The first read starts the measurement; a minute without a read ends it. */
export class LoopDelayMeter {
  #histogram: IntervalHistogram | undefined;
  #since = 0;
  #last: LoopDelay | undefined;
  #end: NodeJS.Timeout | undefined;

  /** The delay; undefined: nothing was measured yet, or the platform cannot measure it. */
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

/** ms of delay. The histogram holds the whole intervals between two measurements, so the planned interval is subtracted. */
function late(intervalNs: number): number {
  const ms = intervalNs / NS_PER_MS - RESOLUTION_MS;
  return Number.isFinite(ms) ? Math.max(0, Math.round(ms * 10) / 10) : 0;
}
