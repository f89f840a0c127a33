import { expect, it } from 'vitest';
import type { Connection } from '../../../ts/rooms/connection.ts';
import { MAX_REPORTED, MAX_TAKEN } from '../../../ts/rooms/limits.ts';
import { Sessions, type Taken } from '../../../ts/rooms/sessions.ts';
import { startTestRuntime } from '../../../ts/testing/index.ts';

const taken = (number: number): Taken => ({ number, generation: 0, before: 0 });

it('the sessions of which peers report taken messages are limited: the oldest report is forgotten first', async () => {
  const kit = startTestRuntime();
  const sessions = new Sessions(kit.runtime, 1000);
  sessions.noteTaken('own', taken(7));
  for (let number = 0; number < MAX_REPORTED; number++) sessions.noteReported(`s${number}`, 1);
  sessions.noteReported('s0', 2);
  sessions.noteReported('last', 1);
  expect(sessions.size).toBe(MAX_REPORTED + 1);
  expect(['s0', 's1', 's2', 'last'].map((session) => sessions.reported(session))).toEqual([2, 0, 1, 1]);
  expect(sessions.taken('own').number).toBe(7);
  await kit.advance(2000);
  expect(sessions.size).toBe(0);
  sessions.close();
  kit.stop();
});

it('what clients make this node remember of their sessions is bounded: the session that ended first is forgotten first', async () => {
  const kit = startTestRuntime();
  const sessions = new Sessions(kit.runtime, 1000);
  const connection = (): Connection => ({}) as Connection;
  const staying = connection();
  sessions.opened('stays', staying);
  sessions.noteTaken('stays', taken(1));
  for (let number = 0; number < MAX_TAKEN + 3; number++) {
    const each = connection();
    sessions.opened(`s${number}`, each);
    sessions.noteTaken(`s${number}`, taken(number + 1));
    sessions.closed(`s${number}`, each);
  }
  expect(sessions.size).toBe(MAX_TAKEN + 1);
  const last = (session: string): number => sessions.taken(session).number;
  expect(['stays', 's0', 's2', 's3'].map(last)).toEqual([1, 0, 0, 4]);
  sessions.closed('stays', staying);
  expect(sessions.size).toBe(MAX_TAKEN);
  expect(['stays', 's3', 's4'].map(last)).toEqual([1, 0, 5]);
  await kit.advance(2000);
  expect(sessions.size).toBe(0);
  sessions.close();
  kit.stop();
});

it('what was taken is remembered for the whole window after the end of a connection', async () => {
  const kit = startTestRuntime();
  const sessions = new Sessions(kit.runtime, 10_000);
  const connection = {} as Connection;
  sessions.opened('s', connection);
  sessions.noteTaken('s', taken(1));
  await kit.advance(35_000);
  sessions.closed('s', connection);
  await kit.advance(9000);
  expect(sessions.taken('s').number).toBe(1);
  await kit.advance(15_000);
  expect(sessions.size).toBe(0);
  sessions.close();
  kit.stop();
});
