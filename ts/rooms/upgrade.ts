// Accepts the WebSocket upgrades of one path of an HTTP server, or refuses them with a status.
import type { IncomingMessage, Server } from 'node:http';
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import { CloseCode, SUBPROTOCOL } from '../client/index.ts';
import {
  checkFlag,
  checkOptionNames,
  givenText,
  kindOf,
  type OptionNames,
  SnowmeshError,
} from '../errors/index.ts';
import type { ThrottledLog } from '../kernel/index.ts';
import { type Admission, askAuthorize, type Refusal } from './authorization.ts';
import { type Limits, LONGEST_CLOSE_MS, MAX_FRAGMENTS, MAX_RESUME_BYTES } from './limits.ts';
import {
  closeCodeOf,
  closeRefused,
  ignore,
  type RefusedUpgrade,
  refuse,
  type UpgradedSocket,
} from './refusal.ts';
import type { RoomSocket } from './socket-port.ts';

/**
 * The origins of pages that may connect: `same` is that of the server's own host, `*` is any; or a list such as `['https://example.com']`, or
 * a function that returns true for them.
 */
export type Origins =
  | 'same'
  | '*'
  | readonly string[]
  | ((origin: string, request: IncomingMessage) => boolean);

/** The option `authorize`. */
interface Authorizer<User> {
  /**
   * Decides about an upgrade, within 10 s; without it every upgrade is accepted. If it throws, rejects or takes longer, the client gets status
   * 500, and the error is logged.
   *
   * @returns the user, or a refusal.
   */
  authorize(request: IncomingMessage): Admission<User> | Refusal | PromiseLike<Admission<User> | Refusal>;
}

/** Options of `rooms.attach`. Where each connection has a user (`createRooms<User>`), `authorize` has to give it. */
export type AttachOptions<User = unknown> = (undefined extends User
  ? Partial<Authorizer<User>>
  : Authorizer<User>) & {
  /** The path whose upgrades are accepted; upgrades of other paths are not touched. Default `/rooms`. */
  readonly path?: string | undefined;
  /** The pages that may connect; a client without an Origin header is not a page and may always connect. Default `same`. */
  readonly origins?: Origins | undefined;
  /** The client's address, for the limit `connectionsPerAddress`. Default: the remote address of the TCP connection. */
  address?(request: IncomingMessage): string;
  /** Whether messages of 1 KiB to 256 KiB are compressed (permessage-deflate), a broadcast once for all members. Default false. */
  readonly compress?: boolean | undefined;
};

/** The part of the rooms that an upgrade uses. */
export interface UpgradeHost {
  readonly limits: Pick<Limits, 'messageBytes' | 'connectionsPerAddress'>;
  /** ms after which a client should try again; 0: it is accepted now. */
  retryAfterMs(): number;
  accept(socket: RoomSocket, admission: Admission & { readonly address: string }): void;
  readonly log: Pick<ThrottledLog, 'write'>;
  /** What is called when the rooms are closed. */
  readonly cleanUp: Set<() => void>;
}

interface WebSocketServer {
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    done: (socket: UpgradedSocket) => void,
  ): void;
}

const OPTIONS: OptionNames<AttachOptions> = {
  path: true,
  authorize: true,
  origins: true,
  address: true,
  compress: true,
};

/** The attached paths of each server: one listener handles all its upgrades. */
const PATHS = new WeakMap<Server, Map<string, UpgradeHandler>>();

/**
 * Accepts the upgrades of one path of a server. Returns a function that ends that; upgrades that wait for `authorize` are still decided, or
 * refused when the rooms are closed.
 *
 * @throws SNOW_ERR_NO_WS, SNOW_ERR_BAD_OPTION
 */
export function attach(server: Server, options: AttachOptions, host: UpgradeHost): () => void {
  checkOptionNames('attach', options, OPTIONS as OptionNames<AttachOptions>);
  if (typeof server?.on !== 'function')
    throw new SnowmeshError('SNOW_ERR_BAD_OPTION', 'attach takes an HTTP server of Node.js');
  const { path = '/rooms' } = options;
  if (typeof path !== 'string' || path[0] !== '/')
    throw new SnowmeshError('SNOW_ERR_BAD_OPTION', `option path is ${givenText(path)}; it must begin with /`);
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
  const handler = new UpgradeHandler(options, host);
  // Last, so that a failed attach does not change the server.
  const paths = PATHS.get(server) ?? listenTo(server);
  paths.set(path, handler);
  const detach = (): void => {
    if (paths.get(path) === handler) paths.delete(path);
    handler.detached(() => host.cleanUp.delete(close));
  };
  const close = (): void => {
    detach();
    handler.close();
  };
  host.cleanUp.add(close);
  return detach;
}

function listenTo(server: Server): Map<string, UpgradeHandler> {
  const paths = new Map<string, UpgradeHandler>();
  PATHS.set(server, paths);
  server.on('upgrade', (request, socket, head) => {
    const handler = paths.get((request.url ?? '').split('?', 1)[0] as string);
    if (handler !== undefined) handler.handle(request, socket, head);
    // Without another listener the connection would stay open.
    else if (server.listenerCount('upgrade') === 1)
      refuse(socket, { status: 404, reason: 'nothing is upgraded here' });
  });
  return paths;
}

class UpgradeHandler {
  readonly #options: AttachOptions;
  readonly #host: UpgradeHost;
  readonly #webSockets: WebSocketServer;
  readonly #byAddress = new Map<string, number>();
  /** The sockets whose upgrade is not decided. */
  readonly #undecided = new Set<Duplex>();
  #isClosed = false;
  #decided = (): void => {};

  constructor(options: AttachOptions, host: UpgradeHost) {
    this.#options = options;
    this.#host = host;
    this.#webSockets = webSocketServer(host.limits.messageBytes, options.compress ?? false);
  }

  /** No further upgrade comes. @param decided is called when none waits. */
  detached(decided: () => void): void {
    this.#decided = decided;
    if (this.#undecided.size === 0) decided();
  }

  close(): void {
    this.#isClosed = true;
    for (const socket of this.#undecided) refuse(socket, { status: 503, reason: 'the server stops' });
  }

  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', ignore);
    this.#undecided.add(socket);
    this.#admit(request, socket)
      .finally(() => {
        this.#undecided.delete(socket);
        if (this.#undecided.size === 0) this.#decided();
      })
      .then((decision) => {
        if (socket.destroyed || !socket.writable) return;
        const upgrade = (done: (webSocket: UpgradedSocket) => void): void => {
          socket.off('error', ignore);
          this.#webSockets.handleUpgrade(request, socket, head, done);
        };
        if (!('status' in decision)) return upgrade((webSocket) => this.#accept(webSocket, decision));
        const code = closeCodeOf(decision, request);
        if (code === undefined) refuse(socket, decision);
        else upgrade((webSocket) => closeRefused(webSocket, code, decision.reason));
      })
      .catch((error: unknown) => {
        if (this.#isClosed) return;
        this.#failed(error);
        refuse(socket, { status: 500, reason: 'authorize failed' });
      });
  }

  #accept(webSocket: RoomSocket, admission: Admission & { readonly address: string }): void {
    try {
      this.#host.accept(webSocket, admission);
    } catch (error) {
      this.#failed(error); // after the upgrade no HTTP response can be sent
      webSocket.close(CloseCode.crashed, 'not accepted');
    }
  }

  async #admit(
    request: IncomingMessage,
    socket: Duplex,
  ): Promise<(Admission & { readonly address: string }) | RefusedUpgrade> {
    const drains = this.#whileDraining();
    if (drains !== undefined) return drains;
    const { origin } = request.headers;
    if (origin !== undefined && !this.#isAllowed(origin, request))
      return { status: 403, reason: `pages of ${origin} may not connect` };
    const address = this.#options.address?.(request) ?? request.socket.remoteAddress ?? '';
    const { connectionsPerAddress: most } = this.#host.limits;
    const open = this.#openOf(address);
    if (most > 0 && open >= most)
      return { status: 429, reason: 'too many connections from this address', retryAfterMs: 10_000 };
    if (most > 0) {
      // It counts from now on: further requests may arrive while `authorize` runs.
      this.#byAddress.set(address, open + 1);
      socket.on('close', () => this.#closed(address));
    }
    const answer = await askAuthorize(this.#options, request);
    if ('status' in answer && answer.status !== undefined)
      return { status: answer.status, reason: answer.reason ?? 'not authorized' };
    return this.#whileDraining() ?? { ...answer, address }; // it may have begun meanwhile
  }

  #whileDraining(): RefusedUpgrade | undefined {
    const retryAfterMs = this.#host.retryAfterMs();
    return retryAfterMs > 0 ? { status: 503, reason: 'come back later', retryAfterMs } : undefined;
  }

  #isAllowed(origin: string, request: IncomingMessage): boolean {
    const { origins = 'same' } = this.#options;
    if (origins === '*') return true;
    if (typeof origins === 'function') return origins(origin, request) === true; // a promise is no answer
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

  #failed(err: unknown): void {
    this.#host.log.write('error', { event: 'rooms_authorize', err }, 'authorize failed for a WebSocket');
  }

  #closed(address: string): void {
    const open = this.#openOf(address) - 1;
    if (open > 0) this.#byAddress.set(address, open);
    else this.#byAddress.delete(address);
  }
}

function webSocketServer(messageBytes: number, compress: boolean): WebSocketServer {
  const { WebSocketServer: Made } = loadWs();
  return new Made({
    noServer: true,
    clientTracking: false,
    maxPayload: Math.max(messageBytes, MAX_RESUME_BYTES),
    maxFragments: MAX_FRAGMENTS,
    closeTimeout: LONGEST_CLOSE_MS, // also for what `ws` closes itself, and when the node has stopped
    handleProtocols: (offered: ReadonlySet<string>) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    // Without context takeover a compressed frame is the same for all receivers.
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
