import { describe, expect, it } from 'vitest';
import { percentile, type Result, resultOf, scaleCount } from '../../../benches/harness.ts';
import { figure, ratiosOf, summary, table } from '../../../benches/report.ts';

const result = (suite: string, unit: string, ...rounds: number[]): Result =>
  resultOf({ suite, case: 'local/shape_1', metric: 'rate', unit, inTurns: true, processes: 1 }, rounds);

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

  it('are compared round by round where they took turns, by medians otherwise', () => {
    const ours = result('snowmesh', 'msg/s', 10, 40, 30);
    const theirs = result('rival', 'msg/s', 10, 20, 10);
    expect(ratiosOf([ours, theirs])).toMatchObject([{ ratio: 2, low: 1, high: 3 }]);
    expect(ratiosOf([ours, { ...theirs, inTurns: false }])).toMatchObject([{ ratio: 3, low: 3, high: 3 }]);
  });

  it('are the medians of the processes, so that an unlucky one does not count', () => {
    const what = { case: 'local/shape_1', metric: 'rate', unit: 'msg/s', inTurns: true, processes: 3 };
    const ours = resultOf({ ...what, suite: 'snowmesh' }, [40, 42, 10, 12, 44, 46]);
    expect(ours).toMatchObject({ value: 41, low: 10, high: 46, processes: 3 });
    const theirs = resultOf({ ...what, suite: 'rival' }, [20, 21, 20, 24, 11, 23]);
    expect(ratiosOf([ours, theirs])).toMatchObject([{ ratio: 2, low: 0.5, high: 4 }]);
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
        '  rate  rival     10  (10–10)  us  ours/theirs 2.10 (2–2.20) behind, less is better',
        '',
      ].join('\n'),
    );
  });

  it('stand beside who failed, who does not do it, and what to know of it', () => {
    const text = table('local/shape_1', 'What it does.', [result('snowmesh', 'us', 20)], {
      failures: [{ name: 'weak', why: 'it ended with 1: trace\nError: too many\n    at x:1\n\nNode.js' }],
      field: { absent: { small: 'no mailbox' }, remarks: { odd: 'a call instead of a message' } },
      notes: ['something else used 0.50 cores'],
    });
    expect(text.split('\n').slice(3)).toEqual([
      '  weak: failed: Error: too many',
      '  small: does not do this: no mailbox',
      '  odd: a call instead of a message',
      '  note: something else used 0.50 cores',
      '',
    ]);
  });

  it('end in a line a case, where more than 1 is better for us whatever is measured', () => {
    const perCpu = { ...result('snowmesh', 'msg/CPU-s', 15), metric: 'per_cpu_s' };
    const time = { metric: 'p50', unit: 'us' };
    const text = summary(
      [
        result('snowmesh', 'msg/s', 30),
        perCpu,
        result('rival@1', 'msg/s', 10),
        { ...result('snowmesh', 'us', 5), ...time },
        { ...result('other@1', 'us', 10), ...time },
      ],
      (_, rival) => rival === 'other@1',
    );
    expect(text.split('\n').slice(1)).toEqual([
      '  case           metric  snowmesh  a CPU-s  rival  other',
      '  local/shape_1  rate    30 msg/s       15      3      -',
      '  local/shape_1  p50         5 us        -      ·      2',
      '',
    ]);
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
  it('finds a count that fills a round, in whole steps', async () => {
    const settings = { rounds: 1, processes: 1, roundSeconds: 1, warmSeconds: 0, quick: true };
    expect(await scaleCount(settings, (count) => count / 1000)).toBe(1000);
    expect(await scaleCount(settings, (count) => count / 1000, { step: 300 })).toBe(1200);
    expect(await scaleCount(settings, (count) => count / 1e12, { most: 5000 })).toBe(5000);
  });

  it('continues until the code has been warmed up for so long', async () => {
    const runs: number[] = [];
    const settings = { rounds: 1, processes: 1, roundSeconds: 1, warmSeconds: 2.5, quick: true };
    const run = (count: number): number => {
      runs.push(count);
      return count / 1000;
    };
    expect(await scaleCount(settings, run, { start: 100 })).toBe(1000);
    expect(runs).toEqual([100, 400, 400, 400, 400, 400, 400]);
  });

  it('takes percentiles by nearest rank', () => {
    const samples = Float64Array.from({ length: 100 }, (_, at) => at + 1);
    expect([0.5, 0.99, 0.999, 1].map((part) => percentile(samples, part))).toEqual([50, 99, 100, 100]);
  });
});
