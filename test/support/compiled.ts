// Before the tests of a project: compiles the TypeScript into dist/ if it is outdated. Two test files that did it at once would disturb
// each other.
import { execFileSync } from 'node:child_process';
import { root } from './child.ts';

export function setup(): void {
  execFileSync(process.execPath, ['scripts/build-ts.mjs', '--if-needed'], { cwd: root, stdio: 'inherit' });
}
