// Single executable applications, as docs/guides/bundling.md says: the bundle in a copy of Node.js, with the addon beside it or in it.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest';
// @ts-expect-error A script of this repository, without types.
import { fetchedPackage } from '../../scripts/prebuild-runners.mjs';
// @ts-expect-error A script of this repository, without types.
import { hostTarget } from '../../scripts/prebuild-targets.mjs';
import { root } from '../support/child.ts';
import { type Installed, packAndInstall } from './installed.ts';

const POSTJECT = '1.0.0-alpha.6';
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

let installed: Installed;
let folder = '';
beforeAll(() => {
  installed = packAndInstall();
  folder = mkdtempSync(join(tmpdir(), 'snowmesh-executable-'));
});
afterAll(() => {
  installed?.remove();
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

const addon = (): string => join(installed.packageFolder, String(hostTarget()?.path));

/** Makes one executable of a program; the path of it, in a folder of its own. */
async function makeExecutable(
  context: TestContext,
  name: string,
  program: string,
  assets: Record<string, string>,
): Promise<string> {
  if (process.platform === 'darwin') context.skip('a changed executable must be signed anew on macOS');
  const postject = fetchedPackage('postject', POSTJECT) as string | undefined;
  if (postject === undefined) context.skip(`npm does not give postject ${POSTJECT}`);
  const entry = join(installed.folder, `${name}.mjs`);
  writeFileSync(entry, program);
  const main = join(folder, `${name}.cjs`);
  await build({ entryPoints: [entry], bundle: true, platform: 'node', format: 'cjs', outfile: main });
  const blob = join(folder, `${name}.blob`);
  const settings = join(folder, `${name}.json`);
  writeFileSync(
    settings,
    JSON.stringify({ main, output: blob, disableExperimentalSEAWarning: true, assets }),
  );
  const made = spawnSync(process.execPath, ['--experimental-sea-config', settings], { encoding: 'utf8' });
  expect(made.status, made.stderr).toBe(0);
  mkdirSync(join(folder, name));
  const file = join(folder, name, process.platform === 'win32' ? 'program.exe' : 'program');
  copyFileSync(process.execPath, file);
  chmodSync(file, 0o755);
  const { inject } = (await import(pathToFileURL(join(postject ?? '', 'dist/api.js')).href)) as {
    inject(file: string, resource: string, data: Buffer, options: { sentinelFuse: string }): Promise<void>;
  };
  await inject(file, 'NODE_SEA_BLOB', readFileSync(blob), { sentinelFuse: FUSE });
  return file;
}

function run(file: string) {
  const env = { ...process.env, NODE_OPTIONS: '', SNOWMESH_NATIVE_PATH: undefined };
  const { status, stdout, stderr } = spawnSync(file, [], { cwd: tmpdir(), env, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

const TWO_NODES = readFileSync(new URL('two-nodes.mjs', import.meta.url), 'utf8');

it('a single executable finds the addon beside it, and says what to do without', async (context) => {
  const file = await makeExecutable(context, 'beside', TWO_NODES, {});
  const without = run(file);
  expect(without.output).toContain('SNOW_ERR_NATIVE_MISSING');
  expect(without.output).toContain(join(folder, 'beside', 'snowmesh.node'));
  cpSync(join(installed.packageFolder, 'prebuilds'), join(folder, 'beside/prebuilds'), { recursive: true });
  expect(run(file)).toEqual({ status: 0, output: 'received: a message\n' });
});

it('a single executable brings the addon with it, as the documentation says', async (context) => {
  const text = readFileSync(join(root, 'docs/guides/bundling.md'), 'utf8');
  const [, unpack] = /## Single executable applications[\s\S]*?```js\n([\s\S]*?)^```/m.exec(text) ?? [];
  expect(unpack).toContain('SNOWMESH_NATIVE_PATH');
  const file = await makeExecutable(context, 'inside', `${unpack}\n${TWO_NODES}`, {
    'snowmesh.node': addon(),
  });
  expect(run(file)).toEqual({ status: 0, output: 'received: a message\n' });
});
