// Which nodes are dialled without a call of `connect`.
import { expect, it } from 'vitest';
import { DialPolicy, MAX_LOST } from '../../../../ts/node/mesh/dial-policy.ts';

const name = (number: number): string => `n${number}@host:1`;

it('L17 with `once` the nodes lost last are not dialled again: 4096 of them', () => {
  expect(MAX_LOST).toBe(4096); // the figure of docs/semantics.md
  const policy = new DialPolicy('once');
  for (let number = 0; number <= MAX_LOST; number++) policy.down(name(number));
  expect([policy.mayDial(name(0)), policy.mayDialOnUse(name(0))]).toEqual([true, true]);
  expect([policy.mayDial(name(1)), policy.mayDialOnUse(name(1))]).toEqual([false, false]);
  policy.down(name(1)); // lost again: now another one was lost longest ago
  policy.down(name(MAX_LOST + 1));
  expect([1, 2].map((number) => policy.mayDial(name(number)))).toEqual([false, true]);
  policy.up(name(1));
  expect(policy.mayDial(name(1))).toBe(true);
});
