// The process of one contestant: `node --expose-gc child.js <case> <settings as JSON> [<rival> <the rival's case>]`.
// Runs a round for each line that it reads, and writes the result as a JSON line.
import { createInterface } from 'node:readline';
import { cases } from './cases.ts';
import { type Settings } from './harness.ts';
import { openRival } from './rival-cases.ts';
import { type Opening, serve } from './serve.ts';

const [name = '', given = '', rival, rivalCase = ''] = process.argv.slice(2);

async function open(settings: Settings): Promise<Opening> {
  if (rival !== undefined) return openRival(rival, rivalCase, settings);
  const bench = cases.find((other) => other.name === name);
  if (bench === undefined) throw new Error(`there is no case ${name}`);
  return { suite: 'snowmesh', running: await bench.open(settings) };
}

// A node's timers do not keep the process alive, so this one does while the case is measured.
const alive = setInterval(() => {}, 60_000);
await serve(open, JSON.parse(given) as Settings, createInterface({ input: process.stdin }), (answer) =>
  console.log(JSON.stringify(answer)),
);
clearInterval(alive);
// Rivals cannot stop everything that they started; our cases end by themselves.
if (rival !== undefined) process.exit(0);
