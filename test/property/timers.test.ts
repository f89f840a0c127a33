// Timers against a plain set: started, cancelled and fired in any order, at any distance, on a clock that stands still at times.
import { expect, it } from 'vitest';
import { VirtualClock } from '../../ts/testing/virtual-clock.ts';
import { Timer, Timers } from '../../ts/timers/index.ts';
import { Wheel } from '../../ts/timers/wheel.ts';
import { randomFrom, runs, seeds } from '../support/seed.ts';

/** Beginnings of the clock: also shortly before a slot of the wheel, and an epoch of 2^30 ms, begins. */
const STARTS = [0, 123.7, 2 ** 24 - 70, 2 ** 30 - 50, 2 ** 31 - 3, 3 * 2 ** 30 - 1000];
/** The longest delays, in ms. */
const SCALES = [10, 100, 5000, 2 ** 20, 2 ** 31, 2 ** 33];

class Noted extends Timer {
  private readonly note: (timer: Noted) => void;

  constructor(note: (timer: Noted) => void) {
    super();
    this.note = note;
  }

  fire(): void {
    this.note(this);
  }
}

it.each(seeds())('H1, H2, H3, H4 fire once, not early, and in the order of their times (seed %i)', (seed) => {
  const random = randomFrom(seed);
  const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  for (let run = 0; run < runs(200); run++) {
    const clock = new VirtualClock(one(STARTS));
    const timers = new Timers(clock);
    const waiting = new Set<Noted>();
    const fired: Noted[] = [];
    const scale = one(SCALES);
    const time = (most = scale): number => (random() < 0.3 ? Math.floor(random() * most) : random() * most);
    for (let step = 0; step < 200; step++) {
      const what = random();
      if (what < 0.5) {
        const timer = new Noted((own) => {
          expect(waiting.delete(own)).toBe(true);
          expect(clock.now()).toBeGreaterThanOrEqual(own.due);
          fired.push(own);
        });
        waiting.add(timer);
        if (random() < 0.8) timers.start(timer, time());
        else timers.startAt(timer, clock.now() - time()); // due already, as the next tick of a late interval
      } else if (what < 0.6 && waiting.size > 0) {
        const timer = one([...waiting]);
        waiting.delete(timer);
        expect(timers.read(timer)).toBe(Math.max(0, timer.due - clock.now()));
        expect([timers.cancel(timer), timers.cancel(timer)]).toEqual([true, false]);
      } else if (what < 0.61) {
        timers.clear();
        waiting.clear();
      } else {
        const until = clock.now() + time(random() < 0.2 ? 2 * scale : scale / 10);
        if (random() < 0.3) clock.skip(until - clock.now()); // all of them are late
        while (clock.step(until));
        const dues = fired.splice(0).map(({ due }) => due);
        expect(dues).toEqual(dues.toSorted((a, b) => a - b));
        for (const { due } of waiting) expect(Math.ceil(due)).toBeGreaterThan(Math.floor(clock.now()));
      }
      expect(timers.size).toBe(waiting.size);
    }
  }
});

it.each(seeds())('H2, H11 the wheel says when to look again, which is seldom in vain (seed %i)', (seed) => {
  const random = randomFrom(seed);
  for (let run = 0; run < runs(200); run++) {
    let now = Math.floor(STARTS[run % STARTS.length] as number);
    const wheel = new Wheel(now);
    const scale = SCALES[Math.floor(random() * SCALES.length)] as number;
    const waiting = new Set<Noted>();
    const look = (): void => {
      wheel.advance(now);
      let last = Number.NEGATIVE_INFINITY;
      for (let timer = wheel.takeDue(); timer !== null; timer = wheel.takeDue()) {
        expect(timer.due).toBeGreaterThanOrEqual(last);
        last = timer.due;
        expect(waiting.delete(timer as Noted)).toBe(true);
      }
    };
    for (let round = 0; round < 20; round++) {
      if (random() < 0.5) now += Math.floor(random() * scale);
      look();
      for (let count = Math.floor(random() * 5); count >= 0; count--) {
        const timer = new Noted(() => {});
        timer.due = now + (random() < 0.2 ? -Math.floor(random() * 5) : random() * scale);
        wheel.add(timer);
        waiting.add(timer);
      }
      for (const timer of waiting) {
        if (random() < 0.7) continue;
        wheel.remove(timer);
        waiting.delete(timer);
      }
      if (random() < 0.1) {
        wheel.clear();
        waiting.clear();
      }
      // In vain at most at the beginnings of an epoch whose timer was removed, of the timer's own, and of its slots on levels 4 to 1.
      for (let looks = 0; waiting.size > 0 && random() < 0.7; looks++) {
        const earliest = Math.max(now, Math.min(...[...waiting].map(({ due }) => Math.ceil(due))));
        const next = wheel.nextTick();
        if (earliest > now) expect(next).toBeGreaterThan(now);
        expect(next).toBeLessThanOrEqual(earliest);
        if (next === earliest) looks = -1;
        expect(looks).toBeLessThan(6);
        now = next;
        look();
      }
      expect(wheel.size).toBe(waiting.size);
    }
  }
});
