// npm start [-- paths…]: the main job, a word count over three nodes.
import { join } from 'node:path';
import { root, run, runMain, setup } from './setup.mjs';

runMain(() => {
  setup();
  const paths = process.argv.slice(2);
  return run(process.execPath, [join(root, 'dist/examples/word-count/main.js'), ...paths]);
});
