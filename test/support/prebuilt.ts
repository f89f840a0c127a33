// Before the tests of a project: builds the addon that users get, if it is outdated. Takes a release build at worst.
import { execFileSync } from 'node:child_process';
import { root } from './child.ts';

export function setup(): void {
  const args = ['scripts/prebuild.mjs', '--if-needed', '--local'];
  execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
}
