import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { check, checkAsync, randomFrom, runs, seed, seeds } from '../../support/seed.ts';

beforeEach(() => {
  for (const name of ['SEED', 'CASE', 'RUNS']) vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

/** All values that a property was tried with. */
function tried(parameters: Parameters<typeof check>[1] = {}): unknown[] {
  const values: unknown[] = [];
  check(
    fc.property(fc.integer(), (value) => void values.push(value)),
    parameters as object,
  );
  return values;
}

describe('seeds', () => {
  it('are the same in every run', () => {
    expect(seed()).toBe(1);
    expect(tried()).toEqual(tried());
    expect(randomFrom()()).toBe(randomFrom(1)());
  });

  it('grow by what has failed before', () => {
    const [fixed, other] = [tried({ numRuns: 3 }), tried({ numRuns: 3, known: [5] })];
    expect(other).toHaveLength(6);
    expect(other.slice(3)).toEqual(fixed);
    vi.stubEnv('SEED', '5');
    expect(tried({ numRuns: 3 })).toEqual(other.slice(0, 3));
    expect(seeds([3, 4])).toEqual([5]);
    vi.unstubAllEnvs();
    expect(seeds([3, 4])).toEqual([1, 3, 4]);
  });

  it('can be given, with a path for one case of them', () => {
    vi.stubEnv('SEED', '5');
    const all = tried();
    expect(all).toHaveLength(100);
    vi.stubEnv('CASE', '7');
    expect(tried({ numRuns: 1 })).toEqual([all[7]]);
    vi.unstubAllEnvs();
    expect(tried({ known: [{ seed: 5, path: '7' }] })[0]).toEqual(all[7]);
    vi.stubEnv('SEED', '1.5');
    expect(seed).toThrow('SEED must be an integer, not 1.5');
  });

  it('stand in the failure, as a command that fails again', async () => {
    const values: number[] = [];
    const property = fc.asyncProperty(fc.integer(), async (value) => {
      values.push(value);
      if (value > 1000) throw new Error('too much');
    });
    const failure = await checkAsync(property).catch((error: Error) => error.message);
    const [, start, path] =
      /Again: SEED=(\d+) CASE=(\S+) npx vitest run test\/unit\/support\/seed.test.ts -t "stand in/.exec(
        String(failure),
      ) ?? [];
    const last = values.filter((value) => value > 1000).at(-1);
    vi.stubEnv('SEED', start);
    vi.stubEnv('CASE', path);
    values.length = 0;
    await expect(checkAsync(property)).rejects.toThrow('Property failed after 1 tests');
    expect(values).toEqual([last]);
  });

  it('can be run many times as often', () => {
    vi.stubEnv('RUNS', '2.5');
    expect(runs(10)).toBe(25);
    expect(tried({ numRuns: 2 })).toHaveLength(5);
  });
});
