// node dist/examples/bank-account/main.js
import { call, callWith, cast, startNode } from '../../ts/index.ts';
import { account } from './account.ts';

await using node = await startNode();

const pid = await account.start(node, 'Ada');
console.log(await call(node, pid, 'deposit', 100_00));
for (let attempt = 0; attempt < 3; attempt++) console.log(await call(node, pid, 'withdraw', 200_00));
console.log(await call(node, pid, 'withdraw', 1_00)); // frozen now

const closing = callWith(node, { timeout: 60_000 }, pid, 'close'); // answered when the account is open again
cast(node, pid, 'release');
console.log('paid out', await closing);
console.log(await call(node, pid, 'statement'));
