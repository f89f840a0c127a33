// A process that stops on signals. Its argument says what it does meanwhile.
import { defineServer, startNode } from '../../../ts/index.ts';

const [mode = '', named] = process.argv.slice(2);
const logger = {
  error: (facts: object, text?: string) => console.log('error', text, JSON.stringify(facts)),
  warn: (facts: object, text?: string) => console.log('warn', text, JSON.stringify(facts)),
  info: () => {},
  debug: () => {},
};
const name = named === 'named' ? { name: 'stopper@127.0.0.1:0', cookie: 'only for tests: 0123456789' } : {};
/** A node that leaves its cluster until the test writes a line. */
const isLeaving = mode === 'leaving';
const discovery = {
  start() {},
  stop: () => new Promise<void>((resolve) => process.stdin.once('data', resolve)),
};
const node = await startNode({ ...name, ...(isLeaving ? { discovery } : {}), logger });
const server = defineServer({
  name: 'shop',
  init: () => 0,
  terminate: async () => {
    console.log('terminating');
    if (mode === 'slow') await new Promise(() => {});
    if (mode === 'stuck in terminate') for (;;);
    console.log('terminated');
  },
});
await server.start(node);
const stays = setInterval(() => {}, 1e6); // the end of the node is not the end of the process by itself
/** What is awaited in full, what is given up, and when the native thread speaks. */
const TIMES: Record<string, { timeout: number; grace?: number }> = {
  patient: { timeout: 1e6 },
  'before takes a while': { timeout: Number.MAX_SAFE_INTEGER },
  'busy and patient': { timeout: 1e6 },
  slow: { timeout: 300, grace: 60_000 },
  'before hangs': { timeout: 300, grace: 60_000 },
  'stop hangs': { timeout: 300, grace: 300 },
  busy: { timeout: 300, grace: 300 },
  'stuck in terminate': { timeout: 300, grace: 300 },
};
const times = TIMES[mode] ?? { timeout: 60_000 };
if (mode === 'stop hangs') node.stop = () => new Promise(() => {});
if (mode === 'exit code') process.exitCode = 7;
if (mode === 'two nodes') {
  const other = await startNode({ logger });
  await server.start(other);
  other.stopOnSignals({ timeout: 60_000, before: () => console.log('before the other') });
}
const takeBack = node.stopOnSignals({
  ...times,
  before: async () => {
    console.log('before');
    if (mode === 'before fails') throw new Error('on purpose');
    if (mode === 'before hangs') await new Promise(() => {});
    if (mode === 'before takes a while') {
      // A timeout that fires at once, because no timer can have it, fires before this one.
      await new Promise((resolve) => setTimeout(resolve, 20));
      console.log('over');
    }
    if (mode === 'patient') await new Promise(() => {});
  },
});
if (mode === 'stopped') {
  await node.stop();
  clearInterval(stays);
  setInterval(() => {}, 1e6);
}
if (isLeaving) {
  void node.stop();
  while (node.isListening) await new Promise((resolve) => setImmediate(resolve));
}
if (mode === 'taken back') takeBack();
console.log('ready');
if (mode.startsWith('busy')) for (;;);
