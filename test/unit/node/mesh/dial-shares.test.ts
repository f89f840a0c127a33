// Which names go, and which are dialled, when tellers want more than there is.
import { beforeEach, expect, it } from 'vitest';
import { type Dialled, DialShares } from '../../../../ts/node/mesh/dial-shares.ts';

interface Name extends Dialled {
  readonly text: string;
}

let shares: DialShares<Name>;
beforeEach(() => void (shares = new DialShares<Name>({ names: 6, dials: 4, dialsOfOne: 3 })));

/** Adds a name that can be dialled; gives the one that has to go. */
function add(by: string, text: string): string | undefined {
  const name = { text, isDialling: false };
  const gone = shares.add(by, name);
  shares.ready(name);
  if (gone !== undefined) shares.remove(gone);
  return gone?.text;
}

it('T14 the teller with the most loses its oldest name, whoever was first', () => {
  add('few', 'f1');
  for (const text of ['m1', 'm2', 'm3', 'm4', 'm5']) expect(add('many', text)).toBeUndefined();
  expect(add('new', 'n1')).toBe('m1');
  expect(add('new', 'n2')).toBe('m2');
  expect(['few', 'new', 'many'].map((by) => shares.hasRoom(by))).toEqual([true, false, false]);
});

it('T14 the teller with the fewest dials is served next, and none has more than its own', () => {
  for (const text of ['m1', 'm2', 'm3', 'm4']) add('many', text);
  const ends: (() => void)[] = [];
  const dial = (): string | undefined => {
    const name = shares.next();
    if (name !== undefined) ends.push(shares.dialling(name));
    return name?.text;
  };
  expect([dial(), dial(), dial(), dial()]).toEqual(['m1', 'm2', 'm3', undefined]);
  add('few', 'f1');
  add('few', 'f2');
  expect([dial(), dial()]).toEqual(['f1', undefined]);
  ends[0]?.();
  expect(dial()).toBe('f2');
});

it('T14 a name that is being dialled goes only when its teller has no other', () => {
  const dialled = (text: string): Name => ({ text, isDialling: true });
  for (const text of ['m1', 'm2']) shares.add('many', dialled(text));
  add('many', 'm3');
  for (const text of ['m4', 'm5']) shares.add('many', dialled(text));
  add('few', 'f1');
  expect(add('new', 'n1')).toBe('m3');
});

it('T14 the oldest goes when all are dialled', () => {
  for (const text of ['m1', 'm2', 'm3', 'm4', 'm5', 'm6']) shares.add('many', { text, isDialling: true });
  expect(shares.hasRoom('many')).toBe(false);
  expect(shares.hasRoom('new')).toBe(true);
  expect(add('new', 'n1')).toBe('m1');
});

it('tells of a removed name whether it was to be dialled', () => {
  const [waits, paused, dialled, unknown] = ['w', 'p', 'd', 'u'].map((text) => ({ text, isDialling: false }));
  for (const name of [waits, paused, dialled]) shares.add('a', name!);
  shares.ready(dialled!);
  shares.ready(waits!);
  expect(shares.next()).toBe(dialled);
  const end = shares.dialling(dialled!);
  shares.dialling(unknown!)();
  expect([waits, paused, dialled, unknown].map((name) => shares.remove(name!))).toEqual([
    true,
    false,
    false,
    false,
  ]);
  end();
  expect([shares.next(), shares.hasRoom('b')]).toEqual([undefined, true]);
});

it('T14 a teller whose names are gone keeps its dials under way counted, and then is as new', () => {
  const names = ['m1', 'm2', 'm3'].map((text) => ({ text, isDialling: false }));
  for (const name of names) {
    shares.add('many', name);
    shares.ready(name);
  }
  const ends = names.map(() => shares.dialling(shares.next() as Name));
  for (const name of names) shares.remove(name);
  add('many', 'm4');
  expect(shares.next()).toBeUndefined();
  for (const end of ends) end();
  expect(shares.next()?.text).toBe('m4');
});

it('has nothing left when it is cleared', () => {
  for (const text of ['m1', 'm2', 'm3', 'm4', 'm5', 'm6']) add('many', text);
  shares.clear();
  expect([shares.next(), shares.hasRoom('many')]).toEqual([undefined, true]);
  for (const text of ['n1', 'n2', 'n3', 'n4', 'n5', 'n6']) expect(add('new', text)).toBeUndefined();
  expect(add('new', 'n7')).toBe('n1');
});
