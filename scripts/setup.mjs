// Makes a fresh clone runnable: dependencies, addon, compiled TypeScript. Plain Node, no dependency, because it
// runs before there is a node_modules folder. Each part is skipped when what it would make is already up to date.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { constants, homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
/** The files whose change makes the addon outdated. */
export const nativeSources = /\.rs$|(^|[\\/])Cargo\.(toml|lock)$/;

/** A failure whose message is all the user needs to read; an empty one when it has been said. */
export class SetupError extends Error {}

/** What is said while setting up goes to stderr: stdout belongs to whatever is set up for. */
const TALK = { stdio: ['inherit', 2, 2] };

const OLDEST_NODE = [20, 19];
/** Runs everything; `need` leaves parts out. */
export function setup(need = { native: true, compile: true }) {
  checkNode();
  installDependencies();
  if (need.native) buildAddon();
  if (need.compile) compile();
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new SetupError(
    `snowmesh needs Node.js ${OLDEST_NODE.join('.')} or newer; this is ${process.version}.`,
  );
}

function installDependencies() {
  if (dependenciesMatchLockfile()) return;
  console.error('setup: installing the development dependencies (npm ci)');
  // npm leaves its own path in the environment of the scripts it runs; without it, npm is on the PATH.
  const npm = process.env.npm_execpath;
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const done = npm?.endsWith('.js')
    ? run(process.execPath, [npm, ...args], TALK)
    : run('npm', args, { ...TALK, shell: process.platform === 'win32' });
  if (done !== 0)
    throw new SetupError('`npm ci` failed: see its message above (a network is needed the first time).');
}

function dependenciesMatchLockfile() {
  const installedFile = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    // Links and the workspaces themselves carry no version to compare; optional packages belong to other platforms.
    if (!path.includes('node_modules/') || entry.link || entry.optional || entry.devOptional) return true;
    return installed[path]?.version === entry.version;
  });
}

function buildAddon() {
  findCargo();
  // It does nothing when the addon is newer than its sources, and says itself what is missing.
  if (run(process.execPath, [join(root, 'scripts/build-native.mjs')], TALK) !== 0) throw new SetupError('');
}

/** Puts cargo on the PATH of this process if it is only in rustup's default place; false when there is none. */
export function findCargo() {
  const home = process.env.CARGO_HOME ?? join(homedir(), '.cargo');
  const name = process.platform === 'win32' ? 'cargo.exe' : 'cargo';
  const paths = (process.env.PATH ?? '').split(delimiter);
  if (paths.some((path) => path !== '' && existsSync(join(path, name)))) return true;
  if (!existsSync(join(home, 'bin', name))) return false;
  process.env.PATH = [join(home, 'bin'), ...paths].join(delimiter);
  return true;
}

function compile() {
  const status = run(process.execPath, [join(root, 'scripts/build-ts.mjs'), '--if-needed'], TALK);
  if (status !== 0) throw new SetupError('The TypeScript did not compile: see the message of tsc above.');
}

/** Whether `file` exists and is no older than any file below `folders` whose path matches `pattern`. */
export function isUpToDate(file, folders, pattern) {
  if (!existsSync(file)) return false;
  const made = statSync(file).mtimeMs;
  return !folders.some((folder) => hasNewer(join(root, folder), pattern, made));
}

function hasNewer(folder, pattern, made) {
  if (!existsSync(folder)) return false;
  return readdirSync(folder, { withFileTypes: true }).some((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return entry.name !== 'node_modules' && entry.name !== 'target' && hasNewer(path, pattern, made);
    }
    return pattern.test(path) && statSync(path).mtimeMs > made;
  });
}

/** Runs a program with our output as its output; its exit status (1 when it did not start or was killed). */
export function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (done.error) console.error(`${command}: ${done.error.message}`);
  return done.status ?? 1;
}

/** Becomes, as far as possible, another program: its output, its signals and its exit status are ours. */
export function become(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit' });
    // A terminal sends Ctrl-C to both of us: the program decides when it ends, we wait for it.
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    watchNpm(() => child.kill('SIGTERM'));
    child.once('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(1);
    });
    child.once('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

/**
 * npm that is told to end does not tell us: SIGTERM ends it and its shell, SIGKILL ends it alone. Either way somebody
 * above us changes, and nothing else happens.
 */
function watchNpm(onGone) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const above = whoIsAbove();
  const timer = setInterval(() => {
    if (whoIsAbove() === above) return;
    clearInterval(timer);
    onGone();
  }, 200);
  timer.unref();
}

/** Our parent, and npm behind it where the parent is the shell between us (known on Linux only). */
function whoIsAbove() {
  try {
    const [, name, npm] = /\((.*)\) \S+ (\d+)/.exec(readFileSync(`/proc/${process.ppid}/stat`, 'utf8')) ?? [];
    return /^(da|ba|z|a)?sh$/.test(name) ? `${process.ppid} ${npm}` : `${process.ppid}`;
  } catch {
    return `${process.ppid}`;
  }
}

/** Runs `main`, whose result is the exit status, and turns a SetupError into its one sentence. */
export async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    if (error.message !== '') console.error(error.message);
    process.exitCode = 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await runMain(() => setup());
