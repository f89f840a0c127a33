// A program as `snowmesh start` runs it that starts its node itself.
import { startNode } from '../../../ts/index.ts';

const node = await startNode.fromEnv();
node.stopOnSignals();
console.log(node.name, node.isHidden ? 'hidden' : 'visible', ...process.argv.slice(2));
