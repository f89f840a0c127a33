// How late the event loop was: of which time the figures are, over a histogram and a clock that a test moves.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LoopDelayMeter } from '../../../ts/introspect/loop-delay.ts';

const NS_PER_MS = 1e6;
/** The histogram of Node.js: intervals between two measurements, of which the planned 20 ms are no delay. */
const histogram = vi.hoisted(() => {
  const state = { intervals: [] as number[], isOn: false };
  const { intervals } = state;
  return {
    state,
    enable: () => void (state.isOn = true),
    disable: () => void (state.isOn = false),
    reset: () => void (intervals.length = 0),
    percentile: () => Math.max(...intervals),
    get count() {
      return intervals.length;
    },
    get max() {
      return Math.max(...intervals);
    },
    get mean() {
      return intervals.reduce((sum, each) => sum + each, 0) / intervals.length;
    },
  };
});
vi.mock('node:perf_hooks', async (actual) => ({
  ...(await actual<object>()),
  monitorEventLoopDelay: () => histogram,
}));

/** The event loop was late by so many ms. */
const late = (ms: number): void => void histogram.state.intervals.push((ms + 20) * NS_PER_MS);

let meter: LoopDelayMeter;
beforeEach(() => {
  vi.useFakeTimers();
  histogram.reset();
  meter = new LoopDelayMeter();
});
afterEach(() => {
  meter.close();
  vi.useRealTimers();
});

it('forgets a delay after ten seconds', () => {
  expect(meter.read()).toBeUndefined(); // the measurement begins
  late(300);
  late(100);
  for (let seconds = 0; seconds < 10; seconds++) {
    expect(meter.read()).toEqual({ mean: 200, p99: 300, max: 300 });
    vi.advanceTimersByTime(1000);
  }
  expect(meter.read()?.max).toBe(300);
  late(5);
  expect(meter.read()).toEqual({ mean: 5, p99: 5, max: 5 });
});

it('ends its measurement a minute after the last look', () => {
  meter.read();
  vi.advanceTimersByTime(59_999);
  meter.read();
  vi.advanceTimersByTime(59_999);
  expect(histogram.state.isOn).toBe(true);
  vi.advanceTimersByTime(1);
  expect(histogram.state.isOn).toBe(false);
  expect(meter.read()).toBeUndefined();
});
