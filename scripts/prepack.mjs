// Before `npm pack` and `npm publish`: builds what is missing or outdated, and refuses a package that lacks something. To
// publish, every platform's prebuild must be there (release.yml brings them together). Prints to stderr alone: stdout is npm's.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { missingPrebuilds } from './prebuild-targets.mjs';
import { root, run, runMain, SetupError, setup } from './setup.mjs';

await runMain(() => {
  setup({ native: false, compile: true });
  const quiet = { stdio: ['ignore', 2, 2] };
  const made = run(process.execPath, [join(root, 'scripts/prebuild.mjs'), '--if-needed'], quiet);
  if (made !== 0) throw new SetupError('The addon was not built: see above.');
  const missing = [...missingFiles(), ...(process.env.npm_command === 'publish' ? missingPrebuilds() : [])];
  if (missing.length > 0) throw new SetupError(`The package lacks ${missing.join(', ')}.`);
});

/** Files that package.json names and that are not there. */
function missingFiles() {
  const { main, types, bin, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const named = [main, types, ...Object.values(bin), ...Object.values(exports).flatMap(pathsOf)];
  return named.filter((path) => !existsSync(join(root, path)));
}

function pathsOf(target) {
  return typeof target === 'string' ? [target] : Object.values(target).flatMap(pathsOf);
}
