import { expect, it } from 'vitest';
import { MAX_HEARD } from '../../../ts/rooms/limits.ts';
import { Sessions } from '../../../ts/rooms/sessions.ts';
import { startTestRuntime } from '../../../ts/testing/index.ts';

it('what peers say about messages of sessions is bounded: the session named longest ago is forgotten first', async () => {
  const kit = startTestRuntime();
  const sessions = new Sessions(kit.runtime, 1000);
  sessions.take('own', 7);
  for (let number = 0; number < MAX_HEARD; number++) sessions.causedElsewhere(`s${number}`, 1);
  sessions.causedElsewhere('s0', 2);
  sessions.causedElsewhere('last', 1);
  expect(sessions.size).toBe(MAX_HEARD + 1);
  expect(['s0', 's1', 's2', 'last'].map((session) => sessions.heard(session))).toEqual([2, 0, 1, 1]);
  expect(sessions.taken('own')).toBe(7);
  await kit.advance(2000);
  expect(sessions.size).toBe(0);
  sessions.close();
  kit.stop();
});
