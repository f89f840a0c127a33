import type { SeededMap } from '../collections/index.ts';

/** A node that makes claims: this one or a peer. */
export interface Claimant {
  readonly node: string;
  /** Its claims that wait for the vote of this node or hold it, by number. */
  readonly claims: SeededMap<Claim>;
}

/** A request for the vote of this node for one name. */
export interface Claim {
  readonly claimant: Claimant;
  readonly id: number;
  readonly name: string;
  readonly stamp: number;
  /** Whether it replaces the actor that has the name. */
  readonly replaces: boolean;
}

/** Orders claims by stamp, then by node name, then by number: a total order. */
export function isBefore(a: Claim, b: Claim): boolean {
  if (a.stamp !== b.stamp) return a.stamp < b.stamp;
  if (a.claimant !== b.claimant) return a.claimant.node < b.claimant.node;
  return a.id < b.id;
}

/** Claims that wait for one vote, the earliest first: a binary heap with an index of places. O(log n) for each change. */
export class ClaimQueue {
  readonly #heap: Claim[] = [];
  readonly #places = new Map<Claim, number>();

  /** The earliest one. */
  get first(): Claim | undefined {
    return this.#heap[0];
  }

  /** Whether a claim of another node waits. O(n). */
  hasOther(claimant: Claimant): boolean {
    return this.#heap.some((claim) => claim.claimant !== claimant);
  }

  push(claim: Claim): void {
    this.#put(claim, this.#heap.length);
    this.#rise(claim);
  }

  /** Does nothing for a claim that is not in the queue. */
  remove(claim: Claim): void {
    const place = this.#places.get(claim);
    if (place === undefined) return;
    this.#places.delete(claim);
    const last = this.#heap.pop() as Claim;
    if (last === claim) return;
    this.#put(last, place);
    this.#rise(last);
    this.#sink(last);
  }

  #put(claim: Claim, place: number): void {
    this.#heap[place] = claim;
    this.#places.set(claim, place);
  }

  #rise(claim: Claim): void {
    let place = this.#places.get(claim) as number;
    while (place > 0) {
      const parentPlace = (place - 1) >> 1;
      const parent = this.#heap[parentPlace] as Claim;
      if (!isBefore(claim, parent)) break;
      this.#put(parent, place);
      place = parentPlace;
    }
    this.#put(claim, place);
  }

  #sink(claim: Claim): void {
    let place = this.#places.get(claim) as number;
    for (;;) {
      const [left, right] = [this.#heap[2 * place + 1], this.#heap[2 * place + 2]];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (!isBefore(child, claim)) break;
      this.#put(child, place);
      place = 2 * place + (isRight ? 2 : 1);
    }
    this.#put(claim, place);
  }
}
