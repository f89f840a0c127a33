// A node that stops ends its trees while its peers are still there.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Cluster, type ClusterNode } from '../../support/cluster.ts';

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

it('V6 terminate of a supervised server calls another node, which hears of nodedown only after that', async () => {
  const [a, b] = (await cluster.nodes({ name: 'a' }, { name: 'b' })) as [ClusterNode, ClusterNode];
  await b.run(async (bench) => {
    const { node, snow, box } = bench;
    box['log'] = [];
    box['down'] = bench.deferred();
    node.on('nodedown', (_name, cause) => {
      box['log'].push(cause);
      box['down'].resolve();
    });
    const store = snow.defineServer({
      name: 'store',
      init: () => ({}),
      calls: { save: (_context: unknown, value: string) => void box['log'].push(value) },
    });
    await store.startWith(node, { name: 'store' });
  });
  const refused = await a.run(async (bench, peer) => {
    const { node, snow } = bench;
    const saver = snow.defineServer({
      name: 'saver',
      init: (self) => {
        self.trapExit(true);
        return {};
      },
      terminate: ({ self }) =>
        snow.call(self, { name: 'store', node: peer }, 'save', 'saved at the end') as never,
    });
    const top = snow.defineSupervisor({ name: 'top', children: [snow.childSpec('saver', saver)] });
    await top.start(node);
    await node.connect(peer);
    const stopped = node.stop();
    const spec = { kind: 'function', name: 'any', what: () => {} } as never;
    const self = (await bench.probe()).self;
    const error = await self.spawnOn(peer, spec, []).catch((reason) => reason.code);
    await stopped;
    return error;
  }, b.name);
  await b.run((bench) => bench.box['down'].promise);
  expect(await b.run((bench) => bench.box['log'])).toEqual(['saved at the end', 'goodbye']);
  expect(refused).toBe('SNOW_ERR_STOPPED');
});
