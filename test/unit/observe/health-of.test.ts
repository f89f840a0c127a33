// Which nodes the page names as those that need attention, and with which reason.
import { expect, it } from 'vitest';

interface Shown {
  readonly node: string;
  readonly state: string;
  readonly overview?: object;
}

const { compareHealth, healthOf } = (await import('../../../ts/observe/page/health.js' as string)) as {
  healthOf(view: Shown, stalled: ReadonlySet<string>, before?: object): [level: string, words: string];
  compareHealth(one: object, other: object): number;
};

const overview = { deadLetters: { noproc: 5 }, isStopping: false, loopDelay: { p99: 1 } };
const up = (more: object = {}): Shown => ({ node: 'a', state: 'up', overview: { ...overview, ...more } });

it.each([
  ['lost', { node: 'a', state: 'lost' }, 'bad', 'lost: there is no connection to it'],
  ['no answer', { node: 'a', state: 'silent' }, 'bad', 'does not answer'],
  ['introspection off', { node: 'a', state: 'off' }, 'unknown', 'answers no queries'],
  ['not asked yet', { node: 'a', state: 'asked' }, 'unknown', 'has not answered yet'],
  ['late', up({ loopDelay: { p99: 51 } }), 'warn', 'event loop 51 ms late'],
  ['very late', up({ loopDelay: { p99: 501 } }), 'bad', 'event loop 501 ms late'],
  ['messages lost', up({ deadLetters: { noproc: 6, unread: 2 } }), 'warn', '3 messages lost'],
  ['stopping', up({ isStopping: true }), 'warn', 'stopping'],
  [
    'all of it',
    up({ isStopping: true, deadLetters: { noproc: 6 }, loopDelay: { p99: 600 } }),
    'bad',
    'event loop 600 ms late, 1 message lost, stopping',
  ],
  ['nothing', up({ loopDelay: { p99: 50 } }), 'good', 'healthy'],
  ['no figure of the event loop', up({ loopDelay: undefined }), 'good', 'healthy'],
] as const)('%s', (_, view, level, words) => {
  expect(healthOf(view, new Set(), overview)).toEqual([level, words]);
});

it('an event loop that a peer reports as blocked counts before what the node said last', () => {
  const stalled = ['bad', 'stalled: its event loop is blocked'];
  expect(healthOf(up(), new Set(['a']), overview)).toEqual(stalled);
  expect(healthOf({ node: 'a', state: 'silent' }, new Set(['a']))).toEqual(stalled);
  expect(healthOf(up(), new Set(['b']), overview)).toEqual(['good', 'healthy']);
});

it('messages that were lost before the first look are no reason', () => {
  expect(healthOf(up({ deadLetters: { noproc: 100 } }), new Set())).toEqual(['good', 'healthy']);
});

it('nodes are sorted by how bad their state is, then by name', () => {
  const nodes = ['good', 'bad', 'unknown', 'warn', 'good'].map((level, at) => ({
    level,
    node: `n${10 - at}`,
  }));
  expect(nodes.sort(compareHealth).map(({ node }) => node)).toEqual(['n9', 'n7', 'n8', 'n6', 'n10']);
});
