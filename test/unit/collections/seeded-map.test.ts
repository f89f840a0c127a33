import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededMap } from '../../../ts/collections/index.ts';
import { Ballots } from '../../../ts/global/ballots.ts';
import type { Claimant } from '../../../ts/global/claim-queue.ts';
import { GroupTable, Side } from '../../../ts/groups/group-table.ts';
import { Links } from '../../../ts/link/index.ts';
import { Pid } from '../../../ts/term/index.ts';
import { colliding, fillsOneBucket } from '../../support/colliding.ts';

describe('SeededMap', () => {
  it('does what a Map does, in the same order', () => {
    const key = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom(2 ** 30, 2 ** 31 + 1, 2 ** 53 - 1));
    const step = fc.record({ what: fc.constantFrom('set', 'delete'), key, value: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const map = new Map<number, number>();
        const seeded = new SeededMap<number>();
        for (const each of steps) {
          if (each.what === 'set') {
            map.set(each.key, each.value);
            seeded.set(each.key, each.value);
          } else expect(seeded.delete(each.key)).toBe(map.delete(each.key));
          expect([...seeded.values()]).toEqual([...map.values()]);
          expect(seeded.size).toBe(map.size);
          for (const one of steps) {
            expect(seeded.has(one.key)).toBe(map.has(one.key));
            expect(seeded.get(one.key)).toBe(map.get(one.key));
          }
        }
      }),
    );
  });

  it('has a number of its own for each key', () => {
    const seeded = new SeededMap<number>();
    const keys = Array.from({ length: 50_000 }, (_, at) => [
      at,
      at * 2 ** 12,
      at * 2 ** 30,
      2 ** 53 - 1 - at,
    ]);
    const distinct = new Set(keys.flat());
    for (const key of distinct) seeded.set(key, key);
    expect(seeded.size).toBe(distinct.size);
    for (const key of distinct) if (seeded.get(key) !== key) expect.unreachable(`${key}`);
  });
});

describe('P7 numbers that a peer chooses to collide do not meet in one bucket', () => {
  const chosen = colliding(4096, 12);
  const far = (local: number): Pid => new Pid(256, local);

  it('of a Map, where they would', () => {
    expect(fillsOneBucket(() => chosen.forEach((key) => new Map().set(key, 0)))).toBe(true);
  });

  it('of the links of an actor', () => {
    const links = new Links(new Pid(0, 1));
    expect(fillsOneBucket(() => chosen.forEach((local) => links.linkedBy(far(local))))).toBe(false);
    expect(links.size).toBe(chosen.length);
  });

  it('of the members of a group', () => {
    const table = new GroupTable(() => {});
    const side = new Side();
    expect(fillsOneBucket(() => table.join(side, 'x', chosen.map(far)))).toBe(false);
    expect(table.count('x')).toBe(chosen.length);
  });

  it('of the claims of a member', () => {
    const votes = { isTaken: () => false, vote: () => {}, inquire: () => {}, overdue: () => {} };
    const ballots = new Ballots(votes);
    const claimant: Claimant = { node: 'x', claims: new SeededMap() };
    const claim = (id: number): void =>
      ballots.claim({ claimant, id, name: `x${id}`, stamp: 0, replaces: false });
    expect(fillsOneBucket(() => chosen.forEach(claim))).toBe(false);
    expect(claimant.claims.size).toBe(chosen.length);
  });
});
