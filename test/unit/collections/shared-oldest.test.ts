import { describe, expect, it } from 'vitest';
import { SharedOldest } from '../../../ts/collections/index.ts';

describe('SharedOldest', () => {
  it('drops the oldest entry of the owner that has the most', () => {
    const map = new SharedOldest<string, number>(4);
    map.renew('a1', 'a', 1);
    for (let at = 1; at <= 9; at++) map.renew(`b${at}`, 'b', at);
    expect([...map]).toEqual([
      ['a1', 1],
      ['b7', 7],
      ['b8', 8],
      ['b9', 9],
    ]);
    expect(map.ownerOf('b7')).toBe('b');
    expect(map.ownerOf('b6')).toBeUndefined();
  });

  it('makes an entry that is renewed the youngest, and counts it for its new owner alone', () => {
    const map = new SharedOldest<string, number>(4);
    for (const key of ['x', 'y', 'z']) map.renew(key, 'a', 1);
    map.renew('x', 'a', 2);
    map.renew('x', 'b', 3);
    map.renew('w', 'b', 4);
    map.renew('y', 'b', 5);
    expect([...map].map(([key]) => key)).toEqual(['z', 'x', 'w', 'y']);
    map.renew('v', 'a', 6);
    expect([...map].map(([key]) => key)).toEqual(['z', 'w', 'y', 'v']);
    map.renew('u', 'c', 7);
    expect([...map].map(([key]) => key)).toEqual(['w', 'y', 'v', 'u']);
  });

  it('gives an entry to its new owner, and a deleted one to none', () => {
    const map = new SharedOldest<string, number>(2);
    map.renew('x', 'a', 1);
    map.renew('x', 'b', 2);
    map.renew('y', 'b', 3);
    map.renew('z', 'a', 4);
    expect([...map]).toEqual([
      ['y', 3],
      ['z', 4],
    ]);
    expect([map.delete('y'), map.delete('y'), map.size, map.get('z')]).toEqual([true, false, 1, 4]);
  });
});
