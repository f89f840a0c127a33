import { OldestFirst } from './oldest-first.ts';

interface Owned<V> {
  readonly owner: string;
  readonly value: V;
}

/**
 * A map of at most `max` entries that belong to owners. When it is full, the owner with the most entries loses its oldest one: an owner that
 * adds very many makes others lose nothing as long as they have fewer.
 */
export class SharedOldest<K, V> {
  readonly #max: number;
  /** The entry that was added longest ago comes first. */
  readonly #entries = new Map<K, Owned<V>>();
  readonly #byOwner = new Map<string, OldestFirst<K, true>>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Who has the entry. */
  ownerOf(key: K): string | undefined {
    return this.#entries.get(key)?.owner;
  }

  /** Sets an entry and makes it the youngest. O(owners) when the map is full. */
  renew(key: K, owner: string, value: V): void {
    this.delete(key);
    this.#entries.set(key, { owner, value });
    let own = this.#byOwner.get(owner);
    if (own === undefined) this.#byOwner.set(owner, (own = new OldestFirst()));
    own.set(key, true);
    if (this.#entries.size > this.#max) this.#dropOne();
  }

  delete(key: K): boolean {
    const owner = this.ownerOf(key);
    if (owner === undefined) return false;
    this.#entries.delete(key);
    const own = this.#byOwner.get(owner);
    own?.delete(key);
    if (own?.size === 0) this.#byOwner.delete(owner);
    return true;
  }

  /** Entries, the oldest first. */
  *[Symbol.iterator](): IterableIterator<[K, V]> {
    for (const [key, { value }] of this.#entries) yield [key, value];
  }

  #dropOne(): void {
    let most: OldestFirst<K, true> | undefined;
    for (const own of this.#byOwner.values()) if (own.size > (most?.size ?? 0)) most = own;
    const oldest = most?.oldestKey();
    if (oldest !== undefined) this.delete(oldest);
  }
}
