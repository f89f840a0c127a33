// npm start [-- paths…]: the main job, a word count over three nodes.
import { join, relative, resolve } from 'node:path';
import { become, root, runMain, setup } from './setup.mjs';

/** Options whose next argument is not a path. */
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

/** npm runs scripts in the root folder; a path that the user typed is relative to the user's folder. */
function fromRoot(argument) {
  const typedIn = process.env.INIT_CWD;
  if (typedIn === undefined || argument.startsWith('-')) return argument;
  return relative(root, resolve(typedIn, argument)) || '.';
}
