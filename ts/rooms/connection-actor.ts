// The actor of a connection. It passes messages of the client and of other actors to the user's handler, one after the other.
// If the handler throws, the actor crashes and its socket is closed; if the socket closes, the actor ends.
import { defineHandler, type Runtime, type Self } from '../actor/index.ts';
import { begin, type Cell, cellOf } from '../kernel/index.ts';
import { inCurrentStore } from '../scheduler/index.ts';
import type { Pid } from '../term/index.ts';
import type { Connection } from './connection.ts';
import type { CloseReason } from './socket-events.ts';

/** The callbacks for the events of a connection. Each may be async: the next event waits for it. */
export interface ConnectionHandler<User = unknown, In = unknown, Out = unknown> {
  /** The connection is ready; rooms that it resumed are joined. */
  open?(connection: Connection<User, Out>, self: Self): void | PromiseLike<void>;
  /** The client sent a message. If it throws, the socket is closed with code 1011. */
  message?(connection: Connection<User, Out>, message: In, self: Self): void | PromiseLike<void>;
  /**
   * The client asks to join a room, or, with `resumed`, to be a member again. Returns whether it may. Without this callback clients cannot
   * join rooms, but resume those that the server joined. If it throws, the client is not in the room and asks again later; the error is logged.
   */
  join?(
    connection: Connection<User, Out>,
    room: string,
    facts: { readonly resumed: boolean },
  ): boolean | PromiseLike<boolean>;
  /** Another actor sent a message, or a signal such as Exit or Down arrived. */
  mail?(connection: Connection<User, Out>, message: unknown, self: Self): void | PromiseLike<void>;
  /** The socket was closed. */
  close?(connection: Connection<User, Out>, why: CloseReason): void | PromiseLike<void>;
}

/** A task for the actor that comes from its client or its socket, not from an actor. */
export class ClientTask {
  readonly run: (connection: Connection, self: Self) => void | PromiseLike<void>;

  constructor(run: ClientTask['run']) {
    this.run = run;
  }
}

/** One handler for all connections: a server may have many idle ones. */
const CONNECTION = defineHandler('connection', (_self: Self, connection: Connection) => connection);

/** An actor that has not ended by this time after its socket is killed. Unit: ms. */
const CLOSE_TIMEOUT_MS = 5000;

/** Starts the actor of a connection. @param setUp runs before the user's `open`. */
export function startConnectionActor(
  runtime: Runtime,
  connection: Connection,
  handler: ConnectionHandler,
  setUp: (self: Self) => void | PromiseLike<void>,
): void {
  const actor = runtime.spawn(CONNECTION, connection);
  connection.actor = actor as Pid<never>;
  begin(cellOf(actor as Pid<never>) as Cell); // from now on the end of the actor closes the socket
  const open = inCurrentStore(async (self: Self): Promise<void> => {
    await setUp(self);
    await handler.open?.(connection, self);
  });
  runtime.inbound.deliver(actor.local, new ClientTask((_connection, self) => open(self)));
}

/**
 * The socket was closed: the actor handles what its client has sent, calls `close` of the handler, and ends; after CLOSE_TIMEOUT_MS it is
 * killed. Returns false when it has ended already, or there is none.
 */
export function endConnectionActor(
  runtime: Runtime,
  connection: Connection,
  handler: ConnectionHandler,
  why: CloseReason,
): boolean {
  const { actor } = connection;
  if (actor === undefined || !runtime.isAlive(actor)) return false;
  const cancel = runtime.after(CLOSE_TIMEOUT_MS, () => runtime.sendExit(actor, 'kill'));
  runtime.onDeath(actor, cancel);
  runtime.inbound.deliver(
    actor.local,
    new ClientTask(async (_connection, self) => {
      await handler.close?.(connection, why);
      self.exit('shutdown');
    }),
  );
  return true;
}
