// dist/lib: the compiled package as one file for each entry of package.json, and core.js with what they share. Importing it as 290
// small files took four times the CPU time and 10 MB more.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { packageEntries } from './package-entries.mjs';

/** The modules of core.js. The client is not one of them: browsers load it, too, so it shares nothing with the core. */
export const CORE = /[\\/](ts[\\/](?!rooms|client|testing|health|metrics|observe|otel|cli)|bindings[\\/])/;

/**
 * The check for a Node.js that is too old. Without it the first missing feature would be the error. It is in every file, because
 * files that are shared run first.
 */
function guard(dist) {
  const { engines } = JSON.parse(readFileSync(join(dist, '../package.json'), 'utf8'));
  const [, major, minor, next, later] = /^\^(\d+)\.(\d+)\.0 \|\| >=(\d+)\.(\d+)\.0$/.exec(engines.node);
  return `{
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major === ${major} ? minor < ${minor} : major < ${next} || (major === ${next} && minor < ${later}))
    throw new Error(\`snowmesh needs Node.js ${major}.${minor}, or ${next}.${later} or later; this is \${process.version}\`);
}`;
}

/** Bundles the output of `tsc` in `dist`. Names are kept, since they appear in stack traces and in `inspect`. */
export async function bundlePackage(dist) {
  const bundle = await rolldown({
    cwd: dist,
    input: Object.fromEntries([...packageEntries()].map(([name, source]) => [name, `${source}.js`])),
    platform: 'node',
    resolve: { mainFields: ['module', 'main'] }, // CommonJS would need a file of the bundler's own at run time
    external: [/^node:/, 'ioredis', 'node-gyp-build', 'ws'],
  });
  await bundle.write({
    dir: join(dist, 'lib'),
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    intro: ({ name }) => (name === 'client' ? '' : guard(dist)),
    cleanDir: true,
    comments: { jsdoc: false, annotation: true, legal: true },
    codeSplitting: { groups: [{ name: 'core', test: CORE }] },
  });
  await bundle.close();
}
