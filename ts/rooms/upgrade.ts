// WebSockets of an HTTP server: which upgrades are ours, who may come in, and what those are told who may not.
import type { IncomingMessage, Server } from 'node:http';
import { STATUS_CODES } from 'node:http';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import { CloseCode, SUBPROTOCOL } from '../client/index.ts';
import { checkFlag, checkOptionNames, kindOf, type OptionNames, SnowmeshError } from '../errors/index.ts';
import { keyRoom } from './room.ts';
import type { RoomSocket } from './socket-port.ts';

/** A user that is admitted: what `authorize` gives. */
export interface Admission<User = unknown> {
  /** Names the user on all nodes. */
  readonly key?: string;
  /** What the handler finds in `connection.user`. */
  readonly user?: User;
}

/** A refusal: the status of the HTTP answer, and why. */
export interface Refusal {
  readonly status: 401 | 403;
  readonly reason?: string;
}

/** Origins of pages that may connect: those of the server's own host, any, a list such as `https://example.com`, or whatever a function says. */
export type Origins =
  | 'same'
  | '*'
  | readonly string[]
  | ((origin: string, request: IncomingMessage) => boolean);

/** How rooms take part in an HTTP server. */
export interface AttachOptions<User = unknown> {
  /** Upgrades of this path are taken, all others left alone. Default `/rooms`. */
  readonly path?: string;
  /**
   * Called before the upgrade; without it everything is admitted. A throw or rejection is answered with 500 and logged.
   *
   * @returns the user, or the refusal.
   */
  authorize?(request: IncomingMessage): Admission<User> | Refusal | PromiseLike<Admission<User> | Refusal>;
  /** Pages that may connect; what comes without an Origin is no page. Default `same`. */
  readonly origins?: Origins;
  /** Where a request comes from, for the limit of connections an address. Default: the other end of its connection. */
  address?(request: IncomingMessage): string;
  /** Agrees to permessage-deflate; a broadcast is compressed once, from 1 KiB to 256 KiB. Default false. */
  readonly compress?: boolean;
}

/** What an upgrade needs to know of the rooms. */
export interface UpgradeHost {
  /** Longest message of a client. Unit: bytes. */
  readonly messageBytes: number;
  readonly connectionsPerAddress: number;
  /** ms that a client should stay away; 0: it may come in. */
  retryAfterMs(): number;
  accept(socket: RoomSocket, admission: Admission & { readonly address: string }): void;
  failed(error: unknown): void;
}

interface WebSocketServer {
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    done: (socket: RoomSocket & { on: NonNullable<RoomSocket['on']> }) => void,
  ): void;
}

const OPTIONS: OptionNames<AttachOptions> = {
  path: true,
  authorize: true,
  origins: true,
  address: true,
  compress: true,
};
/** So long may `authorize` take. Unit: ms. */
const AUTHORIZE_MS = 10_000;

/** The paths that are taken on each server: one listener takes all its upgrades. */
const PATHS = new WeakMap<Server, Map<string, Gate>>();

/**
 * Takes the upgrades of one path of a server. Returns what gives it back.
 *
 * @throws SNOW_ERR_NO_WS, SNOW_ERR_BAD_OPTION
 */
export function attach(server: Server, options: AttachOptions, host: UpgradeHost): () => void {
  checkOptionNames('attach', options, OPTIONS as OptionNames<AttachOptions>);
  if (typeof server?.on !== 'function')
    throw new SnowmeshError('SNOW_ERR_BAD_OPTION', 'attach takes an HTTP server of Node.js');
  const { path = '/rooms' } = options;
  if (typeof path !== 'string' || path[0] !== '/')
    throw new SnowmeshError('SNOW_ERR_BAD_OPTION', `option path is ${String(path)}; it must begin with /`);
  const { origins, compress } = options;
  for (const name of ['authorize', 'address'] as const)
    if (options[name] !== undefined && typeof options[name] !== 'function')
      throw new SnowmeshError(
        'SNOW_ERR_BAD_OPTION',
        `option ${name} is ${kindOf(options[name])}; it must be a function`,
      );
  const areOrigins =
    origins === 'same' || origins === '*' || typeof origins === 'function' || Array.isArray(origins);
  if (origins !== undefined && !areOrigins) {
    const why = `option origins is ${kindOf(origins)}; it must be 'same', '*', a list of origins, or a function`;
    throw new SnowmeshError('SNOW_ERR_BAD_OPTION', why);
  }
  checkFlag('attach', 'compress', compress);
  if (PATHS.get(server)?.has(path) === true)
    throw new SnowmeshError('SNOW_ERR_BAD_OPTION', `rooms are attached to ${path} of this server already`);
  const gate = new Gate(options, host);
  // Last: an attach that fails leaves the server as it was.
  const paths = PATHS.get(server) ?? listenTo(server);
  paths.set(path, gate);
  return () => void paths.delete(path);
}

function listenTo(server: Server): Map<string, Gate> {
  const paths = new Map<string, Gate>();
  PATHS.set(server, paths);
  server.on('upgrade', (request, socket, head) => {
    const gate = paths.get((request.url ?? '').split('?', 1)[0] as string);
    if (gate !== undefined) gate.take(request, socket, head);
    // Without another listener the connection would stay open.
    else if (server.listenerCount('upgrade') === 1) refuse(socket, 404, 'nothing is upgraded here');
  });
  return paths;
}

class Gate {
  readonly #options: AttachOptions;
  readonly #host: UpgradeHost;
  readonly #webSockets: WebSocketServer;
  readonly #byAddress = new Map<string, number>();

  constructor(options: AttachOptions, host: UpgradeHost) {
    this.#options = options;
    this.#host = host;
    this.#webSockets = webSocketServer(host.messageBytes, options.compress ?? false);
  }

  take(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', ignore);
    this.#admit(request, socket)
      .then((verdict) => {
        if (socket.destroyed || !socket.writable) return;
        if ('status' in verdict) return refuse(socket, verdict.status, verdict.reason, verdict.retryAfterMs);
        socket.off('error', ignore);
        this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
          try {
            this.#host.accept(webSocket, verdict);
          } catch (error) {
            this.#host.failed(error); // no HTTP answer can follow an upgrade
            webSocket.close(CloseCode.crashed, 'not accepted');
          }
        });
      })
      .catch((error: unknown) => {
        this.#host.failed(error);
        refuse(socket, 500, 'authorize failed');
      });
  }

  async #admit(
    request: IncomingMessage,
    socket: Duplex,
  ): Promise<
    | (Admission & { readonly address: string })
    | { readonly status: number; readonly reason: string; readonly retryAfterMs?: number }
  > {
    const retryAfterMs = this.#host.retryAfterMs();
    if (retryAfterMs > 0) return { status: 503, reason: 'come back later', retryAfterMs };
    const { origin } = request.headers;
    if (origin !== undefined && !this.#isAllowed(origin, request))
      return { status: 403, reason: `pages of ${origin} may not connect` };
    const address = this.#options.address?.(request) ?? request.socket.remoteAddress ?? '';
    const { connectionsPerAddress: most } = this.#host;
    const open = this.#openOf(address);
    if (most > 0 && open >= most)
      return { status: 429, reason: 'too many connections of this address', retryAfterMs: 10_000 };
    if (most > 0) {
      // It counts from now on: more may come while `authorize` works.
      this.#byAddress.set(address, open + 1);
      socket.on('close', () => this.#left(address));
    }
    const options = this.#options;
    const answer = options.authorize === undefined ? {} : await inTime(options.authorize(request));
    if ('status' in answer) return { status: answer.status, reason: answer.reason ?? 'not authorized' };
    if (answer.key !== undefined) keyRoom(answer.key); // throws for a key that is none
    return { ...answer, address };
  }

  #isAllowed(origin: string, request: IncomingMessage): boolean {
    const { origins = 'same' } = this.#options;
    if (origins === '*') return true;
    if (typeof origins === 'function') return origins(origin, request);
    if (origins !== 'same') return origins.includes(origin);
    try {
      return new URL(origin).host === request.headers.host;
    } catch {
      return false;
    }
  }

  #openOf(address: string): number {
    return this.#byAddress.get(address) ?? 0;
  }

  #left(address: string): void {
    const open = this.#openOf(address) - 1;
    if (open > 0) this.#byAddress.set(address, open);
    else this.#byAddress.delete(address);
  }
}

/** A socket that fails before it is upgraded is closed; nobody is left to be told. */
function ignore(): void {}

async function inTime<T>(answer: T | PromiseLike<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`authorize took more than ${AUTHORIZE_MS} ms`)), AUTHORIZE_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Answers an upgrade that is not to be, and closes the connection. */
function refuse(socket: Duplex, status: number, reason = '', retryAfterMs = 0): void {
  const retry = retryAfterMs > 0 ? `Retry-After: ${Math.ceil(retryAfterMs / 1000)}\r\n` : '';
  const head =
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
    `Content-Length: ${Buffer.byteLength(reason)}\r\n${retry}\r\n`;
  socket.on('error', () => {}); // the other end may have closed it already: nobody is left to be told
  socket.once('finish', () => socket.destroy());
  socket.end(head + reason);
}

function webSocketServer(maxPayload: number, compress: boolean): WebSocketServer {
  const { WebSocketServer: Made } = loadWs();
  return new Made({
    noServer: true,
    clientTracking: false,
    maxPayload,
    handleProtocols: (offered: ReadonlySet<string>) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    // Without memory of earlier frames a compressed frame is the same for all receivers.
    perMessageDeflate: compress ? { serverNoContextTakeover: true, clientNoContextTakeover: true } : false,
  });
}

function loadWs(): { readonly WebSocketServer: new (options: object) => WebSocketServer } {
  try {
    return createRequire(import.meta.url)('ws') as ReturnType<typeof loadWs>;
  } catch (cause) {
    throw new SnowmeshError('SNOW_ERR_NO_WS', undefined, { cause });
  }
}
