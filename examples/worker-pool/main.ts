// node dist/examples/worker-pool/main.js
import { call, startNode } from '../../ts/index.ts';
import { jobs, pool } from './pool.ts';

await using node = await startNode();

await pool.start(node, 3, (input) => {
  if (input % 5 === 0) throw new RangeError(`${input} is more than I can bear`);
  return input ** 2;
});
const outcomes = await Promise.all(Array.from({ length: 10 }, (_, input) => call(node, jobs, 'run', input)));
for (const [input, outcome] of outcomes.entries()) {
  console.log(input, outcome.ok ? outcome.value : 'crashed its worker');
}
console.log(await call(node, jobs, 'load')); // all three workers are back
