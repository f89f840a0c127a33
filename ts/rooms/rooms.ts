import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { inspect } from 'node:util';
import { badArgument, checkHost, SnowmeshError } from '../errors/index.ts';
import { Clients } from './clients.ts';
import type { Connection } from './connection.ts';
import { Drain, type DrainOptions, spreadOf } from './drain.ts';
import { Heartbeat } from './heartbeat.ts';
import {
  type AcceptOptions,
  checkAccept,
  checkOptions,
  type ExceptOptions,
  exceptOf,
  type RoomsOptions,
} from './options.ts';
import type { Presence } from './presence.ts';
import { Resume } from './resume.ts';
import { keyRoom, mustBeRoom } from './room.ts';
import { contentOf, type Except } from './room-message.ts';
import { RoomService, type RoomsHost } from './room-service.ts';
import type { RoomsEvents, RoomsStats } from './rooms-events.ts';
import type { RoomSocket } from './socket-port.ts';
import { type AttachOptions, attach } from './upgrade.ts';

/**
 * The WebSocket connections of this node and the rooms of its cluster. Made by {@link createRooms}.
 *
 * A broadcast crosses to each node once. What one node broadcasts reaches each member once and in that order; between broadcasts of
 * different nodes there is no order.
 */
export class Rooms<User = unknown, In = unknown> extends EventEmitter<RoomsEvents> {
  readonly #host: RoomsHost;
  readonly #service: RoomService;
  readonly #clients: Clients;
  readonly #heartbeat: Heartbeat;
  readonly #drain: Drain;
  readonly #messageBytes: number;
  readonly #connectionsPerAddress: number;
  readonly #detach: (() => void)[] = [];

  /** @internal Use {@link createRooms}. */
  constructor(host: RoomsHost, options: RoomsOptions<User, In>) {
    super();
    checkHost('createRooms', host);
    const { limits, resume, heartbeat } = checkOptions(options as RoomsOptions);
    const { runtime } = host;
    this.#host = host;
    this.#service = new RoomService(
      host,
      { limits, resume, bridge: options.bridge },
      {
        bridged: (isUp, why) => this.#bridged(isUp, why),
        gap: (room, corrected) => this.#clients.gap(room, corrected),
        claimed: (session, generation, origin) => this.#clients.claimed(session, generation, origin),
        replaced: () => this.close(),
      },
    );
    this.#clients = new Clients(
      this.#service,
      new Resume(this.#service, resume.windowMs),
      { runtime, limits, handler: options as RoomsOptions },
      {
        parse: (data) => (options.parse === undefined ? data : options.parse(data)),
        welcome: () => ({ beatMs: heartbeat.intervalMs, spreadMs: spreadOf(this.#clients.size) }),
        slow: (connection, dropped) => void this.emit('slow', connection, dropped),
        closed: (connection, why) => void this.emit('close', connection, why),
      },
    );
    this.#heartbeat = new Heartbeat(runtime, this.#clients, heartbeat.intervalMs);
    this.#drain = new Drain(runtime, this.#clients);
    this.#messageBytes = limits.messageBytes;
    this.#connectionsPerAddress = limits.connectionsPerAddress;
    this.#service.bridging?.open();
  }

  /**
   * Takes a socket in: a server's end of a WebSocket, of any library. Its actor starts, and ends with the socket.
   *
   * @param socket anything with `send` and `close`; its messages come by `on` or `addEventListener`. One that did not agree on
   * the subprotocol `snowmesh.rooms.1` gets payloads as they are.
   * @throws SNOW_ERR_NOT_ALIVE after `close`; SNOW_ERR_BAD_OPTION for what is no socket; SNOW_ERR_BAD_ARGUMENT; SNOW_ERR_BAD_NAME for a key of no or more than
   * 254 bytes.
   */
  accept(socket: RoomSocket, options: AcceptOptions<User> = {}): Connection<User> {
    this.#mustBeOpen('accept');
    if (typeof socket?.send !== 'function' || typeof socket.close !== 'function')
      throw new SnowmeshError('SNOW_ERR_BAD_OPTION', 'accept takes a socket with send and close');
    checkAccept(options);
    const { key, user, address } = options;
    return this.#clients.accept(socket, { key, user, address }) as Connection<User>;
  }

  /**
   * Takes the WebSockets of one path of an HTTP server: of `node:http`, and so of Express, Fastify, Hono and others that stand on it. Other
   * upgrades are left alone. Needs the package `ws`.
   *
   * @param server what `http.createServer` gave, or the framework's server.
   * @returns what gives the path back; open connections stay.
   * @throws SNOW_ERR_NO_WS; SNOW_ERR_BAD_OPTION, also when the path is taken; SNOW_ERR_NOT_ALIVE after `close`.
   * @example
   * rooms.attach(server, { path: '/rooms', authorize: async (request) => ({ key: await userOf(request) }) });
   */
  attach(server: Server, options: AttachOptions<User> = {}): () => void {
    this.#mustBeOpen('attach');
    const detach = attach(server, options, {
      messageBytes: this.#messageBytes,
      connectionsPerAddress: this.#connectionsPerAddress,
      retryAfterMs: () => this.#drain.retryAfterMs,
      accept: (socket, { key, user, address }) =>
        void this.accept(socket, { key, user, address } as AcceptOptions<User>),
      failed: (err) =>
        this.#host.runtime.logger.error(
          { event: 'rooms_authorize', err },
          'authorize failed for a WebSocket',
        ),
    });
    this.#detach.push(detach);
    return detach;
  }

  /**
   * Sends every client away, one after the other: with 1012, spread over a time, so that they do not come back all at once. They resume on
   * other nodes, or here after a restart. New ones are refused with 503.
   *
   * @param options.over ms; default 10 000. @param options.to the URL where they should go; default: where they came from.
   * @returns resolves when the last one is gone.
   * @example
   * process.on('SIGTERM', async () => {
   *   await rooms.drain({ over: 10_000 });
   *   await node.stop();
   * });
   */
  drain(options: DrainOptions = {}): Promise<void> {
    return this.#drain.start(options);
  }

  /**
   * Sends to every member of a room on every node, each gets it once. Text and bytes arrive as they are, anything else as JSON. What a peer
   * does not take now, because too much waits for it, it gets later, as long as it is kept. O(members here + nodes with members).
   *
   * @param room 1 to 255 bytes of text; a room without members gets nothing.
   * @throws SNOW_ERR_BAD_NAME; SNOW_ERR_UNSENDABLE for what JSON cannot say; SNOW_ERR_TOO_LARGE.
   * @example
   * rooms.broadcast('lobby', { text: 'hello' });
   */
  broadcast(room: string, message: unknown): void {
    this.#broadcast(mustBeRoom(room), message, []);
  }

  /**
   * `broadcast`, but not to one connection, or to no connection of a user, wherever they are.
   *
   * @throws as `broadcast`
   * @example
   * rooms.broadcastExcept('lobby', { typing: true }, { key: 'alice' });
   */
  broadcastExcept(room: string, message: unknown, options: ExceptOptions): void {
    this.#broadcast(mustBeRoom(room), message, exceptOf(options));
  }

  /** Sends to the members on this node only. It is not kept for a resume. @throws as `broadcast` */
  broadcastLocal(room: string, message: unknown): void {
    this.#mustBeOpen('broadcastLocal');
    this.#service.casting.here(mustBeRoom(room), contentOf(message), []);
  }

  /**
   * Sends to the members on one node only. It is not kept for a resume.
   *
   * @param node its full name; our own is fine.
   * @returns false: it is not connected, has no rooms, or too much waits for it.
   * @throws as `broadcast`
   */
  broadcastOn(node: string, room: string, message: unknown): boolean {
    this.#mustBeOpen('broadcastOn');
    if (typeof node !== 'string') throw badArgument('broadcastOn', 'the name of a node', node);
    mustBeRoom(room);
    const content = contentOf(message);
    if (node === this.#host.name) {
      this.#service.casting.here(room, content, []);
      return true;
    }
    const side = this.#service.peers.named(node);
    return side !== undefined && this.#service.casting.at(side, room, content, []);
  }

  /**
   * Sends to every connection of a user on every node. It is kept for a resume, as what is broadcast in rooms.
   *
   * @throws SNOW_ERR_BAD_NAME for what is no key; SNOW_ERR_UNSENDABLE; SNOW_ERR_TOO_LARGE.
   */
  sendTo(key: string, message: unknown): void {
    this.#broadcast(keyRoom(key), message, []);
  }

  /** The members on this node. O(members). @throws SNOW_ERR_BAD_NAME */
  localMembers(room: string): Connection<User>[] {
    return [...(this.#service.table.get(mustBeRoom(room))?.members ?? [])] as Connection<User>[];
  }

  /** How many members a room has on this node, and on all nodes: other nodes tell their numbers about 100 ms later. @throws SNOW_ERR_BAD_NAME */
  members(room: string): { readonly local: number; readonly all: number } {
    const local = this.#service.table.get(mustBeRoom(room))?.members.size ?? 0;
    return { local, all: this.#service.count(room) };
  }

  /**
   * The presence of a room on all nodes: connections that were tracked, by key. A user with three tabs is there once, with three metas. Members of
   * the room that use the client are told of every change.
   *
   * @throws SNOW_ERR_BAD_NAME
   * @example
   * rooms.presence('lobby').onDiff(({ joins, leaves }) => console.log(joins, leaves));
   */
  presence(room: string): Presence {
    return this.#service.presence.of(mustBeRoom(room));
  }

  /** The connections of this node. */
  connections(): IterableIterator<Connection<User>> {
    return this.#clients[Symbol.iterator]() as IterableIterator<Connection<User>>;
  }

  /** Figures of the moment. O(1). */
  stats(): RoomsStats {
    return {
      connections: this.#clients.size,
      rooms: this.#service.table.size,
      refusedByPeers: this.#service.casting.refused,
      bridge: this.#service.bridging?.stats,
      ...this.#clients.counters,
    };
  }

  /** @internal What `console.log` prints. */
  [inspect.custom](): string {
    return `Rooms ${inspect(this.stats())}`;
  }

  /** Closes every connection with 1001 and takes part no more. */
  close(): void {
    if (this.#service.isClosed) return;
    for (const detach of this.#detach) detach();
    this.#heartbeat.close();
    for (const connection of [...this.#clients]) connection.close(1001, 'the server stops');
    this.#service.close();
  }

  #broadcast(room: string, message: unknown, except: Except): void {
    this.#mustBeOpen('broadcast');
    this.#service.casting.everywhere(room, contentOf(message), except, null);
  }

  #bridged(isUp: boolean, why: string): void {
    const { logger } = this.#host.runtime;
    const what = 'the bridge of rooms to other clusters is';
    if (isUp) logger.info({ event: 'rooms_bridge_up' }, `${what} up`);
    else logger.warn({ event: 'rooms_bridge_down', why }, `${what} down: ${why}`);
    this.emit('bridge', isUp, why);
  }

  #mustBeOpen(what: string): void {
    if (this.#service.isClosed)
      throw new SnowmeshError('SNOW_ERR_NOT_ALIVE', `${what}: rooms were closed on this node`);
  }
}

/**
 * Starts rooms on a node. Each node that is to take part starts them; on a node without a name all is local. On a node with a name this
 * closes what was created before.
 *
 * @param node what `startNode` returned.
 * @throws SNOW_ERR_BAD_OPTION
 * @example
 * const rooms = createRooms(node, {
 *   join: () => true,
 *   message: (connection, text) => connection.broadcast('lobby', text),
 * });
 * rooms.attach(httpServer, { path: '/rooms' });
 */
export function createRooms<User = unknown, In = unknown>(
  node: RoomsHost,
  options: RoomsOptions<User, In> = {},
): Rooms<User, In> {
  return new Rooms(node, options);
}
