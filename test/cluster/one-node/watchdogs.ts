// A process with two copies of the addon, whose watchdogs install their handlers over each other's.
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import type { Native } from '../../../bindings/index.ts';

const [mode = '', ...files] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const [first, second] = files.map((file) => require(file)) as [Native, Native];
const { SIGTERM } = constants.signals;
const stays = setInterval(() => {}, 1e6);

function onSignal(): void {
  console.log('received');
  clearInterval(stays);
}
process.on('SIGTERM', onSignal);
const limitMs = mode === 'blocked for good' ? 300 : Number.POSITIVE_INFINITY;
// More often than a copy has handlers.
for (let round = 0; round < 20; round++)
  for (const copy of [first, second]) copy.armSignalWatchdog([SIGTERM], limitMs);
if (mode === 'installed anew') {
  process.removeListener('SIGTERM', onSignal);
  process.on('SIGTERM', onSignal);
  first.armSignalWatchdog([SIGTERM], 300);
}
if (mode === 'disarmed') for (const copy of [first, second, first]) copy.disarmSignalWatchdog();
console.log('ready');
if (mode === 'blocked for good' || mode === 'installed anew') for (;;);
// Long enough for the end that follows a second signal.
if (mode === 'blocked for a while') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500);
