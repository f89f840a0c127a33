// Formats results as text: a block for each case, with a row for each figure and the ratio of ours to the rival's; at the end a
// line for each case.
import { isLessBetter, type NodeRivals, type Result, spread } from './harness.ts';

/** Ours over theirs for one metric. */
export interface Ratio {
  readonly case: string;
  readonly metric: string;
  readonly rival: string;
  readonly ours: number;
  readonly theirs: number;
  /**
   * Ours / theirs. If rounds were in turns, the median of the ratios of pairs of rounds, process by process; otherwise the ratio of the
   * medians.
   */
  readonly ratio: number;
  /** The smallest ratio of a pair. */
  readonly low: number;
  readonly high: number;
  readonly better: 'higher' | 'lower';
}

const OURS = 'snowmesh';

/** The ratio for each figure of a rival for which there is one of ours. */
export function ratiosOf(results: readonly Result[]): Ratio[] {
  return results
    .filter(({ suite }) => suite !== OURS)
    .flatMap((theirs) => {
      const ours = results.find(
        (result) => result.suite === OURS && result.case === theirs.case && result.metric === theirs.metric,
      );
      if (ours === undefined) return [];
      const quotients = quotientsOf(ours, theirs);
      const { value: ratio, low, high } = spread(quotients, quotients.length > 1 ? ours.processes : 1);
      return [
        {
          case: theirs.case,
          metric: theirs.metric,
          rival: theirs.suite,
          ours: ours.value,
          theirs: theirs.value,
          ratio,
          low,
          high,
          better: isLessBetter(ours.unit) ? ('lower' as const) : ('higher' as const),
        },
      ];
    });
}

/** One ratio for each pair of rounds if they were in turns; otherwise one of the medians. */
function quotientsOf(ours: Result, theirs: Result): number[] {
  const arePairs = ours.inTurns && theirs.inTurns && ours.rounds.length === theirs.rounds.length;
  const pairs = arePairs
    ? ours.rounds.map((value, round) => value / (theirs.rounds[round] ?? Number.NaN))
    : [ours.value / theirs.value];
  return pairs.map((value) => Number(value.toPrecision(4)));
}

/** What a block contains besides figures. */
export interface Beside {
  /** The contestants that failed. */
  readonly failures?: readonly { readonly name: string; readonly why: string }[];
  readonly notes?: readonly string[];
  /** The libraries that cannot do this, and how a rival's job differs from ours. */
  readonly field?: Pick<NodeRivals, 'absent' | 'remarks'>;
}

/** The block of one case. `about` goes under the name. */
export function table(name: string, about: string, results: readonly Result[], beside: Beside = {}): string {
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
  const { failures = [], notes = [], field = {} } = beside;
  const lines = [
    ...columns(rows, [2]),
    ...failures.map((failure) => `${failure.name}: failed: ${gist(failure.why)}`),
    ...Object.entries(field.absent ?? {}).map(([rival, why]) => `${rival}: does not do this: ${why}`),
    ...Object.entries(field.remarks ?? {}).map(([rival, remark]) => `${rival}: ${remark}`),
    ...notes.map((note) => `note: ${note}`),
  ];
  return [name, `  ${about}`, ...lines.map((line) => `  ${line}`), ''].join('\n');
}

/** The message of a stack trace; the JSON lines have all of it. */
function gist(why: string): string {
  const lines = why.split('\n');
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? '';
}

/** Aligns cells in columns: to the right those whose numbers are in `right`, the others to the left. */
function columns(rows: readonly (readonly string[])[], right: readonly number[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = column === row.length - 1 && !right.includes(column) ? 0 : (widths[column] ?? 0);
        return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/**
 * A line for each case and metric: our figure, our figure per CPU-second, and for each rival how many times better ours is, so that
 * more than 1 is always ahead. A dot means that the rival has no figure, a dash that it cannot do the case.
 */
export function summary(
  results: readonly Result[],
  absent: (name: string, rival: string) => boolean,
): string {
  const rivals = [...new Set(results.filter(({ suite }) => suite !== OURS).map(({ suite }) => suite))];
  if (rivals.length === 0) return '';
  const ratios = ratiosOf(results);
  const rows = results
    .filter(({ suite, metric }) => suite === OURS && !metric.endsWith('per_cpu_s'))
    .filter((ours) => ratios.some((ratio) => ratio.case === ours.case && ratio.metric === ours.metric))
    .map((ours) => [
      ours.case,
      ours.metric,
      `${figure(ours.value)} ${ours.unit}`,
      figure(perCpuSecond(results, ours)?.value ?? Number.NaN),
      ...rivals.map((rival) => {
        const ratio = ratios.find(
          (other) => other.case === ours.case && other.metric === ours.metric && other.rival === rival,
        );
        if (ratio === undefined) return absent(ours.case, rival) ? '-' : '·';
        return figure(ratio.better === 'higher' ? ratio.ratio : 1 / ratio.ratio);
      }),
    ]);
  const head = ['case', 'metric', 'snowmesh', 'a CPU-s', ...rivals.map(shortName)];
  const right = head.map((_, column) => column).slice(2);
  return [
    'How many times better ours is (less than 1: worse; -: it does not do this)',
    ...columns([head, ...rows], right).map((line) => `  ${line}`),
    '',
  ].join('\n');
}

/** A suite without its version, which is in the blocks: `actor`, `set-timeout`, `otp25 s1`. */
const shortName = (suite: string): string =>
  suite.replace(/^node@\S+ |^erlang-/, '').replace(/(?<!^snowmesh)@\S+/, '');

/** The figure per CPU-second of a metric: `per_cpu_s` for `rate`, `<metric>_per_cpu_s` for any other. */
function perCpuSecond(results: readonly Result[], { case: name, metric }: Result): Result | undefined {
  const wanted = metric === 'rate' ? 'per_cpu_s' : `${metric}_per_cpu_s`;
  return results.find((result) => result.suite === OURS && result.case === name && result.metric === wanted);
}

function range({ low, high, rounds }: Result): string {
  return rounds.length > 1 ? `(${figure(low)}–${figure(high)})` : '';
}

function verdict(ratio: Ratio | undefined): string {
  if (ratio === undefined) return '';
  const isAhead = ratio.better === 'higher' ? ratio.ratio > 1 : ratio.ratio < 1;
  const hint = ratio.better === 'lower' ? ', less is better' : '';
  const spreadOf = ratio.low === ratio.high ? '' : ` (${figure(ratio.low)}–${figure(ratio.high)})`;
  return `ours/theirs ${figure(ratio.ratio)}${spreadOf} ${isAhead ? 'ahead' : 'behind'}${hint}`;
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
