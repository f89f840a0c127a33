// A process that may open few files starts a node with none left, then with one left, and so on, until it runs. It prints each outcome,
// and that of arming the signal watchdog with none left.
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { loadNative } from '../../bindings/index.ts';
import { RawNode } from './raw-node.ts';

await new RawNode().close(); // whatever is loaded and opened once is there now

const files: number[] = [];
/** Opens files until none is left; returns how many. */
function openAll(): number {
  const before = files.length;
  try {
    for (;;) files.push(openSync('/dev/null', 'r'));
  } catch {
    return files.length - before;
  }
}

const outcomes: { free: number; code: string; message: string; left: number }[] = [];
openAll();
for (let free = 0; outcomes.at(-1)?.code !== 'open'; free++) {
  for (const file of files.splice(-free, free)) closeSync(file);
  let node: RawNode | undefined;
  let failure: { code?: string; message?: string } = {};
  try {
    node = new RawNode();
  } catch (error) {
    failure = error as Error;
  }
  await node?.close();
  const { code = 'open', message = '' } = failure;
  outcomes.push({ free, code, message, left: openAll() });
}
openAll();
const watchdog = { code: 'armed', message: '' };
try {
  loadNative().armSignalWatchdog([constants.signals.SIGTERM], 1000);
} catch (error) {
  Object.assign(watchdog, { code: (error as { code?: string }).code, message: (error as Error).message });
}
console.log(JSON.stringify({ outcomes, watchdog }));
