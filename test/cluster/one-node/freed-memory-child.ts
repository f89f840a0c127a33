// Fills and frees memory as a receiver of messages does; prints how many fresh pages the system gave it meanwhile.
import { setImmediate as turn } from 'node:timers/promises';
import { startNode } from '../../../ts/index.ts';

const [name] = process.argv.slice(2);
const BYTES = 64 * 1024;
const MESSAGES = 300;
const PASSES = 20;

const node =
  name === undefined ? undefined : await startNode({ name, cookie: 'a cookie of thirty-two letters..' });
await turn();
await turn(); // the block that was freed at the start is gone

function pass(): void {
  const kept: Uint8Array[] = [];
  for (let n = 0; n < MESSAGES; n++) kept.push(new Uint8Array(BYTES).fill(n));
}

async function collect(): Promise<void> {
  globalThis.gc?.();
  globalThis.gc?.();
  await turn();
}

for (let warm = 0; warm < 2; warm++) {
  pass();
  await collect();
}
const before = process.resourceUsage().minorPageFault;
for (let n = 0; n < PASSES; n++) {
  pass();
  await collect();
}
const pages = (PASSES * MESSAGES * BYTES) / 4096;
console.log(`fresh pages: ${((process.resourceUsage().minorPageFault - before) / pages).toFixed(3)}`);
await node?.stop();
