// The entry points for knip (npm run check:package): the files that users load, and those that are started by their path.
import { packageEntries } from './package-entries.mjs';

export default {
  workspaces: {
    '.': {
      entry: [
        ...[...packageEntries().values()].map((source) => `${source}.ts`),
        'scripts/*.mjs',
        'examples/*/*.ts',
        'examples/*/page/*.js',
        'benches/**/*.ts',
        'test/**/*.{ts,mjs}',
      ],
      project: ['{ts,bindings,examples,benches,test}/**/*.ts', 'scripts/*.mjs'],
      ignoreDependencies: [
        '@arethetypeswrong/cli',
        '@hono/node-server',
        '@napi-rs/cli',
        '@vercel/ncc',
        'bun',
        'deno',
        'hono',
        'ioredis',
        'jest',
        'node-gyp-build',
        'prebuildify',
        'publint',
        'react',
        'react-dom',
        'ts-node',
        'uplot',
      ],
      ignoreBinaries: [
        'apt-cache',
        'apt-get',
        'c\\+\\+',
        'erl',
        'ip',
        'perf',
        'redis-server',
        'rustc',
        'rustup',
        'script',
      ],
    },
  },
  ignoreExportsUsedInFile: true,
  ignoreIssues: { 'ts/wire/*.ts': ['exports'], 'bindings/index.ts': ['types'] },
};
