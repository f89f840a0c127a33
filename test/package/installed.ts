// Packs the package as it would be published and installs it the way a careful user does: into an empty folder,
// with install scripts off, on a machine without Rust.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type Child, root, watch } from '../support/child.ts';

export interface Installed {
  /** Where the tarball's content is installed. */
  readonly packageFolder: string;
  readonly tarball: string;
  /** Paths in the tarball. */
  readonly files: readonly string[];
  /** Starts `node` with these arguments in the installing folder, with nothing else on the PATH. */
  node(args: readonly string[]): Child;
  readonly folder: string;
  remove(): void;
}

/** Packs what was built before the tests (vitest.config.ts), and installs the tarball. */
export function packAndInstall(): Installed {
  const base = mkdtempSync(join(tmpdir(), 'snowmesh-package-'));
  const folder = join(base, 'app');
  const bin = join(base, 'bin');
  mkdirSync(folder);
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  const env: NodeJS.ProcessEnv = { ...process.env, PATH: bin, NODE_OPTIONS: undefined, PREBUILDS_ONLY: '1' };

  const npm = npmProgram();
  const clean = npmEnvironment();
  const packed = execFileSync(
    process.execPath,
    [npm, 'pack', '--json', '--ignore-scripts', '--pack-destination', base],
    {
      cwd: root,
      env: clean,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const [{ filename, files }] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
  const install = [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    join(base, filename),
  ];
  execFileSync(process.execPath, [npm, ...install], {
    cwd: folder,
    env: { ...clean, PATH: bin },
    stdio: ['ignore', 'ignore', 'inherit'],
  });

  return {
    folder,
    tarball: join(base, filename),
    packageFolder: join(folder, 'node_modules/snowmesh'),
    files: files.map(({ path }) => path).toSorted(),
    node: (args) => watch(spawn(process.execPath, args, { cwd: folder, env, stdio: 'pipe' })),
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
}

/** The environment without the variables that make npm treat a new folder as a part of this repository. */
export function npmEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(config_local_prefix|package_)/.test(name)),
  );
}

/** npm's own program, to be run by Node.js. */
export function npmProgram(): string {
  const given = process.env['npm_execpath'];
  if (given?.endsWith('npm-cli.js')) return given;
  for (const path of (process.env['PATH'] ?? '').split(delimiter)) {
    if (existsSync(join(path, 'npm'))) return realpathSync(join(path, 'npm'));
  }
  throw new Error('no npm on the PATH');
}
