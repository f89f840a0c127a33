// Sets up a fresh clone: installs dependencies, builds the addon, compiles the TypeScript. It has no dependencies, because it runs
// before there is a node_modules folder. A part is skipped if its result is up to date.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { constants, homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
/** The sources of the addon. */
export const nativeSources = /\.rs$|(^|[\\/])Cargo\.(toml|lock)$/;

/** A failure whose message is for the user, without a stack trace; empty if the reason has been printed already. */
export class SetupError extends Error {}

/** Programs that are run for the set-up print to stderr: stdout belongs to the command that needs the set-up. */
const TO_STDERR = { stdio: ['inherit', 2, 2] };

/** Runs all parts, or those that `need` names. */
export function setup(need = { native: true, compile: true }) {
  checkNode();
  installDependencies();
  if (need.native) buildAddon();
  if (need.compile) compile();
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  // The tools need more than the package does.
  if (major === 20 ? minor >= 19 : major > 22 || (major === 22 && minor >= 12)) return;
  throw new SetupError(
    `work on snowmesh needs Node.js 20.19, or 22.12 or later; this is ${process.version}.`,
  );
}

function installDependencies() {
  if (dependenciesMatchLockfile()) return;
  console.error('setup: installing the development dependencies (npm ci)');
  // npm gives its scripts the path of npm in this variable; otherwise npm is found on the PATH.
  const npm = process.env.npm_execpath;
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const done = npm?.endsWith('.js')
    ? run(process.execPath, [npm, ...args], TO_STDERR)
    : run('npm', args, { ...TO_STDERR, shell: process.platform === 'win32' });
  if (done !== 0)
    throw new SetupError('`npm ci` failed: see its message above (a network is needed the first time).');
}

function dependenciesMatchLockfile() {
  const installedFile = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    // Links and workspaces have no version to compare; optional packages may be for other platforms.
    if (!path.includes('node_modules/') || entry.link || entry.optional || entry.devOptional) return true;
    return installed[path]?.version === entry.version;
  });
}

function buildAddon() {
  findCargo();
  // The script does nothing if the addon is newer than its sources, and prints why it failed.
  if (run(process.execPath, [join(root, 'scripts/build-native.mjs')], TO_STDERR) !== 0)
    throw new SetupError('');
}

/** Adds rustup's default folder to the PATH of this process if cargo is only there; false if there is no cargo. */
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
  const status = run(process.execPath, [join(root, 'scripts/build-ts.mjs'), '--if-needed'], TO_STDERR);
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

/** Runs a program that shares our output; returns its exit status, 1 if it did not start or was killed. */
export function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (done.error) console.error(`${command}: ${done.error.message}`);
  return done.status ?? 1;
}

/** Runs another program in place of this one: shares our output, passes on signals, returns its exit status. */
export function become(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit' });
    // A terminal sends Ctrl-C to both processes; this one waits until the program ends.
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
 * Calls `onGone` when npm has ended. npm does not pass on the signal that ends it: SIGTERM ends it and its shell, SIGKILL ends npm
 * alone. In both cases the only sign is that an ancestor of this process changes.
 */
function watchNpm(onGone) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const before = ancestors();
  const timer = setInterval(() => {
    if (ancestors() === before) return;
    clearInterval(timer);
    onGone();
  }, 200);
  timer.unref();
}

/** The parent process; if that is the shell that npm has started, also npm. Linux has `/proc`; elsewhere only the parent is known. */
function ancestors() {
  try {
    const [, name, npm] = /\((.*)\) \S+ (\d+)/.exec(readFileSync(`/proc/${process.ppid}/stat`, 'utf8')) ?? [];
    return /^(da|ba|z|a)?sh$/.test(name) ? `${process.ppid} ${npm}` : `${process.ppid}`;
  } catch {
    return `${process.ppid}`;
  }
}

/** Runs `main`, whose result is the exit status; prints the message of a SetupError. */
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
