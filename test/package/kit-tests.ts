// Tests with the installed test kit, as a user of any runner would write them: no globals, no set-up of its own.

/** The same two tests for each runner: virtual time and a server, and an expectation that fails. */
export const kitTests = (imports: string): string => `${imports}
import assert from 'node:assert/strict';
import { call, defineServer } from 'snowmesh';
import { startTestRuntime } from 'snowmesh/testing';

test('actors on virtual time', async () => {
  const kit = startTestRuntime();
  const probe = await kit.probe();
  probe.self.sendAfter(3_600_000, probe.pid, 'an hour later');
  await probe.expectNoMessage(3_599_999);
  await probe.expectMessage('an hour later', { within: 1 });
  const echo = defineServer({ name: 'echo', init: () => ({}), calls: { echo: (_, text) => text } });
  assert.equal(await call(kit, await echo.start(kit), 'echo', 'hi'), 'hi');
  await kit.stop();
});

test('a broken expectation', async () => {
  const kit = startTestRuntime();
  const probe = await kit.probe();
  await assert.rejects(probe.expectMessage('never'), { name: 'AssertionError' });
  await kit.stop();
});
`;
