import { once } from 'node:events';
import { PORTMAP_PORT, type Portmap, startPortmap } from '../discovery/index.ts';
import { type Command, EXIT, JSON_OPTION, UsageError } from './command.ts';

/** `snowmesh portmap`: runs a port mapper until a signal ends it. */
export const portmapCommand: Command = {
  name: 'portmap',
  summary: 'run a port mapper, which tells the ports of the nodes on this machine, until Ctrl-C or SIGTERM',
  examples: ['snowmesh portmap', 'snowmesh portmap --host 0.0.0.0'],
  options: {
    port: {
      value: 'n',
      summary: `the port to listen on, from 0 (a free one) to 65535. Default: ${PORTMAP_PORT}`,
    },
    host: { value: 'address', summary: 'the address to listen on. Default: 127.0.0.1' },
    json: JSON_OPTION,
  },
  async run(given, terminal) {
    const text = given.text('port') ?? String(PORTMAP_PORT);
    if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
      throw new UsageError(`--port ${text}: it must be a whole number from 0 to 65535`);
    const wanted = given.text('host') ?? '127.0.0.1';
    if (wanted === '') throw new UsageError('--host: give an address');
    const portmap: Portmap = await startPortmap({ host: wanted, port: Number(text) });
    const { host, port } = portmap;
    const { signal } = terminal; // from now on a signal ends it in order, also one that is sent as soon as the line is read
    const shown = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    terminal.out(
      given.flag('json') ? `${JSON.stringify({ host, port })}\n` : `port mapper listens on ${shown}\n`,
    );
    if (!signal.aborted) await once(signal, 'abort');
    await portmap.close();
    return EXIT.DONE;
  },
};
