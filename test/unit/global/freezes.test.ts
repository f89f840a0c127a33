// Nodes that do not answer although their sessions live: frozen processes, event loops that stand still, black holes.
import { describe, expect, it } from 'vitest';
import { ANSWER_MS } from '../../../ts/global/limits.ts';
import type { FakeNode } from './fake-mesh.ts';
import { after, alive, apart, heal, joined, mesh, seen } from './stage.ts';

/** When a frozen node is waited for no more, in ms: asked in the first fifth, it is given four more to answer. */
const LONGEST_WAIT = ANSWER_MS;

/** A call under way, and what it has been answered. */
function watch(promise: Promise<boolean>): { answer: boolean | undefined } {
  const watched = { answer: undefined as boolean | undefined };
  void promise.then((yes) => (watched.answer = yes));
  return watched;
}

describe('a node that does not answer', () => {
  it('Q1 delays a registration for a bounded time, and knows the name when it continues', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    mesh.freeze(c);
    const pid = a.actor();
    const claim = watch(a.names.register('x', pid));
    await mesh.pass(LONGEST_WAIT - 1000);
    expect(claim.answer).toBeUndefined();
    await mesh.pass(1000);
    expect(claim.answer).toBe(true);
    expect(b.seen('x')).toBe(a.spelt(pid));
    // It is not waited for again while it is quiet.
    expect(await after(b.names.register('y', b.actor()))).toBe(true);
    mesh.thaw(c);
    await mesh.settle();
    for (const name of ['x', 'y']) expect(new Set(seen(name)).size).toBe(1);
    expect(await after(c.names.register('x', c.actor()))).toBe(false);
    expect(await after(c.names.register('z', c.actor()))).toBe(true);
    expect(a.kit.logs.map(({ facts }) => [facts['event'], facts['node']])).toEqual([
      ['global_names_quiet', c.name],
      ['global_names_back', c.name],
    ]);
  });

  it('Q1 is waited for again once it has answered', async () => {
    const [a, , c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    mesh.freeze(c);
    const first = watch(a.names.register('x', a.actor()));
    await mesh.pass(LONGEST_WAIT);
    mesh.thaw(c);
    await mesh.settle();
    mesh.freeze(c);
    const second = watch(a.names.register('y', a.actor()));
    await mesh.pass(LONGEST_WAIT - 1000);
    expect([first.answer, second.answer]).toEqual([true, undefined]);
    mesh.thaw(c);
    await mesh.settle();
    expect(second.answer).toBe(true);
  });

  it('Q1 delays no claim with a vote that it was given', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    const late = watch(c.names.register('x', c.actor()));
    mesh.deliver(c, a);
    mesh.deliver(c, b);
    mesh.freeze(c);
    const claim = watch(a.names.register('x', a.actor()));
    await mesh.pass(LONGEST_WAIT + 1000);
    expect(claim.answer).toBe(true);
    // The votes that came to it while it was frozen are worth nothing any more.
    mesh.thaw(c);
    await mesh.settle();
    expect(late.answer).toBe(false);
    expect(seen('x')).toEqual([a.seen('x'), a.seen('x'), a.seen('x')]);
  });

  it('Q1 is told that its claim was dropped, and claims anew', async () => {
    const [a, b] = (await joined(2)) as [FakeNode, FakeNode];
    const pid = a.actor();
    const claim = watch(a.names.register('x', pid));
    mesh.send(b, b.peers.get(a) as never, ['vote', 1, 'late', 1, []]);
    await mesh.settle();
    expect(claim.answer).toBe(true);
    expect(seen('x')).toEqual([a.spelt(pid), a.spelt(pid)]);
    // The first claim has left no vote behind.
    await after(a.names.unregister('x'));
    expect(await after(b.names.register('x', b.actor()))).toBe(true);
  });

  it('Q1 gets what it asked for when no other node wants it', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    const pid = c.actor();
    const late = watch(c.names.register('x', pid));
    mesh.deliver(c, a);
    mesh.freeze(c);
    const other = watch(b.names.register('y', b.actor()));
    await mesh.pass(LONGEST_WAIT);
    expect([late.answer, other.answer]).toEqual([undefined, true]);
    mesh.thaw(c);
    await mesh.settle();
    expect(late.answer).toBe(true);
    expect(seen('x')).toEqual([c.spelt(pid), c.spelt(pid), c.spelt(pid)]);
  });

  it('Q2, Q5 keeps its names, and they stay taken', async () => {
    const [a, b] = (await joined(2)) as [FakeNode, FakeNode];
    const pid = b.actor();
    await after(b.names.register('x', pid));
    mesh.freeze(b);
    const other = watch(a.names.register('y', a.actor()));
    await mesh.pass(LONGEST_WAIT);
    expect(other.answer).toBe(true);
    expect(a.seen('x')).toBe(b.spelt(pid));
    expect(await a.names.register('x', a.actor())).toBe(false);
  });

  it('Q4 is not waited for by a node that frees or switches a name', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    await after(a.names.register('x', a.actor()));
    for (const name of ['y', 'z']) await after(a.names.register(name, a.actor()));
    mesh.freeze(c);
    const next = b.actor();
    const switched = watch(b.names.reregister('x', next));
    const freed = watch(b.names.unregister('y'));
    await mesh.pass(LONGEST_WAIT);
    expect([switched.answer, freed.answer]).toEqual([true, true]);
    const again = watch(a.names.unregister('z'));
    await mesh.settle();
    expect(again.answer).toBe(true); // c is known not to answer
    mesh.thaw(c);
    await mesh.settle();
    expect(seen('x')).toEqual([b.spelt(next), b.spelt(next), b.spelt(next)]);
    expect(seen('y')).toEqual([undefined, undefined, undefined]);
  });

  it('Q1 is not this one, which stood still itself', async () => {
    const [a, b] = (await joined(2)) as [FakeNode, FakeNode];
    const claim = watch(a.names.register('x', a.actor()));
    mesh.freeze(a);
    await mesh.pass(60_000);
    mesh.thaw(a);
    await mesh.settle();
    expect(claim.answer).toBe(true);
    expect(b.seen('x')).toBe(a.seen('x'));
    expect(a.kit.logs).toEqual([]);
  });

  it('Q1 is this one: a peer without global names decides nothing with its earlier votes', async () => {
    const [a, b] = apart(3) as [FakeNode, FakeNode, FakeNode];
    a.start();
    b.start();
    await heal();
    await mesh.pass(4250); // the third is waited for, for 750 ms more
    const early = watch(a.names.register('x', a.actor()));
    await mesh.settle();
    mesh.freeze(a);
    const pid = b.actor();
    const late = watch(b.names.register('x', pid));
    await mesh.pass(2 * LONGEST_WAIT);
    expect(late.answer).toBe(true);
    a.isFrozen = false;
    while (a.kit.clock.step(a.kit.clock.now())); // timers first
    await mesh.settle();
    expect(early.answer).toBe(false);
    expect(alive(b, pid)).toBe(true);
    expect([a.seen('x'), b.seen('x')]).toEqual([b.spelt(pid), b.spelt(pid)]);
  });

  it('Q5 is not taken to have no global names by one that stood still itself', async () => {
    const [a, b] = apart(2, {}) as [FakeNode, FakeNode];
    const there = b.actor();
    expect(await b.names.register('x', there)).toBe(true);
    mesh.connect(a, b);
    mesh.deliver(b, a);
    const claim = watch(a.names.register('x', a.actor()));
    mesh.freeze(a);
    await mesh.pass(60_000);
    mesh.thaw(a);
    await mesh.settle();
    expect(claim.answer).toBe(false);
    expect(a.seen('x')).toBe(b.spelt(there));
  });

  it('Q7 has a name twice with a node that is not connected either, until it is: then one owner is left', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    mesh.hold(a, c);
    mesh.hold(b, c);
    const pids = [a.actor(), c.actor()] as const;
    const claims = [watch(a.names.register('x', pids[0])), watch(c.names.register('x', pids[1]))];
    await mesh.pass(LONGEST_WAIT);
    expect(claims.map(({ answer }) => answer)).toEqual([true, true]);
    mesh.release(a, c);
    mesh.release(b, c);
    await heal();
    expect(new Set(seen('x')).size).toBe(1);
    expect([a.spelt(pids[0]), c.spelt(pids[1])]).toContain(seen('x')[0]);
    expect([alive(a, pids[0]), alive(c, pids[1])].filter(Boolean)).toHaveLength(1);
  });

  it('Q1 still leaves the vote to a node connected to both of two that are not connected to each other', async () => {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    for (let round = 0; round < 20; round++) {
      mesh.hold(a, c);
      const claims = [a, c].map((node) => watch(node.names.register(`x${round}`, node.actor())));
      await mesh.pass(2 * LONGEST_WAIT);
      expect(claims.filter(({ answer }) => answer)).toHaveLength(1);
      expect(b.seen(`x${round}`)).toBeDefined();
      mesh.release(a, c);
      await mesh.settle();
      expect(new Set(seen(`x${round}`)).size).toBe(1);
    }
  });
});
