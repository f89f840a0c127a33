// dist/lib/NAME.d.ts: the declarations of each entry of package.json in one file beside its code, and core.d.ts with what they share. A
// class that two entries share must be declared once: to TypeScript, two declarations with private members are different types.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { CORE } from './bundle-package.mjs';
import { packageEntries } from './package-entries.mjs';

/**
 * Loads the types of Node.js whatever the `types` of the user's tsconfig are. From TypeScript 6 on these are none by default, and a class
 * whose base is unknown has none of its methods.
 */
const NODE_TYPES = '/// <reference types="node" />';

/** Rolls up the declarations that `tsc` has written to `dist`, including their comments. */
export async function rollUpTypes(dist) {
  const typed = [...packageEntries()].filter(([name]) => name !== 'cli');
  // All of the main entry is in the core, so rollup makes a file for it only if it is a separate module.
  const main = join(dist, 'entries/index.d.ts');
  mkdirSync(join(dist, 'entries'), { recursive: true });
  writeFileSync(main, "export * from '../ts/index.js';\n");
  const sources = Object.fromEntries(typed.map(([name, source]) => [name, join(dist, `${source}.d.ts`)]));
  const bundle = await rollup({
    input: { ...sources, index: main },
    external: [/^node:/, '@opentelemetry/api', 'ioredis', 'ws', 'prom-client'],
    plugins: [dts()],
    onwarn(warning) {
      // An entry may use a type of core.d.ts that no entry exports, as in the sources.
      if (!warning.message.includes('no public re-export')) throw new Error(warning.message);
    },
  });
  await bundle.write({
    dir: join(dist, 'lib'),
    format: 'esm',
    entryFileNames: '[name].d.ts',
    chunkFileNames: ({ name }) => `${name.replace(/\.d$/, '')}.d.ts`,
    banner: ({ imports }) => (imports.some((name) => name.startsWith('node:')) ? NODE_TYPES : ''),
    minifyInternalExports: false,
    manualChunks: (id) => (CORE.test(id) ? 'core' : undefined),
  });
  await bundle.close();
}
