// The process of one case: `node --expose-gc child.js <name> <settings as JSON>`. Prints a JSON line a figure.
import { cases } from './cases.ts';
import { cpuSeconds, machineCpuSeconds, measure, type Settings } from './harness.ts';

const [name = '', settings = ''] = process.argv.slice(2);
const bench = cases.find((other) => other.name === name);
if (bench === undefined) throw new Error(`there is no case ${name}`);

const machine = machineCpuSeconds();
const own = cpuSeconds();
const started = performance.now();
// Pending timers of a node do not keep a process alive; the measurement does.
const alive = setInterval(() => {}, 60_000);
const results = await measure(bench, JSON.parse(settings) as Settings);
clearInterval(alive);
for (const result of results) console.log(JSON.stringify(result));

// Cases with a second process subtract nothing for it: there, this is only an upper bound.
const others = machineCpuSeconds() - machine - (cpuSeconds() - own);
const seconds = (performance.now() - started) / 1000;
if (!name.startsWith('cluster/') && others / seconds > 0.2) {
  console.error(`  ${name}: something else used ${(others / seconds).toFixed(2)} cores meanwhile.`);
}
