// A node relies on nothing of its discovery: neither that it starts or stops in time, nor what it finds.
import { beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../../ts/actor/index.ts';
import { FollowedDiscovery } from '../../../../ts/node/mesh/followed-discovery.ts';
import type { NodeDiscovery } from '../../../../ts/node/options.ts';

let warnings: string[];
/** The lists that were passed on. */
let found: (readonly string[])[];
let timers: (() => void)[];
let followed: FollowedDiscovery;
beforeEach(() => {
  warnings = [];
  found = [];
  timers = [];
  followed = new FollowedDiscovery({
    found: (names) => void found.push(names),
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

  it('is stopped with its node, and once more when it starts after that', async () => {
    const { discovery, calls, gate } = pending();
    const started = followed.start(discovery, undefined);
    timeOver();
    await started;
    await followed.stop();
    expect(calls).toEqual(['start', 'stop']);
    gate.resolve();
    await new Promise(setImmediate);
    expect(calls).toEqual(['start', 'stop', 'stop']);
    expect(warnings).toEqual(['a discovery is late']);
  });

  it('and fails because it was stopped is no warning', async () => {
    const { discovery, gate } = pending();
    const started = followed.start(discovery, undefined);
    timeOver();
    await started;
    await followed.stop();
    gate.reject(new Error('given up'));
    await new Promise(setImmediate);
    expect(warnings).toEqual(['a discovery is late']);
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

/** A discovery that runs, and the listener that it was given. */
async function running(stop: () => void | Promise<void> = () => {}) {
  let listener: Parameters<NodeDiscovery['start']>[0] = { found() {}, failed() {} };
  await followed.start({ start: (given) => void (listener = given), stop }, undefined);
  return listener;
}
const named = (count: number): string[] => Array.from({ length: count }, (_, at) => `n${at}@h:1`);

describe('a discovery that finds', () => {
  it('4096 names, some of them twice, is believed; with one more it has failed', async () => {
    const listener = await running();
    const most = named(4096);
    listener.found([...most, ...most]);
    expect(found).toHaveLength(1);
    listener.found(named(4097));
    listener.found(named(1_000_000));
    expect(found).toHaveLength(1);
    expect(warnings).toEqual(['a discovery failed', 'a discovery failed']);
  });

  it.each([[undefined], [null], ['a@h:1'], [{ length: 1 }], [new Set(['a@h:1'])]])(
    '%j has failed',
    async (names) => {
      const listener = await running();
      expect(() => listener.found(names as never)).not.toThrow();
      expect([found, warnings]).toEqual([[], ['a discovery failed']]);
    },
  );

  it('anything after its end is not heard', async () => {
    const listener = await running();
    await followed.stop();
    listener.found(['a@h:1']);
    listener.failed(new Error('no'));
    expect([found, warnings]).toEqual([[], []]);
  });
});

describe('a discovery whose stop', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('%s is a warning', async (_how, stop) => {
    await running(stop);
    await followed.stop();
    expect(warnings).toEqual(['a discovery could not be stopped']);
  });

  it('hangs is not waited for any longer', async () => {
    let calls = 0;
    await running(() => {
      calls++;
      return new Promise(() => {});
    });
    const stopped = followed.stop();
    timeOver();
    await stopped;
    await followed.stop();
    expect([calls, warnings, timers]).toEqual([1, ['a discovery could not be stopped'], []]);
  });
});
