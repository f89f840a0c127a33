// Results for people: a block a case, a row a figure, and how many times the rival's figure ours is; at the end, a line
// a case.
import { isLessBetter, type NodeRivals, type Result, spread } from './harness.ts';

/** Ours over theirs for one metric. */
export interface Ratio {
  readonly case: string;
  readonly metric: string;
  readonly rival: string;
  readonly ours: number;
  readonly theirs: number;
  /** Ours / theirs: the median over pairs of rounds, process by process, where they took turns; otherwise that of the medians. */
  readonly ratio: number;
  /** Of the pairs. */
  readonly low: number;
  readonly high: number;
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

/** The nth round of each was measured right after the other; figures that did not take turns have only medians. */
function quotientsOf(ours: Result, theirs: Result): number[] {
  const arePairs = ours.inTurns && theirs.inTurns && ours.rounds.length === theirs.rounds.length;
  const pairs = arePairs
    ? ours.rounds.map((value, round) => value / (theirs.rounds[round] ?? Number.NaN))
    : [ours.value / theirs.value];
  return pairs.map((value) => Number(value.toPrecision(4)));
}

/** What a block says beside its figures. */
export interface Beside {
  /** Who was to do it and did not get through it. */
  readonly failures?: readonly { readonly name: string; readonly why: string }[];
  readonly notes?: readonly string[];
  /** Who does not do this, and where a rival's job is not quite ours. */
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

/** The line of a stack trace that says what went wrong; the whole of it is in the JSON lines. */
function gist(why: string): string {
  const lines = why.split('\n');
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? '';
}

/** Cells under each other; the columns that `right` names end, the others begin together. */
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
 * A line a case and metric: ours, ours a CPU-second, and by each rival how many times better ours is, so that more than
 * 1 is ahead whatever is measured. A dot where a rival has no figure, a dash where it does not do the case at all.
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

/** Without versions, which the blocks have: `actor`, `set-timeout`, `otp25 s1`. */
const shortName = (suite: string): string =>
  suite.replace(/^node@\S+ |^erlang-/, '').replace(/(?<!^snowmesh)@\S+/, '');

/** `rate` has `per_cpu_s` beside it, any other metric `<metric>_per_cpu_s`. */
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
