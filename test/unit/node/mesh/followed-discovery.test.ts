// A node waits for the start and the stop of its discovery only for a limited time.
import { beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../../ts/actor/index.ts';
import { FollowedDiscovery } from '../../../../ts/node/mesh/followed-discovery.ts';

let warnings: string[];
let timers: (() => void)[];
let followed: FollowedDiscovery;
beforeEach(() => {
  warnings = [];
  timers = [];
  followed = new FollowedDiscovery({
    found: () => {},
    after: (_ms, action) => {
      timers.push(action);
      return () => void timers.splice(timers.indexOf(action), 1);
    },
    logger: { ...silentLogger, warn: (_facts: object, message: string) => void warnings.push(message) },
  });
});

/** A discovery whose start is over when the test says so. */
function pending() {
  const calls: string[] = [];
  let resolve = (): void => {};
  let reject = (_why: Error): void => {};
  const promise = new Promise<void>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  const gate = { promise, resolve, reject };
  const discovery = {
    start: async () => {
      calls.push('start');
      await gate.promise;
    },
    stop: () => void calls.push('stop'),
  };
  return { discovery, calls, gate };
}
const timeOver = (): void => timers.splice(0).forEach((action) => action());

describe('a discovery whose start hangs', () => {
  it('is not waited for any longer, and said to be late', async () => {
    const { discovery } = pending();
    const started = followed.start(discovery, undefined);
    timeOver();
    await started;
    expect(warnings).toEqual(['a discovery is late']);
  });

  it('that starts after all is stopped with its node', async () => {
    const { discovery, calls, gate } = pending();
    const started = followed.start(discovery, undefined);
    timeOver();
    await started;
    gate.resolve();
    await gate.promise;
    await Promise.resolve();
    await followed.stop();
    expect(calls).toEqual(['start', 'stop']);
  });

  it('is stopped when it starts after its node was stopped', async () => {
    const { discovery, calls, gate } = pending();
    const started = followed.start(discovery, undefined);
    timeOver();
    await started;
    await followed.stop();
    expect(calls).toEqual(['start']);
    gate.resolve();
    await new Promise(setImmediate);
    expect(calls).toEqual(['start', 'stop']);
  });

  it('that fails in the end is a warning', async () => {
    const { discovery, gate } = pending();
    const started = followed.start(discovery, undefined);
    timeOver();
    await started;
    gate.reject(new Error('no'));
    await new Promise(setImmediate);
    expect(warnings).toEqual(['a discovery is late', 'a discovery did not start']);
  });
});

it('what the start of a discovery throws in time comes through', async () => {
  const { discovery, gate } = pending();
  const started = followed.start(discovery, undefined);
  gate.reject(new Error('taken'));
  await expect(started).rejects.toThrow('taken');
  expect(timers).toEqual([]);
});
