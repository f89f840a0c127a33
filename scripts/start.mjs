// npm start [-- paths…]: the main job, a word count over three nodes.
import { join } from 'node:path';
import { become, root, runMain, setup } from './setup.mjs';

await runMain(() => {
  setup();
  const paths = process.argv.slice(2);
  return become(process.execPath, [join(root, 'dist/examples/word-count/main.js'), ...paths]);
});
