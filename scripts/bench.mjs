// npm run bench [-- filter…]: compiles what is outdated and runs the benches.
import { join } from 'node:path';
import { become, root, runMain, setup } from './setup.mjs';

await runMain(() => {
  setup();
  return become(process.execPath, [
    '--expose-gc',
    join(root, 'dist/benches/run.js'),
    ...process.argv.slice(2),
  ]);
});
