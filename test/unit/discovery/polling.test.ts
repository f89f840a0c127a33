import { describe, expect, it } from 'vitest';
import { LOOK_MS, MAX_PAUSE_MS, Polling } from '../../../ts/discovery/polling.ts';
import { turns } from '../../support/deadline.ts';

const silent = { found: (): void => {}, failed: (): void => {} };

/** Pauses that were asked for; `ring` ends the last, `late` the time of the look-up under way. */
class Pauses {
  readonly asked: number[] = [];
  ring = (): void => {};
  late = (): void => {};
  readonly clock = {
    now: () => 0,
    arm: (delay: number, fire: () => void) => {
      if (delay === LOOK_MS) {
        this.late = fire;
        return { cancel: () => void (this.late = (): void => {}) };
      }
      this.asked.push(delay);
      this.ring = fire;
      return { cancel: () => void (this.ring = (): void => {}) };
    },
  };
}

describe('the pause between look-ups', () => {
  it('doubles with each failure up to a limit, and is short again after a success', async () => {
    const pauses = new Pauses();
    let fails = true;
    const look = async (): Promise<string[]> => {
      if (fails) throw new Error('no');
      return [];
    };
    const polling = new Polling(
      { look, what: 'x', backsOff: true },
      { intervalMs: 5000, clock: pauses.clock },
    );
    polling.start(silent);
    for (let round = 0; round < 4; round++) {
      await turns(2);
      if (round === 3) fails = false;
      pauses.ring();
    }
    await turns(2);
    expect(pauses.asked).toEqual([10_000, 20_000, MAX_PAUSE_MS, MAX_PAUSE_MS, 5000]);
  });

  it('begins when a look-up has ended: look-ups never overlap', async () => {
    const pauses = new Pauses();
    const ends: (() => void)[] = [];
    const look = (): Promise<string[]> => new Promise((resolve) => ends.push(() => resolve([])));
    const polling = new Polling({ look, what: 'x', backsOff: true }, { clock: pauses.clock });
    polling.start(silent);
    polling.hurry();
    polling.hurry();
    await turns(2);
    expect([ends.length, pauses.asked.length]).toEqual([1, 0]);
    ends[0]?.();
    await turns(2);
    expect([ends.length, pauses.asked.length]).toEqual([2, 0]); // once more, for both
    ends[1]?.();
    await turns(2);
    expect([ends.length, pauses.asked]).toEqual([2, [5000]]);
  });
});

describe('a look-up that hangs', () => {
  it('has failed after its time, and others follow', async () => {
    const pauses = new Pauses();
    const ends: ((names: string[]) => void)[] = [];
    const look = (): Promise<string[]> => new Promise((resolve) => ends.push(resolve));
    const told: unknown[] = [];
    const polling = new Polling({ look, what: 'x', backsOff: true }, { clock: pauses.clock });
    polling.start({
      found: (names) => told.push(names),
      failed: ({ code, message }) => told.push([code, message]),
    });
    pauses.late();
    await turns(2);
    expect(told).toEqual([['SNOW_ERR_DISCOVERY', 'looking for nodes in x failed: no answer within 60 s']]);
    expect(pauses.asked).toEqual([10_000]);
    pauses.ring();
    ends[0]?.(['late@h']);
    ends[1]?.(['a@h']);
    await turns(2);
    expect(told.slice(1)).toEqual([['a@h']]);
    pauses.late(); // its time is over: nothing happens
    await turns(2);
    expect([ends.length, told.length]).toEqual([2, 2]);
  });
});

describe('a discovery that is stopped', () => {
  it('and started again knows nothing of before, also when a look-up was under way', async () => {
    const pauses = new Pauses();
    const ends: ((error?: Error) => void)[] = [];
    const look = (): Promise<string[]> =>
      new Promise((resolve, reject) =>
        ends.push((error) => (error === undefined ? resolve(['a@h']) : reject(error))),
      );
    const told: string[] = [];
    const polling = new Polling({ look, what: 'x', backsOff: true }, { clock: pauses.clock });
    const start = (): void =>
      polling.start({
        found: (names) => told.push(...names),
        failed: ({ message }) => told.push(message.split(': ')[1] as string),
      });
    const end = async (error?: Error): Promise<void> => {
      ends.at(-1)?.(error);
      await turns(2);
    };
    for (let life = 1; life <= 2; life++) {
      start();
      await end(new Error('no'));
      pauses.ring();
      await end(new Error('no')); // told once
      pauses.ring();
      await end();
      pauses.ring();
      await end(); // told once
      pauses.ring();
      polling.hurry();
      polling.stop();
      polling.hurry();
      await end();
      expect([told.splice(0), pauses.asked.splice(0)]).toEqual([
        ['no', 'a@h'],
        [10_000, 20_000, 5000, 5000],
      ]);
      expect(ends.splice(0)).toHaveLength(5);
    }
    // A failure that was the last one.
    start();
    await end(new Error('no'));
    polling.stop();
    start();
    await end(new Error('no'));
    expect([told, pauses.asked]).toEqual([
      ['no', 'no'],
      [10_000, 10_000],
    ]);
    polling.stop();
    pauses.ring(); // the pause is over: nothing happens
    expect(ends).toHaveLength(2);
  });
});
