// The ways of docs/guides/bundling.md, with real bundlers, from the packed tarball: a bundle that was moved away from node_modules
// finds the addon beside it, or says what to do.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import { build as esbuild, type Format } from 'esbuild';
import { rolldown } from 'rolldown';
import { rollup } from 'rollup';
import { build as tsup } from 'tsup';
import { build as vite } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import webpack from 'webpack';
// @ts-expect-error A script of this repository, without types.
import { hostTarget } from '../../scripts/prebuild-targets.mjs';
import { killChildren, root, startChild } from '../support/child.ts';
import { type Installed, packAndInstall } from './installed.ts';

type Bundle = (entry: string, folder: string, isExternal: boolean) => Promise<string>;

let installed: Installed;
let entry = '';
/** A folder without node_modules above it. */
let elsewhere = '';
beforeAll(() => {
  installed = packAndInstall();
  entry = join(installed.folder, 'two-nodes.mjs');
  cpSync(new URL('two-nodes.mjs', import.meta.url), entry);
  elsewhere = mkdtempSync(join(tmpdir(), 'snowmesh-bundle-'));
});
afterEach(killChildren);
afterAll(() => {
  installed?.remove();
  if (elsewhere !== '') rmSync(elsewhere, { recursive: true, force: true });
});

const withEsbuild =
  (format: Format, extension: string): Bundle =>
  async (from, folder, isExternal) => {
    const outfile = join(folder, `out.${extension}`);
    const external = isExternal ? ['snowmesh'] : [];
    await esbuild({
      entryPoints: [from],
      bundle: true,
      platform: 'node',
      format,
      outfile,
      external,
      logLevel: 'error',
    });
    return outfile;
  };

const withRolldown =
  (format: 'esm' | 'cjs', extension: string): Bundle =>
  async (from, folder, isExternal) => {
    const file = join(folder, `out.${extension}`);
    const bundle = await rolldown({
      input: from,
      platform: 'node',
      external: isExternal ? ['snowmesh'] : [],
    });
    await bundle.write({ format, file, codeSplitting: false });
    await bundle.close();
    return file;
  };

const withVite: Bundle = async (from, folder, isExternal) => {
  await vite({
    root: installed.folder,
    logLevel: 'error',
    configFile: false,
    ssr: isExternal ? { external: ['snowmesh'] } : { noExternal: true },
    build: {
      ssr: from,
      outDir: folder,
      emptyOutDir: false,
      rollupOptions: { output: { entryFileNames: 'out.mjs' } },
    },
  });
  return join(folder, 'out.mjs');
};

const withWebpack =
  (isModule: boolean): Bundle =>
  (from, folder, isExternal) =>
    new Promise((resolve, reject) => {
      const filename = isModule ? 'out.mjs' : 'out.cjs';
      const externals = isModule ? ['snowmesh'] : { snowmesh: 'commonjs snowmesh' };
      webpack(
        {
          entry: from,
          target: 'node20',
          mode: 'production',
          optimization: { minimize: false },
          ...(isExternal ? { externals, ...(isModule ? { externalsType: 'module' as const } : {}) } : {}),
          experiments: { outputModule: isModule },
          output: { path: folder, filename, ...(isModule ? { library: { type: 'module' as const } } : {}) },
        },
        (error, stats) => {
          if (error) reject(error);
          else if (stats?.hasErrors()) reject(new Error(stats.toString()));
          else resolve(join(folder, filename));
        },
      );
    });

const withRollup: Bundle = async (from, folder, isExternal) => {
  const file = join(folder, 'out.mjs');
  const bundle = await rollup({
    input: from,
    external: [/^node:/, ...(isExternal ? ['snowmesh'] : [])],
    plugins: [nodeResolve({ preferBuiltins: true })],
  });
  await bundle.write({ file, format: 'esm', inlineDynamicImports: true });
  await bundle.close();
  return file;
};

const withTsup =
  (format: 'esm' | 'cjs', extension: string): Bundle =>
  async (from, folder, isExternal) => {
    await tsup({
      entry: { out: from },
      outDir: folder,
      format,
      outExtension: () => ({ js: `.${extension}` }),
      platform: 'node',
      // Dependencies are external by default: those of the folder's package.json, which this program does not have.
      ...(isExternal ? { external: ['snowmesh'] } : { noExternal: [/^snowmesh/] }),
      config: false,
      clean: false,
      silent: true,
      splitting: false,
    });
    return join(folder, `out.${extension}`);
  };

const withNcc: Bundle = (from, folder, isExternal) => {
  const args = [
    'build',
    from,
    '--out',
    folder,
    '--target',
    'es2022',
    ...(isExternal ? ['--external', 'snowmesh'] : []),
  ];
  const ncc = join(root, 'node_modules/@vercel/ncc/dist/ncc/cli.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [ncc, ...args], {
    encoding: 'utf8',
    cwd: folder,
  });
  if (status !== 0) throw new Error(stdout + stderr);
  return Promise.resolve(join(folder, 'index.mjs'));
};

const BUNDLERS: [string, Bundle][] = [
  ['rollup', withRollup],
  ['tsup as ESM', withTsup('esm', 'mjs')],
  ['tsup as CommonJS', withTsup('cjs', 'cjs')],
  ['ncc', withNcc],
  ['esbuild as ESM', withEsbuild('esm', 'mjs')],
  ['esbuild as CommonJS', withEsbuild('cjs', 'cjs')],
  ['rolldown as ESM', withRolldown('esm', 'mjs')],
  ['rolldown as CommonJS', withRolldown('cjs', 'cjs')],
  ['Vite for SSR', withVite],
  ['webpack as ESM', withWebpack(true)],
  ['webpack as CommonJS', withWebpack(false)],
];

interface Result {
  readonly code: number | null;
  readonly output: string;
}

async function run(file: string, env: Record<string, string> = {}, flags: string[] = []): Promise<Result> {
  const child = startChild(file, {
    cwd: elsewhere,
    env: { PREBUILDS_ONLY: '1', ...env },
    nodeOptions: flags,
  });
  const { code } = await child.exit(30_000);
  return { code, output: child.stdout() + child.stderr() };
}

const folderIn = (parent: string, name: string): string => {
  const folder = join(parent, name.replaceAll(' ', '-'));
  mkdirSync(folder, { recursive: true });
  return folder;
};

describe.each(BUNDLERS)('bundled by %s', (name, bundle) => {
  it('runs with the prebuilds beside it, and says what to do without', async () => {
    const folder = folderIn(elsewhere, name);
    const file = await bundle(entry, folder, false);
    const without = await run(file);
    expect(without.output).toContain('SNOW_ERR_NATIVE_MISSING');
    expect(without.output).toContain('docs/guides/bundling.md');
    expect(without.output).toContain(folder);
    const addon = join(installed.packageFolder, 'prebuilds');
    cpSync(addon, join(folder, 'prebuilds'), { recursive: true });
    expect(await run(file)).toEqual({ code: 0, output: 'received: a message\n' });
  });

  it('runs where snowmesh is external and installed', async () => {
    const file = await bundle(entry, folderIn(installed.folder, name), true);
    expect(readFileSync(file, 'utf8').length).toBeLessThan(20_000);
    expect(await run(file)).toEqual({ code: 0, output: 'received: a message\n' });
  });
});

const prebuilt = (): string => join(installed.packageFolder, String(hostTarget()?.path));

describe('SNOWMESH_NATIVE_PATH', () => {
  it('names the file, also for a bundle', async () => {
    const file = await withEsbuild('cjs', 'cjs')(entry, folderIn(elsewhere, 'named'), false);
    const named = { SNOWMESH_NATIVE_PATH: prebuilt() };
    expect(await run(file, named)).toEqual({ code: 0, output: 'received: a message\n' });
    const wrong = await run(file, { SNOWMESH_NATIVE_PATH: '/no/such.node' });
    expect(wrong.output).toMatch(/SNOW_ERR_NATIVE_MISSING.*SNOWMESH_NATIVE_PATH is \/no\/such.node/);
  });
});

describe('jest in its default mode', () => {
  it('runs snowmesh when it may transform it', { timeout: 120_000 }, async () => {
    const folder = folderIn(installed.folder, 'jest');
    writeFileSync(join(installed.folder, 'package.json'), '{ "private": true }');
    writeFileSync(
      join(folder, 'to-commonjs.cjs'),
      `const { transformSync } = require(${JSON.stringify(join(root, 'node_modules/esbuild'))});
       exports.process = (text) => transformSync(text, { format: 'cjs', logLevel: 'error' });`,
    );
    writeFileSync(
      join(folder, 'node.test.js'),
      `import { startNode } from 'snowmesh';
       test('an actor answers', async () => {
         const node = await startNode();
         const got = new Promise((resolve) => node.send(node.spawn(async (self) => resolve(await self.receive())), 'hello'));
         expect(await got).toBe('hello');
         await node.stop();
       });`,
    );
    const config = JSON.stringify({
      rootDir: installed.folder,
      testMatch: ['**/jest/node.test.js'],
      transform: { '\\.js$': join(folder, 'to-commonjs.cjs') },
      transformIgnorePatterns: ['/node_modules/(?!snowmesh/)'],
    });
    const args = ['--config', config, '--no-watchman', '--no-cache', '-i'];
    const child = startChild(join(root, 'node_modules/jest/bin/jest.js'), { args, cwd: installed.folder });
    const { code } = await child.exit(90_000);
    expect(code, child.stdout() + child.stderr()).toBe(0);
    expect(child.stderr()).toMatch(/1 passed, 1 total/);
  });
});

describe('the permission model', () => {
  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission';

  it('is told apart from a missing binary', async () => {
    const denied = await run(entry, {}, [permission, '--allow-fs-read=*']);
    expect(denied.output).toMatch(/SNOW_ERR_NATIVE_DENIED.*--allow-addons/);
    const allowed = await run(entry, {}, [permission, '--allow-fs-read=*', '--allow-addons']);
    expect(allowed.output).toContain('received: a message');
  });
});
