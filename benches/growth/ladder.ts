// Measures how a cost grows with a number: the same work for 10, 100, 1000 … items. The result is the ratio of the costs of one item at
// neighbouring sizes: 1 if the cost is linear, 10 if it is quadratic, on any machine.
import type { BenchCase, Figure, Result, Round, Settings } from '../harness.ts';

/**
 * The largest ratio that is not a fault. Ten times as many items may exceed the caches of the processor, make full collections longer and
 * arrays move, so an item may cost somewhat more without a fault.
 */
const MAX_RATIO = 4;
/** Items of each size in all repetitions together, so that small sizes are not measured by a run of a microsecond. */
const ITEMS = 100_000;
const QUICK_ITEMS = 1000;
/** In quick mode. */
const QUICK_MAX_SIZE = 1000;
/** How often each size is measured. The fastest time counts, because disturbances only make a run slower. */
const TRIES = 3;

/** Work on `size` items, all of it undone at the end. */
type Work = (size: number) => Promise<void> | void;

interface Ladder {
  readonly name: string;
  readonly about: string;
  /** The largest size. */
  readonly most: number;
  readonly open: (
    settings: Settings,
    most: number,
  ) => Promise<{
    readonly work: Work;
    readonly stop: () => Promise<void> | void;
  }>;
}

/** A case that does its work at each power of ten from 10 to `most`. */
export function ladder({ name, about, most, open }: Ladder): BenchCase {
  return {
    name: `growth/${name}`,
    about,
    rounds: 3,
    async open(settings) {
      const largest = settings.quick ? Math.min(QUICK_MAX_SIZE, most) : most;
      const { work, stop } = await open(settings, largest);
      return { round: () => climb(work, largest, settings), stop };
    },
  };
}

async function climb(work: Work, most: number, { quick }: Settings): Promise<Round> {
  const costs: [string, number][] = [];
  for (let size = 10; size <= most; size *= 10)
    costs.push([`${size}`, await costOf(work, size, quick ? QUICK_ITEMS : ITEMS)]);
  return roundOf(costs, 'ns/item');
}

/** The time of one item. Unit: nanoseconds. */
async function costOf(work: Work, size: number, items: number): Promise<number> {
  const repeats = Math.max(1, Math.floor(items / size));
  let least = Number.POSITIVE_INFINITY;
  for (let tries = TRIES; tries > 0; tries--) {
    const start = performance.now();
    for (let left = repeats; left > 0; left--) await work(size);
    least = Math.min(least, performance.now() - start);
  }
  return (least * 1e6) / (repeats * size);
}

/** The cost of an item at each size, and `growth`: the largest ratio of two neighbours. */
export function roundOf(costs: readonly (readonly [size: string, cost: number])[], unit: string): Round {
  const round: Record<string, Figure> = {};
  let growth = 0;
  for (const [at, [size, value]] of costs.entries()) {
    round[`cost_${size}`] = { value, unit };
    if (at > 0) growth = Math.max(growth, value / (costs[at - 1]?.[1] ?? value));
  }
  return { ...round, growth: { value: growth, unit: 'x' } };
}

/** What grows faster than linearly among figures of this revision: a sentence each. */
export function faultsOf(results: readonly Result[]): string[] {
  return results
    .filter(
      ({ suite, metric, value }) => suite === 'snowmesh' && metric === 'growth' && !(value <= MAX_RATIO),
    )
    .map(({ value }) => `an item costs ${value.toFixed(1)} times as much at one size as at the one before`);
}
