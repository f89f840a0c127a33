/** Sums by key. A key whose sum is 0 takes no memory. */
export class Tally<K> {
  readonly #sums = new Map<K, number>();

  get(key: K): number {
    return this.#sums.get(key) ?? 0;
  }

  /** @param amount a whole number, negative to subtract. */
  add(key: K, amount: number): void {
    const sum = this.get(key) + amount;
    if (sum === 0) this.#sums.delete(key);
    else this.#sums.set(key, sum);
  }
}
