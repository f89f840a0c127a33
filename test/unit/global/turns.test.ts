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

it('P7 runs the void jobs of one owner at once, and the others in order', () => {
  const turns = new Turns(1);
  const [one, other] = [{}, {}];
  let isVoid = false;
  const begun: string[] = [];
  const enter = (name: string, owner?: object): void =>
    turns.enter(() => {
      begun.push(name);
      if (isVoid) turns.leave();
    }, owner);
  for (const round of [1, 2]) {
    enter(`one ${round}`, one);
    enter(`other ${round}`, other);
    enter(`nobody ${round}`);
  }
  isVoid = true;
  turns.void(one);
  expect(begun).toEqual(['one 1', 'one 2']);
  turns.void(one);
  turns.leave();
  expect(begun.slice(2)).toEqual(['other 1', 'nobody 1', 'other 2', 'nobody 2']);
});
