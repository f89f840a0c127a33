import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SmallMap } from '../../../ts/collections/index.ts';

describe('SmallMap', () => {
  it('does what a Map does, in the same order', () => {
    const key = fc.integer({ min: 0, max: 3 });
    const step = fc.oneof(
      fc.record({ what: fc.constant('set' as const), key, value: fc.nat() }),
      fc.record({ what: fc.constant('delete' as const), key }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const map = new Map<number, number>();
        const small = new SmallMap<number, number>();
        for (const each of steps) {
          if (each.what === 'set') {
            map.set(each.key, each.value);
            small.set(each.key, each.value);
          } else expect(small.delete(each.key)).toBe(map.delete(each.key));
          expect([...small]).toEqual([...map]);
          expect([...small.keys()]).toEqual([...map.keys()]);
          expect([...small.values()]).toEqual([...map.values()]);
          expect(small.size).toBe(map.size);
          for (let number = 0; number < 4; number++) {
            expect(small.has(number)).toBe(map.has(number));
            expect(small.get(number)).toBe(map.get(number));
          }
        }
      }),
    );
  });

  it('holds undefined as a value', () => {
    const small = new SmallMap<string | undefined, undefined>();
    expect([small.has(undefined), small.delete(undefined)]).toEqual([false, false]);
    small.set('a', undefined);
    expect([small.size, small.has('a'), [...small]]).toEqual([1, true, [['a', undefined]]]);
  });
});
