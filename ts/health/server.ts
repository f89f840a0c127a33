import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { checkOptionNames, type OptionNames, SnowmeshError } from '../errors/index.ts';
import type { Node } from '../node/index.ts';
import { HEALTH_OPTIONS, type HealthOptions, healthHandler } from './health.ts';

/** Where the probes are answered. */
export interface HealthServerOptions extends HealthOptions {
  /** Default 8086; 0 takes a free one. */
  readonly port?: number;
  /** Address to bind. Default: all, as an orchestrator asks from outside. */
  readonly host?: string;
}

/** A server of {@link startHealthServer}. */
export interface HealthServer extends AsyncDisposable {
  readonly port: number;
  close(): Promise<void>;
}

const OPTIONS: OptionNames<HealthServerOptions> = { ...HEALTH_OPTIONS, port: true, host: true };
const PORT = 8086;
/** At more connections the oldest is closed: those that send nothing keep no probe out. */
const MAX_CONNECTIONS = 64;
const REQUEST_MS = 5000;

/**
 * Answers `/livez` and `/readyz` on a port of its own, anything else with 404: see {@link healthHandler}. It does not keep the process alive, and
 * answers until it is closed or the process ends, so that a node that stops is seen to stop.
 *
 * @throws (as a rejection) SNOW_ERR_BAD_OPTION; SNOW_ERR_LISTEN when the address cannot be bound.
 * @example
 * await startHealthServer(node, { port: 8086, peers: 1 });
 */
export async function startHealthServer(
  node: Node,
  options: HealthServerOptions = {},
): Promise<HealthServer> {
  checkOptionNames('startHealthServer', options, OPTIONS);
  const { port = PORT, host, ...rest } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new SnowmeshError('SNOW_ERR_BAD_OPTION', `option port is ${String(port)}; it must be 0 to 65535`);
  const handle = healthHandler(node, rest);
  const server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, keepAlive: false },
    (request, response) => {
      response.setHeader('connection', 'close');
      if (!handle(request, response)) response.writeHead(404).end();
    },
  );
  server.unref();
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket.unref());
    socket.once('close', () => void sockets.delete(socket));
    const [oldest] = sockets;
    if (sockets.size > MAX_CONNECTIONS) oldest?.destroy();
  });
  server.listen({ port, ...(host === undefined ? {} : { host }) });
  try {
    await once(server, 'listening');
  } catch (cause) {
    const { message } = cause as Error;
    throw new SnowmeshError('SNOW_ERR_LISTEN', `the health server cannot listen: ${message}`, { cause });
  }
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, close, [Symbol.asyncDispose]: close };
}
