// Who the numbers in PIDs are. `nc` (slot and creation) is this node's own numbering of (name, incarnation); the
// native core gives the numbers, this table remembers them. A number, once given, means the same pair for ever, which
// is why a PID of an earlier incarnation reaches nobody (M4) and one of a reconnected peer works on (M3).
import type { Session } from './session.ts';

/** One incarnation of one node. */
export class Identity {
  readonly nc: number;
  readonly name: string;
  readonly incarnation: bigint;
  /** The session to exactly this incarnation, while there is one. */
  session: Session | undefined = undefined;

  constructor(nc: number, name: string, incarnation: bigint) {
    this.nc = nc;
    this.name = name;
    this.incarnation = incarnation;
  }
}

/** Every pair this node ever numbered. Bounded by the native core (262 144). */
export class Identities {
  readonly #byNumber = new Map<number, Identity>();

  /** Remembers a number; a pair that is known keeps its object. */
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
