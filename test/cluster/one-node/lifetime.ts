// A process with nothing in it but a node. It leaves with code 7 when something keeps it alive.
import { portmapDiscovery, startNode } from '../../../ts/index.ts';

const [mode, port] = process.argv.slice(2);
const node = await startNode({
  name: 'a@127.0.0.1:0',
  cookie: 'test-cookie-9f3c7b1e5d8a2460',
  ...(port === undefined ? {} : { discovery: portmapDiscovery({ port: Number(port), embed: true }) }),
}).catch((error: { code: string }) => {
  console.log(error.code);
});
if (mode === 'unref') node?.unref();
if (mode === 'ref') node?.unref().ref();
if (mode === 'stop') await node?.stop();

// Many turns of the event loop, not only time: a process that got no processor meanwhile has had none in which to end by itself.
let turns = 30;
function wait(): void {
  if (--turns === 0) process.exit(7);
  setTimeout(wait, 100).unref();
}
wait();
