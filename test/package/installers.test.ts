// Installers that lay packages out otherwise than npm. Yarn's Plug'n'Play: no node_modules folder, packages stay in archives, and what has
// an addon is unpacked ("unplugged"). pnpm: links into a store.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
// @ts-expect-error A script of this repository, without types.
import { fetchedPackage } from '../../scripts/prebuild-runners.mjs';
import { root } from '../support/child.ts';
import { type Installed, packAndInstall } from './installed.ts';

const YARN = '4.18.1';
const PNPM = '10.20.0';
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
});
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'snowmesh-installer-')));
  copyFileSync(installed.tarball, join(folder, 'snowmesh.tgz'));
  copyFileSync(new URL('two-nodes.mjs', import.meta.url), join(folder, 'two-nodes.mjs'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
afterAll(() => installed?.remove());

/** A program in which the installer depends on no network: the one dependency of the package is the copy of this repository. */
function describeProgram(redirections: (dependency: string) => object): void {
  const dependency = `file:${join(root, 'node_modules/node-gyp-build')}`;
  const manifest = {
    private: true,
    dependencies: { snowmesh: 'file:./snowmesh.tgz' },
    ...redirections(dependency),
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
}

const run = (...args: string[]) =>
  spawnSync(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '', PREBUILDS_ONLY: '1', YARN_IGNORE_PATH: '1' },
    encoding: 'utf8',
  });

it('a program runs under Plug’n’Play of Yarn', { timeout: 300_000 }, (context) => {
  const yarn = join(fetchedPackage('@yarnpkg/cli-dist', YARN) ?? '', 'bin/yarn.js');
  if (!existsSync(yarn)) context.skip(`npm does not give @yarnpkg/cli-dist ${YARN}`);
  writeFileSync(join(folder, '.yarnrc.yml'), SETTINGS);
  writeFileSync(join(folder, 'yarn.lock'), '');
  describeProgram((dependency) => ({ resolutions: { 'node-gyp-build': dependency } }));
  const install = run(yarn, 'install');
  expect(install.status, install.stdout + install.stderr).toBe(0);
  expect(existsSync(join(folder, 'node_modules'))).toBe(false);
  expect(readdirSync(join(folder, '.yarn/unplugged')).join()).toMatch(/^snowmesh-/);
  const { status, stdout, stderr } = run(yarn, 'node', 'two-nodes.mjs');
  expect(status, stdout + stderr).toBe(0);
  expect(stdout).toBe('received: a message\n');
});

it('a program runs where pnpm installed', { timeout: 300_000 }, (context) => {
  const pnpm = join(fetchedPackage('pnpm', PNPM) ?? '', 'bin/pnpm.cjs');
  if (!existsSync(pnpm)) context.skip(`npm does not give pnpm ${PNPM}`);
  describeProgram((dependency) => ({ pnpm: { overrides: { 'node-gyp-build': dependency } } }));
  const install = run(pnpm, 'install', '--offline', '--ignore-scripts', '--store-dir', join(folder, 'store'));
  expect(install.status, install.stdout + install.stderr).toBe(0);
  expect(lstatSync(join(folder, 'node_modules/snowmesh')).isSymbolicLink()).toBe(true);
  const { status, stdout, stderr } = run('two-nodes.mjs');
  expect(status, stdout + stderr).toBe(0);
  expect(stdout).toBe('received: a message\n');
});
