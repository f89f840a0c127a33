// The test kit under node:test: run as a process of its own by kit.test.ts. No globals, no other runner.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, defineServer } from '../../../ts/behaviour/index.ts';
import { startTestRuntime } from '../../../ts/testing/index.ts';

void test('the kit works under node:test', async () => {
  await using kit = startTestRuntime();
  const probe = await kit.probe<string>();
  probe.self.sendAfter(3_600_000, probe.pid, 'an hour later');
  await probe.expectNoMessage(3_599_999);
  await probe.expectMessage('an hour later', { within: 1 });
  const echo = defineServer({ name: 'echo', init: () => ({}), calls: { echo: (_, text: string) => text } });
  assert.equal(await call(kit, await echo.start(kit), 'echo', 'hi'), 'hi');
});

void test('a broken expectation is an AssertionError', async () => {
  await using kit = startTestRuntime();
  const probe = await kit.probe();
  await assert.rejects(probe.expectMessage('never'), { name: 'AssertionError', code: 'ERR_ASSERTION' });
});
