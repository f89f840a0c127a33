import type { Runtime, Self } from '../actor/index.ts';
import { CloseCode, SUBPROTOCOL, type Welcome } from '../client/index.ts';
import { type ClientInput, parseClient, type SocketData } from './client-input.ts';
import { ClientRequests } from './client-requests.ts';
import { Connection } from './connection.ts';
import {
  ClientTask,
  type ConnectionHandler,
  endConnectionActor,
  startConnectionActor,
} from './connection-actor.ts';
import type { ConnectionFacts, ConnectionHost } from './connection-host.ts';
import { HelloDeadline } from './hello-deadline.ts';
import { type Limits, MAX_RESUME_BYTES } from './limits.ts';
import type { Membership } from './membership.ts';
import type { OutputBatch } from './output-batch.ts';
import { RateLimit, rateOf } from './rate-limit.ts';
import type { Resume } from './resume.ts';
import type { Room } from './room.ts';
import { contentOf, type Except } from './room-message.ts';
import type { RoomService } from './room-service.ts';
import { SessionSetup } from './session-setup.ts';
import { type CloseReason, listen } from './socket-events.ts';
import type { RoomSocket } from './socket-port.ts';

export interface ClientCounters {
  /** Messages that were dropped because a client reads too slowly. */
  dropped: number;
  /** Clients that were closed because they read too slowly. */
  closedSlow: number;
  /** Messages that clients sent again after the server had taken them. */
  repeats: number;
  /** Sessions that were resumed. */
  resumed: number;
  /** Rooms for which a client was told `resync`. */
  resyncs: number;
  /** Sockets that were closed because the client broke the protocol or a limit. */
  misbehaved: number;
}

export interface ClientsListener {
  /** Converts what a client sent to what the handler gets. If it throws, the message is refused. */
  parse(data: unknown): unknown;
  /** The times for the welcome of a client. */
  welcome(): Pick<Welcome, 'beatMs' | 'spreadMs'>;
  /** A client reads too slowly. @param dropped How many messages were dropped; 0: the connection is closed. */
  slow(connection: Connection, dropped: number): void;
  closed(connection: Connection, why: CloseReason): void;
  /** A connection has ended, or the actor of a closed one. */
  ended(): void;
}

/** The connections of this node, each from the accepted socket to its end. */
export class Clients implements ConnectionHost<Connection> {
  readonly output: OutputBatch;
  readonly membership: Membership;
  readonly limits: Limits;
  readonly counters: ClientCounters = {
    dropped: 0,
    closedSlow: 0,
    repeats: 0,
    resumed: 0,
    resyncs: 0,
    misbehaved: 0,
  };
  readonly #handler: ConnectionHandler;
  readonly #runtime: Runtime;
  readonly #service: RoomService;
  readonly #resume: Resume;
  readonly #sessionSetup: SessionSetup;
  readonly #requests: ClientRequests;
  readonly #listener: ClientsListener;
  readonly #all = new Set<Connection>();
  /** Closed connections whose actors have not ended. */
  readonly #finishing = new Set<Connection>();
  readonly #rate: RateLimit;
  readonly #helloDeadline: HelloDeadline;

  constructor(
    service: RoomService,
    resume: Resume,
    options: { readonly runtime: Runtime; readonly limits: Limits; readonly handler: ConnectionHandler },
    listener: ClientsListener,
  ) {
    this.output = service.output;
    this.membership = service.membership;
    this.limits = options.limits;
    this.#runtime = options.runtime;
    this.#handler = options.handler;
    this.#service = service;
    this.#rate = new RateLimit(options.limits.messagesPerSecond);
    this.#helloDeadline = new HelloDeadline(options.runtime, (connection) =>
      this.#violated(connection, 'no hello in time'),
    );
    this.#resume = resume;
    this.#listener = listener;
    const { messageBytes } = options.limits;
    const rate = rateOf(options.limits);
    this.#sessionSetup = new SessionSetup(service, resume, options, {
      joined: (connection, room) => this.joined(connection, room, 0),
      facts: () => ({ ...listener.welcome(), rate, messageBytes }),
      resumed: () => void this.counters.resumed++,
      resynced: () => void this.counters.resyncs++,
      failed: (room, err) =>
        options.runtime.throttledLog.write(
          'error',
          { event: 'rooms_join', err, room },
          'the handler join failed',
        ),
    });
    this.#requests = new ClientRequests(options, service.sessions, this.#sessionSetup, {
      parse: (data) => listener.parse(data),
      repeated: () => void this.counters.repeats++,
      violated: (connection, what) => this.#violated(connection, what),
    });
  }

  get size(): number {
    return this.#all.size;
  }

  get finishing(): number {
    return this.#finishing.size;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#all.values();
  }

  /** Accepts a socket. Without a hello in time it is closed with 1008. */
  accept(socket: RoomSocket, facts: Omit<ConnectionFacts, 'isPlain'>): Connection {
    const isPlain = socket.protocol !== SUBPROTOCOL;
    const connection = new Connection(this, socket, this.#service.signer.newSession(), { ...facts, isPlain });
    this.#all.add(connection);
    listen(socket, connection);
    if (isPlain) this.#open(connection, () => this.#sessionSetup.joinOwnRoom(connection));
    else this.#helloDeadline.start(connection);
    return connection;
  }

  received(connection: Connection, data: SocketData): void {
    const { isText, bytes } = data;
    if (bytes.length > this.limits.messageBytes && !mayBeLonger(connection, data))
      this.#violated(connection, 'too long', CloseCode.tooBig);
    else if (!this.#rate.take(connection, this.#runtime.now()))
      this.#violated(connection, 'too many messages');
    else if (connection.isPlain)
      this.#requests.handle(connection, isText ? bytes.toString() : Uint8Array.from(bytes), 0, bytes.length);
    else this.#input(connection, parseClient(data), bytes.length);
  }

  mailed(connection: Connection, message: unknown, self: Self): void | PromiseLike<void> {
    return message instanceof ClientTask
      ? message.run(connection, self)
      : this.#handler.mail?.(connection, message, self);
  }

  /** A peer says that it has a connection of a session. Unless the one here is newer, the session is handed over to the peer. */
  claimed(session: string, generation: number, origin: string): void {
    const { sessions } = this.#service;
    if (sessions.taken(session).generation >= generation) return; // its client did not know of the last resume
    const connection = sessions.connectionOf(session);
    const isOlder =
      connection === undefined ||
      connection.generation < generation ||
      // Both resumed from the same token: the connection of the greater origin stays.
      (connection.generation === generation && this.#service.table.origin < origin);
    if (isOlder) sessions.handOver(session);
  }

  /**
   * Tells the members of a room `resync`: they may have missed messages.
   *
   * @param corrected An origin whose sequences were reported too high: members remove it from their cursors.
   */
  gap(room: Room<Connection>, corrected?: string): void {
    this.output.distribute();
    for (const connection of room.members) {
      if (connection.isPlain) continue;
      this.counters.resyncs++;
      this.#resume.resync(connection, room, corrected);
    }
  }

  broadcast(from: Connection, room: string, message: unknown, except: Except): void {
    const cause = from.handling > 0 ? ([from.id, from.handling] as const) : null;
    this.#service.broadcaster.broadcast(room, contentOf(message), except, cause);
  }

  track(connection: Connection, room: string, meta: unknown): void {
    this.#service.presence.track(connection, room, meta);
  }

  untrack(connection: Connection, room: string): boolean {
    return this.#service.presence.untrack(connection, room);
  }

  joined(connection: Connection, room: Room<Connection>, ref: number): void {
    if (connection.isPlain) return;
    // First queue the earlier messages of the room: the cursor counts them as received.
    this.output.distribute();
    const cursor = room.ring.cursor();
    const ticket = this.#service.signer.ticket(connection.id, room.name, cursor);
    connection.notify(['joined', ref, room.name, ticket, cursor]);
  }

  // While messages are being put into send buffers, no listener of a user may run: what it broadcasts would overtake the rest of them, and
  // members would take that for repeats.
  dropped(connection: Connection, count: number): void {
    this.counters.dropped += count;
    queueMicrotask(() => this.#listener.slow(connection, count));
  }

  tooSlow(connection: Connection): void {
    this.counters.closedSlow++;
    queueMicrotask(() => {
      this.#listener.slow(connection, 0);
      connection.close(CloseCode.tryLater, 'too slow');
    });
  }

  broken(): void {
    this.counters.misbehaved++;
  }

  after(ms: number, action: () => void): () => void {
    return this.#runtime.after(ms, action);
  }

  actorEnded(connection: Connection): void {
    this.#finishing.delete(connection);
    this.#service.sessions.actorEnded(connection);
    this.#listener.ended();
  }

  ended(connection: Connection, why: CloseReason): void {
    this.#all.delete(connection);
    this.#helloDeadline.stop(connection);
    const mayReturn = !connection.isPlain && connection.actor !== undefined;
    this.#service.sessions.closed(connection.id, connection);
    if (endConnectionActor(this.#runtime, connection, this.#handler, why)) this.#finishing.add(connection);
    this.#listener.closed(connection, why);
    this.#service.presence.ended(connection);
    this.membership.leaveAll(connection, mayReturn);
    this.#listener.ended();
  }

  #input(connection: Connection, input: ClientInput, bytes: number): void {
    if (typeof input === 'string') return this.#violated(connection, input);
    if (connection.actor !== undefined) return this.#requests.request(connection, input, bytes);
    if (input[0] !== 'hello') return this.#violated(connection, 'something before its hello');
    this.#helloDeadline.stop(connection);
    const [, token, rooms, isFork, awayMs] = input;
    this.#open(connection, () => this.#sessionSetup.answer(connection, token, rooms, isFork, awayMs));
  }

  #open(connection: Connection, setUp: () => void | Promise<void>): void {
    startConnectionActor(this.#runtime, connection, this.#handler, setUp);
  }

  #violated(connection: Connection, what: string, code: number = CloseCode.policy): void {
    if (!connection.isOpen) return;
    this.counters.misbehaved++;
    connection.close(code, what);
  }
}

/** Whether a message names rooms, and is no longer than such a message may be: a client cannot shorten it. */
function mayBeLonger({ isPlain }: Connection, { isText, bytes }: SocketData): boolean {
  if (isPlain || !isText || bytes.length > MAX_RESUME_BYTES) return false;
  return /^\["(?:hello|resume|join|leave|beat)"/.test(bytes.toString('latin1', 0, 10));
}
