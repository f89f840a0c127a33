import { expect, it } from 'vitest';
import { CalmLog, LOG_PAUSE_MS } from '../../../ts/node/calm-log.ts';

it('T7 writes the first line of a kind at once, then one a pause with how many it stands for', () => {
  const lines: unknown[] = [];
  const due: (() => void)[] = [];
  const write = (facts: unknown, message: unknown): void => void lines.push([message, facts]);
  const log = new CalmLog({
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
