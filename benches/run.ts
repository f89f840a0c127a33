// npm run bench [-- [filter…] [options]]: runs the cases one after the other, the rounds of ours and of the rivals in turns. Writes JSON
// lines to standard output and to a file, tables to standard error.
import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { cases } from './cases.ts';
import { type Contestant, holdContest, nodeContestant, type Outcome } from './contest.ts';
import { buildEarlier, type Earlier, regressionsOf } from './earlier.ts';
import { faultsOf } from './growth/ladder.ts';
import { type BenchCase, FULL, machineNotes, QUICK, type Result, type Settings } from './harness.ts';
import { LIBRARIES } from './local/field.ts';
import { type Beside, ratiosOf, summary, table } from './report.ts';
import {
  erlangInOneGo,
  type Field,
  findField,
  mustHaveRedis,
  NoRivalsError,
  rivalsInTurns,
} from './rivals.ts';

const HELP = `Usage: npm run bench [-- [filter…] [options]]

  filter            cases whose name contains one of the words, or matches it
                    as a regular expression; default: all
  --list            the names of the cases, and what they do
  --processes <n>   processes a contestant, one after the other (default ${FULL.processes});
                    figures are the medians over them
  --rounds <n>      measured rounds a case, of all its processes (default ${FULL.rounds})
  --quick           smoke test: one tiny round each; the figures mean nothing
  --no-rivals       only snowmesh
  --against <rev>   beside an earlier revision of this repository instead of the
                    rivals; exits with 1 when a steady figure is below --at-least
  --at-least <x>    smallest share of the earlier figure that passes (default 0.95)
  --no-erlang       without Erlang/OTP    --no-node  without the Node.js rivals
  --save <name>     write the JSON lines to benches/results/<name>.jsonl
                    (default latest, which git ignores; --quick: nothing)

SNOWMESH_PEERS names a folder with erlang/run.sh (see benches/README.md).
`;

interface Plan {
  readonly selected: readonly BenchCase[];
  readonly settings: Settings;
  readonly field: Field;
  readonly emit: (line: object) => void;
  readonly earlier: Earlier | undefined;
  /** A smaller share of the earlier figure is a regression. */
  readonly least: number;
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      list: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      processes: { type: 'string' },
      against: { type: 'string' },
      'at-least': { type: 'string', default: '0.95' },
      'no-rivals': { type: 'boolean', default: false },
      'no-erlang': { type: 'boolean', default: false },
      'no-node': { type: 'boolean', default: false },
      save: { type: 'string' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const selected = select(positionals);
  if (values.list) {
    for (const { name, about } of selected) console.log(`${name.padEnd(36)} ${about}`);
    return 0;
  }
  if (selected.length === 0) {
    console.error(`No case matches ${positionals.join(' ')}; --list names them.`);
    return 2;
  }
  const base = values.quick ? QUICK : FULL;
  const processes = countOf(values.processes, base.processes);
  const rounds = countOf(values.rounds, Math.max(base.rounds, processes));
  const least = Number(values['at-least']);
  if (!(least > 0)) {
    console.error(`--at-least takes a number above 0, not ${values['at-least']}.`);
    return 2;
  }
  const earlier = values.against === undefined ? undefined : buildEarlier(values.against);
  const alone = values['no-rivals'] || earlier !== undefined;
  const field = findField({ erlang: !alone && !values['no-erlang'], node: !alone && !values['no-node'] });
  if (field.node && selected.some(({ rivals }) => rivals?.node?.rivals.some((name) => /redis/.test(name))))
    mustHaveRedis();
  const file = openResults(values.save ?? (values.quick ? undefined : 'latest'));
  const emit = (line: object): void => {
    const text = `${JSON.stringify(line)}\n`;
    process.stdout.write(text);
    file?.write(text);
  };
  return runPlan({ selected, settings: { ...base, rounds, processes }, field, emit, earlier, least });
}

/** The count that an option gives, at least 1. */
function countOf(value: string | undefined, otherwise: number): number {
  return value === undefined ? otherwise : Math.max(1, Math.floor(Number(value)) || 1);
}

function select(filters: readonly string[]): readonly BenchCase[] {
  if (filters.length === 0) return cases;
  const patterns = filters.map((filter) => new RegExp(filter.replaceAll('+', '\\+')));
  return cases.filter(({ name }) => patterns.some((pattern) => pattern.test(name)));
}

function openResults(name: string | undefined): WriteStream | undefined {
  if (name === undefined) return undefined;
  mkdirSync('benches/results', { recursive: true });
  return createWriteStream(`benches/results/${name.replace(/[^\w.-]/g, '-')}.jsonl`);
}

async function runPlan({ selected, settings, field, emit, earlier, least }: Plan): Promise<number> {
  emit({
    run: {
      date: new Date().toISOString(),
      ...revision(),
      settings,
      machine: machineNotes(),
      notes: field.notes,
    },
  });
  for (const note of field.notes) console.error(note);
  const all: Result[] = [];
  let failed = 0;
  for (const bench of selected) {
    const { results, failures, notes } = await competeWithin(
      bench,
      settingsOf(bench, settings),
      field,
      earlier,
    );
    if (failures.some(({ name }) => name === 'snowmesh')) failed += 1;
    all.push(...results);
    const beside: Beside = { failures, notes, ...(field.node ? { field: bench.rivals?.node ?? {} } : {}) };
    for (const line of [...results, ...ratiosOf(results), ...asides(bench.name, beside)]) emit(line);
    console.error(table(bench.name, bench.about, results, beside));
  }
  emit({ end: { date: new Date().toISOString(), load: loadavg(), failed } });
  for (const folder of ['cluster/', 'rooms/', 'local/', 'growth/', 'micro/']) {
    const some = all.filter(({ case: name }) => name.startsWith(folder));
    const text = selected.length > 1 ? summary(some, isAbsent) : '';
    if (text !== '') console.error(text);
  }
  if (field.node) console.error(aboutLibraries(all));
  const regressions = earlier === undefined ? [] : regressionsOf(all, earlier, least);
  for (const { case: name, metric, ratio, low, high } of regressions) {
    console.error(`regression: ${name} ${metric}: ours/theirs ${ratio} (${low}–${high})`);
  }
  return failed === 0 && regressions.length === 0 ? 0 : 1;
}

/** The settings, within the case's own limits of rounds, processes and warm-up. */
function settingsOf(bench: BenchCase, settings: Settings): Settings {
  const rounds = Math.min(settings.rounds, bench.rounds ?? Number.POSITIVE_INFINITY);
  const processes = Math.min(settings.processes, rounds, bench.processes ?? Number.POSITIVE_INFINITY);
  const warmSeconds = settings.quick ? 0 : Math.max(settings.warmSeconds, bench.warmSeconds ?? 0);
  return { ...settings, rounds, processes, warmSeconds };
}

/** Runs our case, the earlier revision and the rivals in turns; then Erlang's cluster cases. */
async function compete(
  bench: BenchCase,
  settings: Settings,
  field: Field,
  earlier: Earlier | undefined,
): Promise<Outcome> {
  const contestants = (): Contestant[] => [
    nodeContestant(bench, settings),
    ...(earlier === undefined ? [] : [nodeContestant(bench, settings, undefined, earlier)]),
    ...rivalsInTurns(bench, settings, field),
  ];
  const outcome = await holdContest(bench.name, contestants, settings);
  try {
    const erlang = await erlangInOneGo(bench, settings, field);
    return { ...outcome, results: [...outcome.results, ...erlang] };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ...outcome, failures: [...outcome.failures, { name: 'erlang', why }] };
  }
}

/** As {@link compete}; a cost that grows faster than linearly counts as a failure of our case. */
async function competeWithin(...all: Parameters<typeof compete>): Promise<Outcome> {
  const [, { quick }] = all;
  const outcome = await compete(...all);
  const faults = quick ? [] : faultsOf(outcome.results).map((why) => ({ name: 'snowmesh', why }));
  return { ...outcome, failures: [...outcome.failures, ...faults] };
}

/** The JSON lines that are not figures: failures, absent rivals, remarks, notes. */
function asides(name: string, { failures = [], notes = [], field = {} }: Beside): object[] {
  return [
    ...failures.map((failure) => ({ case: name, failed: failure.name, why: failure.why })),
    ...Object.entries(field.absent ?? {}).map(([rival, why]) => ({ case: name, absent: rival, why })),
    ...Object.entries(field.remarks ?? {}).map(([rival, remark]) => ({ case: name, rival, remark })),
    ...notes.map((note) => ({ case: name, note })),
  ];
}

function isAbsent(name: string, suite: string): boolean {
  const absent = cases.find((bench) => bench.name === name)?.rivals?.node?.absent ?? {};
  return Object.keys(absent).some((rival) => suite.startsWith(`${rival}@`));
}

/** A line about each library that has figures. */
function aboutLibraries(results: readonly Result[]): string {
  return Object.entries(LIBRARIES)
    .filter(([library]) => results.some(({ suite }) => suite.startsWith(`${library}@`)))
    .map(([library, what]) => `${library}: ${what}`)
    .join('\n');
}

function revision(): { revision: string; changed: boolean } {
  const git = (...args: string[]): string =>
    spawnSync('git', args, { encoding: 'utf8' }).stdout?.trim() ?? '';
  return {
    revision: git('rev-parse', '--short=12', 'HEAD') || 'unknown',
    changed: git('status', '--porcelain', '--untracked-files=no') !== '',
  };
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof NoRivalsError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
