// The version before this one, packed and installed in its own folder, for test/package/rolling-upgrade.test.ts. It is built once on a
// machine, from the revision below, which each release changes to the release before it. `node scripts/previous-version.mjs` prints the folder.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hostTarget } from './prebuild-targets.mjs';
import { fetchOnce, TOOLS } from './prebuild-toolchain.mjs';
import { findCargo, root, runMain } from './setup.mjs';

/** The first revision that can be packed with an addon; nothing was published before it. */
const PREVIOUS = '828d14eae2f35348d0a16bafc6dfddcf370c5cf9';

/** The folder in which the previous version is installed; undefined if it cannot be built here. */
export function previousVersion() {
  const commit = spawnSync('git', ['rev-parse', '--verify', '--quiet', `${PREVIOUS}^{commit}`], {
    cwd: root,
    encoding: 'utf8',
  });
  // The clone has no history, or the system has no prebuilt addon.
  if (commit.status !== 0 || hostTarget() === undefined) return undefined;
  return join(
    fetchOnce('previous', PREVIOUS, (into) => build(commit.stdout.trim(), into)),
    'app',
  );
}

function build(commit, into) {
  const source = join(into, 'source');
  mkdirSync(source);
  const archive = join(into, 'source.tar');
  quietly('git', ['archive', '--output', archive, commit], root);
  quietly('tar', ['-xf', archive, '-C', source], root);
  symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'), 'junction');
  findCargo();
  // With its own target folder, so that the artefacts of the present revision are not overwritten.
  const env = { ...process.env, CARGO_TARGET_DIR: join(TOOLS, 'previous-target') };
  if (!existsSync(join(source, 'build/Release/snowmesh.node')))
    quietly(process.execPath, ['scripts/build-native.mjs'], source, env);
  quietly(process.execPath, ['scripts/build-ts.mjs'], source);
  const addon = join(source, hostTarget().path);
  mkdirSync(dirname(addon), { recursive: true });
  copyFileSync(join(source, 'build/Release/snowmesh.node'), addon);
  const app = join(into, 'app');
  mkdirSync(app);
  npm(['pack', '--ignore-scripts', '--pack-destination', into], source);
  const packed = readdirSync(into).find((name) => name.endsWith('.tgz'));
  npm(
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', join(into, packed)],
    app,
  );
  for (const name of [source, archive, join(TOOLS, 'previous-target')])
    rmSync(name, { recursive: true, force: true });
}

function npm(args, cwd) {
  const program = process.env.npm_execpath;
  if (program?.endsWith('.js')) quietly(process.execPath, [program, ...args], cwd);
  else execFileSync('npm', args, { cwd, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
}

function quietly(program, args, cwd, env = process.env) {
  execFileSync(program, args, { cwd, env, stdio: ['ignore', 2, 2] });
}

if (process.argv[1] === import.meta.filename)
  await runMain(() => console.log(previousVersion() ?? 'it cannot be built here'));
