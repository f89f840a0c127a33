// The actor of a connection: messages of the client, and mail of other actors, one after the other through the user's handler.
// A crash of the handler is a crash of the actor, and closes its socket; the end of the socket ends the actor.
import { defineHandler, type Runtime, type Self } from '../actor/index.ts';
import { begin, type Cell, cellOf } from '../kernel/index.ts';
import { inCurrentStore } from '../scheduler/index.ts';
import type { Pid } from '../term/index.ts';
import type { Connection } from './connection.ts';
import type { CloseReason } from './socket-events.ts';

/** What a server does with its connections. Each method may be async: the next message waits for it. */
export interface ConnectionHandler<User = unknown, In = unknown> {
  /** It may talk; rooms it resumed are joined. */
  open?(connection: Connection<User>, self: Self): void | PromiseLike<void>;
  /** The client sent something. A throw closes the socket with 1011. */
  message?(connection: Connection<User>, message: In, self: Self): void | PromiseLike<void>;
  /** The client asks to join a room, or to be in it again after a resume. Without it clients join nothing by themselves. */
  join?(
    connection: Connection<User>,
    room: string,
    facts: { readonly resumed: boolean },
  ): boolean | PromiseLike<boolean>;
  /** Another actor sent something, or Exit, Down, … came. */
  mail?(connection: Connection<User>, message: unknown, self: Self): void | PromiseLike<void>;
  /** Its socket is closed. */
  close?(connection: Connection<User>, why: CloseReason): void | PromiseLike<void>;
}

/** Something for the actor that no other actor sent. */
export class ClientTurn {
  readonly run: (connection: Connection, self: Self) => void | PromiseLike<void>;

  constructor(run: ClientTurn['run']) {
    this.run = run;
  }
}

type Greet = (self: Self) => void | PromiseLike<void>;

/** One for all connections: a server holds many that are idle. */
const CONNECTION = defineHandler('connection', (_self: Self, connection: Connection) => connection);

/** An actor that does not end by itself gets so long after its socket. Unit: ms. */
const LAST_MS = 5000;

/**
 * Starts the actor of a connection.
 *
 * @param greet runs first: what comes before the user's `open`.
 */
export function startConnectionActor(
  runtime: Runtime,
  connection: Connection,
  handler: ConnectionHandler,
  greet: Greet,
): void {
  const actor = runtime.spawn(CONNECTION, connection);
  connection.actor = actor as Pid<never>;
  begin(cellOf(actor as Pid<never>) as Cell); // at once: from now on its death closes the socket
  const open = inCurrentStore(async (self: Self): Promise<void> => {
    await greet(self);
    await handler.open?.(connection, self);
  });
  runtime.inbound.deliver(actor.local, new ClientTurn((_connection, self) => open(self)));
}

/** The socket is closed: `close` of the handler is called, then the actor ends. */
export function endConnectionActor(
  runtime: Runtime,
  connection: Connection,
  handler: ConnectionHandler,
  why: CloseReason,
): void {
  const { actor } = connection;
  if (actor === undefined || !runtime.isAlive(actor)) return;
  const cancel = runtime.after(LAST_MS, () => runtime.sendExit(actor, 'kill'));
  runtime.onDeath(actor, cancel);
  runtime.inbound.deliver(
    actor.local,
    new ClientTurn(async (_connection, self) => {
      await handler.close?.(connection, why);
      self.exit('shutdown');
    }),
  );
}
