// What the observer remembers of what happened: what repeats is one entry, and neither kind pushes out the other.
import { channel } from 'node:diagnostics_channel';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { CrashInfo, Pid } from '../../../ts/index.ts';
import { EventLog, type LogEntry } from '../../../ts/observe/event-log.ts';

const node = { name: 'root@h:1' };
let log: EventLog;
/** What a viewer was told, a list each time. */
let told: LogEntry[][];
let stop: () => void;
beforeEach(() => {
  vi.useFakeTimers();
  log = new EventLog(node as never);
  told = [];
  stop = log.follow((entries) => told.push([...entries]));
});
afterEach(() => {
  stop();
  log.close();
  vi.useRealTimers();
});

const publish = (name: string, more: object, runtime: object = node): void =>
  channel(name).publish({ runtime, peer: 'b@h:1', ...more });
const crash = (id: number, reason = 'Error: x', times = 1): CrashInfo => ({
  id,
  at: 1000 + id,
  pid: { local: 0 } as Pid,
  label: 'clerk',
  reason,
  stack: 'at a\nat b',
  times,
});
const isTold = (): Promise<unknown> => vi.advanceTimersByTimeAsync(250);
/** What a viewer that comes now is told. */
const kept = (): LogEntry[] => {
  let all: readonly LogEntry[] = [];
  log.follow((entries) => void (all = entries))();
  return [...all];
};

Object.assign(node, { nodeOf: () => 'b@h:1' });

it('tells what happens together, and to a newcomer what is kept', async () => {
  publish('snowmesh:session:up', { hidden: false });
  publish('snowmesh:session:up', { hidden: true }); // comes to look
  publish('snowmesh:session:up', { hidden: false }, {}); // of another node of the process
  publish('snowmesh:session:down', { hidden: false, cause: 'closed' });
  log.crashed('b@h:1', [crash(1)]);
  await isTold();
  expect(told).toHaveLength(2); // nothing at first
  expect(told[1]?.map(({ kind, text, times }) => [kind, text, times])).toEqual([
    ['up', 'b@h:1 is connected', 1],
    ['down', 'b@h:1 was lost: closed', 1],
    ['crash', 'clerk <0.0>: Error: x', 1],
  ]);
  expect(kept()).toEqual(told[1]);
});

it.each([
  ['session:up', { hidden: false }, 'up', 'b@h:1 is connected'],
  ['session:down', { cause: 'closed' }, 'down', 'b@h:1 was lost: closed'],
  ['peer:stall', {}, 'stall', 'the event loop of b@h:1 is blocked'],
  ['peer:recover', {}, 'recover', 'the event loop of b@h:1 runs again'],
  ['peer:unreachable', { why: 'dns', detail: '' }, 'unreachable', 'b@h:1 could not be reached: dns'],
  ['peer:unreachable', { why: 'dns', detail: 'x' }, 'unreachable', 'b@h:1 could not be reached: dns, x'],
  ['peer:refuse', { reason: 'cookie' }, 'refuse', 'b@h:1 was refused: cookie'],
])('of %s with %j says %s', (name, more, kind, text) => {
  for (let times = 0; times < 2; times++) publish(`snowmesh:${name}`, more);
  const isOne = kind === 'unreachable' || kind === 'refuse'; // what repeats itself
  const one = { kind, text, node: 'root@h:1' };
  expect(kept()).toMatchObject(isOne ? [{ ...one, times: 2 }] : [one, one]);
});

it('a crash that happens again, and a dial that fails again, takes the place of its entry', async () => {
  log.crashed('b@h:1', [crash(1)]);
  for (let left = 3; left > 0; left--)
    publish('snowmesh:peer:unreachable', { why: 'refused', detail: 'nothing listens' });
  await isTold();
  log.crashed('b@h:1', [crash(9, 'Error: x', 7)]);
  log.crashed('c@h:1', [crash(1)]); // on another node it is another one
  await isTold();
  expect(told[2]?.map(({ node: where, at, times }) => [where, at, times])).toEqual([
    ['b@h:1', 1009, 7],
    ['c@h:1', 1001, 1],
  ]);
  expect(kept().map(({ kind, times }) => [kind, times])).toEqual([
    ['unreachable', 3],
    ['crash', 7],
    ['crash', 1],
  ]);
});

it('keeps a hundred crashes and a hundred other events, the last ones, each in 500 characters', async () => {
  publish('snowmesh:session:up', { hidden: false });
  for (let id = 1; id <= 1000; id++) log.crashed('b@h:1', [crash(id, `Error: ${id} ${'x'.repeat(1000)}`)]);
  expect(kept().filter(({ kind }) => kind === 'up')).toHaveLength(1);
  for (let count = 0; count < 1000; count++) publish('snowmesh:session:down', { cause: `cause ${count}` });
  const all = kept();
  expect(all).toHaveLength(200);
  expect(all.filter(({ kind }) => kind === 'crash').at(-1)?.text).toMatch(/^clerk <0\.0>: Error: 1000 /);
  expect(all.at(-1)?.text).toBe('b@h:1 was lost: cause 999');
  for (const { text } of all) expect(text.length).toBeLessThanOrEqual(500);
  await isTold();
  expect(told).toHaveLength(2);
});

it('leaves nothing behind when it is closed', async () => {
  publish('snowmesh:session:up', { hidden: false });
  log.close();
  expect(vi.getTimerCount()).toBe(0);
  publish('snowmesh:session:up', { hidden: false });
  log.crashed('b@h:1', [crash(1)]); // of a query that was under way
  await isTold();
  expect(told).toHaveLength(1);
});

it('keeps longer what has happened again', () => {
  const fail = (why: string): void => publish('snowmesh:peer:unreachable', { why, detail: '' });
  for (const why of ['first', ...Array.from({ length: 98 }, (_, at) => `${at}`), 'first']) fail(why);
  for (let at = 0; at < 50; at++) fail(`later ${at}`);
  expect(kept().map(({ text, times }) => [text.split(': ')[1], times])).toContainEqual(['first', 2]);
});
