/** A name that is dialled. */
export interface Dialled {
  readonly isDialling: boolean;
}

export interface ShareLimits {
  /** Names of all tellers. */
  readonly names: number;
  /** Dials under way, of all tellers. */
  readonly dials: number;
  /** Dials under way, of one teller. */
  readonly dialsOfOne: number;
}

/** What one teller has. */
interface Share<D> {
  readonly by: string;
  /** Its names, the oldest first. */
  readonly all: Set<D>;
  /** Those whose pause is over. */
  readonly ready: Set<D>;
  /** Dials of its names under way. */
  dials: number;
}

/**
 * The names of all tellers, such as the peers that list them. Tellers that want more than there is have equal parts, of the room for
 * names and of the dials: one that tells very many names keeps no name of another one from being dialled.
 */
export class DialShares<D extends Dialled> {
  readonly #limits: ShareLimits;
  readonly #shares = new Map<string, Share<D>>();
  readonly #shareOf = new Map<D, Share<D>>();
  #dials = 0;

  constructor(limits: ShareLimits) {
    this.#limits = limits;
  }

  /** Whether one more name of a teller has room, if need be that of another teller, which has at least two more. O(tellers). */
  hasRoom(by: string): boolean {
    return !this.#isFull || this.#isSmaller(by, this.#largest());
  }

  /** Adds a name of a teller. Returns the one that has to go for it, if any: the caller drops it. O(tellers). */
  add(by: string, name: D): D | undefined {
    let share = this.#shares.get(by);
    if (share === undefined)
      this.#shares.set(by, (share = { by, all: new Set(), ready: new Set(), dials: 0 }));
    const largest = this.#isFull ? this.#largest() : undefined;
    share.all.add(name);
    this.#shareOf.set(name, share);
    if (largest === undefined) return undefined;
    for (const other of largest.all) if (!other.isDialling) return other;
    return oldestOf(largest.all);
  }

  /** Removes a name. True: its pause was over, and it was not dialled yet. */
  remove(name: D): boolean {
    const share = this.#shareOf.get(name);
    if (share === undefined) return false;
    this.#shareOf.delete(name);
    share.all.delete(name);
    const wasReady = share.ready.delete(name);
    this.#forgetUnused(share);
    return wasReady;
  }

  /** The pause of a name is over. */
  ready(name: D): void {
    this.#shareOf.get(name)?.ready.add(name);
  }

  /** Takes the next name to dial: one of the teller with the fewest dials under way, and of these the one served longest ago. O(tellers). */
  next(): D | undefined {
    const { dials, dialsOfOne } = this.#limits;
    if (this.#dials >= dials) return undefined;
    let least: Share<D> | undefined;
    for (const share of this.#shares.values())
      if (share.ready.size > 0 && share.dials < (least?.dials ?? dialsOfOne)) least = share;
    if (least === undefined) return undefined;
    this.#shares.delete(least.by);
    this.#shares.set(least.by, least);
    const name = oldestOf(least.ready) as D;
    least.ready.delete(name);
    return name;
  }

  /** A dial of a name begins. Returns what to call at its end. */
  dialling(name: D): () => void {
    const share = this.#shareOf.get(name);
    if (share === undefined) return () => {};
    this.#dials++;
    share.dials++;
    return () => {
      this.#dials--;
      share.dials--;
      this.#forgetUnused(share);
    };
  }

  clear(): void {
    this.#shares.clear();
    this.#shareOf.clear();
  }

  get #isFull(): boolean {
    return this.#shareOf.size >= this.#limits.names;
  }

  #largest(): Share<D> | undefined {
    let largest: Share<D> | undefined;
    for (const share of this.#shares.values()) if (share.all.size > (largest?.all.size ?? 0)) largest = share;
    return largest;
  }

  #isSmaller(by: string, largest: Share<D> | undefined): boolean {
    return (this.#shares.get(by)?.all.size ?? 0) + 1 < (largest?.all.size ?? 0);
  }

  #forgetUnused(share: Share<D>): void {
    if (share.all.size === 0 && share.dials === 0 && this.#shares.get(share.by) === share)
      this.#shares.delete(share.by);
  }
}

function oldestOf<T>(items: ReadonlySet<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}
