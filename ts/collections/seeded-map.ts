const LOW_BITS = 30;
const HALF_BITS = LOW_BITS / 2;
const HALF = 2 ** HALF_BITS - 1;
const ROUNDS = 4;
/** Two words for each round, and two for the upper bits of a key. */
const secret = crypto.getRandomValues(new Uint32Array(2 * ROUNDS + 2));

/**
 * A `Map` whose keys are numbers that peers choose. V8 hashes numbers without a seed, so a peer could choose numbers that meet in one
 * bucket, and each insertion would cost a comparison with all of them. So another number stands for each key, by a permutation that is
 * made when the process starts. Iterates in the order of insertion.
 */
export class SeededMap<V> {
  readonly #map = new Map<number, V>();

  get size(): number {
    return this.#map.size;
  }

  /** @param key an integer from 0 to 2^53−1, as in all methods. */
  get(key: number): V | undefined {
    return this.#map.get(permuted(key));
  }

  has(key: number): boolean {
    return this.#map.has(permuted(key));
  }

  /** A value that is replaced keeps its place in the order. */
  set(key: number, value: V): void {
    this.#map.set(permuted(key), value);
  }

  /** False: there was no such entry. */
  delete(key: number): boolean {
    return this.#map.delete(permuted(key));
  }

  values(): IterableIterator<V> {
    return this.#map.values();
  }
}

/** Permutes the lower 30 bits by a Feistel network that depends on the others, so small keys stay small integers of V8. */
function permuted(key: number): number {
  const upper = Math.floor(key / 2 ** LOW_BITS);
  const lower = key % 2 ** LOW_BITS;
  const tweak = mixed(upper, 2 * ROUNDS);
  let left = lower >>> HALF_BITS;
  let right = lower & HALF;
  for (let at = 0; at < 2 * ROUNDS; at += 2) {
    const next = left ^ (mixed(right ^ tweak, at) & HALF);
    left = right;
    right = next;
  }
  return upper * 2 ** LOW_BITS + ((left << HALF_BITS) | right);
}

function mixed(value: number, at: number): number {
  let word = Math.imul(value ^ (secret[at] as number), (secret[at + 1] as number) | 1);
  word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d);
  return word ^ (word >>> 13);
}
