// Finds the rivals on this machine: Erlang/OTP, with the scripts in the folder that SNOWMESH_PEERS names and in benches/peers/erlang/, and
// the Node.js libraries of benches/peers, which has its own lockfile.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Contestant, nodeContestant } from './contest.ts';
import {
  type BenchCase,
  type ErlangRival,
  type Result,
  type Round,
  resultOf,
  roundsOfProcess,
  type Settings,
} from './harness.ts';
import { hasRedis } from './rooms/servers.ts';

/** How the Erlang VM is run: with one scheduler or one for each core; with or without a read buffer for long messages over TLS. */
const LOCAL_CONFIGURATIONS = ['s1', 's2'];
const CLUSTER_CONFIGURATIONS = ['s1', 's2', 's1buf', 's2buf'];
const SCHEDULERS: Readonly<Record<string, string>> = { s1: '+S 1:1', s2: '' };
const TIMEOUT_MS = 1_200_000;

/** The rivals that are measured, and notes on those that are missing. */
export interface Field {
  /** Undefined when Erlang is left out. */
  readonly erlang: Erlang | undefined;
  /** Whether the Node.js rivals are there. */
  readonly node: boolean;
  readonly notes: readonly string[];
}

export interface Erlang {
  /** `erlang-otp25`. */
  readonly suite: string;
  /** The script in the folder that SNOWMESH_PEERS names. */
  readonly script: string | undefined;
}

/** Finds the rivals; installs those of Node.js from their lockfile if they are missing. */
export function findField({ erlang = true, node = true }): Field {
  const notes: string[] = [];
  return {
    erlang: erlang ? findErlang(notes) : undefined,
    node: node && installNodeRivals(),
    notes,
  };
}

function findErlang(notes: string[]): Erlang | undefined {
  const release = spawnSync(
    'erl',
    ['-noshell', '-eval', 'io:format("~s", [erlang:system_info(otp_release)]), halt().'],
    { encoding: 'utf8', timeout: 30_000 },
  );
  if (release.status !== 0) {
    notes.push('No Erlang: erl is not on the PATH (erlang-base erlang-ssl erlang-tools).');
    return undefined;
  }
  const peers = process.env['SNOWMESH_PEERS'] ?? '';
  const script = peers === '' ? undefined : join(resolve(peers), 'erlang/run.sh');
  const suite = `erlang-otp${release.stdout.trim()}`;
  if (script !== undefined && existsSync(script)) return { suite, script };
  const why =
    script === undefined
      ? 'SNOWMESH_PEERS does not name the folder with erlang/run.sh'
      : `there is no ${script}`;
  notes.push(`Most Erlang cases are left out: ${why} (see benches/README.md).`);
  return { suite, script: undefined };
}

/** Throws if they cannot be installed: a run without rivals must be asked for by an option. */
function installNodeRivals(): true {
  const folder = resolve('benches/peers');
  if (areInstalled(folder)) return true;
  console.error('Installing the rivals into benches/peers (npm ci)');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status === 0) return true;
  throw new NoRivalsError(
    'The Node.js rivals could not be installed into benches/peers (see above). --no-node runs without them, --no-rivals with none at all.',
  );
}

/** Whether the installed packages are those of the lockfile. */
function areInstalled(folder: string): boolean {
  const packagesOf = (
    file: string,
  ): Record<string, { readonly version?: string; readonly optional?: boolean }> =>
    (JSON.parse(readFileSync(join(folder, file), 'utf8')) as { packages: never }).packages;
  if (!existsSync(join(folder, 'node_modules/.package-lock.json'))) return false;
  const installed = packagesOf('node_modules/.package-lock.json');
  return Object.entries(packagesOf('package-lock.json')).every(
    ([path, { version, optional }]) =>
      path === '' || optional === true || installed[path]?.version === version,
  );
}

/** Checks that Redis, which some rivals of rooms need, is installed. @throws NoRivalsError */
export function mustHaveRedis(): void {
  if (hasRedis()) return;
  throw new NoRivalsError(
    'redis-server is not on the PATH (Debian: redis-server). --no-node runs without the rivals that need it, --no-rivals with none at all.',
  );
}

/** A rival that was asked for is not available. */
export class NoRivalsError extends Error {}

/** The rivals whose rounds of this case are in turns with ours. */
export function rivalsInTurns(bench: BenchCase, settings: Settings, field: Field): Contestant[] {
  const { erlang, node } = bench.rivals ?? {};
  const contestants: Contestant[] = [];
  if (node !== undefined && field.node) {
    for (const name of node.rivals)
      contestants.push(nodeContestant(bench, settings, { name, case: node.case }));
  }
  if (erlang !== undefined && isLocal(bench)) {
    for (const configuration of settings.quick ? ['s1'] : LOCAL_CONFIGURATIONS) {
      const command = erlangCommand(erlang, field.erlang, `local.${configuration}`);
      if (command !== undefined) contestants.push(erlangContestant(erlang, command, configuration));
    }
  }
  return contestants;
}

const isLocal = ({ name }: BenchCase): boolean => /^(local|micro)\//.test(name);

/** Runs all rounds of Erlang's cluster cases after ours, because two Erlang VMs take seconds to connect. */
export async function erlangInOneGo(
  bench: BenchCase,
  settings: Settings,
  field: Field,
): Promise<readonly Result[]> {
  const { erlang } = bench.rivals ?? {};
  if (erlang === undefined || isLocal(bench)) return [];
  const all = settings.quick ? CLUSTER_CONFIGURATIONS.slice(0, 1) : CLUSTER_CONFIGURATIONS;
  const command = erlangCommand(erlang, field.erlang, `dist.tls.(${all.join('|')})`);
  if (command === undefined) return [];
  const lines = new Map<string, ErlangLine>();
  for (let process = 0; process < settings.processes; process++) {
    for (const line of await linesOf(command, roundsOfProcess(settings))) {
      const runs = [...(lines.get(line.case)?.runs ?? []), ...line.runs];
      lines.set(line.case, { ...line, runs });
    }
  }
  const { processes } = settings;
  return [...lines.values()].flatMap((line) => {
    const metric = metricOf(erlang, line);
    if (metric === undefined) return [];
    const configuration = line.case.slice(0, line.case.indexOf(`.${erlang.case}`)).replace(/^dist\./, '');
    const suite = `${line.suite} ${configuration.replace('.', ' ')}`;
    const what = { suite, case: bench.name, metric, unit: line.unit, inTurns: false, processes };
    return [resultOf(what, line.runs)];
  });
}

interface Command {
  readonly suite: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** @param where the prefix of the name of the case. */
function erlangCommand(rival: ErlangRival, found: Erlang | undefined, where: string): Command | undefined {
  if (found === undefined) return undefined;
  if (rival.script !== undefined) {
    const configuration = where.split('.').at(-1) ?? '';
    const args = [resolve('benches/peers/erlang', rival.script), where];
    return {
      suite: found.suite,
      program: 'escript',
      args,
      env: { ERL_FLAGS: SCHEDULERS[configuration] ?? '' },
    };
  }
  if (found.script === undefined) return undefined;
  const filter = `^${where.replaceAll('.', '\\.')}\\.${rival.case}$`;
  return { suite: found.suite, program: found.script, args: [filter], env: {} };
}

/** Starts a VM for each round; the first run of the script does not count. */
function erlangContestant(rival: ErlangRival, command: Command, configuration: string): Contestant {
  const suite = `${command.suite} ${configuration}`;
  return {
    name: suite,
    others: [],
    ready: () => Promise.resolve(suite),
    async round() {
      const round: Record<string, Round[string]> = {};
      for (const line of await linesOf(command, 1)) {
        const metric = metricOf(rival, line);
        if (metric !== undefined) round[metric] = { value: line.runs[0] ?? Number.NaN, unit: line.unit };
      }
      return round;
    },
    stop: () => Promise.resolve(),
  };
}

interface ErlangLine {
  readonly suite: string;
  readonly case: string;
  readonly unit: string;
  readonly runs: readonly number[];
}

/** Our name for the metric of a line. */
function metricOf({ case: name, metrics }: ErlangRival, line: ErlangLine): string | undefined {
  const at = line.case.indexOf(`.${name}`);
  const suffix = line.case.slice(at + 1 + name.length);
  return at < 0 ? undefined : Object.keys(metrics).find((key) => metrics[key] === suffix);
}

/** Runs a script and parses the JSON lines of its output. */
async function linesOf({ program, args, env }: Command, runs: number): Promise<ErlangLine[]> {
  const child = spawn(program, args, {
    env: { ...process.env, ...env, BENCH_RUNS: String(runs) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  let output = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (complaint = (complaint + text).slice(-2000)));
  const code = await new Promise<number | null>((done, failed) => {
    child.once('error', failed);
    child.once('close', (status) => done(status));
  });
  if (code !== 0) throw new Error(`it ended with ${code ?? 'a timeout'}: ${complaint.trim()}`);
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as ErlangLine);
}
