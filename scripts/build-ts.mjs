// Compiles everything that runs outside the test runner into dist/, with the tree kept as it is. Only dist/ts and
// dist/bindings are published; the rest is there so that the main job, the benches and the processes that tests
// start run exactly the code that users get.
// --if-needed: only when a source is newer than the last compilation.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isUpToDate, root, run } from './setup.mjs';

const stamp = join(root, 'dist/.compiled');
const folders = ['ts', 'bindings', 'examples', 'benches', 'test'];
const sources = /\.[cm]?ts$|tsconfig[^/]*\.json$/;

if (!process.argv.includes('--if-needed') || !isUpToDate(stamp, folders, sources)) {
  const started = new Date();
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const status = run(process.execPath, [tsc, '-p', 'tsconfig.build.json']);
  if (status === 0) {
    mkdirSync(join(root, 'dist'), { recursive: true });
    writeFileSync(stamp, started.toISOString());
  }
  process.exitCode = status;
}
