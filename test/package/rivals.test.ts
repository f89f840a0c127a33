// The rivals of the benches can be installed from their lockfile, on any system: npm refuses one that lacks an optional package.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from '../support/child.ts';
import { npmEnvironment, npmProgram } from './installed.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snowmesh-rivals-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the rivals of the benches', () => {
  it('are installed by npm ci', { timeout: 120_000 }, () => {
    for (const file of ['package.json', 'package-lock.json'])
      copyFileSync(join(root, 'benches/peers', file), join(folder, file));
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
    const { status, stderr } = spawnSync(process.execPath, [npmProgram(), 'ci', ...options], {
      cwd: folder,
      env: npmEnvironment(),
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      dependencies: object;
    };
    for (const name of Object.keys(dependencies))
      expect(existsSync(join(folder, 'node_modules', name, 'package.json')), name).toBe(true);
  });
});
