// A node:cluster primary with as many workers as its argument says. Each worker starts a node that finds the others through the
// port mapper that one of them embeds, and prints a line when it is connected to all. PM2's cluster mode is the same thing.
import cluster from 'node:cluster';
import { portmapDiscovery, startNode } from '../../../ts/index.ts';

const [count = '2', port = '0'] = process.argv.slice(2);

if (cluster.isPrimary) {
  for (let index = 0; index < Number(count); index++) cluster.fork();
  cluster.on('exit', (_worker, code) => {
    if (code !== 0) process.exit(1);
  });
  process.stdin.resume();
  process.stdin.once('end', () => {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.kill('SIGKILL');
    process.exit(0);
  });
} else {
  const node = await startNode({
    name: `w${cluster.worker?.id}@127.0.0.1:0`,
    cookie: 'a cookie of sixteen bytes or more',
    discovery: portmapDiscovery({ embed: true, port: Number(port), intervalMs: 100 }),
  });
  node.spawn(async (self) => {
    node.monitorNodes(self as never);
    for (;;) {
      if (node.nodes().length === Number(count) - 1) console.log(`worker ${cluster.worker?.id} has met all`);
      await self.receive();
    }
  });
}
