// Ports for a chat of a test: three pages and three nodes.
import { createServer } from 'node:net';

const OFFSETS = [0, 1, 2, 10, 11, 12];

/** The first of six free ports, as `--port` takes it. */
export async function freePorts(): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    if ((await Promise.all(OFFSETS.map((offset) => isFree(first + offset)))).every(Boolean)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
