// What waits for one peer: when it is busy, when it is full, and what its end leaves.
import { expect, it } from 'vitest';
import { Backlog } from '../../../../ts/node/session/backlog.ts';

const LIMITS = { highWater: 10, limit: 30, waiting: 20, maxMessage: 100 };

function backlog(): { backlog: Backlog; busy: () => number } {
  let count = 0;
  return { backlog: new Backlog(LIMITS, () => void count++), busy: () => count };
}

it('P1 is busy above the high-water mark and full at its limit, which is another one before the session', () => {
  const { backlog: waits, busy } = backlog();
  waits.set(LIMITS.highWater);
  expect([waits.isBelowHighWater, busy()]).toEqual([true, 0]);
  waits.set(LIMITS.highWater + 1);
  waits.set(LIMITS.waiting - 1);
  expect([waits.isBelowHighWater, busy(), waits.isFull]).toEqual([false, 1, false]);
  waits.add(1);
  expect(waits.isFull).toBe(true);
  waits.open(LIMITS.limit);
  expect(waits.isFull).toBe(false);
  waits.set(LIMITS.limit);
  expect([waits.isFull, busy()]).toEqual([true, 2]); // the session reports it anew
  expect(waits.shrink(LIMITS.highWater + 1)).toBe(false);
  expect([waits.shrink(LIMITS.highWater), waits.shrink(0)]).toEqual([true, false]);
});

it('P1 nothing waits after the end, in streams or outside, and nobody for room', async () => {
  const { backlog: waits } = backlog();
  waits.streams.enter(1, LIMITS.limit);
  waits.setTotal(2 * LIMITS.limit);
  expect(waits.bytes).toBe(2 * LIMITS.limit);
  const room = waits.whenRoom();
  waits.close();
  expect([waits.bytes, waits.isFull, waits.streams.has(1)]).toEqual([0, false, false]);
  await room;
});
