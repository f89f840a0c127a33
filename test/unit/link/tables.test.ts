// What the tables of links and monitors say of one entry, whatever was done to the others.
import { describe, expect, it } from 'vitest';
import { Chain, Monitor, NodeIndex, RemoteWatchers, Watches } from '../../../ts/link/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { randomFrom, seed } from '../../support/seed.ts';

const us = new Pid(0, 1);
const far = new Pid(256, 7);

describe('the index by node', () => {
  it('has the others of a node when one is removed, and gives them once', () => {
    const index = new NodeIndex<string>();
    for (const item of ['a', 'b', 'c']) index.add(256, item);
    index.add('other@host:1', 'd');
    index.remove(256, 'b');
    index.remove(256, 'd');
    index.remove(512, 'a');
    expect([index.countOf(256), index.countOf(512), index.size]).toEqual([2, 0, 3]);
    expect(['a', 'b'].map((item) => index.has(256, item))).toEqual([true, false]);
    expect([[...index.take(256)], [...index.take(256)], index.size]).toEqual([['a', 'c'], [], 1]);
  });
});

it('a chain has its items in order, whatever was removed, and each can go into another one', () => {
  const random = randomFrom(seed());
  const [chain, other] = [new Chain<Monitor>(), new Chain<Monitor>()];
  const [model, gone]: [Monitor[], Monitor[]] = [[], []];
  for (let count = 0; count < 2000; count++) {
    const what = random();
    if (what < 0.5) {
      const item = (what < 0.1 ? gone.pop() : undefined) ?? new Monitor(new Ref(0, 1, count + 1), us, far);
      chain.add(item);
      model.push(item);
    } else if (what < 0.8 && model.length > 0) {
      const [item] = model.splice(Math.floor(random() * model.length), 1) as [Monitor];
      chain.remove(item);
      expect(item.chain).toBeNull();
      if (what < 0.6) gone.push(item);
      else other.add(item);
    } else {
      const first = chain.shift();
      expect(first).toBe(model.shift() ?? null);
    }
    expect([chain.size, chain.first]).toEqual([model.length, model[0] ?? null]);
  }
  for (const item of model) expect([item.chain, chain.shift()]).toEqual([chain, item]);
  expect([chain.shift(), chain.size]).toEqual([null, 0]);
});

describe.each([1, 20])('the monitors of an actor with %d', (count) => {
  const refs = Array.from({ length: count }, (_, at) => new Ref(0, 1, at + 1));
  const [first] = refs as [Ref];
  const made = (): [Watches, Monitor] => {
    const watches = new Watches();
    const monitors = refs.map((ref) => new Monitor(ref, us, far));
    for (const monitor of monitors) watches.add(monitor);
    return [watches, monitors[0] as Monitor];
  };

  it('D8, T12 tell the node of one that waits for another node, and of no other', () => {
    const [watches, monitor] = made();
    expect(watches.nodeOf(first)).toBe(256);
    expect(watches.nodeOf(new Ref(256, 1, 1))).toBeUndefined();
    expect(watches.nodeOf(new Ref(0, 1, 1000))).toBeUndefined();
    new Chain<Monitor>().add(monitor); // its target is here
    expect(watches.nodeOf(first)).toBe(0);
  });

  it('D4 tell no node of one that is over', () => {
    const [watches, monitor] = made();
    watches.lose(monitor);
    expect(watches.nodeOf(first)).toBeUndefined();
  });

  it('D8 are taken with their own reference only', () => {
    const [watches] = made();
    for (const ref of [new Ref(256, 1, 1), new Ref(0, 2, 1), new Ref(0, 1, 1000)])
      expect(watches.take(ref)).toBeUndefined();
    expect([watches.size, watches.take(first)?.ref, watches.size]).toEqual([count, first, count - 1]);
  });
});

it('D3 a monitor by name depends on the node that has the name', () => {
  expect(new Monitor(new Ref(0, 1, 1), us, { name: 'clerk', node: 'there@host:1' }).node).toBe(
    'there@host:1',
  );
});

describe('the monitors by actors of other nodes', () => {
  const watch = (nc: number, local: number, id: number): Monitor =>
    new Monitor(new Ref(nc, local, id), new Pid(nc, local), us);

  it('D9 are there until they are taken, whatever becomes of the others of their node', () => {
    const table = new RemoteWatchers();
    const [a, b, c] = [watch(256, 7, 1), watch(256, 7, 2), watch(512, 7, 1)];
    for (const monitor of [a, b, c]) expect(table.add(monitor)).toBe(true);
    expect(table.add(watch(256, 7, 1))).toBe(false);
    expect(table.take(a.owner, a.ref)).toBe(a);
    expect(table.take(a.owner, a.ref)).toBeUndefined();
    expect([table.countOf(256), table.countOf(512), table.countOf(768), table.size]).toEqual([1, 1, 0, 2]);
    expect([[...table.takeNode(256)], [...table.takeNode(256)]]).toEqual([[b], []]);
    expect(table.take(b.owner, b.ref)).toBeUndefined();
    expect(table.take(c.owner, c.ref)).toBe(c);
    expect([table.take(c.owner, c.ref), table.size]).toEqual([undefined, 0]);
  });

  it('D1 are of their owner: one reference id may be in use by several', () => {
    const table = new RemoteWatchers();
    const [a, b] = [watch(256, 7, 1), watch(256, 8, 1)];
    for (const monitor of [a, b]) expect(table.add(monitor)).toBe(true);
    expect(table.take(b.owner, b.ref)).toBe(b);
    expect(table.take(a.owner, a.ref)).toBe(a);
  });
});
