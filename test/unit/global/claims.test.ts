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
/** What goes on after a pause. */
let paused: (() => void)[];
let hasPauses: boolean;
let isDoubtful: boolean;
let isTaken: boolean;
beforeEach(() => {
  log = [];
  id = 100;
  paused = [];
  hasPauses = isDoubtful = isTaken = false;
  claims = new Claims({
    pauses: { begin: (_asked: number, next: () => void) => hasPauses && paused.push(next) > 0 } as never,
    voters: () => [one, other],
    ask: ({ node }, claim) => void log.push(`ask ${node} ${claim.id}`),
    giveBack: ({ node }, given) => void log.push(`give back ${node} ${given}`),
    giveUp: (claim) => void log.push(`give up ${claim.id}`),
    nextId: () => ++id,
    isDoubtful: () => isDoubtful,
    isTaken: () => isTaken,
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
  claims.voted(one, claim.id, 'yes');
  claims.voted(one, claim.id, 'late');
  expect(log.at(-1)).toEqual([1, 'unvoted', ['other', 'one']]);
  expect(claims.size).toBe(0);
});

it('Q4 keeps nothing of the votes for its old number when it starts over', () => {
  const claim = begin(1);
  const entry = [new Pid(256, 1), 1] as const;
  claims.voted(one, 1, 'yes', [entry]);
  expect(claim.replaced).toEqual([]); // it replaces nobody
  Object.assign(claim, { replaces: true });
  claims.voted(one, 1, 'yes', [entry]);
  expect(claim.replaced).toEqual([entry]);
  claims.voted(other, 1, 'late');
  expect(claim.replaced).toEqual([]);
});

it('Q1 a decided claim is decided once, whoever joins and leaves', () => {
  const claim = begin(1);
  for (const each of [one, other]) claims.voted(each, 1, 'yes');
  claims.expect(one);
  claims.gone(one);
  expect(log).toEqual(['decide 1']);
  expect(claim.missing.size).toBe(0);
});

const meanwhile: Record<string, [happens: () => void, then: readonly unknown[]]> = {
  nothing: [() => {}, ['ask one 1']],
  'this node learns that the name is taken': [() => (isTaken = true), ['give up 1', [1, 'taken', []]]],
  'the claim ends': [() => claims.voted(other, 1, 'full'), []],
  'the claim starts over': [() => claims.startOver(), []],
  'the voter is lost': [() => claims.gone(one), []],
};

it.each(Object.entries(meanwhile))(
  'Q1 a voter with a doubtful entry is asked again after a pause, if the claim still waits for it: %s',
  (_what, [happens, then]) => {
    hasPauses = isDoubtful = true;
    begin(1);
    claims.voted(one, 1, 'taken');
    expect([paused.length, log]).toEqual([1, []]);
    happens();
    log.length = 0;
    paused[0]?.();
    expect(log).toEqual(then);
  },
);

it('Q1 a vote for the claim is no doubt, and one after the last pause counts', () => {
  hasPauses = isDoubtful = true;
  begin(1);
  claims.voted(one, 1, 'yes');
  claims.voted(other, 1, 'full');
  expect([paused, log]).toEqual([[], ['give up 1', [1, 'full', []]]]);
  hasPauses = false;
  begin(2);
  claims.voted(other, 2, 'taken');
  expect(log).toEqual(['give up 2', [2, 'taken', []]]);
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
