// What every bench shares: how a case is described, warmed up, repeated and summed up. A case runs in a process of its
// own (child.ts), so that no case inherits another one's compiled code or heap.

import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';

/** How long and how often to measure. */
export interface Settings {
  /** Measured rounds; one more is run before them and thrown away. */
  readonly rounds: number;
  /** Aimed length of a round. Unit: seconds. */
  readonly roundSeconds: number;
  /** Smoke mode: everything small and once. Its figures mean nothing. */
  readonly quick: boolean;
}

export const FULL: Settings = { rounds: 5, roundSeconds: 0.8, quick: false };
export const QUICK: Settings = { rounds: 1, roundSeconds: 0.02, quick: true };

/** One figure of one round. */
export interface Figure {
  readonly value: number;
  readonly unit: string;
}

/** The figures of one round by metric; `rate` is the main one where there is a rate. */
export type Round = Readonly<Record<string, Figure>>;

/** A case that has been set up: rounds can be run, then it is taken down. */
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
  /** Rounds, where the default would take too long. */
  readonly rounds?: number;
  open(settings: Settings): Promise<Running> | Running;
}

export interface Rivals {
  /** The peers' Erlang case without its configuration (`send_64B`), and their metric suffix for each of ours. */
  readonly erlang?: { readonly case: string; readonly metrics: Readonly<Record<string, string>> };
  /** Names under benches/peers/, each with a script that does this case. */
  readonly node?: { readonly case: string; readonly rivals: readonly string[] };
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
]);

export const isLessBetter = (unit: string): boolean => LESS_IS_BETTER.has(unit);

/** One metric of one case of one suite over all rounds: a line of the results. */
export interface Result {
  readonly suite: string;
  readonly case: string;
  readonly metric: string;
  readonly unit: string;
  /** Median of the rounds. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly rounds: readonly number[];
}

/** Warms a case up, runs its rounds and takes it down. */
export async function measure(bench: BenchCase, settings: Settings): Promise<Result[]> {
  const running = await bench.open(settings);
  try {
    await running.round();
    const rounds: Round[] = [];
    for (let round = 0; round < settings.rounds; round++) {
      collectGarbage();
      rounds.push(await running.round());
    }
    return summarise('snowmesh', bench.name, rounds);
  } finally {
    await running.stop?.();
  }
}

/** Medians and ranges over rounds that have the same metrics. */
export function summarise(suite: string, name: string, rounds: readonly Round[]): Result[] {
  return Object.entries(rounds[0] ?? {}).map(([metric, { unit }]) => {
    const values = rounds.map((round) => round[metric]?.value ?? Number.NaN);
    return resultOf({ suite, case: name, metric, unit }, values);
  });
}

export function resultOf(
  what: { readonly suite: string; readonly case: string; readonly metric: string; readonly unit: string },
  values: readonly number[],
): Result {
  const rounds = values.map((value) => Number(value.toPrecision(6)));
  const sorted = rounds.toSorted((a, b) => a - b);
  const value = Number(median(sorted).toPrecision(6));
  return { ...what, value, low: sorted[0] ?? Number.NaN, high: sorted.at(-1) ?? Number.NaN, rounds };
}

/** Of sorted values. */
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

/** Full collections, where the process was started with --expose-gc. */
export function collectGarbage(): void {
  globalThis.gc?.();
  globalThis.gc?.();
}

/**
 * Finds the count for which one run lasts about a round, warming the code up on the way.
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
  let seconds = await run(count);
  while (seconds < settings.roundSeconds * 0.3 && count < most) {
    count = whole(count * 4);
    seconds = await run(count);
  }
  return whole((count * settings.roundSeconds) / seconds);
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

/** A case that does `count` operations a round, with the count found by scaling. */
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

/** What somebody needs to know about the machine to judge a figure. */
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
