// The package as its users' tools see it: publint (fields and files) and "are the types wrong?" (resolution of the
// types under each module mode; the package is ESM only, which CommonJS programs can `require` all the same).
import { join } from 'node:path';
import { root, run, runMain, setup } from './setup.mjs';

await runMain(() => {
  setup();
  const publint = run(process.execPath, [join(root, 'node_modules/publint/src/cli.js'), 'run', '--strict']);
  const attw = run(process.execPath, [
    join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js'),
    '--pack',
    '.',
    // A file for a script tag: nothing imports it, so it has no types.
    '--exclude-entrypoints',
    'client.min.js',
    '--ignore-rules',
    'cjs-resolves-to-esm',
    '--no-color',
    '--no-emoji',
  ]);
  return publint === 0 && attw === 0 ? 0 : 1;
});
