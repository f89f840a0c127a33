// Decides which nodes this node dials without a call of `connect` (L17).
import { OldestFirst } from '../../collections/index.ts';
import type { AutoConnect } from '../options.ts';

/** Lost nodes that `once` remembers. Above it, the node lost longest ago is forgotten, and may be dialled again. */
export const MAX_LOST = 4096;
const MAX_NAMES = 1024;

export class DialPolicy {
  readonly #autoConnect: AutoConnect;
  readonly #lost = new RecentNames(MAX_LOST);

  constructor(autoConnect: AutoConnect) {
    this.#autoConnect = autoConnect;
  }

  /** Whether it dials any node. */
  get dials(): boolean {
    return this.#autoConnect !== 'never';
  }

  /** Whether a lost connection may come back without a call of `connect`. */
  get reconnects(): boolean {
    return this.#autoConnect !== 'once';
  }

  /** Whether this node may dial a node that a discovery found or a peer listed. */
  mayDial(name: string): boolean {
    return this.dials && !this.#lost.has(name);
  }

  /** Whether this node may dial a node because it is used: for a send, a link, a monitor, … */
  mayDialOnUse(name: string): boolean {
    return this.#autoConnect !== 'explicit' && this.mayDial(name);
  }

  /** A connection has ended. */
  down(name: string): void {
    if (!this.reconnects) this.#lost.add(name);
  }

  /** There is a connection again, whichever side dialled. */
  up(name: string): void {
    this.#lost.delete(name);
  }
}

/** A bounded set of names: when it is full, the one added longest ago is removed. */
export class RecentNames {
  readonly #names = new OldestFirst<string, true>();
  readonly #max: number;

  constructor(max = MAX_NAMES) {
    this.#max = max;
  }

  add(name: string): void {
    this.#names.renew(name, true);
    if (this.#names.size > this.#max) this.#names.takeOldest();
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  delete(name: string): void {
    this.#names.delete(name);
  }
}
