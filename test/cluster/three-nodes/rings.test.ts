// Rings of actors that wait for each other over nodes (G4). Calls without a time limit end them, or nothing does.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';

let cluster: Cluster;
let nodes: ClusterNode[];
beforeEach(async () => {
  cluster = new Cluster('full');
  nodes = await cluster.nodes({ name: 'a' }, { name: 'b' }, { name: 'c' });
  await Promise.all(nodes.map((node) => node.run(offer)));
  await nodes[0]?.run(
    async (bench, ...peers) => void (await Promise.all(peers.map((peer) => bench.node.connect(peer)))),
    ...nodes.slice(1).map(({ name }) => name),
  );
  const meet = (bench: Workbench): unknown => bench.node.ready({ peers: 2 });
  await Promise.all(nodes.map((node) => node.run(meet)));
});
afterEach(() => cluster.stop());

/**
 * `asker` and `other` get ready for a call when they are told to (`box.ready` counts them), and make it when `box.go` resolves
 * (`box.asked`). `box.ends` has the outcomes.
 */
const offer = async ({ box, snow, node, deferred }: Workbench): Promise<void> => {
  Object.assign(box, { ready: 0, asked: 0, ends: [], go: deferred() });
  const asker = snow.defineServer({
    name: 'asker',
    init: () => ({}),
    calls: { hello: () => 'hello', where: ({ self }) => self.pid },
    casts: {
      ask: async ({ self }, to: never) => {
        box['ready']++;
        await box['go'].promise;
        const answer = snow.callWith(self, { timeout: Number.POSITIVE_INFINITY }, to, 'hello');
        box['asked']++;
        const failed = ({ state, reason }: { state: string; reason: unknown[] }) => [state, reason.length];
        box['ends'].push(await answer.catch(failed));
      },
    },
  });
  await asker.startWith(node, { name: 'asker' });
  await asker.startWith(node, { name: 'other' });
};

/** An actor gets ready to call another one. */
async function tell(from: ClusterNode, who: string, at: ClusterNode, to = 'asker'): Promise<void> {
  await from.run(
    async (bench, actor, name, node) => {
      const ready = bench.box['ready'] + 1;
      bench.snow.cast(bench.node, actor, 'ask', node === bench.node.name ? name : { name, node });
      await bench.until('the actor', () => bench.box['ready'] === ready);
    },
    who,
    to,
    at.name,
  );
}

/** Those on a node that are ready call. */
const go = (node: ClusterNode): Promise<void> =>
  node.run(async ({ box, until }) => {
    box['go'].resolve();
    await until('the calls', () => box['asked'] === box['ready']);
  });

async function ends(): Promise<unknown[]> {
  const each = nodes.map((node) =>
    node.run(async ({ box, until }) => {
      await until('every outcome', () => box['ends'].length === box['ready']);
      return box['ends'];
    }),
  );
  return (await Promise.all(each)).flat().sort();
}

describe('a ring of calls without a time limit', () => {
  it('G4 by name over three nodes: one call fails, the others are answered', async () => {
    const [a, b, c] = nodes as [ClusterNode, ClusterNode, ClusterNode];
    await tell(a, 'asker', b);
    await tell(b, 'asker', c);
    await tell(c, 'asker', a);
    await go(a);
    await go(b);
    await go(c);
    expect(await ends()).toEqual([['cycle', 3], 'hello', 'hello']);
  });

  it('G4 whose calls all begin at once', async () => {
    const [a, b, c] = nodes as [ClusterNode, ClusterNode, ClusterNode];
    await tell(a, 'asker', b);
    await tell(b, 'asker', c);
    await tell(c, 'asker', a);
    await Promise.all(nodes.map(go));
    expect(await ends()).toEqual([['cycle', 3], 'hello', 'hello']);
  });

  it('G4 by name over two nodes', async () => {
    const [a, b] = nodes as [ClusterNode, ClusterNode];
    await tell(a, 'asker', b);
    await tell(b, 'asker', a);
    await Promise.all([go(a), go(b)]);
    expect(await ends()).toEqual([['cycle', 2], 'hello']);
  });

  it('G4 through a call between actors of one node', async () => {
    const [a, b, c] = nodes as [ClusterNode, ClusterNode, ClusterNode];
    await tell(a, 'asker', a, 'other');
    await tell(a, 'other', b);
    await tell(b, 'asker', c);
    await tell(c, 'asker', a);
    await go(a);
    await Promise.all([go(b), go(c)]);
    expect(await ends()).toEqual([['cycle', 4], 'hello', 'hello', 'hello']);
  });

  it('G4 is none when the last one answers', async () => {
    const [a, b, c] = nodes as [ClusterNode, ClusterNode, ClusterNode];
    await tell(a, 'asker', b);
    await tell(b, 'asker', c);
    await Promise.all([go(a), go(b)]);
    expect(await ends()).toEqual(['hello', 'hello']);
  });
});
