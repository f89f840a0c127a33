// Switches of a name (reregister) that some nodes hear of late, by another way, or never.
import { expect, it } from 'vitest';
import type { FakeNode } from './fake-mesh.ts';
import { after, alive, heal, joined, kill, mesh, seen, split } from './stage.ts';

/** a has x; a and b lose each other; b takes x for an actor of its own, which only c hears of. */
async function switchedUnheard() {
  const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
  const [old, next] = [a.actor(), b.actor()];
  expect(await after(a.names.register('x', old))).toBe(true);
  await split([a], [b]);
  expect(await after(b.names.reregister('x', next))).toBe(true);
  expect(seen('x')).toEqual([a.spelt(old), b.spelt(next), b.spelt(next)]);
  return { a, b, c, old, next };
}

it('Q4, Q7 all agree when the new owner has died before the old one is told of it', async () => {
  const { a, b, c, old, next } = await switchedUnheard();
  kill(b, next);
  await mesh.settle();
  expect(c.seen('x')).toBe(a.spelt(old));
  await heal();
  await Promise.all(mesh.nodes.map((node) => after(node.names.sync())));
  expect(new Set(seen('x'))).toEqual(new Set([a.spelt(old)]));
  expect(alive(a, old)).toBe(true);
  expect(await after(c.names.register('x', c.actor()))).toBe(false);
  expect(await after(c.names.unregister('x'))).toBe(true);
  expect(seen('x')).toEqual([undefined, undefined, undefined]);
});

it('Q4 the old owner of a name that was switched during a split is neither told nor killed when it heals', async () => {
  const { a, b, old, next } = await switchedUnheard();
  await heal();
  expect(new Set(seen('x'))).toEqual(new Set([b.spelt(next)]));
  expect(alive(a, old)).toBe(true);
  // It has the name no more: its end frees nothing.
  kill(a, old);
  await mesh.settle();
  expect(new Set(seen('x'))).toEqual(new Set([b.spelt(next)]));
});

it.each(['with', 'without'])(
  'Q4 the old owner has no name any more when all know of the switch: %s a split',
  async (how) => {
    const [a, b] = (await joined(3, { maxNamesPerNode: 1 })) as [FakeNode, FakeNode];
    expect(await after(a.names.register('x', a.actor()))).toBe(true);
    if (how === 'with') await split([a], [b]);
    expect(await after(b.names.reregister('x', b.actor()))).toBe(true);
    await heal();
    expect(await after(a.names.register('y', a.actor()))).toBe(true);
  },
);

it('Q4 the same holds after two switches, of which it heard neither', async () => {
  const { a, b, c, old } = await switchedUnheard();
  const last = c.actor();
  await split([a], [c]);
  expect(await after(c.names.reregister('x', last))).toBe(true);
  await split([b], [c]);
  mesh.connect(a, c);
  await mesh.settle();
  expect(new Set([a.seen('x'), c.seen('x')])).toEqual(new Set([c.spelt(last)]));
  expect(alive(a, old)).toBe(true);
  await heal();
  expect(new Set(seen('x'))).toEqual(new Set([c.spelt(last)]));
  expect(alive(a, old)).toBe(true);
});

it('Q7 an actor that got the name meanwhile, unknown to the switch, is killed as after any split', async () => {
  const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
  await split([a], [b, c]);
  const [apart, next] = [a.actor(), b.actor()];
  expect(await after(a.names.register('x', apart))).toBe(true);
  for (let count = 0; count < 3; count++) await after(b.names.reregister('x', b.actor()));
  expect(await after(b.names.reregister('x', next))).toBe(true);
  await heal();
  expect(new Set(seen('x'))).toEqual(new Set([b.spelt(next)]));
  expect(alive(a, apart)).toBe(false);
});

it('Q4, Q7 all agree when a third node is told of a switch, the old owner late, and the new owner is lost', async () => {
  for (let steps = 0; steps < 6; steps++) {
    const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
    const old = a.actor();
    await after(a.names.register('x', old));
    void b.names.reregister('x', b.actor());
    while (mesh.deliver(b, a) || mesh.deliver(a, b));
    mesh.deliver(b, c); // claim
    mesh.deliver(c, b); // vote: it is decided
    for (let step = 0; step < steps; step++)
      mesh.deliver(...(step % 2 ? ([b, a] as const) : ([b, c] as const)));
    mesh.crash(b);
    await mesh.settle();
    expect(a.seen('x')).toBe(c.seen('x'));
    expect(alive(a, old)).toBe(true);
    mesh.stop();
  }
});

it('T12 two switches that a peer tells under one number leave neither name behind', async () => {
  const [a, b, c] = (await joined(3)) as [FakeNode, FakeNode, FakeNode];
  const old = a.actor();
  for (const name of ['x', 'y']) await after(a.names.register(name, old));
  const [peer, stamp] = [b.peers.get(a), 100];
  const next = b.actor();
  const entries = new Map<string, number>();
  mesh.onSend = (from, to, value) => {
    const message = value as [string, number, string, number];
    if (from === a && to === c && message[0] === 'drop') entries.set(message[2], message[3]);
  };
  const known = (name: string): unknown => [[b.names.whereis(name), name === 'x' ? 2 : 4]];
  for (const name of ['x', 'y']) mesh.send(b, peer as never, ['commit', 7, name, next, stamp, known(name)]);
  mesh.send(b, peer as never, ['settled', 7]);
  await mesh.settle();
  expect([...entries.keys()].sort()).toEqual(['x', 'y']);
  expect([c.seen('x'), c.seen('y')]).toEqual([undefined, undefined]);
  expect(alive(a, old)).toBe(true);
});
