// Requests that make no sense: whoever makes them hears of it, and no supervisor ends of them (J20, J22).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defineHandler, request, type Self } from '../../../ts/actor/index.ts';
import {
  type ChildSpec,
  childSpec,
  defineDynamicSupervisor,
  defineSupervisor,
  startChild,
  whichChildren,
} from '../../../ts/supervisor/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

const idle = async (self: Self): Promise<void> => void (await self.receive());

const supervisors = [
  { kind: 'static', spec: defineSupervisor({ name: 'static', children: [] }) },
  { kind: 'dynamic', spec: defineDynamicSupervisor({ name: 'dynamic' }) },
];

it.each([
  ['a promise', Promise.resolve([])],
  ['an object', {}],
  ['nothing', undefined],
])('a supervisor whose function of children returns %s fails to start', async (_what, returned) => {
  const spec = defineSupervisor({ name: 'wrong', children: () => returned as never });
  const start = spec.start(kit);
  await expect(start).rejects.toThrow('an array of child specs, or a function that returns one');
});

describe.each(supervisors)('a $kind supervisor', ({ spec }) => {
  let pid: Pid;
  beforeEach(async () => {
    pid = await spec.start(kit);
    await startChild(kit, pid, childSpec('good', idle));
  });

  it.each([
    ['start', {}],
    ['start', { kind: 'function', name: 'no body' }],
    ['start', { kind: 'handler', name: 'no init' }],
    ['start', { kind: 'other', name: 'other' }],
    ['args', 5],
    ['args', 'abc'],
    ['type', 'boss'],
    ['shutdown', 1.5],
    ['shutdown', Number.NaN],
    ['shutdown', -1],
    ['startTimeout', 0.5],
  ])('J20 refuses a spec whose %s is %j', async (field, value) => {
    const bad = { id: 'bad', start: idle, [field]: value } as unknown as ChildSpec;
    await expect(startChild(kit, pid, bad)).rejects.toMatchObject({ code: 'SNOW_ERR_BAD_CHILD_SPEC' });
    const raw = { ...bad, start: field === 'start' ? value : { kind: 'function', name: 'from afar' } };
    expect(await request(kit.runtime, pid as never, 'startChild', [raw])).toMatchObject({
      error: 'bad_spec',
    });
    expect(await whichChildren(kit, pid)).toMatchObject([{ id: 'good' }]);
  });

  it('J20 takes a start under a name that is none for a failed one', async () => {
    expect(await startChild(kit, pid, childSpec('bad', idle, { name: '' }))).toEqual({
      ok: false,
      error: 'start_failed',
      reason: 'SNOW_ERR_BAD_NAME',
    });
    expect(await whichChildren(kit, pid)).toMatchObject([{ id: 'good' }]);
  });

  it('J20, P8 says that a start failed also when the reason is too deep for the answer', async () => {
    let reason: unknown = 'bottom';
    const failing = defineHandler('failing', (self) => self.exit(reason));
    for (let depth = 0; depth < 127; depth++) reason = [reason];
    let tooDeep = 0;
    for (let depth = 127; depth <= 128; depth++) {
      const result = await startChild(kit, pid, childSpec('deep', failing));
      expect(result).toMatchObject({ ok: false, error: 'start_failed' });
      if (JSON.stringify(result).includes('SNOW_ERR_TOO_DEEP')) tooDeep++;
      reason = [reason];
    }
    expect(tooDeep).toBe(1);
  });

  it.each(['terminateChild', 'restartChild', 'deleteChild', 'startChild'])(
    'J21, J22 answers %s of something that is no child',
    async (tag) => {
      for (const child of [undefined, null, 5, {}, [[]], true]) {
        const answer = await request(kit.runtime, pid as never, tag, [child]);
        expect(JSON.stringify(answer)).toMatch(/not_found|not_supported|bad_spec/);
      }
      expect(await whichChildren(kit, pid)).toMatchObject([{ id: 'good' }]);
    },
  );

  it('J15 has all the time it wants when its shutdown is Infinity', async () => {
    const stubborn = defineHandler('stubborn', (self: Self) => {
      self.trapExit(true);
      return { onMessage() {}, onTerminate: () => self.sleep(1_000_000) };
    });
    await startChild(kit, pid, childSpec('slow', stubborn, { shutdown: Number.POSITIVE_INFINITY }));
    const probe = await kit.probe();
    probe.watch(pid);
    kit.runtime.sendExit(pid, 'shutdown');
    await kit.advance(999_999);
    expect(kit.runtime.isAlive(pid)).toBe(true);
    await probe.expectDown(pid, 'shutdown', { within: 10 });
  });
});
