// Detects keys of a Map or Set that collide in V8's hash table. V8 seeds the hash of strings but not that of numbers and
// bigints, so a sender can choose numbers that collide and make n insertions cost n² / 2 comparisons. The same rules are in Rust, which
// ends the session of a peer that sends such a term.
import { FEW_KEYS, FREE_STEPS, STEPS_PER_KEY } from '../wire/index.ts';

const WORD = 0xffff_ffff_ffff_ffffn;
const BITS = 0x3fff_ffff;

/** Counts the comparisons of one term. */
export class Collisions {
  private steps = 0;
  private allowed = FREE_STEPS;

  /** Adds a container with these keys. O(keys). Returns false when the keys of the term collide too often. */
  add(keys: Iterable<unknown>, size: number): boolean {
    if (size <= FEW_KEYS) return true;
    const hashes: number[] = [];
    for (const key of keys) {
      if (typeof key === 'number') hashes.push(hashNumber(key));
      else if (typeof key === 'bigint') hashes.push(hashWord(key < 0n ? -key : key));
    }
    if (hashes.length <= FEW_KEYS) return true;
    const buckets = 2 ** (31 - Math.clz32(2 * size - 1)) / 2;
    const counts = new Uint32Array(buckets);
    for (const hash of hashes) {
      const bucket = hash & (buckets - 1);
      const before = counts[bucket] as number;
      this.steps += before;
      counts[bucket] = before + 1;
    }
    this.allowed += STEPS_PER_KEY * hashes.length;
    return this.steps <= this.allowed;
  }
}

const float = new DataView(new ArrayBuffer(8));

function hashNumber(key: number): number {
  const int = key | 0;
  if (int === key) return hashInt(int);
  float.setFloat64(0, key);
  return hashWord(float.getBigUint64(0));
}

/** `ComputeUnseededHash` of V8. */
function hashInt(key: number): number {
  let hash = (~key + (key << 15)) | 0;
  hash ^= hash >>> 12;
  hash = (hash + (hash << 2)) | 0;
  hash ^= hash >>> 4;
  hash = Math.imul(hash, 2057);
  hash ^= hash >>> 16;
  return hash & BITS;
}

/** `ComputeLongHash` of V8. It uses only the lowest 64 bits of a bigint. */
function hashWord(key: bigint): number {
  const word = key & WORD;
  let hash = ((word ^ WORD) + (word << 18n)) & WORD;
  hash ^= hash >> 31n;
  hash = (hash * 21n) & WORD;
  hash ^= hash >> 11n;
  hash = (hash + (hash << 6n)) & WORD;
  hash ^= hash >> 22n;
  return Number(hash & BigInt(BITS));
}
