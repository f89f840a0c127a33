import { expect, it } from 'vitest';
import { MAX_REPORTED } from '../../../ts/rooms/limits.ts';
import { Sessions } from '../../../ts/rooms/sessions.ts';
import { startTestRuntime } from '../../../ts/testing/index.ts';

it('the sessions of which peers report taken messages are limited: the oldest report is forgotten first', async () => {
  const kit = startTestRuntime();
  const sessions = new Sessions(kit.runtime, 1000);
  sessions.noteTaken('own', 7);
  for (let number = 0; number < MAX_REPORTED; number++) sessions.noteReported(`s${number}`, 1);
  sessions.noteReported('s0', 2);
  sessions.noteReported('last', 1);
  expect(sessions.size).toBe(MAX_REPORTED + 1);
  expect(['s0', 's1', 's2', 'last'].map((session) => sessions.reported(session))).toEqual([2, 0, 1, 1]);
  expect(sessions.taken('own')).toBe(7);
  await kit.advance(2000);
  expect(sessions.size).toBe(0);
  sessions.close();
  kit.stop();
});
