// Builds the native addon for this machine: `cargo build --release`, then only the module itself is copied to
// build/Release/snowmesh.node (other files in that folder would be published). Does nothing if no native source is
// newer than that file. Options: --force builds anyway, --quick builds without link-time optimisation.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const native = join(root, 'native');
const target = process.env.CARGO_TARGET_DIR ?? join(native, 'target');

/** The file that cargo makes of the addon crate on `platform`. */
export function libraryName(platform) {
  if (platform === 'win32') return 'snowmesh_addon.dll';
  return platform === 'darwin' ? 'libsnowmesh_addon.dylib' : 'libsnowmesh_addon.so';
}

/** Throws an error for the user if there is no cargo. */
export function requireCargo() {
  const probe = spawnSync('cargo', ['--version'], { stdio: 'ignore' });
  if (probe.status !== 0) {
    throw new Error(
      'Building the native addon needs Rust 1.88 or newer: install it from https://rustup.rs and run this again.',
    );
  }
}

/** Runs cargo for the addon; returns the folder of the library. `command` replaces `cargo build`. */
export function buildAddon({ profile = 'release', command = ['cargo', 'build'], triple, env = {} } = {}) {
  requireCargo();
  const [program, ...args] = [...command, '--profile', profile, '--locked', '-p', 'snowmesh-addon'];
  // Panic messages contain the paths of source files; cargo's home folder is removed from those of dependencies.
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), '.cargo');
  const flags = [process.env.RUSTFLAGS, env.RUSTFLAGS, `--remap-path-prefix=${cargoHome}=/cargo`];
  const RUSTFLAGS = flags.filter(Boolean).join(' ');
  execFileSync(program, args, { cwd: native, stdio: 'inherit', env: { ...process.env, ...env, RUSTFLAGS } });
  return join(target, triple ?? '', profile);
}

/** Replaces the addon in one step, so that a running process keeps the old file. */
export function install(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

function isCurrent(built) {
  if (!existsSync(built)) return false;
  const at = statSync(built).mtimeMs;
  const stale = (folder) =>
    readdirSync(folder, { withFileTypes: true }).some((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name !== 'target' && entry.name !== 'fuzz' && stale(path);
      return /\.(rs|toml|lock)$/.test(entry.name) && statSync(path).mtimeMs > at;
    });
  return !stale(native);
}

function main() {
  const built = join(root, 'build', 'Release', 'snowmesh.node');
  if (!process.argv.includes('--force') && isCurrent(built)) return;
  const profile = process.argv.includes('--quick') ? 'quick' : 'release';
  install(join(buildAddon({ profile }), libraryName(process.platform)), built);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    main();
  } catch (error) {
    console.error(
      error.status === undefined ? error.message : 'The native addon did not build; see cargo above.',
    );
    process.exitCode = 1;
  }
}
