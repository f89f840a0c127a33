// Global names of three processes while one is frozen or does not get to its work: its session lives all the time.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode } from '../support/cluster.ts';
import type { Workbench } from '../support/cluster-node.ts';
import { until } from '../support/deadline.ts';

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

/** Nodes that were found silent so far. */
const silent = (bench: Workbench): string[] =>
  bench
    .seen('log')
    .map((log) => log[3] as { event?: string; node: string })
    .filter(({ event }) => event === 'global_names_quiet')
    .map(({ node }) => node);

const lostNobody = async (): Promise<void> => {
  for (const node of nodes) expect(await node.run((bench) => bench.seen('nodedown'))).toEqual([]);
};

describe('global names while a node does not answer', () => {
  it('Q1, Q2 are given by the others in a bounded time, and known to all when it continues', async () => {
    const [a, b, c] = nodes;
    c.freeze();
    const answers = await Promise.all([a.run(register, 'x'), b.run(register, 'x')]);
    expect(answers.filter(Boolean)).toHaveLength(1);
    // From now on no node waits for it: it is not found silent once more. Its own names stay where they are.
    expect(await b.run(register, 'y')).toBe(true);
    for (const node of [a, b]) expect(await node.run(silent)).toEqual([c.name]);
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

  it('Q1, V7 are given once although their claimant stands still with the votes of all on their way', async () => {
    const [a, , c] = nodes;
    await a.run(async (bench) => void (bench.box['inbox'] = await bench.probe('inbox')));
    const folder = await mkdtemp(join(tmpdir(), 'names-'));
    const late = c.run(
      async (bench, peer, signal) => {
        const { existsSync } = process.getBuiltinModule('node:fs');
        bench.box['late'] = await bench.probe();
        const claim = bench.box['names'].register('x', bench.box['late'].pid) as Promise<boolean>;
        bench.node.send({ name: 'inbox', node: peer }, 'asked');
        await bench.turns(1);
        // The event loop is blocked until the others have gone on without this node.
        const nothing = new Int32Array(new SharedArrayBuffer(4));
        while (!existsSync(signal)) Atomics.wait(nothing, 0, 0, 20);
        return claim;
      },
      a.name,
      join(folder, 'go on'),
    );
    await a.run((bench) => bench.box['inbox'].count(1));
    const early = await a.run(register, 'x');
    await writeFile(join(folder, 'go on'), '');
    const answers = [early, await late];
    await rm(folder, { recursive: true });
    expect(answers.filter(Boolean)).toHaveLength(1);
    await untilAgreed('x', (early ? a : c).name);
    await lostNobody();
  });
});
