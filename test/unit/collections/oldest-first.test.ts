// A map that gives its oldest entry: the order of a Map, without a rescan of what was deleted.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OldestFirst } from '../../../ts/collections/index.ts';

afterEach(() => vi.restoreAllMocks());

function filled(size: number): OldestFirst<number, number> {
  const map = new OldestFirst<number, number>();
  for (let n = 0; n < size; n++) map.set(n, -n);
  return map;
}

/** Calls that make an iterator over a Map: each may step over half its table. */
function iteratorsMadeBy(act: () => void): number {
  const keys = vi.spyOn(Map.prototype, 'keys');
  const entries = vi.spyOn(Map.prototype, 'entries');
  const each = vi.spyOn(Map.prototype, Symbol.iterator);
  act();
  const made = keys.mock.calls.length + entries.mock.calls.length + each.mock.calls.length;
  vi.restoreAllMocks();
  return made;
}

describe('the oldest entry of a map', () => {
  it('is the one set first; setting it again keeps its place, renewing it does not', () => {
    const map = filled(4);
    map.set(0, 10);
    map.renew(1, 11);
    expect(map.takeOldest()).toEqual([0, 10]);
    expect(map.oldestKey()).toBe(2);
    expect(map.takeOldest()).toEqual([2, -2]);
    expect([...map]).toEqual([
      [3, -3],
      [1, 11],
    ]);
  });

  it('is the next one when the one that was looked at is deleted or renewed', () => {
    const map = filled(4);
    expect(map.oldestKey()).toBe(0);
    map.delete(0);
    expect(map.oldestKey()).toBe(1);
    map.renew(1, 1);
    expect(map.takeOldest()).toEqual([2, -2]);
    expect(map.takeOldest()).toEqual([3, -3]);
    expect(map.takeOldest()).toEqual([1, 1]);
  });

  it('is found after the map was empty, and after it was cleared', () => {
    const map = filled(1);
    map.takeOldest();
    expect(map.takeOldest()).toBeUndefined();
    expect(map.oldestKey()).toBeUndefined();
    map.set(5, 5);
    expect(map.takeOldest()).toEqual([5, 5]);
    map.set(6, 6);
    map.oldestKey();
    map.clear();
    expect(map.oldestKey()).toBeUndefined();
    map.set(7, 7);
    expect(map.takeOldest()).toEqual([7, 7]);
  });

  it('may have the key undefined', () => {
    const map = new OldestFirst<undefined, number>();
    map.set(undefined, 1);
    expect(map.takeOldest()).toEqual([undefined, 1]);
    expect(map.size).toBe(0);
  });

  it('is that of a Map after any writes', () => {
    const map = new OldestFirst<number, number>();
    const model = new Map<number, number>();
    let seed = 1;
    const below = (bound: number): number => (seed = (seed * 48_271) % 2_147_483_647) % bound;
    for (let n = 0; n < 5000; n++) {
      const key = below(200);
      const what = below(5);
      if (what === 0) {
        expect(map.delete(key)).toBe(model.delete(key));
      } else if (what === 1) {
        map.renew(key, n);
        model.delete(key);
        model.set(key, n);
      } else if (what === 2) {
        const [first] = model;
        expect(map.takeOldest()).toEqual(first);
        if (first !== undefined) model.delete(first[0]);
      } else if (what === 3) expect(map.oldestKey()).toBe([...model.keys()][0]);
      else {
        map.set(key, n);
        model.set(key, n);
      }
      expect(map.size).toBe(model.size);
    }
    expect([...map]).toEqual([...model]);
  });
});

describe('the cost of the oldest entry', () => {
  it('is one iterator for all evictions of a full map', () => {
    const map = filled(1000);
    const made = iteratorsMadeBy(() => {
      for (let n = 1000; n < 11_000; n++) {
        map.set(n, n);
        map.takeOldest();
      }
    });
    expect(made).toBe(1);
    expect(map.oldestKey()).toBe(10_000);
  });

  it('is at most an iterator for as many writes as there are entries', () => {
    const map = filled(1000);
    const made = iteratorsMadeBy(() => {
      for (let n = 0; n < 20_000; n++) {
        map.renew(n % 1000, n);
        if (n % 700 === 0) map.set(-1, map.oldestKey() as number);
      }
    });
    expect(made).toBeLessThanOrEqual(41);
  });

  it('is a new iterator after many writes: an old one would keep every table made since', () => {
    const map = filled(1000);
    map.takeOldest();
    const made = iteratorsMadeBy(() => {
      for (let n = 0; n < 3000; n++) map.renew(1 + (n % 999), n);
      map.takeOldest();
    });
    expect(made).toBe(1);
  });
});
