// Names that no actor can have must not reach the wire: a peer would end the session over them.
import { afterEach, expect, it } from 'vitest';
import { Cluster } from '../../support/cluster.ts';

const cluster = new Cluster('full');
afterEach(() => cluster.stop());

it('F3, F4 names that nobody can have are lost, noproc or refused, and harm no session', async () => {
  const [a, b] = await cluster.nodes({ name: 'a' }, { name: 'b' });
  const seen = await a?.run(async (bench, peer) => {
    await bench.node.connect(peer);
    const outcomes = [];
    for (const name of ['', 'x'.repeat(256), 'é'.repeat(128)]) {
      const probe = await bench.probe();
      bench.node.send({ name, node: peer }, 'lost');
      probe.self.monitor({ name, node: peer });
      const [down] = (await probe.count(1)) as [{ reason: unknown }];
      const called = await bench.snow
        .call(bench.node, { name, node: peer }, 'x')
        .catch((error) => error.state);
      outcomes.push([down.reason, called]);
    }
    return [outcomes, bench.node.stats().peers.map(({ connection }) => connection)];
  }, b?.name ?? '');
  expect(seen).toEqual([Array.from({ length: 3 }, () => ['noproc', 'noproc']), [1]]);
});

it('G10 asks the servers of one name on many nodes', async () => {
  const nodes = await cluster.nodes({ name: 'c' }, { name: 'd' });
  for (const node of nodes)
    await node.run(async (bench) => {
      const { snow } = bench;
      bench.box['stats'] = snow.defineServer({
        name: 'stats',
        init: () => 1,
        calls: { read: ({ self }) => self.runtime.nodeOf(self.pid) },
      });
      await bench.box['stats'].startWith(bench.node, { name: 'stats' });
    });
  const names = nodes.map(({ name }) => name);
  const seen = await nodes[0]?.run(async (bench, names) => {
    await bench.node.connect(names[1] as string);
    const to = [...names, 'nobody@127.0.0.1:1'].map((name) => bench.box['stats'].at('stats', name));
    const { replies, failures } = await bench.snow.multiCall(bench.node, to, 'read' as never, [] as never);
    return [replies.map(({ value }) => value), failures.length];
  }, names);
  expect(seen).toEqual([names, 1]);
});
