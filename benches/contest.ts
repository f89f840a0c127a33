// Runs one case with all its contestants. Each contestant is a process that is warmed up and then waits for its turn. Rounds are
// round-robin, so that other load on the machine affects both sides of a ratio. All of it is repeated with new processes (a heat each),
// because some conditions stay the same for the life of a process, such as its memory layout and when code was compiled.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Earlier } from './earlier.ts';
import {
  type BenchCase,
  median,
  type Result,
  type Round,
  roundsOfProcess,
  type Settings,
  summarise,
} from './harness.ts';
import type { Answer } from './serve.ts';

const TIMEOUT_MS = 600_000;
const QUICK_TIMEOUT_MS = 60_000;
/** If other processes used more than this, a note says so. Unit: cores. */
const QUIET = 0.2;
/** A round whose core speed is below this share of the best in the contest is repeated... */
const FULL_SPEED = 0.85;
/** ...at most this many times. */
const MAX_REPEATS = 2;

/** One of the programs that a case compares. */
export interface Contestant {
  /** Its name in error messages, before its suite is known. */
  readonly name: string;
  /** Starts it and warms it up; gives the suite name for its figures. */
  ready(): Promise<string>;
  round(): Promise<Round>;
  /** What other processes of the machine used in each of its rounds. Unit: cores. */
  readonly others: readonly number[];
  /** How fast its core was in the last round; undefined: not measured. */
  readonly speed?: number | undefined;
  stop(): Promise<void>;
}

export interface Outcome {
  readonly results: readonly Result[];
  /** The contestants that failed, and why. */
  readonly failures: readonly Failure[];
  readonly notes: readonly string[];
}

/**
 * Runs as many heats as a contestant has processes. A contestant that fails in one is left out of the results and of later heats.
 *
 * @param start makes the contestants of one heat, each time under the same names.
 */
export async function holdContest(
  bench: string,
  start: () => readonly Contestant[],
  settings: Pick<Settings, 'rounds' | 'processes'>,
): Promise<Outcome> {
  const failures: Failure[] = [];
  const entries = new Map<string, Entry>();
  const pace: Pace = { fastest: 0, rounds: 0, slow: 0 };
  for (let process = 0; process < settings.processes; process++) {
    const contestants = start().filter(({ name }) => !failures.some((failure) => failure.name === name));
    await holdHeat(contestants, roundsOfProcess(settings), pace, entries, failures);
  }
  const through = [...entries].filter(([name]) => !failures.some((failure) => failure.name === name));
  return {
    results: through.flatMap(([, { suite, rounds }]) => summarise(suite, bench, rounds, settings.processes)),
    failures,
    notes: [...(/^(cluster|rooms)\//.test(bench) ? [] : noiseOf(entries)), ...slownessOf(pace)],
  };
}

interface Failure {
  readonly name: string;
  readonly why: string;
}

/** The rounds of a contestant in all heats so far. */
interface Entry {
  readonly suite: string;
  readonly rounds: Round[];
  readonly others: number[];
}

/** Starts all contestants, runs their rounds in turns, and stops them. */
async function holdHeat(
  contestants: readonly Contestant[],
  rounds: number,
  pace: Pace,
  entries: Map<string, Entry>,
  failures: Failure[],
): Promise<void> {
  const running: { readonly contestant: Contestant; readonly entry: Entry }[] = [];
  const fail = ({ name }: Contestant, error: unknown): void =>
    void failures.push({ name, why: error instanceof Error ? error.message : String(error) });
  try {
    for (const contestant of contestants) {
      try {
        const suite = await contestant.ready();
        const entry = entries.get(contestant.name) ?? { suite, rounds: [], others: [] };
        entries.set(contestant.name, entry);
        running.push({ contestant, entry });
      } catch (error) {
        fail(contestant, error);
      }
    }
    for (let round = 0; round < rounds; round++) {
      for (const { contestant, entry } of running.slice()) {
        try {
          entry.rounds.push(await roundAtFullSpeed(contestant, pace));
        } catch (error) {
          fail(contestant, error);
          running.splice(
            running.findIndex((other) => other.contestant === contestant),
            1,
          );
        }
      }
    }
  } finally {
    await Promise.all(contestants.map((contestant) => contestant.stop()));
    for (const { contestant, entry } of running) entry.others.push(...contestant.others);
  }
}

/** The core speeds of a contest. */
interface Pace {
  fastest: number;
  /** Rounds that count, and those of them whose core was still slow after the repeats. */
  rounds: number;
  slow: number;
}

/**
 * Runs a round, and repeats it if the core was shared with another hardware thread: then a CPU-second does about half of the work.
 * This is the largest difference between two processes of one build, and it can last for many rounds.
 */
async function roundAtFullSpeed(contestant: Contestant, pace: Pace): Promise<Round> {
  for (let repeats = 0; ; repeats++) {
    const round = await contestant.round();
    const { speed = pace.fastest } = contestant;
    pace.fastest = Math.max(pace.fastest, speed);
    const isSlow = speed < FULL_SPEED * pace.fastest;
    if (isSlow && repeats < MAX_REPEATS) continue;
    pace.rounds += 1;
    if (isSlow) pace.slow += 1;
    return round;
  }
}

function slownessOf({ rounds, slow }: Pace): string[] {
  if (slow === 0) return [];
  return [
    `in ${slow} of ${rounds} rounds the core was busy with another hardware thread, also when repeated`,
  ];
}

/** For cases of one process only: the CPU time of a second process would count as other load. */
function noiseOf(entries: ReadonlyMap<string, Entry>): string[] {
  const disturbed = [...entries].flatMap(([name, { others }]) => {
    const cores = median(others.toSorted((a, b) => a - b));
    return cores > QUIET ? [`${name} (${cores.toFixed(2)} cores)`] : [];
  });
  return disturbed.length > 0 ? [`something else was running in the rounds of ${disturbed.join(', ')}`] : [];
}

/** Our case, a Node.js rival, or an earlier revision: child.ts in its own process. */
export function nodeContestant(
  bench: BenchCase,
  settings: Settings,
  rival?: { readonly name: string; readonly case: string },
  earlier?: Earlier,
): Contestant {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const options = [
    '--expose-gc',
    ...process.execArgv.filter((arg) => arg !== '--expose-gc'),
    ...(bench.nodeOptions ?? []),
    earlier?.child ?? fileURLToPath(new URL(`./child${extension}`, import.meta.url)),
    bench.name,
    JSON.stringify(settings),
    ...(rival === undefined ? [] : [rival.name, rival.case]),
  ];
  const name = earlier?.suite ?? rival?.name ?? 'snowmesh';
  return new ProcessContestant(name, options, settings.quick, earlier?.suite);
}

class ProcessContestant implements Contestant {
  readonly name: string;
  readonly others: number[] = [];
  speed: number | undefined = undefined;
  private readonly args: readonly string[];
  private readonly quick: boolean;
  /** The suite of an earlier revision; undefined: the process tells its suite. */
  private readonly suite: string | undefined;
  private child: ChildProcess | undefined;
  private end: Promise<unknown> = Promise.resolve();
  private onAnswer: (answer: Answer) => void = () => {};
  private onEnd: (why: string) => void = () => {};

  constructor(name: string, args: readonly string[], quick: boolean, suite: string | undefined) {
    this.name = name;
    this.args = args;
    this.quick = quick;
    this.suite = suite;
  }

  async ready(): Promise<string> {
    const answer = await this.ask(() => this.start());
    if (!('ready' in answer)) throw new Error('it gave an unexpected answer');
    return this.suite ?? answer.ready.suite;
  }

  async round(): Promise<Round> {
    const answer = await this.ask(() => void this.child?.stdin?.write('round\n'));
    if (!('round' in answer)) throw new Error('it gave an unexpected answer');
    this.others.push(answer.others);
    this.speed = answer.speed;
    return answer.round;
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    child.stdin?.end();
    const late = setTimeout(() => child.kill('SIGKILL'), QUICK_TIMEOUT_MS);
    await this.end;
    clearTimeout(late);
  }

  /** Calls `order` and gives the next answer. Rejects if the process ends before, or takes too long. */
  private ask(order: () => void): Promise<Answer> {
    return new Promise((answered, failed) => {
      const late = setTimeout(
        () => {
          this.child?.kill('SIGKILL');
          failed(new Error('it took too long'));
        },
        this.quick ? QUICK_TIMEOUT_MS : TIMEOUT_MS,
      );
      this.onAnswer = (answer) => {
        clearTimeout(late);
        answered(answer);
      };
      this.onEnd = (why) => {
        clearTimeout(late);
        failed(new Error(why));
      };
      order();
    });
  }

  private start(): void {
    const child = spawn(process.execPath, this.args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child = child;
    child.stdin.on('error', () => {}); // the process has ended; `close` reports it
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-4000);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{"r')) this.onAnswer(JSON.parse(line) as Answer);
      else console.error(line);
    });
    this.end = new Promise((ended) =>
      child.once('close', (code, signal) => {
        this.onEnd(`it ended with ${code ?? signal}: ${complaint.trim()}`);
        ended(undefined);
      }),
    );
  }
}
