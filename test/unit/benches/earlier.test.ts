import { describe, expect, it } from 'vitest';
import { buildEarlier, regressionsOf } from '../../../benches/earlier.ts';
import { type Result, resultOf } from '../../../benches/harness.ts';

const earlier = { suite: 'snowmesh@abc', child: '' };

function figures(suite: string, metric: string, unit: string, values: readonly number[]): Result {
  return resultOf({ suite, case: 'local/x', metric, unit, inTurns: true, processes: 1 }, values);
}

function metricsBelow(metric: string, unit: string, ours: number[], theirs: number[]): string[] {
  const results = [figures('snowmesh', metric, unit, ours), figures('snowmesh@abc', metric, unit, theirs)];
  return regressionsOf(results, earlier, 0.95).map((ratio) => ratio.metric);
}

describe('a comparison with an earlier revision', () => {
  it('finds a rate that is lower', () => {
    expect(metricsBelow('rate', 'msg/s', [94, 90, 93], [100, 100, 100])).toEqual(['rate']);
    expect(metricsBelow('rate', 'msg/s', [96, 90, 97], [100, 100, 100])).toEqual([]);
  });

  it('finds a time that is longer', () => {
    expect(metricsBelow('p50', 'us', [110], [100])).toEqual(['p50']);
    expect(metricsBelow('p50', 'us', [90], [100])).toEqual([]);
  });

  it('ignores tails, which differ between two runs of the same code', () => {
    expect(metricsBelow('p999', 'us', [300], [100])).toEqual([]);
  });

  it('says so when there is no such revision', () => {
    expect(() => buildEarlier('no-such-revision')).toThrow('git knows no commit no-such-revision');
  });
});
