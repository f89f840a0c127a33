// What the log says of a supervisor that gives up.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cast, defineServer } from '../../../ts/behaviour/index.ts';
import {
  type ChildSpec,
  childSpec,
  defineDynamicSupervisor,
  defineSupervisor,
  startChild,
} from '../../../ts/supervisor/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
beforeEach(() => void (kit = startTestRuntime()));
afterEach(() => kit.stop());

it('says what ended the child last, also when that is no crash, and that nothing starts the top again', async () => {
  const quiet = defineServer({
    name: 'quiet',
    init: () => 0,
    casts: { end: (context, reason: string) => context.stop(reason) },
  });
  const inner = (name: string) =>
    defineSupervisor({ name, children: [childSpec('quiet', quiet, { name })], intensity: 0 });
  await inner('fixed').start(kit);
  await defineSupervisor({ name: 'above', children: [childSpec('below', inner('below'))] }).start(kit);
  const dynamic = await defineDynamicSupervisor({ name: 'dynamic', intensity: 0 }).start(kit);
  await startChild(kit, dynamic, childSpec('quiet', quiet, { name: 'dynamic' }));
  for (const name of ['fixed', 'below', 'dynamic']) cast(kit, quiet.named(name), 'end', 'shutdown');
  await kit.settle();
  const why = 'child "quiet" needs more than 0 restarts within 5000 ms (intensity, period)';
  const top = `a supervisor ends, and nothing starts it again: ${why}`;
  expect(kit.logged('supervisor_shutdown').map(({ facts, message }) => [facts['reason'], message])).toEqual([
    ['shutdown', top],
    ['shutdown', `a supervisor ends: ${why}`],
    ['shutdown', top],
  ]);
});

it.each<[string, (child: ChildSpec) => Promise<unknown>]>([
  ['static', (child) => defineSupervisor({ name: 'top', children: [child] }).start(kit)],
  [
    'dynamic',
    async (child) => startChild(kit, await defineDynamicSupervisor({ name: 'top' }).start(kit), child),
  ],
])('says why the child did not start, when that was last: %s', async (_kind, start) => {
  let starts = 0;
  const broken = defineServer({
    name: 'broken',
    init: () => {
      if (starts++ > 0) throw new TypeError('no such table');
    },
    casts: {
      fail: () => {
        throw new Error('at first');
      },
    },
  });
  const child = childSpec('broken', broken, { name: 'broken' });
  await start(child);
  cast(kit, broken.named('broken'), 'fail');
  await kit.settle();
  expect(kit.logged('supervisor_shutdown').map(({ facts }) => facts['reason'])).toMatchObject([
    { error: { name: 'TypeError', message: 'no such table' } },
  ]);
});
