import { describe, expect, it } from 'vitest';
import { faultsOf, ladder, roundOf } from '../../../benches/growth/ladder.ts';
import { QUICK, summarise } from '../../../benches/harness.ts';

const faultsOfCosts = (...costs: number[]): string[] =>
  faultsOf(
    summarise('snowmesh', 'growth/x', [
      roundOf(
        costs.map((cost, at) => [`${10 ** (at + 1)}`, cost] as const),
        'ns/item',
      ),
    ]),
  );

describe('the growth of a cost', () => {
  it('is the largest ratio of the costs of one item at neighbouring sizes', () => {
    const round = roundOf(
      [
        ['10', 200],
        ['100', 100],
        ['1000', 300],
        ['10000', 330],
      ],
      'ns/item',
    );
    expect(round).toMatchObject({
      cost_10: { value: 200, unit: 'ns/item' },
      growth: { value: 3, unit: 'x' },
    });
  });

  it('is no fault while it is about linear, and one when it is quadratic', () => {
    expect(faultsOfCosts(300, 100, 150, 400)).toEqual([]);
    expect(faultsOfCosts(100, 110, 1100)).toEqual([
      'an item costs 10.0 times as much at one size as at the one before',
    ]);
    expect(faultsOfCosts(100, Number.NaN)).toHaveLength(1);
  });

  it('is measured at each power of ten', async () => {
    const done: number[] = [];
    const bench = ladder({
      name: 'x',
      about: '',
      most: 1_000_000,
      open: () => Promise.resolve({ work: (size: number) => void done.push(size), stop() {} }),
    });
    const running = await bench.open(QUICK);
    expect(Object.keys(await running.round())).toEqual(['cost_10', 'cost_100', 'cost_1000', 'growth']);
    expect(new Set(done)).toEqual(new Set([10, 100, 1000]));
  });
});
