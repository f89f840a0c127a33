import { expect, it } from 'vitest';
import { Semaphore } from '../../../ts/global/semaphore.ts';

const MANY = 50_000;

it('P7 lets only so many run at once, first in, first out, also those that are over at once', () => {
  const semaphore = new Semaphore(2);
  const begun: number[] = [];
  for (let job = 0; job < MANY; job++) {
    semaphore.enter(() => {
      begun.push(job);
      if (job > 3) semaphore.leave();
    });
  }
  expect(begun).toEqual([0, 1]);
  semaphore.leave();
  expect(begun).toEqual([0, 1, 2]);
  semaphore.leave();
  semaphore.leave();
  expect(begun).toEqual(Array.from({ length: MANY }, (_, job) => job));
});

it('P7 runs the void jobs of one owner at once, and the others in order', () => {
  const semaphore = new Semaphore(1);
  const [one, other] = [{}, {}];
  let isVoid = false;
  const begun: string[] = [];
  const enter = (name: string, owner?: object): void =>
    semaphore.enter(() => {
      begun.push(name);
      if (isVoid) semaphore.leave();
    }, owner);
  for (const round of [1, 2]) {
    enter(`one ${round}`, one);
    enter(`other ${round}`, other);
    enter(`nobody ${round}`);
  }
  isVoid = true;
  semaphore.void(one);
  expect(begun).toEqual(['one 1', 'one 2']);
  semaphore.void(one);
  semaphore.leave();
  expect(begun.slice(2)).toEqual(['other 1', 'nobody 1', 'other 2', 'nobody 2']);
});
