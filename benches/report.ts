// Results for people: a block a case, a row a figure, and how many times the rival's figure ours is.
import { isLessBetter, type Result } from './harness.ts';

/** Ours over theirs for one metric. */
export interface Ratio {
  readonly case: string;
  readonly metric: string;
  readonly rival: string;
  readonly ours: number;
  readonly theirs: number;
  /** ours / theirs. */
  readonly ratio: number;
  readonly better: 'higher' | 'lower';
}

const OURS = 'snowmesh';

/** Every rival's figure that has one of ours beside it. */
export function ratiosOf(results: readonly Result[]): Ratio[] {
  return results
    .filter(({ suite }) => suite !== OURS)
    .flatMap((theirs) => {
      const ours = results.find(
        (result) => result.suite === OURS && result.case === theirs.case && result.metric === theirs.metric,
      );
      if (ours === undefined) return [];
      return [
        {
          case: theirs.case,
          metric: theirs.metric,
          rival: theirs.suite,
          ours: ours.value,
          theirs: theirs.value,
          ratio: Number((ours.value / theirs.value).toPrecision(4)),
          better: isLessBetter(ours.unit) ? ('lower' as const) : ('higher' as const),
        },
      ];
    });
}

/** The block of one case. `about` goes under the name. */
export function table(name: string, about: string, results: readonly Result[]): string {
  const ratios = ratiosOf(results);
  const metrics = [...new Set(results.map(({ metric }) => metric))];
  const rows = metrics.flatMap((metric) =>
    results
      .filter((result) => result.metric === metric)
      .map((result) => {
        const ratio = ratios.find((other) => other.metric === metric && other.rival === result.suite);
        return [metric, result.suite, figure(result.value), range(result), result.unit, verdict(ratio)];
      }),
  );
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 2 ? cell.padStart(widths[2] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return [name, `  ${about}`, ...lines.map((line) => `  ${line}`), ''].join('\n');
}

function range({ low, high, rounds }: Result): string {
  return rounds.length > 1 ? `(${figure(low)}–${figure(high)})` : '';
}

function verdict(ratio: Ratio | undefined): string {
  if (ratio === undefined) return '';
  const isAhead = ratio.better === 'higher' ? ratio.ratio > 1 : ratio.ratio < 1;
  const hint = ratio.better === 'lower' ? ', less is better' : '';
  return `ours/theirs ${figure(ratio.ratio)} (${isAhead ? 'ahead' : 'behind'}${hint})`;
}

/** Three significant digits with k, M, G. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const [scale, letter] =
    value >= 1e9 ? [1e9, ' G'] : value >= 1e6 ? [1e6, ' M'] : value >= 1e4 ? [1e3, ' k'] : [1, ''];
  const scaled = value / scale;
  const digits = Math.abs(scaled) >= 100 ? 0 : Math.abs(scaled) >= 10 ? 1 : 2;
  return `${Number.isInteger(value) && scale === 1 ? value : scaled.toFixed(digits)}${letter}`;
}
