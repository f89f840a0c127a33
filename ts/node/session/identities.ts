// Maps a node number (nc: slot and creation) to (name, incarnation). The native core assigns the numbers. A number always
// means the same pair: a PID of an earlier incarnation reaches no actor (M4), one of a reconnected peer still works (M3).
import type { Outgoing } from './outgoing.ts';

/** One incarnation of one node. */
export class Identity {
  readonly nc: number;
  readonly name: string;
  readonly incarnation: bigint;
  /** The Outgoing of the session to this incarnation; undefined while there is none. */
  outgoing: Outgoing | undefined = undefined;

  constructor(nc: number, name: string, incarnation: bigint) {
    this.nc = nc;
    this.name = name;
    this.incarnation = incarnation;
  }
}

/** All pairs with a number. The native core bounds their count (262 144). */
export class Identities {
  readonly #byNumber = new Map<number, Identity>();
  /** Those that the native core has forgotten, while a PID refers to them. */
  readonly #forgotten = new Map<number, WeakRef<Identity>>();
  readonly #collected = new FinalizationRegistry<number>((nc) => void this.#forgotten.delete(nc));

  /** Stores a number. A known pair keeps its object. */
  learn(nc: number, name: string, incarnation: bigint): Identity {
    const known = this.#byNumber.get(nc);
    if (known !== undefined) return known;
    const identity = new Identity(nc, name, incarnation);
    this.#byNumber.set(nc, identity);
    return identity;
  }

  /** The native core has forgotten a pair: if it is announced again, or connects, it gets another number. PIDs with this one go on working. */
  forget(nc: number): void {
    const identity = this.#byNumber.get(nc);
    if (identity === undefined) return;
    this.#byNumber.delete(nc);
    this.#forgotten.set(nc, new WeakRef(identity));
    this.#collected.register(identity, nc);
  }

  of(nc: number): Identity | undefined {
    return this.#byNumber.get(nc) ?? this.#forgotten.get(nc)?.deref();
  }

  /** Those that were forgotten, and that a PID refers to, included. */
  get size(): number {
    return this.#byNumber.size + this.#forgotten.size;
  }
}
