// Maps a node number (nc: slot and creation) to (name, incarnation). The native core gives the numbers. A number always
// means the same pair: a PID of an earlier incarnation leads to no actor (M4), one of a reconnected peer still works (M3).
import type { Outgoing } from './outgoing.ts';

/** One incarnation of one node. */
export class Identity {
  readonly nc: number;
  readonly name: string;
  readonly incarnation: bigint;
  /** What goes out to exactly this incarnation; undefined while there is no session to it. */
  outgoing: Outgoing | undefined = undefined;

  constructor(nc: number, name: string, incarnation: bigint) {
    this.nc = nc;
    this.name = name;
    this.incarnation = incarnation;
  }
}

/** Every pair this node has numbered. Bounded by the native core (262 144). */
export class Identities {
  readonly #byNumber = new Map<number, Identity>();

  /** Remembers a number. A known pair keeps its object. */
  learn(nc: number, name: string, incarnation: bigint): Identity {
    const known = this.#byNumber.get(nc);
    if (known !== undefined) return known;
    const identity = new Identity(nc, name, incarnation);
    this.#byNumber.set(nc, identity);
    return identity;
  }

  of(nc: number): Identity | undefined {
    return this.#byNumber.get(nc);
  }

  get size(): number {
    return this.#byNumber.size;
  }
}
