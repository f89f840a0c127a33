// Compares what packages cost before they do anything: the size of the installation, importing it, and the memory it then uses.
//   npx tsx benches/footprint.ts [snowmesh-1.0.0.tgz]
// Packs the package unless a tarball is given; without a run of `npm run prebuild -- --all` before, it has only this machine's addon.
// Writes one JSON line for each contestant to standard output, a table to standard error.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

const root = join(import.meta.dirname, '..');
const ROUNDS = 9;
/** Each contestant: what npm installs and what a program imports first. */
const OTHERS = [
  { name: 'moleculer', install: 'moleculer@0.15.2', entry: 'moleculer' },
  { name: 'rivetkit', install: 'rivetkit@2.3.19', entry: 'rivetkit' },
];

interface Cost {
  /** CPU time of the process, user and system, in ms. */
  readonly cpuMs: number;
  /** Resident memory at its end, in MB. */
  readonly rssMb: number;
}

const work = mkdtempSync(join(tmpdir(), 'snowmesh-footprint-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

const tarball = process.argv[2] === undefined ? pack() : resolve(process.argv[2]);
const contestants = [{ name: 'snowmesh', install: tarball, entry: 'snowmesh' }, ...OTHERS].map((each) => ({
  ...each,
  folder: installed(each.name, each.install),
}));
const programs = [{ name: 'an empty program', folder: work, entry: undefined }, ...contestants];
const costs = new Map<string, Cost[]>(programs.map(({ name }) => [name, []]));
// In turns, so that changes in the machine's speed affect all alike.
for (let round = 0; round < ROUNDS; round += 1)
  for (const { name, folder, entry } of programs) costs.get(name)?.push(costOf(folder, entry));

const rows = programs.map(({ name, folder, entry }) => {
  const taken = costs.get(name) ?? [];
  const size = entry === undefined ? {} : sizeOf(join(folder, 'node_modules'));
  return {
    name,
    ...size,
    cpuMs: median(taken.map(({ cpuMs }) => cpuMs)),
    rssMb: median(taken.map(({ rssMb }) => rssMb)),
  };
});
const version = basename(tarball);
for (const row of rows)
  console.log(JSON.stringify({ suite: 'footprint', ...row, tarball: version, node: process.version }));
console.error(`${version}: ${megabytes(statSync(tarball).size).toFixed(1)} MB to download`);
console.table(rows);

function pack(): string {
  const env = { ...process.env, SNOWMESH_PACK: 'local' };
  npm(['pack', '--silent', '--pack-destination', work], root, env);
  return join(work, String(readdirSync(work).find((name) => name.endsWith('.tgz'))));
}

function installed(name: string, what: string): string {
  const folder = join(work, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', what], folder);
  return folder;
}

function npm(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = process.env): void {
  execFileSync('npm', args, {
    cwd,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
}

/** A fresh process that imports `entry`, or nothing. */
function costOf(folder: string, entry: string | undefined): Cost {
  const load = entry === undefined ? '' : `await import('${entry}');`;
  const program = join(folder, 'cost.mjs');
  writeFileSync(
    program,
    `${load} const { user, system } = process.cpuUsage(); console.log((user + system) / 1000, process.memoryUsage().rss); process.exit();`,
  );
  const [cpuMs = 0, bytes = 0] = execFileSync(process.execPath, [program], { encoding: 'utf8' })
    .split(' ')
    .map(Number);
  return { cpuMs, rssMb: megabytes(bytes) };
}

function sizeOf(folder: string): { packages: number; files: number; megabytes: number } {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name));
  const isPackage = (path: string): boolean =>
    /[\\/]node_modules[\\/](@[^\\/]+[\\/])?[^\\/@]+[\\/]package\.json$/.test(path);
  const bytes = paths.reduce((sum, path) => sum + statSync(path).size, 0);
  return {
    packages: paths.filter(isPackage).length,
    files: paths.length,
    megabytes: Math.round(megabytes(bytes) * 10) / 10,
  };
}

function megabytes(bytes: number): number {
  return bytes / 1e6;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((x, y) => x - y);
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10;
}
