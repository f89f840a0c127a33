// The rivals that can be found here: Erlang/OTP through the scripts in the folder that SNOWMESH_PEERS names (and our
// own under benches/peers/erlang/), and the Node.js field from benches/peers, which has a lockfile of its own.
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

/** How the Erlang VM is run: one scheduler or one a core; with or without a read buffer that suits bulk over TLS. */
const LOCAL_CONFIGURATIONS = ['s1', 's2'];
const CLUSTER_CONFIGURATIONS = ['s1', 's2', 's1buf', 's2buf'];
const SCHEDULERS: Readonly<Record<string, string>> = { s1: '+S 1:1', s2: '' };
const TIMEOUT_MS = 1_200_000;

/** What is measured beside us, and why the rest is not. */
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

/** Looks for the rivals; installs the Node.js ones from their lockfile when they are not there yet. */
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
  notes.push(`Hardly any Erlang: ${why} (see benches/README.md).`);
  return { suite, script: undefined };
}

/** A run without them would look like one in which nobody is better: what is left out is said by an option. */
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

/** Whether what the lockfile says is there: a lockfile that has changed since is installed anew. */
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

/** Rivals of rooms need their broker. @throws NoRivalsError */
export function mustHaveRedis(): void {
  if (hasRedis()) return;
  throw new NoRivalsError(
    'redis-server is not on the PATH (Debian: redis-server). --no-node runs without the rivals that need it, --no-rivals with none at all.',
  );
}

/** The rivals that were asked for are not to be had. */
export class NoRivalsError extends Error {}

/** Everybody but us who does this case in turns with us. */
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

/** Two Erlang VMs take seconds to meet, so theirs come in one go after all of ours. */
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

/** `where` is what stands before the name of the case. */
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

/** A VM of its own for each round; the script throws a first run away. */
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

/** Our name of what a line measures. */
function metricOf({ case: name, metrics }: ErlangRival, line: ErlangLine): string | undefined {
  const at = line.case.indexOf(`.${name}`);
  const suffix = line.case.slice(at + 1 + name.length);
  return at < 0 ? undefined : Object.keys(metrics).find((key) => metrics[key] === suffix);
}

/** Runs a script and gives the JSON lines of its output. */
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
