// One name that very many claims want: the work is counted, in comparisons of two claims.
import { expect, it } from 'vitest';
import { Ballots, type Verdict } from '../../../ts/global/ballots.ts';
import type { Claim, Claimant } from '../../../ts/global/claim-queue.ts';
import { MAX_CLAIMS_PER_NODE } from '../../../ts/global/limits.ts';
import { randomFrom } from '../../support/seed.ts';

/** A voter for the name `x`, the votes that it has given and the comparisons it took. */
class Voter {
  readonly votes: [id: number, verdict: Verdict][] = [];
  reads = 0;
  isTaken = false;
  readonly ballots = new Ballots({
    isTaken: () => this.isTaken,
    vote: ({ id }, verdict) => void this.votes.push([id, verdict]),
    inquire: () => {},
    overdue: () => {},
  });

  claim(claimant: Claimant, id: number, stamp: number, replaces = false): void {
    const read = (): number => {
      this.reads++;
      return stamp;
    };
    const claim: Claim = Object.defineProperty({ claimant, id, name: 'x', stamp, replaces }, 'stamp', {
      get: read,
    });
    this.ballots.claim(claim);
  }
}

const claimant = (node: string): Claimant => ({ node, claims: new Map() });

it('Q1 votes in the order of stamps, node names and numbers, whatever is given up meanwhile', () => {
  const random = randomFrom();
  const voter = new Voter();
  const [a, b] = [claimant('a'), claimant('b')];
  const waiting: { of: Claimant; id: number; stamp: number }[] = [];
  voter.claim(a, 0, 0, true);
  for (let id = 1; id <= 400; id++) {
    const of = random() < 0.5 ? a : b;
    const stamp = 1 + Math.floor(random() * 100);
    voter.claim(of, id, stamp, random() < 0.5);
    waiting.push({ of, id, stamp });
    if (random() < 0.3) {
      const [given] = waiting.splice(Math.floor(random() * waiting.length), 1);
      if (given !== undefined) voter.ballots.end(given.of, given.id);
    }
  }
  waiting.sort((one, two) =>
    one.stamp !== two.stamp
      ? one.stamp - two.stamp
      : one.of.node === two.of.node
        ? one.id - two.id
        : one.of.node < two.of.node
          ? -1
          : 1,
  );
  voter.ballots.end(a, 0);
  for (const { of, id } of waiting) voter.ballots.end(of, id);
  expect(voter.votes.slice(1)).toEqual(waiting.map(({ id }) => [id, 'yes']));
  expect(voter.ballots.size).toBe(0);
});

it.each([
  ['registers', false],
  ['switches', true],
])('P7 no work is quadratic in the claims of one peer: %s', (_what, replaces) => {
  const many = MAX_CLAIMS_PER_NODE;
  const voter = new Voter();
  const [first, hostile] = [claimant('a'), claimant('b')];
  voter.claim(first, 1, 0, true);
  for (let id = 0; id < many; id++) voter.claim(hostile, id, many - id, replaces);
  // It gives up, and claims again.
  for (let id = 0; id < many; id++) voter.ballots.end(hostile, id);
  for (let id = 0; id < many; id++) voter.claim(hostile, id, id + 1, replaces);
  // The first claim is over, and then each in its turn.
  voter.isTaken = replaces;
  voter.ballots.end(first, 1);
  for (let id = 0; id < many; id++) voter.ballots.end(hostile, id);
  expect(voter.votes).toHaveLength(1 + many);
  expect(voter.ballots.size).toBe(0);
  // Each claim enters and leaves a heap of 2^16 places, twice: at most two comparisons a level.
  expect(voter.reads).toBeLessThan(4 * many * 16 * 4);
});
