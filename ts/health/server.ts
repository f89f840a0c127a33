import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { checkOptionNames, listening, type OptionNames } from '../errors/index.ts';
import type { Node } from '../node/index.ts';
import { HEALTH_OPTIONS, type HealthOptions, healthHandler } from './health.ts';

/** Options of {@link startHealthServer}. */
export interface HealthServerOptions extends HealthOptions {
  /** The port to listen on; 0: a free one. Default 8086. */
  readonly port?: number | undefined;
  /** The address to listen on. Default: all addresses, because an orchestrator connects from outside. */
  readonly host?: string | undefined;
}

/** A server of {@link startHealthServer}. */
export interface HealthServer extends AsyncDisposable {
  readonly port: number;
  close(): Promise<void>;
}

const OPTIONS: OptionNames<HealthServerOptions> = { ...HEALTH_OPTIONS, port: true, host: true };
const PORT = 8086;
/** Most connections. Beyond them the oldest is closed, so that connections that send nothing do not block probes. */
const MAX_CONNECTIONS = 64;
/** How long a request may take, and how often that is checked: Node.js does so every 30 s. */
const REQUEST_MS = 5000;
const CHECK_MS = 1000;

/**
 * Starts an HTTP server for `/livez` and `/readyz`, see {@link healthHandler}; it answers 404 to anything else. It does not keep the
 * process alive. It keeps answering while the node stops, until it is closed or the process ends.
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
  const handle = healthHandler(node, rest);
  const server = createServer(
    {
      requestTimeout: REQUEST_MS,
      headersTimeout: REQUEST_MS,
      connectionsCheckingInterval: CHECK_MS,
      keepAlive: false,
    },
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
  const bound = await listening(server, { port, host }, 'the health server');
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { port: bound, close, [Symbol.asyncDispose]: close };
}
