// Runs before `npm pack` and `npm publish`: compiles what is outdated, and fails if the package lacks a file that package.json names or
// the addon of one of the eight systems (`npm run prebuild -- --all`). SNOWMESH_PACK=local packs only this machine's addon; such a
// package cannot be published. Prints only to stderr, since npm uses stdout.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspectPrebuild } from './prebuild-inspect.mjs';
import { missingPrebuilds, targets } from './prebuild-targets.mjs';
import { root, run, runMain, SetupError, setup } from './setup.mjs';

await runMain(() => {
  setup({ native: false, compile: true });
  const quiet = { stdio: ['ignore', 2, 2] };
  const isLocal = process.env.SNOWMESH_PACK === 'local' && process.env.npm_command !== 'publish';
  if (isLocal) {
    const made = run(process.execPath, [join(root, 'scripts/prebuild.mjs'), '--if-needed', '--local'], quiet);
    if (made !== 0) throw new SetupError('The addon was not built: see above.');
  }
  const missing = [...missingFiles(), ...(isLocal ? [] : missingPrebuilds())];
  if (missing.length > 0) throw new SetupError(`The package lacks ${missing.join(', ')}.`);
  const faults = targets.filter(({ path }) => existsSync(join(root, path))).flatMap(faultsOf);
  if (!isLocal && faults.length > 0) throw new SetupError(faults.join('\n'));
});

function faultsOf(target) {
  return inspectPrebuild(target).faults.map((fault) => `${target.path}: ${fault}`);
}

/** The files that package.json names and that do not exist. */
function missingFiles() {
  const { main, types, bin, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const named = [main, types, ...Object.values(bin), ...Object.values(exports).flatMap(pathsOf)];
  return named.filter((path) => !existsSync(join(root, path)));
}

function pathsOf(target) {
  return typeof target === 'string' ? [target] : Object.values(target).flatMap(pathsOf);
}
