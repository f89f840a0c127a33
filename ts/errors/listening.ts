import { type EventEmitter, once } from 'node:events';
import { badOption } from './arguments.ts';
import { SnowmeshError } from './snowmesh-error.ts';

/** A server of `node:net` or `node:http`, which this module does not know. */
interface Server extends EventEmitter {
  listen(address: { port: number; host?: string; exclusive: boolean }): unknown;
  address(): unknown;
}

/** Where a server listens: without a host, on all addresses. */
interface Address {
  readonly port: number;
  readonly host?: string | undefined;
  /** Under node:cluster: not shared with other workers. */
  readonly exclusive?: boolean;
}

/**
 * Makes a server listen, for `who`, such as `the observer`. Later failures to accept are ignored: when no file descriptors are left,
 * the next connection may succeed.
 *
 * @returns the port that it listens on.
 * @throws (as a rejection) SNOW_ERR_BAD_OPTION for a wrong port or host; SNOW_ERR_LISTEN when the address cannot be bound.
 */
export async function listening(server: Server, address: Address, who: string): Promise<number> {
  const { port, host, exclusive = false } = address;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw badOption('port', port, '0 to 65535');
  // Node.js takes an empty host for all addresses.
  if (host !== undefined && (typeof host !== 'string' || host === ''))
    throw badOption('host', host, 'a host name or an address');
  try {
    server.listen(host === undefined ? { port, exclusive } : { port, host, exclusive });
    await once(server, 'listening');
  } catch (cause) {
    const where = host === undefined ? `port ${port}` : `${host}:${port}`;
    const why = `${who} cannot listen on ${where}: ${(cause as Error).message}`;
    throw new SnowmeshError('SNOW_ERR_LISTEN', why, { cause });
  }
  server.on('error', () => {});
  return (server.address() as { readonly port: number }).port;
}
