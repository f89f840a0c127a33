import type { Runtime, Self } from '../actor/index.ts';
import { type ClientMessage, FAILED, KEY_ROOM } from '../client/index.ts';
import { cellOf, promiseOf } from '../kernel/index.ts';
import type { Connection } from './connection.ts';
import { ClientTask, type ConnectionHandler } from './connection-actor.ts';
import { type Limits, MAX_WAITING_BYTES } from './limits.ts';
import { MOST_WAITING } from './rate-limit.ts';
import type { SessionSetup } from './session-setup.ts';
import type { Sessions } from './sessions.ts';

export interface ClientRequestsListener {
  /** Converts what a client sent to what the handler gets. If it throws, the message is refused. */
  parse(data: unknown): unknown;
  /** A client sent a message again that the server had taken already. */
  repeated(): void;
  /** A client broke the protocol or a limit. */
  violated(connection: Connection, what: string): void;
}

/** Runs what clients ask for after their hello, in order, as tasks of the actor of their connection. */
export class ClientRequests {
  readonly #runtime: Runtime;
  readonly #limits: Limits;
  readonly #handler: ConnectionHandler;
  readonly #sessions: Sessions;
  readonly #sessionSetup: SessionSetup;
  readonly #listener: ClientRequestsListener;

  constructor(
    options: { readonly runtime: Runtime; readonly limits: Limits; readonly handler: ConnectionHandler },
    sessions: Sessions,
    sessionSetup: SessionSetup,
    listener: ClientRequestsListener,
  ) {
    this.#runtime = options.runtime;
    this.#limits = options.limits;
    this.#handler = options.handler;
    this.#sessions = sessions;
    this.#sessionSetup = sessionSetup;
    this.#listener = listener;
  }

  /** @param bytes Its length. */
  request(connection: Connection, message: ClientMessage, bytes: number): void {
    switch (message[0]) {
      case 'hello':
        return this.#listener.violated(connection, 'a second hello');
      case 'resume': {
        const [, rooms] = message;
        return this.#enqueue(connection, bytes, () => this.#sessionSetup.resume(connection, rooms));
      }
      case 'beat': {
        const answer = (): void => connection.notify(['beat']);
        // The answer lets the client send more: one whose socket cannot be paused has to wait for its handler, too.
        return connection.queued?.isHeld === true ? this.#enqueue(connection, bytes, answer) : answer();
      }
      case 'send': {
        const [, number, payload] = message;
        if (number === 0 || this.#sessions.take(connection, number))
          return this.handle(connection, payload, number, bytes);
        this.#listener.repeated();
        return connection.notify(['ack', number]);
      }
      case 'join': {
        const [, ref, room] = message;
        return this.#enqueue(connection, bytes, () => this.#join(connection, ref, room));
      }
      case 'leave': {
        const [, ref, room] = message;
        return this.#enqueue(connection, bytes, () => void connection.leaveAnswering(room, ref));
      }
    }
  }

  /** Calls the user's handler with a message of a client. @param number is acknowledged then; 0: it has no number. */
  handle(connection: Connection, payload: unknown, number: number, bytes: number): void {
    this.#enqueue(connection, bytes, async (self) => {
      if (number > connection.lastTaken) return; // the client sends it again over another connection
      if (number > 0) connection.lastBegun = number;
      let data: unknown;
      try {
        data = this.#listener.parse(payload);
        const pending = promiseOf(data);
        if (pending !== undefined) data = await pending;
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

  /** Queues a task for the actor. While too much waits, the socket is not read. */
  #enqueue(connection: Connection, bytes: number, run: (self: Self) => void | Promise<void>): void {
    const { actor } = connection;
    if (actor === undefined || !connection.isOpen) return;
    const queued = this.#queued(connection, 1, bytes);
    // A socket that cannot be paused continues to send.
    if (queued > MOST_WAITING * this.#limits.waiting)
      return this.#listener.violated(connection, 'too many at once');
    this.#runtime.inbound.deliver(
      actor.local,
      new ClientTask(async (_connection, self) => {
        await run(self);
        this.#queued(connection, -1, -bytes);
      }),
    );
  }

  /** Adds to what is queued, and returns the number of messages. An idle connection has no object for it. */
  #queued(connection: Connection, count: number, bytes: number): number {
    connection.queued ??= { count: 0, bytes: 0, isHeld: false };
    const { queued } = connection;
    queued.count += count;
    queued.bytes += bytes;
    const isHeld = queued.count >= this.#limits.waiting || queued.bytes >= MAX_WAITING_BYTES;
    if (isHeld !== queued.isHeld) connection.hold(isHeld);
    queued.isHeld = isHeld;
    if (queued.count === 0) connection.queued = undefined;
    return queued.count;
  }

  async #join(connection: Connection, ref: number, room: string): Promise<void> {
    const answer = room.startsWith(KEY_ROOM)
      ? false
      : await this.#sessionSetup.mayJoin(connection, room, false);
    await connection.untilRead();
    if (answer === undefined) return connection.notify(['refused', ref, room, FAILED]);
    if (!answer) return connection.notify(['refused', ref, room, 'not allowed']);
    try {
      await connection.joinAnswering(room, ref);
    } catch {
      connection.notify(['refused', ref, room, 'too many rooms']);
    }
  }
}
