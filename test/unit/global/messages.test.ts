// What a peer may say about global names (docs/wire.md, section 9): every part has a type and a limit.
import { expect, it } from 'vitest';
import { MAX_REPLACED, PART } from '../../../ts/global/limits.ts';
import { parseMessage } from '../../../ts/global/messages.ts';
import { Pid } from '../../../ts/term/index.ts';

const pid = new Pid(256, 1);
const times = <T>(length: number, value: T): T[] => Array.from({ length }, () => value);

interface Part {
  readonly good: readonly unknown[];
  readonly bad: readonly unknown[];
}

const NUMBER: Part = {
  good: [0, Number.MAX_SAFE_INTEGER],
  bad: [-1, 0.5, Number.NaN, Number.MAX_SAFE_INTEGER + 1, '1', 1n, null, undefined],
};
const NAME: Part = {
  good: ['x', 'x'.repeat(255), 'ä'.repeat(127)],
  bad: ['', 'undefined', 'x'.repeat(256), 'ä'.repeat(128), '\ud800', 7, ['x'], null],
};
const PID: Part = { good: [pid], bad: [null, 'pid', 1, { nc: 256, local: 1 }] };
const NO_PAIR = [7, 'xy', [pid], [pid, 1, 1], ['pid', 1], [pid, -1], { 0: pid, 1: 1, length: 2 }, null];
const REPLACED: Part = {
  good: [[], times(MAX_REPLACED, [pid, 1])],
  bad: [
    null,
    'x',
    { length: 0 },
    times(MAX_REPLACED + 1, [pid, 1]),
    ...NO_PAIR.map((one) => [[pid, 1], one]),
  ],
};
const words = (...good: string[]): Part => ({ good, bad: ['', 'perhaps', 'toString', null, [good[0]]] });
const OUTCOMES = ['yes', 'taken', 'full', 'gone', 'unvoted'];
const orNull = ({ good, bad }: Part): Part => ({
  good: [...good, null],
  bad: [undefined, ...bad.filter((value) => value !== null)],
});

const ENTRY: readonly Part[] = [NAME, PID, NUMBER, REPLACED];
const entry = ENTRY.map(({ good }) => good[0]);
const SYNC: Part = {
  good: [[], times(PART, entry), ...variants(ENTRY, entry, 'good').map((each) => [each])],
  bad: [
    null,
    'x',
    { length: 0 },
    times(PART + 1, entry),
    ...[null, 'abcd', entry.slice(1), [...entry, 1], listLike(entry)].map((each) => [entry, each]),
    ...variants(ENTRY, entry, 'bad').map((each) => [entry, each]),
  ],
};

const MESSAGES: Readonly<Record<string, readonly Part[]>> = {
  hello: [NUMBER],
  sync: [SYNC],
  bye: [],
  claim: [NUMBER, NAME, NUMBER, { good: [true, false], bad: [0, 1, 'true', null] }],
  vote: [NUMBER, words(...OUTCOMES, 'late'), NUMBER, REPLACED],
  ping: [NUMBER],
  pong: [NUMBER],
  inquire: [NUMBER],
  yield: [NUMBER],
  abort: [NUMBER],
  commit: [NUMBER, NAME, PID, NUMBER, orNull(REPLACED)],
  settled: [NUMBER],
  drop: [NUMBER, NAME, NUMBER],
  ack: [NUMBER],
  lost: [NAME, PID, NUMBER, orNull(PID)],
  ask: [NUMBER, words('register', 'reregister', 'unregister'), NAME, PID],
  answer: [NUMBER, words(...OUTCOMES), REPLACED],
};

/** An object with the items and the length of a list. */
function listLike(values: readonly unknown[]): object {
  return Object.assign({ length: values.length }, values);
}

/** `parts` with one value replaced, once for each good or bad value of each place. */
function variants(parts: readonly Part[], values: readonly unknown[], which: 'good' | 'bad'): unknown[][] {
  return parts.flatMap((part, at) => part[which].map((value) => values.with(at, value)));
}

it.each(Object.entries(MESSAGES))('Q16 takes %s with every part as it may be, and no other', (tag, parts) => {
  const message = [tag, ...parts.map(({ good }) => good[0])];
  const given = (which: 'good' | 'bad'): unknown[][] =>
    variants([{ good: [tag], bad: ['hi', 7, [tag]] }, ...parts], message, which);
  for (const good of given('good')) expect(parseMessage(good), JSON.stringify(good).slice(0, 200)).toBe(good);
  for (const bad of [...given('bad'), message.slice(0, -1), [...message, 1], listLike(message)])
    expect(parseMessage(bad), String(bad).slice(0, 200)).toBeUndefined();
});

it('Q16 an answer is not late', () => {
  expect(parseMessage(['vote', 1, 'late', 1, []])).toBeDefined();
  expect(parseMessage(['answer', 1, 'late', []])).toBeUndefined();
});
