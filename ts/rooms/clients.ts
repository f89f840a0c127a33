// The connections of this node: from the accepted socket to its end, and what a client asks for in between.
import type { Runtime, Self } from '../actor/index.ts';
import { CloseCode, KEY_ROOM, SUBPROTOCOL, type Welcome } from '../client/index.ts';
import { cellOf } from '../kernel/index.ts';
import { type ClientInput, parseClient, type SocketData } from './client-input.ts';
import { Connection, type ConnectionFacts } from './connection.ts';
import {
  ClientTurn,
  type ConnectionHandler,
  endConnectionActor,
  startConnectionActor,
} from './connection-actor.ts';
import type { ConnectionHost } from './connection-host.ts';
import { Greeting } from './greeting.ts';
import { HelloDeadline } from './hello-deadline.ts';
import type { Limits } from './limits.ts';
import type { Membership } from './membership.ts';
import { RateLimit } from './rate-limit.ts';
import type { Resume } from './resume.ts';
import type { Room } from './room.ts';
import { contentOf, type Except } from './room-message.ts';
import type { RoomService } from './room-service.ts';
import { type CloseReason, listen } from './socket-events.ts';
import type { RoomSocket } from './socket-port.ts';
import type { Turn } from './turn.ts';

export interface ClientCounters {
  /** Messages dropped for clients that read too slowly. */
  dropped: number;
  /** Clients closed for that. */
  closedSlow: number;
  /** Messages that clients sent again although they had been taken. */
  repeats: number;
  /** Sessions that went on. */
  resumed: number;
  /** Rooms that could not be resumed without a gap. */
  resyncs: number;
  /** Sockets closed because their client broke the protocol or a limit. */
  misbehaved: number;
}

/** What follows from the doings of clients elsewhere. */
export interface ClientsListener {
  /** What a client sent, as the handler gets it. A throw refuses it. */
  parse(data: unknown): unknown;
  welcome(): Pick<Welcome, 'beatMs' | 'spreadMs'>;
  slow(connection: Connection, dropped: number): void;
  closed(connection: Connection, why: CloseReason): void;
}

export class Clients implements ConnectionHost<Connection> {
  readonly turn: Turn;
  readonly membership: Membership;
  readonly limits: Limits;
  readonly #handler: ConnectionHandler;
  readonly counters: ClientCounters = {
    dropped: 0,
    closedSlow: 0,
    repeats: 0,
    resumed: 0,
    resyncs: 0,
    misbehaved: 0,
  };
  readonly #runtime: Runtime;
  readonly #service: RoomService;
  readonly #resume: Resume;
  readonly #greeting: Greeting;
  readonly #listener: ClientsListener;
  readonly #all = new Set<Connection>();
  readonly #rate: RateLimit;
  readonly #helloDeadline: HelloDeadline;

  constructor(
    service: RoomService,
    resume: Resume,
    options: { readonly runtime: Runtime; readonly limits: Limits; readonly handler: ConnectionHandler },
    listener: ClientsListener,
  ) {
    this.turn = service.turn;
    this.membership = service.membership;
    this.limits = options.limits;
    this.#runtime = options.runtime;
    this.#handler = options.handler;
    this.#service = service;
    this.#rate = new RateLimit(options.limits.messagesPerSecond);
    this.#helloDeadline = new HelloDeadline(options.runtime, (connection) =>
      this.#misbehaved(connection, 'no hello in time'),
    );
    this.#resume = resume;
    this.#listener = listener;
    this.#greeting = new Greeting(service, resume, options, {
      facts: () => listener.welcome(),
      resumed: () => void this.counters.resumed++,
      resynced: () => void this.counters.resyncs++,
    });
  }

  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#all.values();
  }

  /** Takes a socket in. It is closed with 1008 when it says no hello in time. */
  accept(socket: RoomSocket, facts: Omit<ConnectionFacts, 'isPlain'>): Connection {
    const isPlain = socket.protocol !== SUBPROTOCOL;
    const connection = new Connection(this, socket, this.#service.signer.newSession(), { ...facts, isPlain });
    this.#all.add(connection);
    listen(socket, connection);
    if (isPlain) this.#open(connection, () => this.#greeting.joinOwnRoom(connection));
    else this.#helloDeadline.start(connection);
    return connection;
  }

  received(connection: Connection, data: SocketData): void {
    if (data.bytes.length > this.limits.messageBytes)
      this.#misbehaved(connection, 'too long', CloseCode.tooBig);
    else if (!this.#rate.take(connection, this.#runtime.now()))
      this.#misbehaved(connection, 'too many messages');
    else if (connection.isPlain) this.#plainMessage(connection, data);
    else this.#input(connection, data);
  }

  mailed(connection: Connection, message: unknown, self: Self): void | PromiseLike<void> {
    return message instanceof ClientTurn
      ? message.run(connection, self)
      : this.#handler.mail?.(connection, message, self);
  }

  /** A peer has a newer connection of a session. */
  claimed(session: string, generation: number, origin: string): void {
    const connection = this.#service.sessions.connectionOf(session);
    if (connection === undefined) return;
    const isOlder =
      connection.generation < generation ||
      // Both came from the same token: one of them stays.
      (connection.generation === generation && this.#service.table.origin < origin);
    if (isOlder) connection.close(CloseCode.resumedElsewhere, 'resumed elsewhere');
  }

  /** Members of a room may have missed something. @param corrected what they have seen of this origin never was. */
  gap(room: Room<Connection>, corrected?: string): void {
    this.turn.settle();
    for (const connection of room.members) {
      if (connection.isPlain) continue;
      this.counters.resyncs++;
      this.#resume.resync(connection, room, corrected);
    }
  }

  broadcast(from: Connection, room: string, message: unknown, except: Except): void {
    const cause = from.handling > 0 ? ([from.id, from.handling] as const) : null;
    this.#service.casting.everywhere(room, contentOf(message), except, cause);
  }

  track(connection: Connection, room: string, meta: unknown): void {
    this.#service.presence.track(connection, room, meta);
  }

  untrack(connection: Connection, room: string): boolean {
    return this.#service.presence.untrack(connection, room);
  }

  joined(connection: Connection, room: Room<Connection>, ref: number): void {
    if (connection.isPlain) return;
    // What is queued for the room comes before: the cursor counts it as seen.
    this.turn.settle();
    const cursor = room.ring.cursor();
    const ticket = this.#service.signer.ticket(connection.id, room.name, cursor);
    connection.notify(['joined', ref, room.name, ticket, cursor]);
    this.#service.presence.show(connection, room.name);
  }

  dropped(connection: Connection, count: number): void {
    this.counters.dropped += count;
    this.#listener.slow(connection, count);
  }

  tooSlow(connection: Connection): void {
    this.counters.closedSlow++;
    this.#listener.slow(connection, 0);
    // Its socket takes nothing any more, so no closing handshake ends either.
    connection.close(CloseCode.tryLater, 'too slow');
    this.#runtime.after(1000, () => connection.terminate({ code: CloseCode.tryLater, reason: 'too slow' }));
  }

  ended(connection: Connection, why: CloseReason): void {
    this.#all.delete(connection);
    this.#helloDeadline.stop(connection);
    const mayReturn = !connection.isPlain && connection.actor !== undefined;
    this.#service.sessions.closed(connection.id, connection);
    this.#listener.closed(connection, why);
    this.#service.presence.ended(connection);
    this.membership.leaveAll(connection, mayReturn);
    endConnectionActor(this.#runtime, connection, this.#handler, why);
  }

  #plainMessage(connection: Connection, { isText, bytes }: SocketData): void {
    this.#handle(connection, isText ? bytes.toString() : Uint8Array.from(bytes), 0);
  }

  #input(connection: Connection, data: SocketData): void {
    const input: ClientInput = parseClient(data, this.limits.rooms);
    if (typeof input === 'string') return this.#misbehaved(connection, input);
    if (connection.actor === undefined) {
      if (input[0] !== 'hello') return this.#misbehaved(connection, 'something before its hello');
      this.#helloDeadline.stop(connection);
      const [, token, rooms, isFork, awayMs] = input;
      return this.#open(connection, () => this.#greeting.answer(connection, token, rooms, isFork, awayMs));
    }
    switch (input[0]) {
      case 'hello':
        return this.#misbehaved(connection, 'a second hello');
      case 'resume': {
        const [, rooms] = input;
        return this.#enqueue(connection, () => this.#greeting.resume(connection, rooms));
      }
      case 'beat':
        return connection.notify(['beat']);
      case 'send': {
        const [, number, payload] = input;
        if (number > 0 && !this.#service.sessions.take(connection.id, number)) {
          this.counters.repeats++;
          return connection.notify(['ack', number]);
        }
        return this.#handle(connection, payload, number);
      }
      case 'join': {
        const [, ref, room] = input;
        return this.#enqueue(connection, () => this.#join(connection, ref, room));
      }
      case 'leave': {
        const [, ref, room] = input;
        return this.#enqueue(connection, () => void connection.leaveAnswering(room, ref));
      }
    }
  }

  /** The handler gets what the client sent, in its turn. */
  #handle(connection: Connection, payload: unknown, number: number): void {
    this.#enqueue(connection, async (self) => {
      let data: unknown;
      try {
        data = this.#listener.parse(payload);
      } catch (error) {
        connection.notify(['refused', number, '', `the message was refused: ${(error as Error)?.message}`]);
        return connection.notify(['ack', number]);
      }
      connection.handling = number;
      const { tracing } = this.#runtime;
      const handle = (): unknown => this.#handler.message?.(connection, data, self);
      await (tracing === null ? handle() : tracing.entry(cellOf(self.pid), 'client message', handle));
      connection.handling = 0;
      if (number > 0) connection.notify(['ack', number]);
    });
  }

  /** Something for the actor; while too much waits for it the socket is not read. */
  #enqueue(connection: Connection, run: (self: Self) => void | Promise<void>): void {
    const { actor } = connection;
    if (actor === undefined || !connection.isOpen) return;
    if (++connection.unhandled === this.limits.waiting) connection.hold(true);
    // One that cannot be paused continues.
    if (connection.unhandled > 4 * this.limits.waiting)
      return this.#misbehaved(connection, 'too many at once');
    this.#runtime.inbound.deliver(
      actor.local,
      new ClientTurn(async (_connection, self) => {
        await run(self);
        if (connection.unhandled-- === this.limits.waiting) connection.hold(false);
      }),
    );
  }

  #open(connection: Connection, greet: () => void | Promise<void>): void {
    startConnectionActor(this.#runtime, connection, this.#handler, greet);
  }

  async #join(connection: Connection, ref: number, room: string): Promise<void> {
    const may = room.startsWith(KEY_ROOM)
      ? false
      : ((await this.#handler.join?.(connection, room, { resumed: false })) ?? false);
    if (!may) return connection.notify(['refused', ref, room, 'not allowed']);
    try {
      await connection.joinAnswering(room, ref);
    } catch {
      connection.notify(['refused', ref, room, 'too many rooms']);
    }
  }

  #misbehaved(connection: Connection, what: string, code: number = CloseCode.policy): void {
    if (!connection.isOpen) return;
    this.counters.misbehaved++;
    connection.close(code, what);
  }
}
