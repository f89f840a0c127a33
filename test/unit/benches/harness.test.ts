import { describe, expect, it } from 'vitest';
import { measure, percentile, QUICK, type Result, resultOf, scaleCount } from '../../../benches/harness.ts';
import { figure, ratiosOf, table } from '../../../benches/report.ts';

const result = (suite: string, unit: string, ...rounds: number[]): Result =>
  resultOf({ suite, case: 'local/shape_1', metric: 'rate', unit }, rounds);

describe('results', () => {
  it('are medians with their range', () => {
    expect(result('snowmesh', 'msg/s', 5, 1, 3)).toMatchObject({
      value: 3,
      low: 1,
      high: 5,
      rounds: [5, 1, 3],
    });
    expect(result('snowmesh', 'msg/s', 4, 1, 2, 3)).toMatchObject({ value: 2.5, low: 1, high: 4 });
  });

  it('are set beside those of the same case and metric, knowing which way is better', () => {
    const [ratio] = ratiosOf([result('snowmesh', 'msg/s', 30), result('rival', 'msg/s', 10)]);
    expect(ratio).toMatchObject({ rival: 'rival', ours: 30, theirs: 10, ratio: 3, better: 'higher' });
    const [latency] = ratiosOf([result('snowmesh', 'us', 20), result('rival', 'us', 10)]);
    expect(latency).toMatchObject({ ratio: 2, better: 'lower' });
    expect(ratiosOf([result('rival', 'msg/s', 10)])).toEqual([]);
  });

  it('read as a table', () => {
    const text = table('local/shape_1', 'What it does.', [
      result('snowmesh', 'us', 20, 22, 21),
      result('rival', 'us', 10, 10, 10),
    ]);
    expect(text).toBe(
      [
        'local/shape_1',
        '  What it does.',
        '  rate  snowmesh  21  (20–22)  us',
        '  rate  rival     10  (10–10)  us  ours/theirs 2.10 (behind, less is better)',
        '',
      ].join('\n'),
    );
  });

  it('have three digits for people', () => {
    expect([0.1234, 7, 12.345, 9999, 12_345, 3_456_789, 1.5e9].map(figure)).toEqual([
      '0.12',
      '7',
      '12.3',
      '9999',
      '12.3 k',
      '3.46 M',
      '1.50 G',
    ]);
  });
});

describe('measuring', () => {
  it('throws one round away, measures the others and takes the case down', async () => {
    const calls: string[] = [];
    let value = 0;
    const results = await measure(
      {
        name: 'local/shape_1',
        about: '',
        open: () => ({
          round: () => {
            calls.push('round');
            value += 1;
            return { rate: { value, unit: 'msg/s' } };
          },
          stop: () => void calls.push('stop'),
        }),
      },
      { ...QUICK, rounds: 3 },
    );
    expect(results).toMatchObject([{ suite: 'snowmesh', metric: 'rate', rounds: [2, 3, 4], value: 3 }]);
    expect(calls).toEqual(['round', 'round', 'round', 'round', 'stop']);
  });

  it('finds a count that fills a round, in whole steps', async () => {
    const settings = { rounds: 1, roundSeconds: 1, quick: true };
    expect(await scaleCount(settings, (count) => count / 1000)).toBe(1000);
    expect(await scaleCount(settings, (count) => count / 1000, { step: 300 })).toBe(1200);
    expect(await scaleCount(settings, (count) => count / 1e12, { most: 5000 })).toBe(5000);
  });

  it('takes percentiles by nearest rank', () => {
    const samples = Float64Array.from({ length: 100 }, (_, at) => at + 1);
    expect([0.5, 0.99, 0.999, 1].map((part) => percentile(samples, part))).toEqual([50, 99, 100, 100]);
  });
});
