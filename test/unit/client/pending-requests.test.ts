// Joins and leaves that the server has not answered.
import { expect, it } from 'vitest';
import { PendingRequests } from '../../../ts/client/pending-requests.ts';

it('the same request for a room again, before the answer, is not sent again, and has the same answer', async () => {
  const pending = new PendingRequests();
  const sent: number[] = [];
  const ask = (what: 'join' | 'leave'): Promise<void> => pending.add(what, 'g', (ref) => sent.push(ref));
  const answers = Array.from({ length: 1000 }, () => ask('join'));
  expect(sent).toEqual([1]);
  const left = [ask('leave'), ask('leave')];
  expect(pending.all()).toEqual([
    [1, 'join', 'g'],
    [2, 'leave', 'g'],
  ]);
  pending.settle(1);
  await Promise.all(answers);
  expect(pending.has('g')).toBe(true);
  pending.settle(2);
  await Promise.all(left);
  expect(pending.has('g')).toBe(false);
  void ask('join');
  expect(sent).toEqual([1, 2, 3]);
});
