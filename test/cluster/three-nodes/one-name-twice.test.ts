// Two live nodes that were given one name, by mistake, and a peer of both.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Cluster, type ClusterNode, startBehind } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster('full')));
afterEach(() => cluster.stop());

const connect = (node: ClusterNode, peer: string): Promise<boolean> =>
  node.run((bench, name) => bench.node.connect(name), peer);
const downs = (bench: Workbench): unknown[] => bench.seen('nodedown').map((event) => event[2]);
const errors = (bench: Workbench): unknown[] =>
  bench.seen('log').flatMap(([, level, text]) => (level === 'error' ? [text] : []));

it('displace each other twice at most, are both told, and the first one stays', async () => {
  const peer = await cluster.node({ name: 'peer' });
  const { node: first, proxy } = await cluster.behindProxy({ name: 'twin' });
  const second = await cluster.process();
  await startBehind(second, proxy, { name: 'twin', mesh: 'full' });
  expect(second.name).toBe(first.name);

  expect(await connect(first, peer.name)).toBe(true);
  expect(await connect(second, peer.name)).toBe(true);
  // The first one comes back by itself, and what the second one tries after that is refused.
  await peer.run((bench) => bench.event('nodeup', 3));
  await second.run((bench) => bench.event('nodedown'));
  for (let tries = 0; tries < 3; tries++) expect(await connect(second, peer.name)).toBe(false);

  expect(await peer.run(downs)).toEqual(['replaced', 'replaced']);
  const incarnations = await peer.run((bench) =>
    bench.seen('nodeup').map((event) => String((event[2] as { incarnation: bigint }).incarnation)),
  );
  expect(incarnations[2]).toBe(incarnations[0]);
  expect(await peer.run((bench) => bench.node.nodes().length)).toBe(1);
  const told =
    "another node has this node's name and is connected to the same peer; each node needs a name of its own";
  for (const node of [first, second]) {
    expect(await node.run(downs)).toEqual(['displaced']);
    expect(new Set(await node.run(errors))).toEqual(new Set([told])); // one line in ten seconds
  }
  const refused = await peer.run((bench) => bench.seen('refused').map((event) => event.slice(1)));
  expect(refused[0]).toEqual([
    first.name,
    expect.stringContaining('another node of that name is connected'),
    'name_taken',
  ]);
  expect(new Set(await peer.run(errors))).toEqual(new Set(['refused a peer']));

  await first.run((bench) => bench.node.stop());
  await peer.run((bench) => bench.event('nodedown', 3));
  expect(await connect(second, peer.name)).toBe(true);
});
