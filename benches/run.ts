// npm run bench [-- [filter…] [options]]: our cases and the rivals', case by case, so that both sides of a ratio are
// measured within the same minute. JSON lines go to standard output, the readable table to standard error.
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cases } from './cases.ts';
import { type BenchCase, FULL, machineNotes, QUICK, type Result, type Settings } from './harness.ts';
import { ratiosOf, table } from './report.ts';
import { type Field, findField, measureRivals } from './rivals.ts';

const HELP = `Usage: npm run bench [-- [filter…] [options]]

  filter            cases whose name contains one of the words, or matches it
                    as a regular expression; default: all
  --list            the names of the cases, and what they do
  --rounds <n>      measured rounds a case (default ${FULL.rounds})
  --quick           smoke test: one tiny round each; the figures mean nothing
  --no-rivals       only snowmesh
  --no-erlang       without Erlang/OTP    --no-node  without the Node.js rivals
  --save <name>     also write the JSON lines to benches/results/<name>.jsonl

SNOWMESH_PEERS names a folder with erlang/run.sh (see benches/README.md).
`;
const CASE_TIMEOUT_MS = 600_000;
const QUICK_TIMEOUT_MS = 60_000;

interface Plan {
  readonly selected: readonly BenchCase[];
  readonly settings: Settings;
  readonly field: Field;
  readonly emit: (line: object) => void;
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
  const rounds =
    values.rounds === undefined ? base.rounds : Math.max(1, Math.floor(Number(values.rounds)) || 1);
  const found = findField(!values['no-rivals']);
  const field = {
    erlang: values['no-erlang'] ? undefined : found.erlang,
    node: values['no-node'] ? undefined : found.node,
    notes: found.notes,
  };
  const file = openResults(values.save);
  const emit = (line: object): void => {
    const text = `${JSON.stringify(line)}\n`;
    process.stdout.write(text);
    file?.write(text);
  };
  return runPlan({ selected, settings: { ...base, rounds }, field, emit });
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

async function runPlan({ selected, settings, field, emit }: Plan): Promise<number> {
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
  let failed = 0;
  for (const bench of selected) {
    const results: Result[] = [];
    const take = (result: Result): void => {
      results.push(result);
      emit(result);
    };
    const own = {
      ...settings,
      rounds: settings.quick ? settings.rounds : Math.min(settings.rounds, bench.rounds ?? 99),
    };
    if (!(await runCase(bench, own, take))) failed += 1;
    await measureRivals(bench, own, field, take);
    for (const ratio of ratiosOf(results)) emit(ratio);
    if (results.length > 0) console.error(table(bench.name, bench.about, results));
  }
  emit({ end: { date: new Date().toISOString(), load: loadavg(), failed } });
  return failed === 0 ? 0 : 1;
}

/** One of our cases, in a process of its own. */
async function runCase(
  bench: BenchCase,
  settings: Settings,
  take: (result: Result) => void,
): Promise<boolean> {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const file = fileURLToPath(new URL(`./child${extension}`, import.meta.url));
  const options = [
    '--expose-gc',
    ...process.execArgv.filter((arg) => arg !== '--expose-gc'),
    ...(bench.nodeOptions ?? []),
  ];
  const child = spawn(process.execPath, [...options, file, bench.name, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: settings.quick ? QUICK_TIMEOUT_MS : CASE_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('{')) take(JSON.parse(line) as Result);
    else console.error(line);
  });
  const code = await new Promise<number | null>((done) => child.once('close', done));
  if (code !== 0) console.error(`${bench.name}: failed (${code ?? 'timeout'}).`);
  return code === 0;
}

function revision(): { revision: string; changed: boolean } {
  const git = (...args: string[]): string =>
    spawnSync('git', args, { encoding: 'utf8' }).stdout?.trim() ?? '';
  return {
    revision: git('rev-parse', '--short=12', 'HEAD') || 'unknown',
    changed: git('status', '--porcelain', '--untracked-files=no') !== '',
  };
}

process.exitCode = await main(process.argv.slice(2));
