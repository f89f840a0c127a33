/** Least number of writes after which an unused iterator is dropped. */
const MIN_WRITES = 64;

/**
 * A map that finds its oldest entry in amortised O(1). `set` of an existing key keeps its place, as in a Map.
 *
 * In a plain Map the first key of a new iterator costs a step for each deleted entry before it, up to half the table: removing the
 * oldest entry at each insertion would be quadratic. So one iterator is kept. But an iterator keeps in memory every hash table that V8
 * made since its last step, so it is dropped after as many writes as there are entries; a new one then scans no more than that.
 */
export class OldestFirst<K, V> {
  readonly #entries = new Map<K, V>();
  /** Every entry that it has passed is deleted, except `#oldest`. */
  #keys: Iterator<K, unknown> | undefined = undefined;
  #oldest: { readonly key: K } | undefined = undefined;
  /** Writes since the last step of `#keys`. */
  #writes = 0;

  get size(): number {
    return this.#entries.size;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  set(key: K, value: V): void {
    this.#entries.set(key, value);
    this.#wrote();
  }

  /** Sets an entry and makes it the youngest. */
  renew(key: K, value: V): void {
    this.delete(key);
    this.set(key, value);
  }

  delete(key: K): boolean {
    if (!this.#entries.delete(key)) return false;
    if (this.#oldest?.key === key) this.#oldest = undefined;
    this.#wrote();
    return true;
  }

  /** The key of the oldest entry. Undefined: the map is empty. Amortised O(1). */
  oldestKey(): K | undefined {
    if (this.#oldest !== undefined || this.size === 0) return this.#oldest?.key;
    this.#keys ??= this.#entries.keys();
    // The map is not empty, and every entry that the iterator has passed is deleted: there is a next one.
    this.#oldest = { key: this.#keys.next().value as K };
    this.#writes = 0;
    return this.#oldest.key;
  }

  /** Removes and returns the oldest entry. Undefined: the map is empty. Amortised O(1). */
  takeOldest(): [key: K, value: V] | undefined {
    if (this.size === 0) return undefined;
    const key = this.oldestKey() as K;
    const value = this.#entries.get(key) as V;
    this.delete(key);
    return [key, value];
  }

  clear(): void {
    this.#entries.clear();
    this.#dropIterator();
  }

  keys(): IterableIterator<K> {
    return this.#entries.keys();
  }

  values(): IterableIterator<V> {
    return this.#entries.values();
  }

  /** Entries, the oldest first. */
  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.#entries[Symbol.iterator]();
  }

  #wrote(): void {
    if (this.#keys === undefined) return;
    if (++this.#writes > Math.max(MIN_WRITES, this.size)) this.#dropIterator();
  }

  #dropIterator(): void {
    this.#keys = this.#oldest = undefined;
  }
}
