import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { PORTMAP_PORT, type Portmap, startPortmap } from '../discovery/index.ts';
import type { Terminal } from './terminal.ts';

/** `snowmesh portmap`: runs until it is told to end. Gives 0 then, 2 for bad options, 1 if it cannot listen. */
export async function runPortmap(args: readonly string[], terminal: Terminal): Promise<number> {
  let address: { host: string; port: number };
  try {
    address = addressIn(args);
  } catch (error) {
    terminal.err(`snowmesh portmap: ${(error as Error).message}\n`);
    return 2;
  }
  let portmap: Portmap;
  try {
    portmap = await startPortmap(address);
  } catch (error) {
    terminal.err(`snowmesh portmap: ${(error as Error).message}\n`);
    return 1;
  }
  const { host, port } = portmap;
  terminal.out(`port mapper listens on ${host.includes(':') ? `[${host}]` : host}:${port}\n`);
  if (!terminal.signal.aborted) await once(terminal.signal, 'abort');
  await portmap.close();
  return 0;
}

function addressIn(args: readonly string[]): { host: string; port: number } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: String(PORTMAP_PORT) },
      host: { type: 'string', default: '127.0.0.1' },
    },
  });
  if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65_535) {
    throw new Error(`--port ${values.port}: not a port (0 to 65535)`);
  }
  if (values.host === '') throw new Error('--host: no address');
  return { host: values.host, port: Number(values.port) };
}
