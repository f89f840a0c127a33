// Figures of the page, as they are written.
import { expect, it } from 'vitest';

const { amount } = (await import('../../../ts/observe/page/format.js' as string)) as {
  amount(n: number, one: string): string;
};

it.each([
  [0, '0 actors'],
  [1, '1 actor'],
  [2, '2 actors'],
  [12_345, '12.3k actors'],
])('%i is written with the form of the noun that belongs to it', (n, words) => {
  expect(amount(n, 'actor')).toBe(words);
});
