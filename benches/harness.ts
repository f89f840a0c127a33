// Describes, scales, times and summarises cases. Each case runs in its own process (child.ts), so that it does not start with the compiled
// code or the heap of another one.

import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';

/** How long and how often to measure. */
export interface Settings {
  /** Measured rounds of a contestant, in all its processes together; each process first runs at least one that does not count. */
  readonly rounds: number;
  /** Processes of a contestant, one after the other: two processes of one build differ more than two rounds of one process. */
  readonly processes: number;
  /** Aimed length of a round. Unit: seconds. */
  readonly roundSeconds: number;
  /** The least time that each contestant works before its first measured round. Unit: seconds. */
  readonly warmSeconds: number;
  /** Smoke mode: everything small and once. Its figures mean nothing. */
  readonly quick: boolean;
}

export const FULL: Settings = { rounds: 6, processes: 3, roundSeconds: 0.8, warmSeconds: 2.4, quick: false };
export const QUICK: Settings = { rounds: 1, processes: 1, roundSeconds: 0.02, warmSeconds: 0, quick: true };

/** The rounds that each process measures. */
export const roundsOfProcess = ({ rounds, processes }: Pick<Settings, 'rounds' | 'processes'>): number =>
  Math.ceil(rounds / processes);

/** One figure of one round. */
export interface Figure {
  readonly value: number;
  readonly unit: string;
}

/** The figures of one round by metric; `rate` is the main one where there is a rate. */
export type Round = Readonly<Record<string, Figure>>;

/** A case that has been set up. */
export interface Running {
  round(): Promise<Round> | Round;
  stop?(): Promise<void> | void;
}

export interface BenchCase {
  /** Folder, shape and size: `cluster/one-way_64B`. */
  readonly name: string;
  /** What one round does, in a sentence. */
  readonly about: string;
  /** The figures of rivals that do the same job. */
  readonly rivals?: Rivals;
  /** Options of Node.js for the process of this case. */
  readonly nodeOptions?: readonly string[];
  /** How long each contestant works before its first measured round, if more than the default. Unit: seconds. */
  readonly warmSeconds?: number;
  /** The most rounds, if the default would take too long. */
  readonly rounds?: number;
  /** The most processes, if each round starts new ones anyway. */
  readonly processes?: number;
  open(settings: Settings): Promise<Running> | Running;
}

export interface Rivals {
  /** The Erlang case without its configuration (`send_64B`), and its metric suffix for each of ours. */
  readonly erlang?: ErlangRival;
  /** Names under benches/peers/, each with a script that does this case. */
  readonly node?: NodeRivals;
}

export interface ErlangRival {
  readonly case: string;
  readonly metrics: Readonly<Record<string, string>>;
  /** The script under benches/peers/erlang/ that does it; without it, the one in the folder that SNOWMESH_PEERS names. */
  readonly script?: string;
}

export interface NodeRivals {
  readonly case: string;
  readonly rivals: readonly string[];
  /** The libraries that cannot do this, and why. */
  readonly absent?: Readonly<Record<string, string>>;
  /** How a rival's job differs from ours. */
  readonly remarks?: Readonly<Record<string, string>>;
}

/** Units in which less is better. */
const LESS_IS_BETTER = new Set([
  'us',
  'ns',
  'ms',
  'B/actor',
  'bytes',
  'us/msg',
  'ns/op',
  'B/timer',
  'us/round-trip',
  'us/s',
  'ns/item',
  'x',
]);

export const isLessBetter = (unit: string): boolean => LESS_IS_BETTER.has(unit);

/** One metric of one case of one suite over all rounds: a line of the results. */
export interface Result {
  readonly suite: string;
  readonly case: string;
  readonly metric: string;
  readonly unit: string;
  /** Median over the processes of the median of their rounds. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Process by process. */
  readonly rounds: readonly number[];
  readonly processes: number;
  /** Whether rounds were in turns with the others', so that the nth rounds can be compared. */
  readonly inTurns: boolean;
}

/** Medians and ranges over rounds that have the same metrics, `rounds` process by process. */
export function summarise(suite: string, name: string, rounds: readonly Round[], processes = 1): Result[] {
  return Object.entries(rounds[0] ?? {}).map(([metric, { unit }]) => {
    const values = rounds.map((round) => round[metric]?.value ?? Number.NaN);
    return resultOf({ suite, case: name, metric, unit, inTurns: true, processes }, values);
  });
}

export function resultOf(
  what: Omit<Result, 'value' | 'low' | 'high' | 'rounds'>,
  values: readonly number[],
): Result {
  const rounds = values.map((value) => Number(value.toPrecision(6)));
  return { ...what, ...spread(rounds, what.processes), rounds };
}

/** Median and range: the median over the processes of that of their rounds, the range of all. */
export function spread(
  values: readonly number[],
  processes: number,
): { value: number; low: number; high: number } {
  const each = Math.ceil(values.length / processes);
  const middles = Array.from({ length: Math.ceil(values.length / each) || 0 }, (_, process) =>
    median(values.slice(process * each, (process + 1) * each).toSorted((a, b) => a - b)),
  );
  const sorted = values.toSorted((a, b) => a - b);
  const value = Number(median(middles.toSorted((a, b) => a - b)).toPrecision(6));
  return { value, low: sorted[0] ?? Number.NaN, high: sorted.at(-1) ?? Number.NaN };
}

/** The median of sorted values. */
export function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Nearest rank; `sorted` ascending, `part` in 0..1. */
export function percentile(sorted: Float64Array, part: number): number {
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil(part * sorted.length)));
  return sorted[rank - 1] ?? Number.NaN;
}

/** Forces full collections, if the process was started with --expose-gc. */
export function collectGarbage(): void {
  globalThis.gc?.();
  globalThis.gc?.();
}

/**
 * Finds the count for which one run takes about as long as a round; the runs that it needs for that warm up the code.
 *
 * @param run does `count` operations and gives the seconds they took.
 * @param step counts are multiples of it.
 */
export async function scaleCount(
  settings: Settings,
  run: (count: number) => Promise<number> | number,
  { start = 64, step = 1, most = 100_000_000 } = {},
): Promise<number> {
  const whole = (count: number): number => Math.min(most, Math.max(step, Math.ceil(count / step) * step));
  let count = whole(start);
  for (let warm = 0; ; ) {
    const seconds = await run(count);
    warm += seconds;
    const isLong = seconds >= settings.roundSeconds * 0.3 || count >= most;
    if (isLong && warm >= settings.warmSeconds) return whole((count * settings.roundSeconds) / seconds);
    if (!isLong) count = whole(count * 4);
  }
}

/** User and system time of this process with all its threads. Unit: seconds. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Times `work`: wall clock and the CPU of this process. Unit: seconds. */
export async function timed(work: () => unknown): Promise<{ seconds: number; cpu: number }> {
  const cpu = cpuSeconds();
  const start = performance.now();
  await work();
  return { seconds: (performance.now() - start) / 1000, cpu: cpuSeconds() - cpu };
}

/** A case that does a fixed number of operations each round; {@link scaleCount} finds the number. */
export async function throughput(
  settings: Settings,
  unit: string,
  work: (count: number) => unknown,
  scale: { start?: number; step?: number; most?: number; per?: number } = {},
): Promise<Running> {
  const count = await scaleCount(settings, async (n) => (await timed(() => work(n))).seconds, scale);
  const operations = count * (scale.per ?? 1);
  return {
    async round() {
      const { seconds, cpu } = await timed(() => work(count));
      return {
        rate: { value: operations / seconds, unit: `${unit}/s` },
        per_cpu_s: { value: operations / cpu, unit: `${unit}/CPU-s` },
      };
    },
  };
}

/** CPU time that everything on this machine has used so far. Unit: seconds; 0 where there is no /proc. */
export function machineCpuSeconds(): number {
  try {
    const [, ...ticks] = (readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? '').split(/\s+/);
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks.map(Number);
    return (user + nice + system + irq + softirq + steal) / 100;
  } catch {
    return 0;
  }
}

/** The facts about the machine that matter for a figure. */
export function machineNotes(): Record<string, unknown> {
  const [cpu] = cpus();
  return {
    platform: `${process.platform}-${process.arch}`,
    cpu: cpu?.model.trim(),
    cores: cpus().length,
    node: process.versions.node,
    v8: process.versions.v8,
    load: loadavg().map((value) => Number(value.toFixed(2))),
  };
}
