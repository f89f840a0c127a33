// npm run bench [-- filter…]: benches, from compiled code.
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
