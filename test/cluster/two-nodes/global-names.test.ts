// Global names of two operating-system processes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode, startBehind, startIn } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { until } from '../../support/deadline.ts';

/** Who is connected to whom is what these tests decide: nodes are not to find each other by themselves. */
const EXPLICIT = { mesh: 'explicit' } as const;

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

const startNames = (bench: Workbench, loser?: 'kill' | 'notify'): void => {
  bench.box['names'] = bench.snow.startGlobalNames(bench.node, loser === undefined ? {} : { loser });
};

/** Registers a new probe, which stays in the box under the name. */
const register = async (bench: Workbench, name: string): Promise<boolean> => {
  bench.box[name] = await bench.probe();
  return bench.box['names'].register(name, bench.box[name].pid);
};

/** Where a name is seen to be: on which node, or nowhere. */
const where = (bench: Workbench, name: string): string | undefined => {
  const pid = bench.box['names'].whereis(name);
  return pid && bench.node.nodeOf(pid);
};
const untilWhere = (bench: Workbench, name: string, node: string | undefined): Promise<unknown> =>
  bench.until(`${name} is at ${node}`, () => {
    const pid = bench.box['names'].whereis(name);
    return (pid && bench.node.nodeOf(pid)) === node;
  });
const connect = (bench: Workbench, peer: string): Promise<boolean> => bench.node.connect(peer);

async function pair(): Promise<[ClusterNode, ClusterNode]> {
  const nodes = (await cluster.nodes({ name: 'a' }, { name: 'b' })) as [ClusterNode, ClusterNode];
  for (const node of nodes) await node.run(startNames);
  expect(await nodes[0].run(connect, nodes[1].name)).toBe(true);
  await nodes[1].run((bench) => bench.event('nodeup'));
  return nodes;
}

describe('global names of two nodes', () => {
  it('Q1 are known at the other node when register says yes, and taken there', async () => {
    const [a, b] = await pair();
    for (let round = 0; round < 50; round++) {
      expect(await a.run(register, `x${round}`)).toBe(true);
      expect(await b.run(where, `x${round}`)).toBe(a.name);
      expect(await b.run(register, `x${round}`)).toBe(false);
    }
  });

  it('Q2 are looked up at once while the other node does nothing', async () => {
    const [a, b] = await pair();
    expect(await b.run(register, 'x')).toBe(true);
    b.freeze();
    try {
      const found = await a.run((bench) => {
        const pid = bench.box['names'].whereis('x');
        return pid && bench.node.nodeOf(pid);
      });
      expect(found).toBe(b.name);
    } finally {
      b.thaw();
    }
  });

  it('Q1 are promised to nobody when the node stops during the registration', async () => {
    const [a, b] = await pair();
    b.freeze();
    try {
      const answer = await a.run(async (bench) => {
        const probe = await bench.probe();
        const registered = bench.box['names'].register('x', probe.pid);
        await bench.turns(3);
        await bench.node.stop();
        return registered.catch((error: { code: string }) => error.code);
      });
      expect(answer).toBe('SNOW_ERR_STOPPED');
    } finally {
      b.thaw();
    }
    await b.run((bench) => bench.event('nodedown'));
    expect(await b.run((bench) => bench.box['names'].names())).toEqual([]);
    expect(await b.run(register, 'x')).toBe(true);
  });

  it('Q4, Q13 are switched and freed from the other node', async () => {
    const [a, b] = await pair();
    expect(await a.run(register, 'x')).toBe(true);
    const switched = await b.run(async (bench) => {
      bench.box['next'] = await bench.probe();
      return bench.box['names'].reregister('x', bench.box['next'].pid);
    });
    expect(switched).toBe(true);
    expect([await a.run(where, 'x'), await b.run(where, 'x')]).toEqual([b.name, b.name]);
    await a.run((bench) => bench.box['names'].send('x', 'to the new one'));
    expect(await b.run((bench) => bench.box['next'].count(1))).toEqual(['to the new one']);
    expect(await a.run((bench) => bench.box['names'].unregister('x'))).toBe(true);
    expect([await a.run(where, 'x'), await b.run(where, 'x')]).toEqual([undefined, undefined]);
    const [added, removed] = await Promise.all([
      b.run(register, 'y'),
      a.run(async (bench) => {
        const probe = await bench.probe();
        await bench.box['names'].register('z', probe.pid);
        return bench.box['names'].unregister('z');
      }),
    ]);
    expect([added, removed]).toEqual([true, true]);
    for (const node of [a, b]) expect(await node.run((bench) => bench.box['names'].names())).toEqual(['y']);
  });

  it('Q5 are gone at the other node when the actor dies, and when its process is killed', async () => {
    const [a, b] = await pair();
    expect([await a.run(register, 'x'), await a.run(register, 'y')]).toEqual([true, true]);
    await a.run((bench) => bench.node.sendExit(bench.box['x'].pid, 'kill'));
    await b.run(untilWhere, 'x', undefined);
    expect(await b.run(where, 'y')).toBe(a.name);
    await a.kill();
    await b.run(untilWhere, 'y', undefined);
    expect(await b.run(register, 'y')).toBe(true);
  });

  it('Q5 are told to a node that joins while many are registered', async () => {
    const [a, b] = (await cluster.nodes({ name: 'a' }, { name: 'b' })) as [ClusterNode, ClusterNode];
    for (const node of [a, b]) await node.run(startNames);
    const yes = await a.run(async (bench, peer) => {
      const probe = await bench.probe();
      const { names } = bench.box as { names: import('../../../ts/index.ts').GlobalNames };
      const answers: Promise<boolean>[] = [];
      for (let number = 0; number < 3000; number++) {
        answers.push(names.register(`n${number}`, probe.pid as never));
        if (number === 1000) answers.push(bench.node.connect(peer));
        if (number % 20 === 0) await bench.turns(1);
      }
      return (await Promise.all(answers)).filter(Boolean).length;
    }, b.name);
    expect(yes).toBe(3001);
    // The connection may have come up last of all.
    await b.run((bench) => bench.until('all names', () => bench.box['names'].names().length === 3000));
  });

  it('Q5 are all known to a node that has connected and synchronised', async () => {
    const [a, b] = (await cluster.nodes({ name: 'a' }, { name: 'b' })) as [ClusterNode, ClusterNode];
    for (const node of [a, b]) await node.run(startNames);
    await a.run(async (bench) => {
      const { pid } = await bench.probe();
      const { names } = bench.box;
      await Promise.all(Array.from({ length: 2000 }, (_, at) => names.register(`name ${at}`, pid)));
    });
    const known = await b.run(async (bench, peer) => {
      const { node, box } = bench;
      await node.connect(peer);
      await box['names'].sync();
      return box['names'].names().length;
    }, a.name);
    expect(known).toBe(2000);
  });

  it('Q7 after a split have one owner, the same at both, and the other one is killed', async () => {
    const a = await cluster.node({ name: 'a', ...EXPLICIT });
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b', ...EXPLICIT });
    for (const node of [a, b]) await node.run(startNames);
    expect(await a.run(connect, b.name)).toBe(true);
    for (let round = 0; round < 5; round++) {
      for (const node of [a, b]) await node.run((bench, count) => bench.event('nodeup', count), round + 1);
      proxy.partition();
      for (const node of [a, b]) await node.run((bench, count) => bench.event('nodedown', count), round + 1);
      // Who registered more often meanwhile has the later stamp.
      for (const node of [a, b]) {
        const extra = Math.floor(cluster.random() * 4);
        for (let more = 0; more < extra; more++) await node.run(register, `${node.name} ${round} ${more}`);
      }
      const name = `x${round}`;
      expect([await a.run(register, name), await b.run(register, name)]).toEqual([true, true]);
      proxy.heal();
      expect(await a.run(connect, b.name)).toBe(true);
      const winner = await until('both show the same owner', async () => {
        const [atA, atB] = [await a.run(where, name), await b.run(where, name)];
        return atA === atB && atA;
      });
      const [first, second] = winner === a.name ? [a, b] : [b, a];
      const isAlive = (bench: Workbench, key: string) => bench.node.runtime.isAlive(bench.box[key].pid);
      await until('the other one is dead', async () => !(await second.run(isAlive, name)));
      expect(await first.run(isAlive, name)).toBe(true);
      expect([await a.run(where, name), await b.run(where, name)]).toEqual([winner, winner]);
    }
  });

  it('Q14 of an earlier start are gone, and the new ones are there', async () => {
    const a = await cluster.process();
    const proxy = await cluster.proxy();
    await startBehind(a, proxy, { name: 'a' });
    const b = await cluster.node({ name: 'b' });
    for (const node of [a, b]) await node.run(startNames);
    await a.run(connect, b.name);
    expect(await a.run(register, 'old')).toBe(true);
    await a.kill();
    const again = await cluster.process();
    await startIn(again, { name: a.name, listen: { port: 0 } });
    proxy.target(await again.run((bench) => bench.node.port));
    await again.run(startNames);
    expect(await again.run(register, 'new')).toBe(true);
    expect(await again.run(connect, b.name)).toBe(true);
    await b.run(untilWhere, 'new', a.name);
    expect(await b.run((bench) => bench.box['names'].names())).toEqual(['new']);
    expect(await again.run((bench) => bench.box['names'].names())).toEqual(['new']);
  });

  it('L2 are refused to a hidden node', async () => {
    const [a, b] = (await cluster.nodes({ name: 'a' }, { name: 'b', hidden: true })) as [
      ClusterNode,
      ClusterNode,
    ];
    await a.run(startNames);
    const code = await b.run((bench) => {
      try {
        bench.snow.startGlobalNames(bench.node);
      } catch (error) {
        return (error as { code: string }).code;
      }
      return 'none';
    });
    expect(code).toBe('SNOW_ERR_HIDDEN_NODE');
    await a.run(connect, b.name);
    expect(await a.run(register, 'x')).toBe(true);
  });
});
