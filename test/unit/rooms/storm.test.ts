// What 2 000 clients do when their server restarts.
import { expect, it } from 'vitest';
import { Backoff } from '../../../ts/client/backoff.ts';
import { spreadOf } from '../../../ts/rooms/drain.ts';
import { randomFrom } from '../../support/seed.ts';

const CLIENTS = 2000;

/** When each reaches the server. Unit: ms; @param opensAt before that all attempts fail. */
function arrivals(opensAt: number): number[] {
  const random = randomFrom();
  const spreadMs = spreadOf(CLIENTS);
  const all: number[] = [];
  for (let client = 0; client < CLIENTS; client++) {
    const backoff = new Backoff({ random });
    let at = 0;
    do at += backoff.next(spreadMs);
    while (at < opensAt);
    all.push(at);
  }
  return all;
}

/** The most in any so many ms. */
function most(times: readonly number[], windowMs: number): number {
  const counts = new Map<number, number>();
  for (const time of times) {
    const slot = Math.floor(time / windowMs);
    counts.set(slot, (counts.get(slot) ?? 0) + 1);
  }
  return Math.max(...counts.values());
}

it.each([0, 3000, 10_000])(
  '2 000 clients spread their reconnects when their server is down for %i ms',
  (opensAt) => {
    const times = arrivals(opensAt);
    expect(times.length).toBeGreaterThanOrEqual(CLIENTS);
    // Spread evenly that would be 50 in 100 ms: never more than three times as many.
    expect(most(times, 100)).toBeLessThan(150);
  },
);
