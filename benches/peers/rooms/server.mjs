// A server process of a rival: what benches/rooms/server.ts is for ours. Argument: the order as JSON.
import { readFileSync } from 'node:fs';
import { fillerOf } from './filler.mjs';

const { rival, port: redisPort, bytes, compress } = JSON.parse(process.argv[2]);
const versioned = (name) => {
  const { version } = JSON.parse(
    readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8'),
  );
  return `${name}@${version}`;
};
const { libraries, start } = await import(`./${rival}.mjs`);
const { port, broadcast } = await start({ redisPort, compress: compress === true });

const filler = fillerOf(bytes - 8 - 1 - 16 - 1);
let sequence = 0;
process.on('message', ({ broadcast: count = 0, load }) => {
  for (let number = 0; number < count; number++) {
    const sent = String(process.hrtime.bigint()).padStart(16, '0').slice(-16);
    broadcast(`${String(sequence++ % 1e8).padStart(8, '0')} ${sent} ${filler}`);
  }
  if (load === undefined) return;
  if (load === 'memory') for (let time = 0; time < 2; time++) globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send({ cpu: (user + system) / 1e6, rss, heap: heapUsed + external });
});
process.on('disconnect', () => process.exit(0));
const suite = `${libraries.map(versioned).join(' + ')}${rival.endsWith('-framed') ? ', frame built once' : ''}`;
process.send({ port, suite });
