// The claims of a node, apart from any mesh: which votes count, and what a claim that starts over keeps.
import { beforeEach, expect, it } from 'vitest';
import { Claims, type OwnClaim, type Voter } from '../../../ts/global/claims.ts';
import { MAX_FORGOTTEN, MAX_VOTE_ROUNDS } from '../../../ts/global/limits.ts';
import { Pid } from '../../../ts/term/index.ts';

const voter = (node: string): Voter => ({ node }) as Voter;
const [one, other] = [voter('one'), voter('other')];

let claims: Claims;
let log: unknown[];
let id: number;
beforeEach(() => {
  log = [];
  id = 100;
  claims = new Claims({
    pauses: { begin: () => false } as never,
    voters: () => [one, other],
    ask: ({ node }, claim) => void log.push(`ask ${node} ${claim.id}`),
    giveBack: ({ node }, given) => void log.push(`give back ${node} ${given}`),
    giveUp: (claim) => void log.push(`give up ${claim.id}`),
    nextId: () => ++id,
    isDoubtful: () => false,
    isTaken: () => false,
    decide: (claim) => void log.push(`decide ${claim.id}`),
  });
});

function begin(number: number, local = 1): OwnClaim {
  const claim: OwnClaim = {
    id: number,
    name: `name ${number}`,
    pid: new Pid(0, local),
    stamp: 1,
    replaces: false,
    replaced: [],
    missing: new Set(),
    isDecided: false,
    rounds: 0,
    forgotten: 0,
    askedAgain: 0,
    done: (outcome, missing) => void log.push([number, outcome, missing]),
  };
  claims.start(claim);
  log.length = 0;
  return claim;
}

it('Q1 is decided once, by the votes of all, and none of them is given back then', () => {
  const claim = begin(1);
  claims.inquired(one, 1); // it has not voted
  claims.voted(one, 1, 'yes');
  claims.inquired(one, 1);
  claims.voted(other, 1, 'yes');
  expect(log).toEqual(['give back one 1']);
  claims.voted(one, 1, 'yes');
  claims.voted(one, 1, 'yes');
  claims.inquired(one, 1);
  claims.askAgain(one);
  for (let round = 0; round <= MAX_VOTE_ROUNDS; round++) claims.round();
  claims.acknowledged(claim);
  expect(log).toEqual(['give back one 1', 'decide 1', [1, 'yes', undefined]]);
  expect(claims.size).toBe(0);
});

it('Q1 is over with the first vote against it', () => {
  begin(1);
  claims.voted(one, 1, 'taken');
  claims.voted(other, 1, 'yes');
  claims.gone(one);
  expect(log).toEqual(['give up 1', [1, 'taken', []]]);
});

it('Q1 starts over when a voter has forgotten it: votes for its old number do not count', () => {
  begin(1);
  claims.voted(one, 1, 'yes');
  claims.voted(other, 1, 'late');
  expect(log).toEqual(['give up 1', 'ask one 101', 'ask other 101']);
  claims.voted(other, 1, 'yes');
  claims.voted(other, 101, 'yes');
  expect(log).toHaveLength(3);
  claims.voted(one, 101, 'yes');
  expect(log.at(-1)).toBe('decide 101');
});

it('Q1 starts over so often, and then names who has not voted', () => {
  const claim = begin(1);
  for (let times = 0; times < MAX_FORGOTTEN; times++) claims.voted(one, claim.id, 'late');
  expect(claims.size).toBe(1);
  claims.voted(other, claim.id, 'yes');
  claims.voted(one, claim.id, 'late');
  expect(log.at(-1)).toEqual([1, 'unvoted', ['one']]);
  expect(claims.size).toBe(0);
});

it('Q1 ends with its actor, as its other claims do, and no claim of another', () => {
  for (const number of [1, 2]) begin(number);
  begin(3, 2);
  claims.actorDied(new Pid(0, 1));
  claims.actorDied(new Pid(0, 1));
  expect(log.filter((entry) => Array.isArray(entry))).toEqual([
    [1, 'gone', []],
    [2, 'gone', []],
  ]);
  expect(claims.size).toBe(1);
});
