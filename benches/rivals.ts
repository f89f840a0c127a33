// The rivals' side of a case: Erlang/OTP through the scripts in the folder that SNOWMESH_PEERS names, and the Node.js
// field from benches/peers, which has a lockfile of its own. Both print JSON lines; here they become results of the
// same case under the rival's name.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { type BenchCase, type Result, resultOf, type Settings } from './harness.ts';

/** How the Erlang VM is run: one scheduler or one a core; with or without a read buffer that suits bulk over TLS. */
const LOCAL_CONFIGURATIONS = ['s1', 's2'];
const CLUSTER_CONFIGURATIONS = ['s1', 's2', 's1buf', 's2buf'];
const RIVAL_TIMEOUT_MS = 300_000;

/** What is measured beside us, and why the rest is not. */
export interface Field {
  /** The Erlang script; undefined when Erlang is left out. */
  readonly erlang: string | undefined;
  /** The folder of the Node.js rivals; undefined when they are left out. */
  readonly node: string | undefined;
  readonly notes: readonly string[];
}

/** Looks for the rivals; installs the Node.js ones from their lockfile when they are not there yet. */
export function findField(wanted: boolean): Field {
  if (!wanted) return { erlang: undefined, node: undefined, notes: [] };
  const notes: string[] = [];
  const erlang = findErlang(notes);
  const node = findNodeRivals(notes);
  return { erlang, node, notes };
}

function findErlang(notes: string[]): string | undefined {
  const peers = process.env['SNOWMESH_PEERS'];
  if (peers === undefined || peers === '') {
    notes.push(
      'No Erlang: SNOWMESH_PEERS does not name the folder with erlang/run.sh (see benches/README.md).',
    );
    return undefined;
  }
  const script = join(resolve(peers), 'erlang/run.sh');
  if (!existsSync(script)) notes.push(`No Erlang: there is no ${script}.`);
  else if (!isOnPath('erl'))
    notes.push('No Erlang: erl is not on the PATH (erlang-base erlang-ssl erlang-tools).');
  else return script;
  return undefined;
}

function findNodeRivals(notes: string[]): string | undefined {
  const folder = resolve('benches/peers');
  if (!existsSync(join(folder, 'package.json'))) {
    notes.push('No Node.js rivals: run this from the root of the repository.');
    return undefined;
  }
  if (!existsSync(join(folder, 'node_modules'))) {
    console.error('Installing the rivals into benches/peers (npm ci)');
    const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: folder,
      stdio: ['ignore', 2, 2],
    });
    if (status !== 0) {
      notes.push('No Node.js rivals: npm ci in benches/peers failed.');
      return undefined;
    }
  }
  return folder;
}

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, program)));
}

/** Runs every rival that does this case; `onResult` gets each figure as it comes. */
export async function measureRivals(
  bench: BenchCase,
  settings: Settings,
  field: Field,
  onResult: (result: Result) => void,
): Promise<void> {
  const { erlang, node } = bench.rivals ?? {};
  if (node !== undefined && field.node !== undefined) {
    for (const rival of node.rivals)
      await runNodeRival(bench.name, node.case, rival, settings, field.node, onResult);
  }
  if (erlang !== undefined && field.erlang !== undefined) {
    await runErlang(bench.name, erlang, settings, field.erlang, onResult);
  }
}

async function runErlang(
  name: string,
  erlang: { readonly case: string; readonly metrics: Readonly<Record<string, string>> },
  settings: Settings,
  script: string,
  onResult: (result: Result) => void,
): Promise<void> {
  const isLocal = !name.startsWith('cluster/');
  const all = isLocal ? LOCAL_CONFIGURATIONS : CLUSTER_CONFIGURATIONS;
  const configurations = settings.quick ? all.slice(0, 1) : all;
  const family = isLocal ? 'local' : 'dist\\.tls';
  const filter = `^${family}\\.(${configurations.join('|')})\\.${erlang.case}$`;
  const env = { ...process.env, BENCH_RUNS: String(settings.rounds) };
  await readLines(script, [filter], { env }, `Erlang, ${erlang.case}`, (line) => {
    const result = erlangResult(name, erlang, line);
    if (result !== undefined) onResult(result);
  });
}

function erlangResult(
  name: string,
  erlang: { readonly case: string; readonly metrics: Readonly<Record<string, string>> },
  line: ErlangLine,
): Result | undefined {
  const at = line.case.indexOf(`.${erlang.case}`);
  const suffix = line.case.slice(at + 1 + erlang.case.length);
  const metric = Object.keys(erlang.metrics).find((key) => erlang.metrics[key] === suffix);
  if (at < 0 || metric === undefined) return undefined;
  const suite = `${line.suite} ${line.case
    .slice(0, at)
    .replace(/^(local|dist)\./, '')
    .replace('.', ' ')}`;
  return resultOf({ suite, case: name, metric, unit: line.unit }, line.runs);
}

interface ErlangLine {
  readonly suite: string;
  readonly case: string;
  readonly unit: string;
  readonly runs: readonly number[];
}

async function runNodeRival(
  name: string,
  kase: string,
  rival: string,
  settings: Settings,
  folder: string,
  onResult: (result: Result) => void,
): Promise<void> {
  const { rounds, roundSeconds } = settings;
  const args = ['--expose-gc', '--max-old-space-size=14000', 'bench.mjs', rival, kase];
  const limits = [`--rounds=${rounds}`, `--seconds=${roundSeconds}`, ...(settings.quick ? ['--quick'] : [])];
  await readLines(process.execPath, [...args, ...limits], { cwd: folder }, `${rival}, ${kase}`, (line) => {
    const { suite, metric, unit, rounds: values } = line as unknown as NodeLine;
    onResult(resultOf({ suite, case: name, metric, unit }, values));
  });
}

interface NodeLine {
  readonly suite: string;
  readonly metric: string;
  readonly unit: string;
  readonly rounds: readonly number[];
}

/** Runs a program and gives each JSON line of its output; a failure is a note, not the end of the benches. */
async function readLines(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv },
  what: string,
  onLine: (line: ErlangLine) => void,
): Promise<void> {
  const child = spawn(program, args, {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: RIVAL_TIMEOUT_MS * 4,
  });
  let complaint = '';
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (complaint = (complaint + text).slice(-2000)));
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('{')) onLine(JSON.parse(line) as ErlangLine);
  });
  const code = await new Promise<number | null>((done) => {
    child.once('error', (error) => {
      complaint = error.message;
      done(1);
    });
    child.once('close', (status) => done(status));
  });
  if (code !== 0)
    console.error(`  ${what}: failed (${code ?? 'timeout'}). ${complaint.trim().split('\n').at(-1) ?? ''}`);
}
