// npm start [-- paths…]: the main job, a word count over three nodes.
import { join, relative, resolve } from 'node:path';
import { become, root, runMain, setup } from './setup.mjs';

/** Options whose next argument is no path. */
const TAKES_VALUE = new Set(['--top', '--counters', '--kill']);

await runMain(() => {
  setup();
  return become(process.execPath, [
    join(root, 'dist/examples/word-count/main.js'),
    ...process.argv
      .slice(2)
      .map((argument, at, all) => (TAKES_VALUE.has(all[at - 1]) ? argument : fromRoot(argument))),
  ]);
});

/** npm runs us in the root; the user may have typed a path from a folder below. */
function fromRoot(argument) {
  const typedIn = process.env.INIT_CWD;
  if (typedIn === undefined || argument.startsWith('-')) return argument;
  return relative(root, resolve(typedIn, argument)) || '.';
}
