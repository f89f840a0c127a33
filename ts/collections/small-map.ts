/**
 * A map that keeps a single entry in itself. For structures that exist in large numbers and mostly hold one entry: a `Map` of one takes
 * some 200 bytes more. Iterates in the order of insertion.
 */
export class SmallMap<K, V> {
  #key: K | undefined;
  #value: V | undefined;
  /** Holds all entries from the second one on, and stays until the map is empty. */
  #map: Map<K, V> | undefined;
  #hasOne = false;

  get size(): number {
    return this.#map?.size ?? (this.#hasOne ? 1 : 0);
  }

  get(key: K): V | undefined {
    if (this.#map !== undefined) return this.#map.get(key);
    return this.has(key) ? this.#value : undefined;
  }

  has(key: K): boolean {
    return this.#map?.has(key) ?? (this.#hasOne && this.#key === key);
  }

  /** A value that is replaced keeps its place in the order. */
  set(key: K, value: V): void {
    if (this.#map !== undefined) this.#map.set(key, value);
    else if (!this.#hasOne || this.#key === key) {
      this.#key = key;
      this.#value = value;
      this.#hasOne = true;
    } else {
      this.#map = new Map([
        [this.#key as K, this.#value as V],
        [key, value],
      ]);
      this.#clearOne();
    }
  }

  /** False: there was no such entry. */
  delete(key: K): boolean {
    if (!this.has(key)) return false;
    if (this.#map === undefined) this.#clearOne();
    else if (this.#map.size === 1) this.#map = undefined;
    else this.#map.delete(key);
    return true;
  }

  *keys(): IterableIterator<K> {
    if (this.#map !== undefined) yield* this.#map.keys();
    else if (this.#hasOne) yield this.#key as K;
  }

  *values(): IterableIterator<V> {
    if (this.#map !== undefined) yield* this.#map.values();
    else if (this.#hasOne) yield this.#value as V;
  }

  *[Symbol.iterator](): IterableIterator<[K, V]> {
    if (this.#map !== undefined) yield* this.#map;
    else if (this.#hasOne) yield [this.#key as K, this.#value as V];
  }

  #clearOne(): void {
    this.#key = undefined;
    this.#value = undefined;
    this.#hasOne = false;
  }
}
