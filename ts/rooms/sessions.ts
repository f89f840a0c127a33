// Sessions of clients: which connection has each now, and which messages of it were taken - by any node, so that a client may
// send again what it does not know to have arrived.
import type { Runtime } from '../actor/index.ts';
import type { Connection } from './connection.ts';

interface Taken {
  number: number;
  heard: number;
  /** Forgotten then, unless a connection has the session. */
  until: number;
}

export class Sessions {
  readonly #runtime: Runtime;
  readonly #windowMs: number;
  readonly #live = new Map<string, Connection>();
  readonly #taken = new Map<string, Taken>();
  #isSweeping = false;
  #cancelSweep = (): void => {};

  constructor(runtime: Runtime, windowMs: number) {
    this.#runtime = runtime;
    this.#windowMs = windowMs;
  }

  get size(): number {
    return this.#taken.size;
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
    return this.#taken.get(session)?.heard ?? 0;
  }

  /** A message of a session was taken. False: it was taken before. */
  take(session: string, number: number): boolean {
    if (number <= this.taken(session)) return false;
    this.#note(session, number, 0);
    return true;
  }

  /** Another node took it before the session came here, or a broadcast of this node follows from it. */
  caused(session: string, number: number): void {
    if (number > this.taken(session)) this.#note(session, number, 0);
  }

  /** A peer's broadcast follows from a message of a session. A session that is connected here is known better here. */
  causedElsewhere(session: string, number: number): void {
    if (!this.#live.has(session) && number > this.heard(session)) this.#note(session, 0, number);
  }

  close(): void {
    this.#cancelSweep();
    this.#live.clear();
    this.#taken.clear();
  }

  #note(session: string, number: number, heard: number): void {
    const until = this.#runtime.now() + this.#windowMs;
    const taken = this.#taken.get(session);
    if (taken === undefined) this.#taken.set(session, { number, heard, until });
    else {
      taken.number = Math.max(taken.number, number);
      taken.heard = Math.max(taken.heard, heard);
      taken.until = until;
    }
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    this.#cancelSweep = this.#runtime.after(Math.max(1000, this.#windowMs), () => this.#sweep());
  }

  #sweep(): void {
    this.#isSweeping = false;
    const now = this.#runtime.now();
    for (const [session, { until }] of this.#taken)
      if (until <= now && !this.#live.has(session)) this.#taken.delete(session);
    const [first] = this.#taken.keys();
    if (first === undefined || this.#isSweeping) return;
    this.#isSweeping = true;
    this.#cancelSweep = this.#runtime.after(Math.max(1000, this.#windowMs), () => this.#sweep());
  }
}
