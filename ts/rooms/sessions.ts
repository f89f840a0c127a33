// The sessions of clients: the connection of each, and its last message that a node has taken. So a client can send a message again without
// its being handled twice.
import type { Runtime } from '../actor/index.ts';
import { CloseCode } from '../client/index.ts';
import { OldestFirst } from '../collections/index.ts';
import type { Connection } from './connection.ts';
import { MAX_REPORTED, MAX_TAKEN } from './limits.ts';

/** What is known of the messages of a session that were taken. */
export interface Taken {
  /** The number of the last one. */
  readonly number: number;
  /** How often the session had been resumed when that message was taken here. 0 also if it was not taken here. */
  readonly generation: number;
  /** The number of the last message that was taken before that resume. */
  readonly before: number;
}

interface Kept extends Taken {
  /** When it is forgotten, unless a connection has the session. */
  readonly until: number;
}

export const NONE_TAKEN: Taken = { number: 0, generation: 0, before: 0 };

export class Sessions {
  readonly #runtime: Runtime;
  readonly #keptMs: number;
  readonly #live = new Map<string, Connection>();
  /** The connection here that last took messages of a session, until its actor ends. */
  readonly #takers = new Map<string, Connection>();
  /** Of sessions without a connection the one that ended first is first; those with a connection may be anywhere. */
  readonly #taken = new OldestFirst<string, Kept>();
  /** What peers have reported; the session with the oldest report is first. */
  readonly #reported = new OldestFirst<string, Kept>();
  #isSweeping = false;
  #cancelSweep = (): void => {};

  /** @param keptMs How long it is remembered what was taken of a session without a connection. */
  constructor(runtime: Runtime, keptMs: number) {
    this.#runtime = runtime;
    this.#keptMs = keptMs;
  }

  get size(): number {
    return this.#taken.size + this.#reported.size;
  }

  connectionOf(session: string): Connection | undefined {
    return this.#live.get(session);
  }

  opened(session: string, connection: Connection): void {
    this.#live.set(session, connection);
  }

  closed(session: string, connection: Connection): void {
    if (this.#live.get(session) !== connection) return;
    this.#live.delete(session);
    const taken = this.#taken.get(session);
    if (taken !== undefined) this.#taken.renew(session, { ...taken, until: this.#forgetAt() });
    this.#boundTaken();
  }

  /**
   * Another connection, here or on a peer, resumes a session. The one here is closed. Its messages whose handler was not called are not handled
   * any more and count as not taken: the client sends them again over the other connection.
   */
  handOver(session: string): void {
    const connection = this.#live.get(session);
    // If its client has another session from now on, it must know that this message was handled.
    if (connection !== undefined && connection.lastBegun > 0)
      connection.notify(['ack', connection.lastBegun]);
    connection?.close(CloseCode.resumedElsewhere, 'resumed elsewhere');
    const taker = this.#takers.get(session);
    if (taker !== undefined) this.#untake(taker);
  }

  /** The last message of a session that was taken, here or before it came here. */
  taken(session: string): Taken {
    return this.#taken.get(session) ?? NONE_TAKEN;
  }

  /** The greatest number that broadcasts of peers reported for a session while it was not connected here. */
  reported(session: string): number {
    return this.#reported.get(session)?.number ?? 0;
  }

  /** Takes a message of a connection's session. False: it was taken before. */
  take(connection: Connection, number: number): boolean {
    const last = this.taken(connection.id);
    if (number <= last.number) return false;
    const { generation } = connection;
    const before = last.generation === generation ? last.before : last.number;
    if (connection.lastTaken === 0) connection.lastBegun = last.number;
    connection.lastTaken = number;
    this.#takers.set(connection.id, connection);
    this.#note(this.#taken, connection.id, { number, generation, before });
    return true;
  }

  /** A connection's actor ended: its messages whose handler was not called count as not taken, so that the client sends them again. */
  actorEnded(connection: Connection): void {
    this.#untake(connection);
    if (this.#takers.get(connection.id) === connection) this.#takers.delete(connection.id);
  }

  /** The node that had the session before has taken messages of it. */
  noteTaken(session: string, taken: Taken): void {
    if (taken.number > this.taken(session).number) this.#note(this.#taken, session, taken);
  }

  /** The handler of a message here made a broadcast: it is taken, also if the session was forgotten meanwhile. */
  noteCause(session: string, number: number): void {
    const last = this.taken(session);
    if (number > last.number) this.#note(this.#taken, session, { ...last, number });
  }

  /** A broadcast of a peer reports that a message was taken. It is ignored for a session that is connected here. */
  noteReported(session: string, number: number): void {
    if (this.#live.has(session) || number <= this.reported(session)) return;
    this.#reported.delete(session);
    this.#note(this.#reported, session, { ...NONE_TAKEN, number });
    if (this.#reported.size > MAX_REPORTED) this.#reported.takeOldest();
  }

  close(): void {
    this.#cancelSweep();
    this.#live.clear();
    this.#takers.clear();
    this.#taken.clear();
    this.#reported.clear();
  }

  #untake(connection: Connection): void {
    const { id, lastTaken, lastBegun } = connection;
    connection.lastTaken = Math.min(lastTaken, lastBegun);
    const last = this.taken(id);
    if (lastBegun < lastTaken && last.number === lastTaken)
      this.#note(this.#taken, id, { ...last, number: lastBegun });
  }

  #note(table: OldestFirst<string, Kept>, session: string, taken: Taken): void {
    table.set(session, { ...taken, until: this.#forgetAt() });
    this.#boundTaken();
    this.#sweepLater();
  }

  #forgetAt(): number {
    return this.#runtime.now() + this.#keptMs;
  }

  /** Clients can begin any number of sessions. Amortised O(1). */
  #boundTaken(): void {
    while (this.#taken.size > MAX_TAKEN + this.#live.size) {
      const [session, taken] = this.#taken.takeOldest() as [string, Kept];
      if (this.#live.has(session)) this.#taken.set(session, taken);
    }
  }

  #sweepLater(): void {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    this.#cancelSweep = this.#runtime.after(Math.max(1000, this.#keptMs / 4), () => this.#sweep());
  }

  #sweep(): void {
    this.#isSweeping = false;
    const now = this.#runtime.now();
    for (const table of [this.#taken, this.#reported])
      for (const [session, { until }] of table)
        if (until <= now && !this.#live.has(session)) table.delete(session);
    if (this.size > 0) this.#sweepLater();
  }
}
