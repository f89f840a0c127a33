// npm run bench [-- filter…]: benches, from compiled code.
import { join } from 'node:path';
import { root, run, runMain, setup } from './setup.mjs';

runMain(() => {
  setup();
  return run(process.execPath, ['--expose-gc', join(root, 'dist/benches/run.js'), ...process.argv.slice(2)]);
});
