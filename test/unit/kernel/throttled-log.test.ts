import { expect, it } from 'vitest';
import { LOG_PAUSE_MS, MAX_HELD, ThrottledLog } from '../../../ts/kernel/throttled-log.ts';

it('T7 writes the first line of a kind at once, then one a pause with how many it stands for', () => {
  const lines: unknown[] = [];
  const due: (() => void)[] = [];
  const write = (facts: unknown, message: unknown): void => void lines.push([message, facts]);
  const log = new ThrottledLog({
    logger: { error: write, warn: write, info: write, debug: write } as never,
    after: (ms, action) => {
      expect(ms).toBe(LOG_PAUSE_MS);
      due.push(action);
      return () => {};
    },
  });
  for (let at = 0; at < 300; at++) log.write('warn', { at }, 'refused');
  log.write('error', {}, 'another kind');
  expect(lines).toEqual([
    ['refused', { at: 0 }],
    ['another kind', {}],
  ]);
  due.shift()?.(); // of the refused
  expect(lines.slice(2)).toEqual([['refused', { at: 299, count: 299 }]]);
  due.splice(0).forEach((action) => {
    action();
  });
  expect(lines.length).toBe(3);
  expect(due).toEqual([]); // no timer is left when nothing comes
  log.write('warn', { at: 'later' }, 'refused');
  expect(lines.at(-1)).toEqual(['refused', { at: 'later' }]);
});

it('T7 writes lines about each of some peers, and those about further ones as lines of one kind', () => {
  const lines: unknown[] = [];
  const due: (() => void)[] = [];
  const info = (facts: unknown): void => void lines.push(facts);
  const log = new ThrottledLog({
    logger: { error: info, warn: info, info, debug: info } as never,
    after: (_ms, action) => {
      due.push(action);
      return () => {};
    },
  });
  const most = MAX_HELD + 1;
  for (let peer = 0; peer < 3 * MAX_HELD; peer++)
    log.write('info', { peer }, 'a peer is connected', `${peer}`);
  expect([lines.length, due.length]).toEqual([most, most]);
  log.write('info', { peer: 0 }, 'a peer is connected', '0'); // one of the first has its own
  for (const action of due.splice(0)) action();
  expect(lines.slice(most)).toEqual([{ peer: 0 }, { peer: 3 * MAX_HELD - 1, count: 2 * MAX_HELD - 1 }]);
});
