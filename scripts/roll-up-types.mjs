// dist/lib/NAME.d.ts: the declarations of each entry of package.json in one file beside its code, and core.d.ts with what they share. What
// two entries share must stay one declaration: TypeScript tells classes with private members apart by it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { CORE } from './bundle-package.mjs';
import { packageEntries } from './package-entries.mjs';

/** Rolls up the declarations that `tsc` has put into `dist`, their comments included. */
export async function rollUpTypes(dist) {
  const typed = [...packageEntries()].filter(([name]) => name !== 'cli');
  // The main entry is all core: of its own it is a file only if it is a module of its own.
  const main = join(dist, 'entries/index.d.ts');
  mkdirSync(join(dist, 'entries'), { recursive: true });
  writeFileSync(main, "export * from '../ts/index.js';\n");
  const sources = Object.fromEntries(typed.map(([name, source]) => [name, join(dist, `${source}.d.ts`)]));
  const bundle = await rollup({
    input: { ...sources, index: main },
    external: [/^node:/, '@opentelemetry/api', 'ioredis', 'ws', 'prom-client'],
    plugins: [dts()],
    onwarn(warning) {
      // A type of core.d.ts that an entry mentions and no entry exports: as it was in the source.
      if (!warning.message.includes('no public re-export')) throw new Error(warning.message);
    },
  });
  await bundle.write({
    dir: join(dist, 'lib'),
    format: 'esm',
    entryFileNames: '[name].d.ts',
    chunkFileNames: ({ name }) => `${name.replace(/\.d$/, '')}.d.ts`,
    minifyInternalExports: false,
    manualChunks: (id) => (CORE.test(id) ? 'core' : undefined),
  });
  await bundle.close();
}
