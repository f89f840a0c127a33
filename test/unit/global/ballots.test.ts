// One name that many claims want: the order of votes, the work (counted in comparisons of two claims), and votes that are kept for too long.
import { describe, expect, it } from 'vitest';
import { SeededMap } from '../../../ts/collections/index.ts';
import { Ballots } from '../../../ts/global/ballots.ts';
import { type Claim, type Claimant, ClaimQueue, isBefore } from '../../../ts/global/claim-queue.ts';
import { MAX_CLAIMS_PER_NODE, MAX_VOTE_ROUNDS } from '../../../ts/global/limits.ts';
import type { Verdict } from '../../../ts/global/messages.ts';
import { randomFrom } from '../../support/seed.ts';

/** A voter for the name `x`, the votes that it has given and the comparisons it took. */
class Voter {
  readonly votes: [id: number, verdict: Verdict][] = [];
  /** The nodes of the claims that held the vote for too long. */
  readonly overdue: string[] = [];
  /** The claims that were asked to return the vote. */
  readonly inquired: number[] = [];
  reads = 0;
  isTaken = false;
  readonly ballots = new Ballots({
    isTaken: () => this.isTaken,
    vote: ({ id }, verdict) => void this.votes.push([id, verdict]),
    inquire: ({ id }) => void this.inquired.push(id),
    overdue: ({ claimant }) => void this.overdue.push(claimant.node),
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

const claimant = (node: string): Claimant => ({ node, claims: new SeededMap() });

it('Q1 the claims that wait are a sorted list, from which any can be taken, once', () => {
  const random = randomFrom();
  const pick = (from: number): number => Math.floor(random() * from);
  const [queue, model, seen] = [new ClaimQueue(), new Set<Claim>(), [] as Claim[]];
  const nodes = ['a', 'b', 'c'].map(claimant);
  for (let id = 1; id <= 1000; id++) {
    const claim = { claimant: nodes[pick(3)]!, id, name: 'x', stamp: pick(20), replaces: false };
    if (random() < 0.5 || seen.length === 0) {
      seen.push(claim);
      queue.push(claim);
      model.add(claim);
    } else {
      // Perhaps one that was removed before.
      const given = random() < 0.3 ? (queue.first ?? claim) : seen[pick(seen.length)]!;
      queue.remove(given);
      model.delete(given);
    }
    expect(queue.first).toBe([...model].sort((one, other) => (isBefore(one, other) ? -1 : 1))[0]);
    for (const node of nodes)
      expect(queue.hasOther(node)).toBe([...model].some((each) => each.claimant !== node));
  }
});

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

describe('the vote', () => {
  it('Q1 is asked back once when earlier claims wait, and again of the next one', () => {
    const voter = new Voter();
    const [a, b] = [claimant('a'), claimant('b')];
    voter.claim(a, 1, 10);
    voter.claim(b, 2, 20);
    expect(voter.inquired).toEqual([]);
    voter.claim(b, 3, 5);
    voter.claim(b, 4, 4);
    expect(voter.inquired).toEqual([1]);
    voter.ballots.yield(b, 2); // which does not have it
    expect(voter.votes).toEqual([[1, 'yes']]);
    voter.ballots.yield(a, 1);
    voter.claim(b, 5, 3);
    expect(voter.votes).toEqual([
      [1, 'yes'],
      [4, 'yes'],
    ]);
    expect(voter.inquired).toEqual([1, 4]);
  });

  it('is given once to a number that is in use', () => {
    const voter = new Voter();
    const a = claimant('a');
    for (let count = 0; count < 2; count++) voter.claim(a, 1, 1);
    expect(voter.votes).toEqual([[1, 'yes']]);
    voter.ballots.end(a, 1);
    voter.claim(a, 1, 1);
    expect(voter.votes).toHaveLength(2);
  });

  it('for a taken name is given to claims that replace its actor, and refused to the others', () => {
    const voter = new Voter();
    const [a, b] = [claimant('a'), claimant('b')];
    voter.claim(a, 1, 0);
    voter.claim(b, 2, 5);
    voter.claim(b, 3, 6, true);
    voter.isTaken = true;
    voter.ballots.end(a, 1);
    voter.claim(a, 4, 1);
    expect(voter.votes).toEqual([
      [1, 'yes'],
      [2, 'taken'],
      [3, 'yes'],
      [4, 'taken'],
    ]);
    expect([...a.claims.values(), ...b.claims.values()].map(({ id }) => id)).toEqual([3]);
  });

  it.each([
    ['is gone', 'gone', []],
    ['does not answer', 'late', [1, 2]],
  ] as const)('goes to no other claim of a node that %s', (_what, how, late) => {
    const voter = new Voter();
    const [a, b] = [claimant('a'), claimant('b')];
    voter.claim(b, 1, 0);
    voter.claim(b, 2, 1);
    voter.claim(a, 3, 2);
    voter.ballots[how](b);
    expect(voter.votes).toEqual([[1, 'yes'], [3, 'yes'], ...late.map((id) => [id, 'late'])]);
    expect(b.claims.size).toBe(0);
    expect(voter.ballots.holder('x')).toBe('a');
  });
});

describe('the vote is overdue', () => {
  const pass = (voter: Voter, rounds: number, each: () => void): void => {
    for (let round = 0; round < rounds; round++) {
      voter.ballots.round();
      each();
    }
  };

  /** Ends the claim of a node that has the number 0, then 1 …, when its next one waits already. */
  const renewing = (voter: Voter, by: Claimant): (() => void) => {
    let id = 0;
    return () => {
      voter.claim(by, id + 1, 0);
      voter.ballots.end(by, id++);
    };
  };

  it('Q1 of a claim that yields it again and again, and is always the earliest', () => {
    const voter = new Voter();
    const [honest, hostile] = [claimant('a'), claimant('b')];
    voter.claim(hostile, 1, 0);
    voter.claim(honest, 1, 7);
    pass(voter, 2 * MAX_VOTE_ROUNDS, () => voter.ballots.yield(hostile, 1));
    expect(voter.overdue).toEqual([]);
    voter.ballots.round();
    expect(voter.overdue).toEqual(['b']);
  });

  it.each([
    ['register', false],
    ['switch', true],
  ])('Q1 of a node that claims anew, always earlier than others that %s', (_what, replaces) => {
    const voter = new Voter();
    const [honest, hostile] = [claimant('a'), claimant('b')];
    voter.claim(hostile, 0, 0);
    voter.claim(honest, 1, 7, replaces);
    pass(voter, 2 * MAX_VOTE_ROUNDS, renewing(voter, hostile));
    expect(voter.overdue).toEqual([]);
    voter.ballots.round();
    expect(voter.overdue).toEqual(['b']);
  });

  it('not of nodes that take turns, while the other one always waits', () => {
    const voter = new Voter();
    const nodes = [claimant('a'), claimant('b')] as const;
    const node = (id: number): Claimant => nodes[id % 2 === 0 ? 0 : 1];
    for (const id of [0, 1]) voter.claim(node(id), id, id);
    let id = 0;
    pass(voter, 3 * MAX_VOTE_ROUNDS, () => {
      voter.ballots.end(node(id), id);
      voter.claim(node(id), id + 2, id + 2);
      id++;
    });
    expect(voter.overdue).toEqual([]);
  });

  it('Q1 only after rounds in which another node waited, however long it was alone before', () => {
    const voter = new Voter();
    const [one, other] = [claimant('a'), claimant('b')];
    voter.claim(one, 0, 0);
    const claimAnew = renewing(voter, one);
    pass(voter, 3 * MAX_VOTE_ROUNDS, claimAnew);
    voter.claim(other, 0, 7);
    pass(voter, 2 * MAX_VOTE_ROUNDS, claimAnew);
    expect(voter.overdue).toEqual([]);
    voter.ballots.round();
    expect(voter.overdue).toEqual(['a']);
  });

  it('Q1 after such rounds in all, if those that wait give up and others come later', () => {
    const voter = new Voter();
    const [one, other] = [claimant('a'), claimant('b')];
    voter.claim(one, 0, 0);
    const claimAnew = renewing(voter, one);
    for (const waits of [0, 1]) {
      voter.claim(other, waits, 7);
      pass(voter, MAX_VOTE_ROUNDS, claimAnew);
      voter.ballots.end(other, waits);
      pass(voter, 1, claimAnew);
    }
    voter.claim(other, 2, 7);
    expect(voter.overdue).toEqual([]);
    voter.ballots.round();
    expect(voter.overdue).toEqual(['a']);
  });

  it('not of a node whose own claims alone follow each other, nor of nodes that take turns', () => {
    const voter = new Voter();
    const [one, other] = [claimant('a'), claimant('b')];
    voter.claim(one, 0, 0);
    let id = 0;
    pass(voter, 3 * MAX_VOTE_ROUNDS, () => {
      voter.claim(one, id + 1, id + 1);
      voter.ballots.end(one, id++);
    });
    pass(voter, 3 * MAX_VOTE_ROUNDS, () => {
      const [by, next] = id % 2 === 0 ? [one, other] : [other, one];
      voter.claim(next, id + 1, id + 1);
      voter.ballots.end(by, id++);
    });
    expect(voter.overdue).toEqual([]);
  });
});
