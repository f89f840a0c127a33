// Numbers that meet in one bucket of V8's hash tables, as a hostile peer chooses them.
import { vi } from 'vitest';
import { Collisions } from '../../ts/term/key-hash.ts';

/** Whole numbers whose hash in V8 ends in `bits` zeros. */
export function colliding(count: number, bits: number): number[] {
  const keys: number[] = [];
  for (let key = 0; keys.length < count; key++) {
    let hash = (~key + (key << 15)) | 0;
    hash ^= hash >>> 12;
    hash = (hash + (hash << 2)) | 0;
    hash ^= hash >>> 4;
    hash = Math.imul(hash, 2057);
    hash ^= hash >>> 16;
    if ((hash & (2 ** bits - 1)) === 0) keys.push(key);
  }
  return keys;
}

/** Whether the numbers that `fill` makes keys of Maps collide. */
export function fillsOneBucket(fill: () => void): boolean {
  const keys = new Set<number>();
  const set = Map.prototype.set;
  const spied = vi.spyOn(Map.prototype, 'set').mockImplementation(function (this: object, key, value) {
    if (typeof key === 'number') keys.add(key);
    return set.call(this as never, key, value);
  });
  try {
    fill();
  } finally {
    spied.mockRestore();
  }
  return !new Collisions().add(keys, keys.size);
}
