// The installed package in each line of Node.js that is promised, from the packages of npm that carry Node.js itself.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, type TestContext } from 'vitest';
// @ts-expect-error A script of this repository, without types.
import { fetchedPackage } from '../../scripts/prebuild-runners.mjs';
import { type Child, killChildren, watch } from '../support/child.ts';
import { type Installed, packAndInstall } from './installed.ts';
import { joinsAndResumes, roomsClient } from './rooms-client.ts';

/** The first of each line is the oldest that `engines` in package.json allows. */
const VERSIONS = ['20.19.0', '22.3.0', '22', '24', '26'];
/** Before that. */
const TOO_OLD = ['18', '20.18.0', '22.2.0'];
/** `require` of an ES module needs an option there. */
const ONLY_IMPORTED = ['22.3.0'];
const RUN_MS = 60_000;

let installed: Installed;
beforeAll(() => {
  installed = packAndInstall();
  copyFileSync(new URL('two-nodes.mjs', import.meta.url), join(installed.folder, 'two-nodes.mjs'));
});
afterEach(killChildren);
afterAll(() => installed?.remove());

function nodeOf(version: string, context: TestContext): string {
  const isWindows = process.platform === 'win32';
  const name = `node-${isWindows ? 'win' : process.platform}-${process.arch}`;
  const folder = fetchedPackage(name, version) as string | undefined;
  const program = join(folder ?? '', 'bin', isWindows ? 'node.exe' : 'node');
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  if (folder === undefined || !stdout) context.skip(`npm has no Node.js ${version} for this system`);
  expect(`${stdout.trim().slice(1)}.`).toContain(`${version}.`);
  return program;
}

const WAYS: [string, string[]][] = [
  ['imported', ['two-nodes.mjs']],
  ['required', ['--eval', "require('snowmesh'); import('./two-nodes.mjs');"]],
];

describe.each(VERSIONS)('in Node.js %s', (version) => {
  for (const [how, args] of ONLY_IMPORTED.includes(version) ? WAYS.slice(0, 1) : WAYS)
    it(`the package is ${how}, and two nodes pass a message`, { timeout: 300_000 }, async (context) => {
      const env = { ...process.env, NODE_OPTIONS: undefined, PREBUILDS_ONLY: '1' };
      const program = nodeOf(version, context);
      const child = watch(spawn(program, args, { cwd: installed.folder, env, stdio: 'pipe' }));
      expect(await child.exit(RUN_MS), child.stderr()).toEqual({ code: 0, signal: null });
      expect(child.stdout()).toBe('received: a message\n');
    });
});

describe.each(VERSIONS.filter((version) => !version.startsWith('20')))('in Node.js %s', (version) => {
  it('a client of rooms uses the WebSocket that is there', { timeout: 300_000 }, async (context) => {
    const program = nodeOf(version, context);
    const { folder: cwd } = installed;
    const env = { ...process.env, NODE_OPTIONS: undefined };
    const start = (url: string): Child =>
      watch(spawn(program, [roomsClient(cwd), url], { cwd, env, stdio: 'pipe' }));
    await joinsAndResumes(start);
  });
});

const PARTS: [string, string][] = [
  ['the package', 'import("snowmesh")'],
  ['its page', 'import("snowmesh/observe")'],
  ['its command', 'import("./node_modules/snowmesh/dist/lib/cli.js")'],
];

describe.each(TOO_OLD)('in Node.js %s', (version) => {
  for (const [what, code] of PARTS)
    it(`${what} says in one sentence what it needs`, { timeout: 300_000 }, async (context) => {
      const program = nodeOf(version, context);
      const args = ['--eval', `${code}.catch(({ message }) => console.log(message))`];
      const env = { ...process.env, NODE_OPTIONS: undefined };
      const child = watch(spawn(program, args, { cwd: installed.folder, env, stdio: 'pipe' }));
      await child.exit(RUN_MS);
      const { stdout: is } = spawnSync(program, ['--version'], { encoding: 'utf8' });
      expect(child.stdout()).toBe(`snowmesh needs Node.js 20.19, or 22.3 or later; this is ${is.trim()}\n`);
    });
});
