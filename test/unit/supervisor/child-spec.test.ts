// Which options of children and of supervisors are refused, and what child specs leave to the defaults.
import { beforeEach, expect, it } from 'vitest';
import { planChild } from '../../../ts/supervisor/child-spec.ts';
import {
  type ChildOptions,
  childSpec,
  defineDynamicSupervisor,
  defineSupervisor,
  startChild,
} from '../../../ts/supervisor/index.ts';
import { kit } from '../../support/kit.ts';
import { type Family, family } from './family.ts';

let f: Family;
beforeEach(() => {
  f = family(kit);
});

const plan = (options: ChildOptions) =>
  planChild({ id: 'x', start: () => {}, ...options }, 'any_significant');

it('J24 refuses specs that make no sense', () => {
  const bad = (...children: unknown[]) =>
    expect(() => defineSupervisor({ name: 'x', children: children as never })).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_CHILD_SPEC' }),
    );
  bad(f.child('a'), f.child('a'));
  bad(f.child(''));
  bad({ id: 'nothing' });
  bad(f.child('a', { restart: 'sometimes' as never }));
  bad(f.child('a', { shutdown: -1 }));
  bad(f.child('a', { significant: true, restart: 'permanent' }));
  bad(f.child('a', { significant: true, restart: 'transient' })); // autoShutdown is never
  for (const option of [
    { name: '' },
    { intensity: -1 },
    { intensity: 1.5 },
    { period: 0 },
    { period: 2 ** 53 },
    { period: '9' },
    { strategy: 'all' },
    { autoShutdown: 'soon' },
  ]) {
    expect(() => defineSupervisor({ name: 'x', children: [], ...(option as object) })).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }),
    );
  }
});

const LAST = Number.MAX_SAFE_INTEGER;
const backoff = { min: 1, max: 10 };

it.each([-1, Number.NaN, '9', null])('J26 maxChildren is no %j', (maxChildren) => {
  expect(() => defineDynamicSupervisor({ name: 'x', maxChildren: maxChildren as never })).toThrow(
    expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }),
  );
});

it('J26 without room for any child refuses the first', async () => {
  const pid = await defineDynamicSupervisor({ name: 'x', maxChildren: 0 }).start(kit);
  expect(await startChild(kit, pid, f.child('a'))).toEqual({ ok: false, error: 'max_children' });
});

it.each([0.5, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY])('a period may be %d ms', (period) => {
  expect(defineSupervisor({ name: 'x', period, children: [] })).toMatchObject({ name: 'x' });
});

it.each<ChildOptions>([
  { shutdown: 0 },
  { shutdown: LAST },
  { startTimeout: 0 },
  { startTimeout: LAST },
  { startTimeout: Number.POSITIVE_INFINITY },
  { backoff: { min: 0, max: 0 } },
  { backoff: { min: LAST, max: LAST } },
  { backoff: { ...backoff, factor: 1 } },
  { backoff: { ...backoff, jitter: 0 } },
  { backoff: { ...backoff, jitter: 1 } },
  { significant: true, restart: 'transient' },
  { significant: true, restart: 'temporary' },
])('takes %j', (options) => {
  expect(plan(options)).toMatchObject({ id: 'x' });
});

it.each<ChildOptions>([
  { shutdown: LAST + 1 },
  { shutdown: 0.5 },
  { startTimeout: -1 },
  { startTimeout: LAST + 1 },
  { backoff: { min: 1, max: LAST + 1 } },
  { backoff: { ...backoff, factor: 0.99 } },
  { backoff: { ...backoff, jitter: -0.01 } },
  { backoff: { ...backoff, jitter: 1.01 } },
  { significant: true },
])('SNOW_ERR_BAD_CHILD_SPEC: refuses %j', (options) => {
  const refused = expect.objectContaining({ code: 'SNOW_ERR_BAD_CHILD_SPEC' });
  expect(() => childSpec('x', () => {}, options)).toThrow(refused);
});

it('a backoff doubles its pauses, and adds up to a quarter', () => {
  expect(plan({ backoff }).backoff).toEqual({ ...backoff, factor: 2, jitter: 0.25 });
});
