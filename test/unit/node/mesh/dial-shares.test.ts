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
