import type { AutoConnect } from './options.ts';
import { Shunned } from './shunned.ts';

/** Lost nodes that `once` remembers at most; of more, those lost longest ago may be dialled again. */
export const MAX_LOST = 4096;

/** Whom this node dials without being told to, each time (L17). */
export class DialPolicy {
  readonly #autoConnect: AutoConnect;
  readonly #lost = new Shunned(MAX_LOST);

  constructor(autoConnect: AutoConnect) {
    this.#autoConnect = autoConnect;
  }

  /** Whether it dials anybody. */
  get dials(): boolean {
    return this.#autoConnect !== 'never';
  }

  /** Whether a connection that was lost may come back by itself. */
  get reconnects(): boolean {
    return this.#autoConnect !== 'once';
  }

  /** Whether a discovery, or what peers tell, may bring up a connection to that node. */
  mayDial(name: string): boolean {
    return this.dials && !this.#lost.has(name);
  }

  /** Whether sending to it, linking, monitoring, … may. */
  mayDialOnUse(name: string): boolean {
    return this.#autoConnect !== 'explicit' && this.mayDial(name);
  }

  /** A connection has ended. */
  down(name: string): void {
    if (!this.reconnects) this.#lost.add(name);
  }

  /** There is a connection again, whoever made it. */
  up(name: string): void {
    this.#lost.delete(name);
  }
}
