// The one alarm that all timers share: when it is set, and whether it keeps the OS process alive.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Clock, Timer, Timers } from '../../../ts/timers/index.ts';

const MAX_DELAY = 2 ** 31 - 1;
const BATCH = 5000;

interface Set {
  readonly due: number;
  readonly fire: () => void;
  keepsAlive: boolean;
  isOver: boolean;
}

/** A clock whose time a test sets. */
class HandClock implements Clock {
  time = 0.5;
  /** All alarms that were set, and how often one was told to keep the process alive, or not to. */
  readonly set: Set[] = [];
  readonly told: boolean[] = [];
  readonly canSay: boolean;

  constructor(canSay = true) {
    this.canSay = canSay;
  }

  /** The alarms that will ring. */
  get pending(): Set[] {
    return this.set.filter(({ isOver }) => !isOver);
  }

  now(): number {
    return this.time;
  }

  arm(delay: number, fire: () => void, keepsAlive: boolean): ReturnType<Clock['arm']> {
    const alarm: Set = { due: this.time + delay, fire, keepsAlive, isOver: false };
    this.set.push(alarm);
    const keepAlive = (on: boolean): void => {
      this.told.push(on);
      alarm.keepsAlive = on;
    };
    return { cancel: () => void (alarm.isOver = true), ...(this.canSay ? { keepAlive } : undefined) };
  }

  /** Lets the alarm ring at `time`. */
  ring(time: number): void {
    this.time = time;
    const [alarm, ...others] = this.pending;
    expect(others).toEqual([]);
    if (alarm === undefined) return;
    alarm.isOver = true;
    alarm.fire();
  }
}

let clock: HandClock;
let timers: Timers;
let fired: string[];
beforeEach(() => {
  clock = new HandClock();
  timers = new Timers(clock);
  fired = [];
});

class Named extends Timer {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }

  fire(): void {
    fired.push(this.name);
  }
}

function start(delay: number, name = `${delay}`): Timer {
  const timer = new Named(name);
  timers.start(timer, delay);
  return timer;
}

describe('the alarm', () => {
  it('H11 is set for the earliest timer only', () => {
    start(100);
    start(200);
    start(100, 'again');
    expect(clock.set).toHaveLength(1);
    start(50);
    expect([clock.set.length, clock.pending.length]).toEqual([2, 1]);
    expect(clock.pending[0]?.due).toBe(51);
  });

  it('H1, H2 rings for all that are due, in order, and is set for the next', () => {
    for (const delay of [30, 10, 20]) start(delay);
    clock.ring(10.5); // whole milliseconds count: it is due at 11
    expect(fired).toEqual([]);
    clock.ring(11);
    expect(fired).toEqual(['10']);
    expect([timers.size, clock.pending.length]).toEqual([2, 1]);
    clock.ring(1000);
    expect(fired).toEqual(['10', '20', '30']);
    expect([timers.size, clock.pending.length]).toEqual([0, 0]);
    start(1);
    expect(clock.pending).toHaveLength(1);
  });

  it('rings once for a timer that is due at a fraction of a ms', () => {
    const delays = Array.from({ length: 100 }, (_, count) => 1 + count * 0.37);
    for (const delay of delays) {
      start(delay);
      clock.ring(clock.pending[0]?.due as number);
    }
    expect([fired.length, clock.set.length]).toEqual([delays.length, delays.length]);
  });

  it('H4 of a timer that is further away than Node.js can wait rings in between', () => {
    start(2 ** 40, 'far');
    expect(clock.pending[0]?.due).toBe(0.5 + MAX_DELAY);
    for (let rings = 0; fired.length === 0 && rings < 10_000; rings++) {
      const { due } = clock.pending[0] as Set;
      clock.ring(due);
    }
    expect(fired).toEqual(['far']);
    expect(clock.time).toBeGreaterThanOrEqual(0.5 + 2 ** 40);
  });

  it('P6 lets the event loop run when very many timers are due', () => {
    for (let count = 0; count < BATCH + 1; count++) start(10, `${count}`);
    clock.ring(20);
    expect(fired).toHaveLength(BATCH);
    expect(clock.pending.map(({ due }) => due)).toEqual([20]);
    clock.ring(20);
    expect(fired).toHaveLength(BATCH + 1);
  });

  it('is not set for a timer that never fires', () => {
    const never = start(Number.POSITIVE_INFINITY);
    expect([clock.set, timers.size, timers.read(never), timers.cancel(never)]).toEqual([[], 0, false, false]);
  });

  it('H11 stays when its timer is cancelled, and rings in vain', () => {
    const timer = start(10);
    expect([timers.read(timer), timers.cancel(timer), timers.cancel(timer)]).toEqual([10, true, false]);
    expect([timers.size, timers.read(timer), clock.pending.length]).toEqual([0, false, 1]);
    clock.ring(10.5);
    expect([fired, clock.pending]).toEqual([[], []]);
    const overdue = start(5);
    clock.time = 100;
    expect(timers.read(overdue)).toBe(0);
  });

  it('is gone when all timers are cleared, and is set again for new ones', () => {
    const timer = start(10);
    timers.clear();
    expect([clock.pending, timers.size, timers.read(timer)]).toEqual([[], 0, false]);
    timers.start(timer, 20);
    expect(clock.pending.map(({ due }) => due)).toEqual([21]);
    clock.ring(30);
    expect(fired).toEqual(['10']);
  });
});

it('when one clears all, the others that are due with it do not fire', () => {
  class Clearing extends Named {
    override fire(): void {
      super.fire();
      timers.clear();
    }
  }
  timers.start(new Clearing('first'), 10);
  const other = start(10, 'other');
  clock.ring(11);
  timers.start(other, 10);
  clock.ring(30);
  expect(fired).toEqual(['first', 'other']);
  expect([timers.size, clock.pending]).toEqual([0, []]);
});

describe('whether the alarm keeps the process alive', () => {
  const alive = (): boolean[] => clock.pending.map(({ keepsAlive }) => keepsAlive);

  it('is as asked, and changes for the timers that wait', () => {
    start(10);
    expect(alive()).toEqual([false]);
    timers.setKeepAlive(true);
    expect(alive()).toEqual([true]);
    timers.setKeepAlive(false);
    expect(alive()).toEqual([false]);
    expect(clock.pending.map(({ due }) => due)).toEqual([11]);
  });

  it('ends a turn of the event loop after the last timer was cancelled, and begins with the next', async () => {
    timers = new Timers(clock, true);
    const timer = start(10);
    timers.cancel(timer);
    expect(alive()).toEqual([true]);
    await nextTurn();
    expect(alive()).toEqual([false]);
    const others = [start(20), start(30)];
    expect(alive()).toEqual([true]);
    expect(clock.set).toHaveLength(1);
    expect(clock.told).toEqual([false, true]);
    for (const other of others) timers.cancel(other);
    await nextTurn();
    expect(clock.told).toEqual([false, true, false]);
  });

  it('begins with a new alarm when the next timer is due before the old one would ring', async () => {
    timers = new Timers(clock, true);
    timers.cancel(start(10));
    await nextTurn();
    for (const delay of [5, 20]) start(delay);
    expect([alive(), clock.told]).toEqual([[true], [false]]);
  });

  it('is no matter when all timers are cleared before it would end', async () => {
    timers = new Timers(clock, true);
    timers.cancel(start(10));
    timers.clear();
    await nextTurn();
    expect([clock.pending, clock.told]).toEqual([[], []]);
  });

  it('costs nothing when timers are started and cancelled in turn', async () => {
    timers = new Timers(clock, true);
    for (let round = 0; round < 10; round++) timers.cancel(start(10));
    start(10);
    await nextTurn();
    expect([alive(), clock.told, clock.set.length]).toEqual([[true], [], 1]);
    for (let round = 0; round < 10; round++) {
      timers.cancel(start(5));
      await nextTurn();
    }
    expect(clock.told).toEqual([]);
  });

  it('ends when it is switched off and no timer waits', async () => {
    timers = new Timers(clock, true);
    timers.cancel(start(10));
    timers.setKeepAlive(false);
    await nextTurn();
    expect(clock.pending).toEqual([]);
    timers.cancel(start(10));
    await nextTurn();
    expect([alive(), clock.told]).toEqual([[false], []]);
  });

  it('of a clock that cannot say ends with the alarm', () => {
    clock = new HandClock(false);
    timers = new Timers(clock, true);
    timers.cancel(start(10));
    expect(clock.pending).toEqual([]);
    start(20);
    expect(alive()).toEqual([true]);
  });

  it('of a clock that cannot say stays while another timer waits', () => {
    clock = new HandClock(false);
    timers = new Timers(clock, true);
    start(20);
    timers.cancel(start(10));
    clock.ring(21);
    expect(fired).toEqual(['20']);
  });
});
