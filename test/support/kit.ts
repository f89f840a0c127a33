// A runtime on virtual time and a probe, new for each test of the file that imports this one.
import { afterEach, beforeEach } from 'vitest';
import { type Probe, startTestRuntime, type TestRuntime } from '../../ts/testing/index.ts';

export let kit: TestRuntime;
export let probe: Probe;

beforeEach(async () => {
  kit = startTestRuntime();
  probe = await kit.probe();
});
afterEach(() => kit.stop());
