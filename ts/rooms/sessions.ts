// The sessions of clients: the connection of each, and its last message that a node has taken. So a client can send a message again without
// its being handled twice.
import type { Runtime } from '../actor/index.ts';
import { OldestFirst } from '../collections/index.ts';
import type { Connection } from './connection.ts';
import { MAX_REPORTED, MAX_TAKEN } from './limits.ts';

interface Taken {
  readonly number: number;
  /** When it is forgotten, unless a connection has the session. */
  readonly until: number;
}

export class Sessions {
  readonly #runtime: Runtime;
  readonly #windowMs: number;
  readonly #live = new Map<string, Connection>();
  /** Of sessions without a connection the one that ended first is first; those with a connection may be anywhere. */
  readonly #taken = new OldestFirst<string, Taken>();
  /** What peers have reported; the session with the oldest report is first. */
  readonly #reported = new OldestFirst<string, Taken>();
  #isSweeping = false;
  #cancelSweep = (): void => {};

  constructor(runtime: Runtime, windowMs: number) {
    this.#runtime = runtime;
    this.#windowMs = windowMs;
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
    if (taken !== undefined) this.#taken.renew(session, taken);
    this.#boundTaken();
  }

  /** The number of a session's last message that was taken, here or before it came here. */
  taken(session: string): number {
    return this.#taken.get(session)?.number ?? 0;
  }

  /** The greatest number that broadcasts of peers reported for a session while it was not connected here. */
  reported(session: string): number {
    return this.#reported.get(session)?.number ?? 0;
  }

  /** Takes a message of a connection's session. False: it was taken before. */
  take(connection: Connection, number: number): boolean {
    const before = this.taken(connection.id);
    if (number <= before) return false;
    if (connection.lastTaken === 0) connection.lastBegun = before;
    connection.lastTaken = number;
    this.#note(this.#taken, connection.id, number);
    return true;
  }

  /** A connection's actor ended: its messages whose handler was not called count as not taken, so that the client sends them again. */
  untake({ id, lastTaken, lastBegun }: Connection): void {
    if (lastBegun < lastTaken && this.taken(id) === lastTaken) this.#note(this.#taken, id, lastBegun);
  }

  /** A message is known to be taken: by the node that had the session before, or because its handler here made a broadcast. */
  noteTaken(session: string, number: number): void {
    if (number > this.taken(session)) this.#note(this.#taken, session, number);
  }

  /** A broadcast of a peer reports that a message was taken. It is ignored for a session that is connected here. */
  noteReported(session: string, number: number): void {
    if (this.#live.has(session) || number <= this.reported(session)) return;
    this.#reported.delete(session);
    this.#note(this.#reported, session, number);
    if (this.#reported.size > MAX_REPORTED) this.#reported.takeOldest();
  }

  close(): void {
    this.#cancelSweep();
    this.#live.clear();
    this.#taken.clear();
    this.#reported.clear();
  }

  #note(table: OldestFirst<string, Taken>, session: string, number: number): void {
    table.set(session, { number, until: this.#runtime.now() + this.#windowMs });
    this.#boundTaken();
    this.#sweepLater();
  }

  /** Clients can begin any number of sessions. Amortised O(1). */
  #boundTaken(): void {
    while (this.#taken.size > MAX_TAKEN + this.#live.size) {
      const [session, taken] = this.#taken.takeOldest() as [string, Taken];
      if (this.#live.has(session)) this.#taken.set(session, taken);
    }
  }

  #sweepLater(): void {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    this.#cancelSweep = this.#runtime.after(Math.max(1000, this.#windowMs), () => this.#sweep());
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
