import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { inspect } from 'node:util';
import { badArgument, checkHost, SnowmeshError } from '../errors/index.ts';
import type { OptionsFor } from './authorization.ts';
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
import { emit, type RoomsEvents, type RoomsStats } from './rooms-events.ts';
import type { RoomSocket } from './socket-port.ts';
import { type AttachOptions, attach } from './upgrade.ts';

/**
 * The WebSocket connections of this node and the rooms of its cluster. Made by {@link createRooms}.
 *
 * A broadcast is sent to each node once. Each member gets every broadcast of one node once, in order; there is no order between broadcasts
 * of different nodes.
 */
export class Rooms<User = unknown, In = unknown, Out = unknown> extends EventEmitter<RoomsEvents<User, Out>> {
  readonly #host: RoomsHost;
  readonly #service: RoomService;
  readonly #clients: Clients;
  readonly #heartbeat: Heartbeat;
  readonly #drain: Drain;
  readonly #cleanUp = new Set<() => void>();

  /** @internal Use {@link createRooms}. */
  constructor(host: RoomsHost, options: RoomsOptions<User, In, Out>) {
    super();
    checkHost('createRooms', host);
    const { limits, resume, heartbeat } = checkOptions(options as RoomsOptions);
    const { runtime } = host;
    this.#host = host;
    const events = this as unknown as EventEmitter<RoomsEvents>; // for code that does not know `User`
    this.#service = new RoomService(
      host,
      { limits, resume, bridge: options.bridge },
      {
        bridged: (isUp, why) => emit(runtime, events, 'bridge', isUp, why),
        gap: (room, corrected) => this.#clients.gap(room, corrected),
        claimed: (session, generation, origin) => this.#clients.claimed(session, generation, origin),
      },
    );
    this.#clients = new Clients(
      this.#service,
      new Resume(this.#service, resume.windowMs),
      { runtime, limits, handler: options as RoomsOptions },
      {
        parse: (data) => (options.parse === undefined ? data : options.parse(data)),
        welcome: () => ({ beatMs: heartbeat.intervalMs, spreadMs: spreadOf(this.#clients.size) }),
        slow: (connection, dropped) => emit(runtime, events, 'slow', connection, dropped),
        closed: (connection, why) => emit(runtime, events, 'close', connection, why),
        ended: () => this.#drain.ended(),
      },
    );
    this.#heartbeat = new Heartbeat(runtime, this.#clients, heartbeat.intervalMs);
    this.#drain = new Drain(runtime, this.#clients);
    this.#service.bridging?.open();
    this.#cleanUp.add(runtime.onStop(() => this.close()));
  }

  /**
   * Accepts a socket: the server's end of a WebSocket, of any library. Starts an actor for it, which ends with the socket. After `drain` it is closed with 1012.
   *
   * @param socket an object with `send` and `close`; its messages are read by `on` or `addEventListener`. If its protocol is not
   * `snowmesh.rooms.1`, the client gets payloads without envelope and cannot resume.
   * @returns the connection; with the subprotocol it has no actor until the client has sent its hello.
   * @throws SNOW_ERR_NOT_ALIVE after `close`; SNOW_ERR_BAD_OPTION when `socket` is not a socket or an option is unknown; SNOW_ERR_BAD_NAME for
   * an invalid key; SNOW_ERR_BAD_ARGUMENT for an address that is not a string.
   * @example
   * const connection = rooms.accept(webSocket, { key: 'alice' });
   */
  accept(socket: RoomSocket, ...[given]: OptionsFor<User, AcceptOptions<User>>): Connection<User, Out> {
    this.#mustBeOpen('accept');
    if (typeof socket?.send !== 'function' || typeof socket.close !== 'function')
      throw new SnowmeshError('SNOW_ERR_BAD_OPTION', 'accept takes a socket with send and close');
    const options = (given === undefined ? {} : given) as AcceptOptions;
    checkAccept(options);
    const { key, user, address } = options;
    return this.#drain.accepted(this.#clients.accept(socket, { key, user, address })) as Connection<
      User,
      Out
    >;
  }

  /**
   * Accepts the WebSockets of one path of an HTTP server of `node:http`, which Express, Fastify, Hono and others use. Upgrades of other paths
   * are not touched. Needs the package `ws`.
   *
   * @param server the return value of `http.createServer`, or the server of the framework.
   * @returns a function that detaches the path; open connections stay.
   * @throws SNOW_ERR_NO_WS when the package `ws` is not installed; SNOW_ERR_BAD_OPTION, also when rooms are attached to the path already;
   * SNOW_ERR_NOT_ALIVE after `close`.
   * @example
   * rooms.attach(server, { path: '/rooms', authorize: async (request) => ({ key: await userOf(request) }) });
   */
  attach(server: Server, ...[options]: OptionsFor<User, AttachOptions<User>>): () => void {
    this.#mustBeOpen('attach');
    return attach(server, (options === undefined ? {} : options) as AttachOptions, {
      limits: this.#clients.limits,
      retryAfterMs: () => this.#drain.retryAfterMs,
      accept: (socket, { key, user, address }) => void (this as Rooms).accept(socket, { key, user, address }),
      log: this.#host.runtime.throttledLog,
      cleanUp: this.#cleanUp,
    });
  }

  /**
   * Closes every connection with code 1012, one after the other over some time, so that the clients do not reconnect all at once. They resume
   * on other nodes, or here after a restart. New connections are refused with status 503, those of `accept` with code 1012.
   *
   * @param options.over ms until the last connection is closed; default 10 000. @param options.to where clients reconnect; default: their URLs.
   * @returns resolves when all are closed, and their handlers finished with what clients sent, or killed after 5 s. Later calls return it, too.
   * @throws SNOW_ERR_BAD_OPTION.
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
   * Sends a message to every member of a room, on every node. Strings and bytes arrive unchanged, any other value as JSON. A peer whose queue is
   * full fetches the message later, as long as it is kept. O(members here + nodes with members).
   *
   * @param room 1 to 255 bytes of text. If the room has no members, the message is dropped.
   * @throws SNOW_ERR_BAD_NAME for an invalid room name; SNOW_ERR_UNSENDABLE for a value that JSON cannot represent; SNOW_ERR_TOO_LARGE;
   * SNOW_ERR_NOT_ALIVE after `close`.
   * @example
   * rooms.broadcast('lobby', { text: 'hello' });
   */
  broadcast(room: string, message: Out): void {
    this.#broadcast(mustBeRoom(room), message, []);
  }

  /**
   * `broadcast`, except to one connection, or to all connections of a user, on any node.
   *
   * @param options.connection a connection or its id. @param options.key a user.
   * @throws as `broadcast`; SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_ARGUMENT for wrong options.
   * @example
   * rooms.broadcastExcept('lobby', { typing: true }, { key: 'alice' });
   */
  broadcastExcept(room: string, message: Out, options: ExceptOptions): void {
    this.#broadcast(mustBeRoom(room), message, exceptOf(options));
  }

  /**
   * Sends a message to the members of a room on this node only. It is not kept for clients that reconnect. O(members here).
   *
   * @throws as `broadcast`
   * @example
   * rooms.broadcastLocal('lobby', { notice: 'this server restarts soon' });
   */
  broadcastLocal(room: string, message: Out): void {
    this.#mustBeOpen('broadcastLocal');
    this.#service.broadcaster.broadcastLocal(mustBeRoom(room), contentOf(message), []);
  }

  /**
   * Sends a message to the members of a room on one node only. It is not kept for clients that reconnect.
   *
   * @param node the full name of a node, also of this one.
   * @returns false: the node is not connected, has no rooms, or its queue is full; the message is dropped.
   * @throws as `broadcast`; SNOW_ERR_BAD_ARGUMENT when `node` is not a string.
   * @example
   * rooms.broadcastOn('shop@10.0.0.2:9000', 'lobby', { text: 'hello' });
   */
  broadcastOn(node: string, room: string, message: Out): boolean {
    this.#mustBeOpen('broadcastOn');
    if (typeof node !== 'string') throw badArgument('broadcastOn', 'the name of a node', node);
    mustBeRoom(room);
    const content = contentOf(message);
    if (node === this.#host.name) {
      this.#service.broadcaster.broadcastLocal(room, content, []);
      return true;
    }
    const side = this.#service.peers.named(node);
    return side !== undefined && this.#service.broadcaster.broadcastTo(side, room, content, []);
  }

  /**
   * Sends a message to every connection of a user, on every node. It is kept for clients that reconnect, like a broadcast.
   *
   * @param key the user, as `authorize` or `accept` named it.
   * @throws SNOW_ERR_BAD_NAME for an invalid key; otherwise as `broadcast`.
   * @example
   * rooms.sendTo('alice', { text: 'you won' });
   */
  sendTo(key: string, message: Out): void {
    this.#broadcast(keyRoom(key), message, []);
  }

  /** The members of a room on this node. O(members). @throws SNOW_ERR_BAD_NAME */
  localMembers(room: string): Connection<User, Out>[] {
    return [...(this.#service.table.get(mustBeRoom(room))?.members ?? [])] as Connection<User, Out>[];
  }

  /**
   * The number of members of a room on this node (`local`) and on all nodes (`all`). Changes on other nodes arrive about 100 ms later.
   * O(nodes with members). @throws SNOW_ERR_BAD_NAME
   */
  members(room: string): { readonly local: number; readonly all: number } {
    const local = this.#service.table.get(mustBeRoom(room))?.members.size ?? 0;
    return { local, all: this.#service.count(room) };
  }

  /**
   * The presence of a room on all nodes: the connections that were tracked, grouped by key. A user with three tabs is one entry with three metas.
   * Members of the room that use the client get every change.
   *
   * @throws SNOW_ERR_BAD_NAME
   * @example
   * rooms.presence('lobby').onDiff(({ joins, leaves }) => console.log(joins, leaves));
   */
  presence(room: string): Presence {
    return this.#service.presence.of(mustBeRoom(room));
  }

  /** All connections of this node. */
  connections(): IterableIterator<Connection<User, Out>> {
    return this.#clients[Symbol.iterator]() as IterableIterator<Connection<User, Out>>;
  }

  /** The current figures. O(1). */
  stats(): RoomsStats {
    return {
      connections: this.#clients.size,
      rooms: this.#service.table.size,
      refusedByPeers: this.#service.broadcaster.refused,
      bridge: this.#service.bridging?.stats,
      ...this.#clients.counters,
    };
  }

  /** @internal What `console.log` prints. */
  [inspect.custom](): string {
    return `Rooms ${inspect(this.stats())}`;
  }

  /**
   * Closes every connection with code 1001, hands over kept messages, and leaves the rooms of the cluster. After that other methods throw
   * SNOW_ERR_NOT_ALIVE. When its node stops, this happens after the supervision trees have ended. O(connections + kept messages).
   */
  close(): void {
    if (this.#service.isClosed) return;
    for (const each of this.#cleanUp) each();
    this.#heartbeat.close();
    for (const connection of [...this.#clients]) connection.close(1001, 'the server stops');
    this.#service.close();
  }

  #broadcast(room: string, message: unknown, except: Except): void {
    this.#mustBeOpen('broadcast');
    this.#service.broadcaster.broadcast(room, contentOf(message), except, null);
  }

  #mustBeOpen(what: string): void {
    if (this.#service.isClosed)
      throw new SnowmeshError('SNOW_ERR_NOT_ALIVE', `${what}: the rooms of this node were closed`);
  }
}

/**
 * Starts rooms on a node. Every node that has members or broadcasts must start them. On a node without a name each call gives rooms of its own.
 *
 * @param node the return value of `startNode`.
 * @param options the callbacks for clients, and limits. `In` is what clients send, as `parse` makes it, `Out` what they are sent.
 * @throws SNOW_ERR_BAD_OPTION for an unknown option or a wrong value; SNOW_ERR_ALREADY_STARTED when rooms are open on this node.
 * @example
 * const rooms = createRooms(node, {
 *   join: () => true,
 *   message: (connection, text) => connection.broadcast('lobby', text),
 * });
 * rooms.attach(httpServer, { path: '/rooms' });
 */
export function createRooms<User = unknown, In = unknown, Out = unknown>(
  node: RoomsHost,
  options: RoomsOptions<User, In, Out> = {},
): Rooms<User, In, Out> {
  return new Rooms(node, options);
}
