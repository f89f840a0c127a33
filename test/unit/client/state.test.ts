import { expect, it } from 'vitest';
import { later } from '../../../ts/client/joined-room.ts';
import { partsOf } from '../../../ts/client/state.ts';

it('of two cursors the greater sequence of each origin counts', () => {
  const [one, other] = [
    { a: 5, b: 1 },
    { a: 3, b: 2, c: 4 },
  ];
  expect(later(one, other)).toEqual({ a: 5, b: 2, c: 4 });
  expect(one).toEqual({ a: 5, b: 1 });
});

it('rooms to resume are split into parts, in order, each of limited length unless one room is longer', () => {
  const place = (number: number, bytes: number) => [`r${number}`, 'x'.repeat(bytes), {}] as const;
  expect(partsOf(new Map())).toEqual([[]]);
  const places = [place(0, 40_000), ...Array.from({ length: 100 }, (_, number) => place(number + 1, 1000))];
  const parts = partsOf(new Map(places.map(([room, ticket, cursor]) => [room, { ticket, cursor }])));
  expect(parts.flat()).toEqual(places);
  expect(parts[0]).toEqual([places[0]]);
  for (const part of parts.slice(1)) expect(JSON.stringify(part).length).toBeLessThan(17_000);
});
