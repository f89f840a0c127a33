import { describe, expect, it } from 'vitest';
import { CrashLog, MAX_CRASHES } from '../../../ts/introspect/crash-log.ts';
import { Pid } from '../../../ts/term/index.ts';

const pid = (local: number): Pid => new Pid(0, local);
const reasonOf = (message: string, stack = '    at code (file.js:1:1)'): object => ({
  error: { name: 'Error', message },
  stack: `Error: ${message}\n${stack}`,
});
const seen = (log: CrashLog): [string, number, number][] =>
  log.page({}).items.map(({ reason, id, times }) => [reason, id, times]);

describe('the log of crashes', () => {
  it('counts a crash that repeats, and moves it to the end when another came between', () => {
    const log = new CrashLog();
    for (const message of ['a', 'a', 'b', 'a', 'b', 'b']) log.note(pid(1), 'worker', reasonOf(message), 1);
    expect(seen(log)).toEqual([
      ['Error: a', 4, 3],
      ['Error: b', 6, 3],
    ]);
    expect(log.count).toBe(6);
  });

  it('tells actors of different labels apart', () => {
    const log = new CrashLog();
    for (const label of ['one', 'other', 'other']) log.note(pid(1), label, reasonOf('a'), 1);
    expect(log.page({}).items.map(({ label, times }) => [label, times])).toEqual([
      ['one', 1],
      ['other', 2],
    ]);
  });

  it('has the time and the actor of the last crash, and the stack of the first', () => {
    const log = new CrashLog();
    log.note(pid(1), 'worker', reasonOf('a', '    at first (file.js:1:1)'), 10);
    log.note(pid(2), 'worker', reasonOf('a', '    at second (file.js:2:2)'), 20);
    expect(log.page({}).items).toEqual([
      {
        id: 2,
        at: 20,
        pid: pid(2),
        label: 'worker',
        reason: 'Error: a',
        stack: 'at first (file.js:1:1)',
        times: 2,
      },
    ]);
  });

  it('gives away pages that later crashes do not change', () => {
    const log = new CrashLog();
    log.note(pid(1), 'worker', reasonOf('a'), 1);
    const [before] = log.page({}).items;
    log.note(pid(2), 'worker', reasonOf('a'), 2);
    expect(before).toMatchObject({ id: 1, at: 1, times: 1 });
  });

  it('drops the crash that happened longest ago when there are too many', () => {
    const log = new CrashLog();
    for (let n = 0; n < MAX_CRASHES; n++) log.note(pid(1), 'worker', reasonOf(`${n}`), 1);
    log.note(pid(1), 'worker', reasonOf('0'), 1); // the oldest again: number 1 is the oldest now
    log.note(pid(1), 'worker', reasonOf('new'), 1);
    const reasons = seen(log).map(([reason]) => reason);
    expect(reasons).toHaveLength(MAX_CRASHES);
    expect(reasons[0]).toBe('Error: 2');
    expect(reasons.slice(-2)).toEqual(['Error: 0', 'Error: new']);
  });
});
