// The package as its users' tools see it: publint (fields and files), "are the types wrong?" (resolution of the types under each module
// mode; the package is ESM only, which CommonJS programs can `require` all the same), and knip (files, exports and dependencies that
// nothing uses). With --complete (release.yml) the package must have the addons of all systems.
import { join } from 'node:path';
import { root, run, runMain, setup } from './setup.mjs';

// "Are the types wrong?" packs the package: scripts/prepack.mjs reads this.
if (!process.argv.includes('--complete')) process.env.SNOWMESH_PACK = 'local';
const tool = (path, ...args) => run(process.execPath, [join(root, 'node_modules', path), ...args]);

await runMain(() => {
  setup();
  const results = [
    tool('publint/src/cli.js', 'run', '--strict'),
    tool(
      '@arethetypeswrong/cli/dist/index.js',
      ...['--pack', '.', '--no-color', '--no-emoji', '--ignore-rules', 'cjs-resolves-to-esm'],
      // A file for a script tag: nothing imports it, so it has no types.
      ...['--exclude-entrypoints', 'client.min.js'],
    ),
    tool('knip/bin/knip.js', '--config', 'scripts/knip.config.mjs'),
  ];
  return results.every((status) => status === 0) ? 0 : 1;
});
