/** Hints at once, of all peers; further ones are dropped (T14). */
export const MAX_HINTS = 1024;
/** Dials of hints under way at once. */
const MAX_DIALS = 8;

/** A name that only a peer listed. */
export interface Hint {
  readonly isDialling: boolean;
}

/** What one peer has listed. */
interface Share<H> {
  readonly by: string;
  /** Its hints, the oldest first. */
  readonly all: Set<H>;
  /** Those whose pause is over. */
  readonly ready: Set<H>;
  /** Dials of its hints under way. */
  dials: number;
}

/**
 * The hints of all peers. Peers that want more than there is have equal parts, of the room for hints and of the dials: a peer that lists
 * very many names keeps no name that another peer lists from being dialled.
 */
export class Hints<H extends Hint> {
  readonly #shares = new Map<string, Share<H>>();
  readonly #shareOf = new Map<H, Share<H>>();
  #dials = 0;

  /** Whether one more hint of a peer has room, if need be that of another peer, which has at least two more. O(peers). */
  hasRoom(by: string): boolean {
    return this.#shareOf.size < MAX_HINTS || this.#isSmaller(by, this.#largest());
  }

  /** Adds a hint of a peer. Returns the one that has to go for it, if any: the caller drops it. O(peers). */
  add(by: string, hint: H): H | undefined {
    let share = this.#shares.get(by);
    if (share === undefined)
      this.#shares.set(by, (share = { by, all: new Set(), ready: new Set(), dials: 0 }));
    const largest = this.#shareOf.size < MAX_HINTS ? undefined : this.#largest();
    share.all.add(hint);
    this.#shareOf.set(hint, share);
    if (largest === undefined) return undefined;
    for (const other of largest.all) if (!other.isDialling) return other;
    return oldestOf(largest.all);
  }

  /** Removes a hint. True: its pause was over, and it was not dialled yet. */
  remove(hint: H): boolean {
    const share = this.#shareOf.get(hint);
    if (share === undefined) return false;
    this.#shareOf.delete(hint);
    share.all.delete(hint);
    const wasReady = share.ready.delete(hint);
    this.#forgetUnused(share);
    return wasReady;
  }

  /** The pause of a hint is over. */
  ready(hint: H): void {
    this.#shareOf.get(hint)?.ready.add(hint);
  }

  /** Takes the next hint to dial: one of the peer with the fewest dials under way, and of these the one served longest ago. O(peers). */
  next(): H | undefined {
    if (this.#dials >= MAX_DIALS) return undefined;
    let least: Share<H> | undefined;
    for (const share of this.#shares.values())
      if (share.ready.size > 0 && (least === undefined || share.dials < least.dials)) least = share;
    if (least === undefined) return undefined;
    this.#shares.delete(least.by);
    this.#shares.set(least.by, least);
    const hint = oldestOf(least.ready) as H;
    least.ready.delete(hint);
    return hint;
  }

  /** A dial of a hint begins. Returns what to call at its end. */
  dialling(hint: H): () => void {
    const share = this.#shareOf.get(hint);
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

  #largest(): Share<H> | undefined {
    let largest: Share<H> | undefined;
    for (const share of this.#shares.values()) if (share.all.size > (largest?.all.size ?? 0)) largest = share;
    return largest;
  }

  #isSmaller(by: string, largest: Share<H> | undefined): boolean {
    return (this.#shares.get(by)?.all.size ?? 0) + 1 < (largest?.all.size ?? 0);
  }

  #forgetUnused(share: Share<H>): void {
    if (share.all.size === 0 && share.dials === 0 && this.#shares.get(share.by) === share)
      this.#shares.delete(share.by);
  }
}

function oldestOf<T>(items: ReadonlySet<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}
