// Messages to a node that is dead: the sender does not learn of it, and they are counted.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Cluster } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

/** Starts a recording actor under a name. */
const listen = async (bench: Workbench, name: string): Promise<void> => {
  bench.box[name] = await bench.probe(name);
};

it('what is sent to a node that is dead is no error, and is counted for stats, introspection and listeners', async () => {
  const [a, b] = await cluster.nodes({ name: 'a' }, { name: 'b' });
  await b!.run(listen, 'inbox');
  await a!.run(listen, 'catch');
  await b!.run((bench, peer) => {
    bench.node.send({ name: 'catch', node: peer }, bench.box['inbox'].pid);
  }, a!.name);
  await a!.run((bench) => bench.box['catch'].count(1));
  await b!.kill();
  const seen = await a!.run(async (bench, peer) => {
    const { node } = bench;
    await bench.event('nodedown');
    const [pid] = await bench.box['catch'].count(1);
    let heard = 0;
    node.deadLetters.subscribe((reason, _target, count) => {
      if (reason === 'noconnection') heard += count;
    });
    for (let number = 0; number < 10; number++) {
      node.send(pid, number as never);
      node.send({ name: 'inbox', node: peer }, number);
    }
    await bench.until('the loss', () => node.stats().deadLetters.noconnection >= 20);
    const { deadLetters } = await node.introspect(node.name).overview();
    return [node.stats().deadLetters.noconnection, deadLetters['noconnection'], heard];
  }, b!.name);
  expect(seen).toEqual([20, 20, 20]);
});
