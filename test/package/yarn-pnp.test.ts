// Yarn's Plug'n'Play: no node_modules folder, packages stay in archives, and what has an addon is unpacked ("unplugged").
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
// @ts-expect-error A script of this repository, without types.
import { fetchedPackage } from '../../scripts/prebuild-runners.mjs';
import { root } from '../support/child.ts';
import { type Installed, packAndInstall } from './installed.ts';

const YARN = '4.18.1';
const SETTINGS = `
nodeLinker: pnp
pnpEnableEsmLoader: true
enableGlobalCache: false
enableImmutableInstalls: false
enableNetwork: false
enableScripts: false
enableTelemetry: false
`;

let installed: Installed;
let folder = '';
beforeAll(() => {
  installed = packAndInstall();
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'snowmesh-pnp-')));
});
afterAll(() => {
  installed?.remove();
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

it('a program runs under Plug’n’Play of Yarn', { timeout: 300_000 }, (context) => {
  const yarn = join(fetchedPackage('@yarnpkg/cli-dist', YARN) ?? '', 'bin/yarn.js');
  if (!existsSync(yarn)) context.skip(`npm does not give @yarnpkg/cli-dist ${YARN}`);
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [yarn, ...args], {
      cwd: folder,
      env: { ...process.env, NODE_OPTIONS: '', PREBUILDS_ONLY: '1', YARN_IGNORE_PATH: '1' },
      encoding: 'utf8',
    });
  copyFileSync(installed.tarball, join(folder, 'snowmesh.tgz'));
  copyFileSync(new URL('two-nodes.mjs', import.meta.url), join(folder, 'two-nodes.mjs'));
  writeFileSync(join(folder, '.yarnrc.yml'), SETTINGS);
  writeFileSync(join(folder, 'yarn.lock'), '');
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({
      private: true,
      dependencies: { snowmesh: 'file:./snowmesh.tgz' },
      resolutions: { 'node-gyp-build': `file:${join(root, 'node_modules/node-gyp-build')}` },
    }),
  );
  const install = run('install');
  expect(install.status, install.stdout + install.stderr).toBe(0);
  expect(existsSync(join(folder, 'node_modules'))).toBe(false);
  expect(readdirSync(join(folder, '.yarn/unplugged')).join()).toMatch(/^snowmesh-/);
  const { status, stdout, stderr } = run('node', 'two-nodes.mjs');
  expect(status, stdout + stderr).toBe(0);
  expect(stdout).toBe('received: a message\n');
});
