// node dist/examples/counter-server/main.js
import { call, cast, startNode, stop } from '../../ts/index.ts';
import { counter } from './counter.ts';

await using node = await startNode();

const pid = await counter.startWith(node, { name: 'counter' }, 10);
console.log(await call(node, pid, 'add', 5)); // 15
cast(node, counter.named('counter'), 'reset'); // by name as well as by PID
console.log(await call(node, pid, 'statistics')); // { count: 0, resets: 1 }

try {
  // By name there are no types. With a reference, the compiler finds this mistake; at run time it fails only this call.
  await call(node, 'counter', 'reed');
} catch (error) {
  console.log((error as Error).message);
}
await stop(node, pid);
