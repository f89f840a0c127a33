import { expect, it } from 'vitest';
import { Outbox } from '../../../ts/client/outbox.ts';
import { countWork } from '../../support/work.ts';

it('R19 an acknowledgement costs as much among many messages as among few', async () => {
  const workAmong = (many: number): Promise<number> => {
    const outbox = new Outbox(many);
    for (let number = 0; number < many; number++) outbox.add('x');
    return countWork(() => {
      for (let number = 1; number <= 10; number++) outbox.taken(number);
      expect(outbox.size).toBe(many - 10);
    });
  };
  const few = await workAmong(20);
  expect(await workAmong(10_000)).toBeLessThan(2 * few);
});

it('R19 what was added since the outbox was restored gets numbers after those that the server has taken', () => {
  const before = new Outbox(10);
  for (const message of ['"a"', '"b"']) before.add(message);
  const outbox = new Outbox(10);
  outbox.restore(before.save());
  outbox.add('"new"');
  outbox.takenUpTo(1);
  expect([...outbox.all()]).toEqual([
    [2, '"b"'],
    [3, '"new"'],
  ]);
  outbox.renumber();
  expect([...outbox.all()]).toEqual([
    [1, '"b"'],
    [2, '"new"'],
  ]);
  const other = new Outbox(10);
  other.restore(before.save());
  other.add('"new"');
  other.takenUpTo(5);
  expect([...other.all()]).toEqual([[6, '"new"']]);
});
