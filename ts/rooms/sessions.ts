// Sessions of clients: which connection has each now, and which messages of it were taken - by any node, so that a client may
// send again what it does not know to have arrived.
import type { Runtime } from '../actor/index.ts';
import { OldestFirst } from '../collections/index.ts';
import type { Connection } from './connection.ts';
import { MAX_HEARD } from './limits.ts';

interface Taken {
  readonly number: number;
  /** Forgotten then, unless a connection has the session. */
  readonly until: number;
}

export class Sessions {
  readonly #runtime: Runtime;
  readonly #windowMs: number;
  readonly #live = new Map<string, Connection>();
  readonly #taken = new Map<string, Taken>();
  /** What peers said; the session that was named longest ago is first. */
  readonly #heard = new OldestFirst<string, Taken>();
  #isSweeping = false;
  #cancelSweep = (): void => {};

  constructor(runtime: Runtime, windowMs: number) {
    this.#runtime = runtime;
    this.#windowMs = windowMs;
  }

  get size(): number {
    return this.#taken.size + this.#heard.size;
  }

  connectionOf(session: string): Connection | undefined {
    return this.#live.get(session);
  }

  opened(session: string, connection: Connection): void {
    this.#live.set(session, connection);
  }

  closed(session: string, connection: Connection): void {
    if (this.#live.get(session) === connection) this.#live.delete(session);
  }

  /** Number of the last message of a session that was taken here, or before it came here. */
  taken(session: string): number {
    return this.#taken.get(session)?.number ?? 0;
  }

  /** The greatest number that broadcasts of peers named for a session while it was not connected here. */
  heard(session: string): number {
    return this.#heard.get(session)?.number ?? 0;
  }

  /** A message of a session was taken. False: it was taken before. */
  take(session: string, number: number): boolean {
    if (number <= this.taken(session)) return false;
    this.#note(this.#taken, session, number);
    return true;
  }

  /** Another node took it before the session came here, or a broadcast of this node follows from it. */
  caused(session: string, number: number): void {
    if (number > this.taken(session)) this.#note(this.#taken, session, number);
  }

  /** A peer's broadcast follows from a message of a session. A session that is connected here is known better here. */
  causedElsewhere(session: string, number: number): void {
    if (this.#live.has(session) || number <= this.heard(session)) return;
    this.#heard.delete(session);
    this.#note(this.#heard, session, number);
    if (this.#heard.size > MAX_HEARD) this.#heard.takeOldest();
  }

  close(): void {
    this.#cancelSweep();
    this.#live.clear();
    this.#taken.clear();
    this.#heard.clear();
  }

  #note(table: Map<string, Taken> | OldestFirst<string, Taken>, session: string, number: number): void {
    table.set(session, { number, until: this.#runtime.now() + this.#windowMs });
    this.#sweepLater();
  }

  #sweepLater(): void {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    this.#cancelSweep = this.#runtime.after(Math.max(1000, this.#windowMs), () => this.#sweep());
  }

  #sweep(): void {
    this.#isSweeping = false;
    const now = this.#runtime.now();
    for (const table of [this.#taken, this.#heard])
      for (const [session, { until }] of table)
        if (until <= now && !this.#live.has(session)) table.delete(session);
    if (this.size > 0) this.#sweepLater();
  }
}
