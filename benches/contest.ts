// One case, all who do it: each contestant is a process that is warmed up and then waits for its turn. Rounds go
// round-robin, so that whatever else the machine does meanwhile touches all sides of a ratio. The whole is held several
// times, each time with new processes: what a process is lucky with (layout of memory, moment of compilation) it keeps.
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
/** Above it, something else was running. Unit: cores. */
const QUIET = 0.2;
/** Below this part of the best core speed of the contest, a round is held again... */
const FULL_SPEED = 0.85;
/** ...so many times at most. */
const MOST_REPEATS = 2;

/** Somebody who does a case. */
export interface Contestant {
  /** For complaints, until its suite is known. */
  readonly name: string;
  /** Starts it and warms it up; gives the suite under which its figures go. */
  ready(): Promise<string>;
  round(): Promise<Round>;
  /** What everything else on the machine used in each of its rounds. Unit: cores. */
  readonly others: readonly number[];
  /** How fast its core was in the last round; undefined: it does not say. */
  readonly speed?: number | undefined;
  stop(): Promise<void>;
}

export interface Outcome {
  readonly results: readonly Result[];
  /** Who did not get through it, and why. */
  readonly failures: readonly Failure[];
  readonly notes: readonly string[];
}

/**
 * Holds as many heats as a contestant has processes; who fails in one is left out of the results and of the next.
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

/** What a contestant has brought so far, in all heats. */
interface Entry {
  readonly suite: string;
  readonly rounds: Round[];
  readonly others: number[];
}

/** Readies all, gives each a round in turn, as often as there are rounds, and takes them down. */
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
  /** Rounds that count, and those of them whose core was slow all the same. */
  rounds: number;
  slow: number;
}

/**
 * A round; when its core worked for another hardware thread meanwhile, which halves what a CPU-second does, another one in its place.
 * That is what makes two processes of one build differ most, and no number of rounds in a row shows it.
 */
async function roundAtFullSpeed(contestant: Contestant, pace: Pace): Promise<Round> {
  for (let repeats = 0; ; repeats++) {
    const round = await contestant.round();
    const { speed = pace.fastest } = contestant;
    pace.fastest = Math.max(pace.fastest, speed);
    const isSlow = speed < FULL_SPEED * pace.fastest;
    if (isSlow && repeats < MOST_REPEATS) continue;
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

/** Cases with a second process subtract nothing for it, so this is for those of one process. */
function noiseOf(entries: ReadonlyMap<string, Entry>): string[] {
  const disturbed = [...entries].flatMap(([name, { others }]) => {
    const cores = median(others.toSorted((a, b) => a - b));
    return cores > QUIET ? [`${name} (${cores.toFixed(2)} cores)`] : [];
  });
  return disturbed.length > 0 ? [`something else was running in the rounds of ${disturbed.join(', ')}`] : [];
}

/** Us, a rival in Node.js, or an earlier revision of ours: child.ts in a process of its own. */
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
  /** Where its figures go, when it does not say so itself. */
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
    if (!('ready' in answer)) throw new Error('it answered out of turn');
    return this.suite ?? answer.ready.suite;
  }

  async round(): Promise<Round> {
    const answer = await this.ask(() => void this.child?.stdin?.write('round\n'));
    if (!('round' in answer)) throw new Error('it answered out of turn');
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

  /** The answer to `order`; too late or an end without one is an error. */
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
    child.stdin.on('error', () => {}); // it has ended: `close` says so
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
