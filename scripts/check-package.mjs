// Checks the package with publint (fields and files), "are the types wrong?" (whether types are found in each module mode; the package
// is ESM only, which CommonJS programs can still `require`), and knip (unused files, exports and dependencies). With --complete
// (release.yml) the package must have the addons of all systems.
import { join } from 'node:path';
import { root, run, runMain, setup } from './setup.mjs';

// "Are the types wrong?" runs `npm pack`, and scripts/prepack.mjs reads this variable.
if (!process.argv.includes('--complete')) process.env.SNOWMESH_PACK = 'local';
const tool = (path, ...args) => run(process.execPath, [join(root, 'node_modules', path), ...args]);

await runMain(() => {
  setup();
  const results = [
    tool('publint/src/cli.js', 'run', '--strict'),
    tool(
      '@arethetypeswrong/cli/dist/index.js',
      ...['--pack', '.', '--no-color', '--no-emoji', '--ignore-rules', 'cjs-resolves-to-esm'],
      // This file is for a script tag; it is never imported, so it has no types.
      ...['--exclude-entrypoints', 'client.min.js'],
    ),
    tool('knip/bin/knip.js', '--config', 'scripts/knip.config.mjs'),
  ];
  return results.every((status) => status === 0) ? 0 : 1;
});
