import { expect, it } from 'vitest';
import { Turns } from '../../../ts/global/turns.ts';

const MANY = 50_000;

it('P7 lets only so many run at once, first in, first out, also those that are over at once', () => {
  const turns = new Turns(2);
  const begun: number[] = [];
  for (let job = 0; job < MANY; job++) {
    turns.enter(() => {
      begun.push(job);
      if (job > 3) turns.leave();
    });
  }
  expect(begun).toEqual([0, 1]);
  turns.leave();
  expect(begun).toEqual([0, 1, 2]);
  turns.leave();
  turns.leave();
  expect(begun).toEqual(Array.from({ length: MANY }, (_, job) => job));
});
