import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  checkHost,
  checkOptionNames,
  givenText,
  listening,
  type OptionNames,
  SnowmeshError,
} from '../errors/index.ts';
import { jsonOf } from '../introspect/index.ts';
import type { Node } from '../node/index.ts';
import { ClusterWatch } from './cluster-watch.ts';
import { EventLog } from './event-log.ts';
import { NodeWatch, type Selection, selectionOf } from './node-watch.ts';
import { pageFile } from './page-files.ts';

/** The options of {@link startObserver}. */
export interface ObserverOptions {
  /** The port to listen on. Default 0: a free one. */
  readonly port?: number | undefined;
  /** The address to listen on. Default 127.0.0.1. The page is not encrypted: use a proxy with TLS for any other address. */
  readonly host?: string | undefined;
  /** The secret in the address of the page, at least 16 characters. Default: a random one. */
  readonly token?: string | undefined;
  /** The interval at which nodes are polled while a viewer is connected, in ms, from 500 on. Default 2000. */
  readonly every?: number | undefined;
  /** The node whose cluster is shown. Default: this one. */
  readonly node?: string | undefined;
}

/** A running observer. */
export interface Observer {
  /** The address of the page, with the token. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const OPTIONS: OptionNames<ObserverOptions> = {
  port: true,
  host: true,
  token: true,
  every: true,
  node: true,
};
/** Viewers: browsers that receive events. */
const MAX_VIEWERS = 16;
/** Connections other than those of viewers. */
const MAX_IDLE = 48;
/** How long a request may take, and how often that is checked: Node.js does so every 30 s. */
const REQUEST_MS = 10_000;
const CHECK_MS = 1000;
/** A viewer for which more bytes wait is disconnected. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/**
 * Serves a page that shows the cluster live: nodes and their connections, supervision trees, the busiest actors, names, groups, rooms,
 * and errors. It polls nodes only while the page is open, as Erlang's `observer`.
 *
 * @param node the result of `startNode`.
 * @throws SNOW_ERR_BAD_OPTION; SNOW_ERR_NODE_NAME for the option `node`; SNOW_ERR_LISTEN when the address cannot be bound.
 * @example
 * const { url } = await startObserver(node, { port: 4371 });
 * console.log(url);
 */
export async function startObserver(node: Node, options: ObserverOptions = {}): Promise<Observer> {
  checkHost('startObserver', node);
  checkOptionNames('startObserver', options, OPTIONS);
  const {
    port = 0,
    host = '127.0.0.1',
    token = randomBytes(24).toString('base64url'),
    every = 2000,
  } = options;
  whole('every', every, 500, 3_600_000);
  if (typeof token !== 'string' || !/^[\w.~-]{16,200}$/.test(token))
    throw bad('token', 'must be 16 to 200 letters, digits, or one of . _ ~ -');
  if (options.node !== undefined) node.introspect(options.node); // throws for an invalid name
  const site = new Site(node, options.node ?? node.name, token, every);
  const times = {
    requestTimeout: REQUEST_MS,
    headersTimeout: REQUEST_MS,
    connectionsCheckingInterval: CHECK_MS,
  };
  const server = createServer(times, (request, response) => site.handle(request, response));
  server.on('connection', (socket) => site.connected(socket));
  const bound = await listening(server, { port, host }, 'the observer').catch((error: unknown) => {
    site.close();
    throw error;
  });
  site.port = bound;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}/?token=${token}`,
    port: bound,
    async close() {
      site.close();
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}

/** Handles the requests for the page and its events. */
class Site {
  port = 0;
  readonly #node: Node;
  readonly #token: Buffer;
  readonly #every: number;
  readonly #cluster: ClusterWatch;
  readonly #log: EventLog;
  readonly #viewers = new Set<ServerResponse>();
  /** Connections other than those of viewers, oldest first. */
  readonly #idle = new Set<Socket>();
  /** By selection: viewers with the same selection share a watch. */
  readonly #watches = new Map<string, NodeWatch>();

  constructor(node: Node, root: string, token: string, every: number) {
    this.#node = node;
    this.#token = Buffer.from(token);
    this.#every = every;
    this.#log = new EventLog(node);
    this.#cluster = new ClusterWatch(node, root, every, (name, crashes) => this.#log.crashed(name, crashes));
  }

  close(): void {
    this.#log.close();
    this.#cluster.close();
    for (const viewer of this.#viewers) viewer.destroy();
  }

  /** Closes the oldest idle connection above the limit, so that idle connections do not lock out browsers. */
  connected(socket: Socket): void {
    this.#idle.add(socket);
    socket.once('close', () => this.#idle.delete(socket));
    const [oldest] = this.#idle;
    if (this.#idle.size > MAX_IDLE) oldest?.destroy();
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    // `new URL` would throw for targets such as `//`.
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    const parameters = new URLSearchParams(query);
    if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end();
    const given = parameters.get('token');
    if (given !== null && path === '/' && this.#isToken(given)) {
      const cookie = `${this.#cookieName}=${given}; HttpOnly; SameSite=Strict; Path=/`;
      return void response.writeHead(303, { ...HEADERS, location: './', 'set-cookie': cookie }).end();
    }
    if (!this.#isToken(this.#cookieOf(request))) {
      const text =
        'This page needs its token: open the whole address that startObserver returned or snowmesh observe printed.\n';
      return void response.writeHead(401, { ...HEADERS, 'content-type': 'text/plain' }).end(text);
    }
    if (path === '/events') return this.#follow(request, response, parameters);
    const file = pageFile(path);
    if (file === undefined) return void response.writeHead(404, HEADERS).end();
    response.writeHead(200, { ...HEADERS, 'content-type': file.type }).end(file.body);
  }

  /** Sends events to a viewer: the cluster, its selection, and the log. */
  #follow(request: IncomingMessage, response: ServerResponse, parameters: URLSearchParams): void {
    const selection: Selection | undefined = selectionOf(parameters, this.#cluster.root);
    if (selection === undefined) return void response.writeHead(400, HEADERS).end();
    if (this.#viewers.size >= MAX_VIEWERS) return void response.writeHead(503, HEADERS).end();
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    this.#viewers.add(response);
    this.#idle.delete(request.socket);
    const send = (event: string, home: string, value: unknown): void => {
      if (response.writableLength > MAX_WAITING_BYTES) return void response.destroy();
      response.write(`event: ${event}\ndata: ${jsonOf(this.#node, home, value)}\n\n`);
    };
    const stops = [
      this.#cluster.follow((cluster) => send('cluster', '', cluster)),
      this.#log.follow((entries) => send('log', '', entries)),
      this.#watch(selection, (shown) => send('node', selection.node, shown)),
    ];
    request.once('close', () => {
      this.#viewers.delete(response);
      for (const stop of stops) stop();
    });
  }

  #watch(selection: Selection, listener: (shown: unknown) => void): () => void {
    const key = JSON.stringify(selection);
    let watch = this.#watches.get(key);
    if (watch === undefined)
      this.#watches.set(key, (watch = new NodeWatch(this.#node, selection, this.#every)));
    const stop = watch.follow(listener);
    return () => {
      stop();
      if (watch.isUnused) this.#watches.delete(key);
    };
  }

  /** Cookies are shared by all ports of a host: each observer uses its own name. */
  get #cookieName(): string {
    return `snowmesh_observer_${this.port}`;
  }

  #cookieOf({ headers }: IncomingMessage): string {
    for (const part of (headers.cookie ?? '').split(';')) {
      const [name, value = ''] = part.trim().split('=', 2);
      if (name === this.#cookieName) return value;
    }
    return '';
  }

  #isToken(text: string): boolean {
    const given = Buffer.from(text);
    return given.length === this.#token.length && timingSafeEqual(given, this.#token);
  }
}

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'self'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

function whole(option: string, value: unknown, least: number, most: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return;
  throw bad(option, `is ${givenText(value)}; it must be a whole number from ${least} to ${most}`);
}

function bad(option: string, why: string): SnowmeshError {
  return new SnowmeshError('SNOW_ERR_BAD_OPTION', `startObserver: option ${option} ${why}`);
}
