// The table of global names by itself: what it shows beside what a plain list of all entries says.
import { describe, expect, it } from 'vitest';
import { MAX_REPLACED } from '../../../ts/global/limits.ts';
import {
  beats,
  type Entry,
  mergeReplaced,
  NameTable,
  type Owner,
  type ReplacedEntry,
  replaces,
  toReplace,
} from '../../../ts/global/name-table.ts';
import type { Work } from '../../../ts/peer/index.ts';
import { Pid } from '../../../ts/term/index.ts';
import { randomFrom, runs, seeds } from '../../support/seed.ts';

const NAMES = ['a', 'b', 'c'];

function entryOf(owner: Owner, name: string, stamp: number, replaced: readonly ReplacedEntry[] = []): Entry {
  return { name, pid: new Pid(1, stamp), stamp, owner, replaced };
}

describe('the table of names', () => {
  it.each(seeds())('Q7 shows the best of the entries that there are, with the seed %i', (start) => {
    const random = randomFrom(start);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    for (let run = 0; run < runs(100); run++) {
      const table = new NameTable();
      const owners: Owner[] = ['x', 'y', 'z'].map((node) => ({ node, names: new Map(), remembered: 0 }));
      let entries: Entry[] = [];
      let drops: Work[] = [];
      const old: Entry[] = [];
      for (let step = 0; step < 60; step++) {
        const [owner, name] = [pick(owners), pick(NAMES)];
        const own = (one: Entry): boolean => one.owner === owner && one.name === name;
        const what = random();
        if (what < 0.5) {
          const entry = entryOf(owner, name, Math.floor(random() * 20));
          entries = [...entries.filter((one) => !own(one)), entry];
          old.push(entry);
          table.put(entry);
        } else if (what < 0.75 && old.length > 0) {
          const gone = pick(old); // it may have been replaced or dropped: then nothing happens
          entries = entries.filter((one) => one !== gone);
          table.remove(gone);
        } else if (what < 0.85) {
          entries = entries.filter((one) => one.owner !== owner);
          drops.push(table.drop(owner));
        } else drops = drops.filter((work) => work.next().done !== true);
        for (const shown of NAMES) {
          const all = entries.filter((one) => one.name === shown);
          const best = all.toSorted((one, other) => (beats(one, other) ? -1 : 1))[0];
          expect(table.of(shown)).toBe(best);
          for (const one of all)
            expect(new Set(table.rivals(one))).toEqual(new Set(all.filter((other) => other !== one)));
        }
      }
      for (const work of drops) for (const count of work) expect(count).toBe(1);
      expect([...table.names()].sort()).toEqual([...new Set(entries.map(({ name }) => name))].sort());
      expect(table.size).toBe(new Set(entries.map(({ name }) => name)).size);
    }
  });

  it('is empty after it was cleared', () => {
    const table = new NameTable();
    const owners = ['x', 'y'].map((node): Owner => ({ node, names: new Map(), remembered: 0 }));
    const [one, other] = owners.map((owner) => entryOf(owner, 'a', 1)) as [Entry, Entry];
    for (const entry of [one, other]) table.put(entry);
    table.clear();
    expect([table.of('a'), table.size, table.rivals(one)]).toEqual([undefined, 0, []]);
    table.put(one);
    expect([table.of('a'), table.rivals(one), table.rivals(other)]).toEqual([one, [], [one]]);
  });
});

it('Q7 the greater stamp wins, and with equal stamps the greater node name', () => {
  const entry = (node: string, stamp: number): Entry =>
    entryOf({ node, names: new Map(), remembered: 0 }, 'a', stamp);
  expect(beats(entry('x', 2), entry('y', 1))).toBe(true);
  expect(beats(entry('x', 1), entry('y', 2))).toBe(false);
  expect(beats(entry('x', 1), entry('y', 1))).toBe(false);
  expect(beats(entry('y', 1), entry('x', 1))).toBe(true);
});

it('the names of a lost owner are removed one at a time', () => {
  const table = new NameTable();
  const owner: Owner = { node: 'x', names: new Map(), remembered: 0 };
  for (const name of NAMES) table.put(entryOf(owner, name, 1));
  const work = table.drop(owner);
  for (let left = NAMES.length; left > 0; left--) {
    expect([table.size, table.of('a')]).toEqual([left, undefined]);
    expect(work.next().value).toBe(1);
  }
  expect([table.size, work.next().done]).toEqual([0, true]);
});

describe('what an entry replaces', () => {
  const owner: Owner = { node: 'x', names: new Map(), remembered: 0 };
  const old = (local: number, stamp: number): ReplacedEntry => [new Pid(1, local), stamp];

  it('is known by its actor and its stamp, both', () => {
    const entry = entryOf(owner, 'a', 9, [old(1, 1), old(2, 2)]);
    const isReplaced = (local: number, stamp: number): boolean =>
      replaces(entry, { ...entryOf(owner, 'a', stamp), pid: new Pid(1, local) });
    expect([isReplaced(1, 1), isReplaced(2, 2)]).toEqual([true, true]);
    expect([isReplaced(1, 2), isReplaced(2, 1), isReplaced(9, 9)]).toEqual([false, false, false]);
  });

  it('is the entry before it and what that has replaced, each once, the latest first', () => {
    expect(toReplace(undefined)).toEqual([]);
    const before = entryOf(owner, 'a', 5, [old(1, 1), old(2, 7)]);
    expect(toReplace(before)).toEqual([old(2, 7), old(5, 5), old(1, 1)]);
    // One actor may have had the name twice, and two actors may have equal stamps.
    expect(mergeReplaced([old(1, 1), old(2, 2)], [old(1, 1), old(1, 3), old(3, 2)])).toEqual([
      old(1, 3),
      old(2, 2),
      old(3, 2),
      old(1, 1),
    ]);
  });

  it('P7 is at most sixteen entries, the latest', () => {
    const some = Array.from({ length: MAX_REPLACED }, (_, at) => old(at, 2 * at));
    const others = some.map(([pid, stamp]): ReplacedEntry => [pid, stamp + 1]);
    const merged = mergeReplaced(some, others);
    expect(merged.map(([, stamp]) => stamp)).toEqual(Array.from({ length: 16 }, (_, at) => 31 - at));
  });
});
