import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { RestartWindow } from '../../../ts/supervisor/restart-window.ts';

describe('RestartWindow', () => {
  it('J5 allows as many restarts as the intensity and refuses the next one', () => {
    const window = new RestartWindow(2, 5000);
    expect([window.record(0), window.record(1), window.record(2)]).toEqual([true, true, false]);
  });

  it('J6 refuses the first restart when the intensity is 0', () => {
    expect(new RestartWindow(0, 5000).record(0)).toBe(false);
  });

  it('J7 still counts a restart that is exactly one period old, and not one that is older', () => {
    const exact = new RestartWindow(1, 1000);
    expect([exact.record(10), exact.record(1010)]).toEqual([true, false]);
    const older = new RestartWindow(1, 1000);
    expect([older.record(10), older.record(1011)]).toEqual([true, true]);
  });

  it('J7 never ends a steady rate below the limit', () => {
    const window = new RestartWindow(3, 1000);
    for (let now = 0; now < 1_000_000; now += 334) expect(window.record(now)).toBe(true);
  });

  it.each([1, 2, 7])('S2 gives %i + 1 attempts all the time that one period has', (intensity) => {
    const { attemptMs } = new RestartWindow(intensity, 5000);
    expect(attemptMs * (intensity + 1)).toBeCloseTo(5000);
    expect(new RestartWindow(Number.POSITIVE_INFINITY, 5000).attemptMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('remembers nothing when there is no limit', () => {
    const window = new RestartWindow(Number.POSITIVE_INFINITY, 1000);
    const before = inspect(window);
    for (let now = 0; now < 100; now++) expect(window.record(now)).toBe(true);
    expect(inspect(window)).toBe(before);
  });

  it('remembers no more than a period has, whatever the limit is', () => {
    const window = new RestartWindow(1_000_000, 1000);
    for (let now = 0; now < 1_000_000; now += 100) expect(window.record(now)).toBe(true);
    expect(JSON.parse(JSON.stringify(window)).times.length).toBeLessThan(30);
  });

  it('agrees with a plain count over the list of all restarts', () => {
    const window = new RestartWindow(4, 100);
    const all: number[] = [];
    let now = 0;
    for (let round = 0; round < 10_000; round++) {
      now += (round * 7919) % 47;
      const lately = all.filter((time) => now - time <= 100).length;
      const allowed = window.record(now);
      expect(allowed).toBe(lately < 4);
      if (allowed) all.push(now);
      if (all.length > 16) all.splice(0, 8);
    }
  });
});
