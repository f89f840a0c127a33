// Global names of three processes while one is frozen or does not get to its work: its session lives all the time.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode } from '../support/cluster.ts';
import type { Workbench } from '../support/cluster-node.ts';
import { until } from '../support/deadline.ts';

/** What a registration may take while a node does not answer, in ms: five seconds and a fifth of that, and a slow machine. */
const IN_TIME = 10_000;

let cluster: Cluster;
let nodes: [ClusterNode, ClusterNode, ClusterNode];

beforeEach(async () => {
  cluster = new Cluster();
  nodes = (await cluster.nodes({ name: 'a' }, { name: 'b' }, { name: 'c' })) as typeof nodes;
  for (const node of nodes) {
    await node.run((bench) => void (bench.box['names'] = bench.snow.startGlobalNames(bench.node)));
    for (const peer of nodes)
      if (peer !== node) await node.run((bench, to) => bench.node.connect(to), peer.name);
  }
  for (const node of nodes)
    await node.run((bench) => bench.until('both others', () => bench.node.nodes().length === 2));
  expect(await nodes[2].run(register, 'warm')).toBe(true);
});
afterEach(() => cluster.stop());

const register = async (bench: Workbench, name: string): Promise<boolean> => {
  bench.box[name] = await bench.probe();
  return bench.box['names'].register(name, bench.box[name].pid);
};

const where = (bench: Workbench, name: string): string | undefined => {
  const pid = bench.box['names'].whereis(name);
  return pid && bench.node.nodeOf(pid);
};

const untilAgreed = (name: string, owner: string): Promise<unknown> =>
  until(`all see ${name} at ${owner}`, async () =>
    (await Promise.all(nodes.map((node) => node.run(where, name)))).every((seen) => seen === owner),
  );

const lostNobody = async (): Promise<void> => {
  for (const node of nodes) expect(await node.run((bench) => bench.seen('nodedown'))).toEqual([]);
};

describe('global names while a node does not answer', () => {
  it('Q1, Q2 are given by the others in a bounded time, and known to all when it goes on', {
    timeout: 60_000,
  }, async () => {
    const [a, b, c] = nodes;
    c.freeze();
    const began = performance.now();
    const answers = await Promise.all([a.runFor(IN_TIME, register, 'x'), b.runFor(IN_TIME, register, 'x')]);
    expect(performance.now() - began).toBeLessThan(IN_TIME);
    expect(answers.filter(Boolean)).toHaveLength(1);
    // From now on nobody waits for it, and its own names stay where they are.
    const again = performance.now();
    expect(await b.run(register, 'y')).toBe(true);
    expect(performance.now() - again).toBeLessThan(2_000);
    expect(await a.run(where, 'warm')).toBe(c.name);
    expect(await a.run(register, 'warm')).toBe(false);
    c.thaw();
    await untilAgreed('x', (answers[0] ? a : b).name);
    await untilAgreed('y', b.name);
    expect(await c.run(register, 'x')).toBe(false);
    expect(await c.run(register, 'z')).toBe(true);
    await untilAgreed('z', c.name);
    await lostNobody();
  });

  it('Q1, V7 are given once although their claimant stands still with the votes of all on their way', {
    timeout: 60_000,
  }, async () => {
    const [a, , c] = nodes;
    await a.run(async (bench) => void (bench.box['inbox'] = await bench.probe('inbox')));
    const late = c.runFor(
      30_000,
      async (bench, peer) => {
        bench.box['late'] = await bench.probe();
        const claim = bench.box['names'].register('x', bench.box['late'].pid) as Promise<boolean>;
        bench.node.send({ name: 'inbox', node: peer }, 'asked');
        await bench.turns(1);
        const end = performance.now() + 9_000;
        while (performance.now() < end);
        return claim;
      },
      a.name,
    );
    await a.run((bench) => bench.box['inbox'].count(1));
    const early = await a.runFor(IN_TIME, register, 'x');
    const answers = [early, await late];
    expect(answers.filter(Boolean)).toHaveLength(1);
    await untilAgreed('x', (early ? a : c).name);
    await lostNobody();
  });
});
