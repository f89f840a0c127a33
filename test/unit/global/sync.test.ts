// `sync`: from then on this node knows the names of the peers it had (Q5).
import { expect, it } from 'vitest';
import { ANSWER_MS, HELLO_MS, PART } from '../../../ts/global/limits.ts';
import type { FakeNode } from './fake-mesh.ts';
import { apart, joined, mesh } from './stage.ts';

/** Whether `sync` has resolved, and how many names the node knew then. */
function watchSync(node: FakeNode): { known: number | undefined } {
  const watched = { known: undefined as number | undefined };
  void node.names.sync().then(() => (watched.known = node.names.names().length));
  return watched;
}

/** Has one wire deliver all it holds, and what that settles. */
async function deliverAll(from: FakeNode, to: FakeNode): Promise<void> {
  while (mesh.deliver(from, to));
  await Promise.resolve();
}

it('Q5 resolves once every peer has told all its names, however many parts they take', async () => {
  const [a, b, c] = apart(3, {}) as [FakeNode, FakeNode, FakeNode];
  const count = 2 * PART;
  for (let at = 0; at < count; at++) void b.names.register(`b${at}`, b.actor());
  void c.names.register('c', c.actor());
  await mesh.settle();
  mesh.connectAll();
  mesh.deliver(b, a); // up
  mesh.deliver(c, a); // up
  const sync = watchSync(a);
  await deliverAll(b, a);
  expect(sync.known).toBeUndefined();
  await mesh.settle();
  expect(sync.known).toBe(count + 1);
});

it('Q1 a node that connects while the answer of a lone node is on its way learns the name, and `sync` waits for it', async () => {
  const [a, b] = apart(2, {}) as [FakeNode, FakeNode];
  const registered = a.names.register('x', a.actor());
  mesh.connect(a, b);
  await expect(registered).resolves.toBe(true);
  expect(b.names.whereis('x')).toBeUndefined();
  mesh.deliver(a, b); // up
  const sync = watchSync(b);
  await mesh.settle();
  expect(sync.known).toBe(1);
});

it('Q5 resolves at once when all is known, when there is no peer, and when the names are closed', async () => {
  const [a] = apart(1, {}) as [FakeNode];
  await a.names.sync();
  const [b] = (await joined(2)) as [FakeNode];
  await b.names.sync();
  b.names.close();
  await expect(b.names.sync()).rejects.toMatchObject({ code: 'SNOW_ERR_NOT_ALIVE' });
});

it('Q5 waits for a peer that starts its names anew', async () => {
  const [a, b] = (await joined(2)) as [FakeNode, FakeNode];
  b.names.close();
  await mesh.settle();
  b.start({});
  mesh.deliver(b, a); // hello
  const sync = watchSync(a);
  await Promise.resolve();
  expect(sync.known).toBeUndefined();
  await mesh.settle();
  expect(sync.known).toBe(0);
});

it.each([
  ['is lost', (a, b) => mesh.cut(a, b)],
  ['closes its names', (_a, b) => b.names.close()],
] as const satisfies [string, (a: FakeNode, b: FakeNode) => void][])(
  'Q5 waits no more for a peer that %s',
  async (_how, end) => {
    const [a, b] = apart(2, {}) as [FakeNode, FakeNode];
    mesh.connectAll();
    mesh.deliver(b, a); // up
    mesh.deliver(a, b); // up
    mesh.deliver(a, b); // hello: to b, a is one who takes part
    const sync = watchSync(a);
    await Promise.resolve();
    expect(sync.known).toBeUndefined();
    end(a, b);
    await mesh.settle();
    expect(sync.known).toBe(0);
  },
);

it('Q5, Q1 does not wait for long for a peer without global names, nor for one that is frozen', async () => {
  const [a, without, frozen] = apart(3) as [FakeNode, FakeNode, FakeNode];
  a.start({});
  frozen.start({});
  mesh.connectAll();
  mesh.deliver(a, frozen); // up: it greets
  mesh.freeze(frozen);
  mesh.deliver(without, a);
  mesh.deliver(frozen, a);
  const sync = watchSync(a);
  await mesh.pass(Math.min(HELLO_MS, ANSWER_MS) - 1000);
  const early = sync.known;
  await mesh.pass(2000);
  expect([early, sync.known]).toEqual([undefined, 0]);
});

it('Q5 a call that waits is rejected when the names are closed', async () => {
  const [a, b] = apart(2, {}) as [FakeNode, FakeNode];
  mesh.connectAll();
  mesh.deliver(b, a); // up
  const sync = a.names.sync();
  a.names.close();
  await expect(sync).rejects.toMatchObject({ code: 'SNOW_ERR_NOT_ALIVE' });
});
