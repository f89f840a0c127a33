// Global names of three and four operating-system processes: races, joins, deaths and splits between some of them.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { until } from '../../support/deadline.ts';

/** Who is connected to whom is what these tests decide: nodes are not to find each other by themselves. */
const EXPLICIT = { mesh: 'explicit' } as const;

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

const startNames = (bench: Workbench): void => {
  bench.box['names'] = bench.snow.startGlobalNames(bench.node);
};
const register = async (bench: Workbench, name: string): Promise<boolean> => {
  bench.box[name] = await bench.probe();
  return bench.box['names'].register(name, bench.box[name].pid);
};
const unregister = (bench: Workbench, name: string): Promise<boolean> => bench.box['names'].unregister(name);
/** Where a name is seen to be: on which node, or nowhere. */
const where = (bench: Workbench, name: string): string | undefined => {
  const pid = bench.box['names'].whereis(name);
  return pid && bench.node.nodeOf(pid);
};
const connect = (bench: Workbench, peer: string): Promise<boolean> => bench.node.connect(peer);
const sees = (bench: Workbench, peers: string[]): Promise<unknown> =>
  bench.until('the other nodes', () => peers.every((peer) => bench.node.nodes().includes(peer)));
const misses = (bench: Workbench, peers: string[]): Promise<unknown> =>
  bench.until('the loss of nodes', () => !peers.some((peer) => bench.node.nodes().includes(peer)));

type Three = [ClusterNode, ClusterNode, ClusterNode];

/** Connects all with all. */
async function mesh(nodes: readonly ClusterNode[]): Promise<void> {
  for (const [index, node] of nodes.entries())
    for (const peer of nodes.slice(index + 1)) expect(await node.run(connect, peer.name)).toBe(true);
  for (const node of nodes)
    await node.run(
      sees,
      nodes.filter((other) => other !== node).map(({ name }) => name),
    );
}

async function joined(...names: string[]): Promise<ClusterNode[]> {
  const nodes = await cluster.nodes(...names.map((name) => ({ name, ...EXPLICIT })));
  for (const node of nodes) await node.run(startNames);
  await mesh(nodes);
  return nodes;
}

const everywhere = (nodes: readonly ClusterNode[], name: string): Promise<(string | undefined)[]> =>
  Promise.all(nodes.map((node) => node.run(where, name)));
const untilEverywhere = (
  nodes: readonly ClusterNode[],
  name: string,
  node: string | undefined,
): Promise<unknown> =>
  until(`${name} is at ${node} for all`, async () =>
    (await everywhere(nodes, name)).every((seen) => seen === node),
  );

describe('global names of three nodes', () => {
  it('Q1 go to exactly one of three claimants, 1000 times over', async () => {
    const nodes = (await joined('a', 'b', 'c')) as Three;
    const answers = await Promise.all(
      nodes.map((node) =>
        node.runFor(90_000, async (bench) => {
          const { names } = bench.box as { names: import('../../../ts/index.ts').GlobalNames };
          const yes: boolean[] = [];
          const probe = await bench.probe();
          // Ten at a time, so that all three are at about the same place.
          for (let round = 0; round < 1000; round += 10) {
            const claims: Promise<boolean>[] = [];
            for (let next = round; next < round + 10; next++)
              claims.push(names.register(`race ${next}`, probe.pid as never));
            yes.push(...(await Promise.all(claims)));
          }
          return yes;
        }),
      ),
    );
    for (let round = 0; round < 1000; round++)
      expect(answers.filter((yes) => yes[round]).length, `race ${round}`).toBe(1);
    const winners = await Promise.all(
      nodes.map((node) =>
        node.run((bench) =>
          Array.from({ length: 1000 }, (_, round) =>
            bench.node.nodeOf(bench.box['names'].whereis(`race ${round}`)),
          ),
        ),
      ),
    );
    expect(winners[1]).toEqual(winners[0]);
    expect(winners[2]).toEqual(winners[0]);
    for (let round = 0; round < 1000; round++) {
      const [winner] = nodes.filter((_node, index) => answers[index]?.[round]);
      expect(winners[0]?.[round]).toBe(winner?.name);
    }
  });

  it('Q5, Q6 may be of an actor of a third node, and go with it and with its node', async () => {
    const [a, b, c] = (await joined('a', 'b', 'c')) as Three;
    const give = async (bench: Workbench, name: string): Promise<boolean> => {
      const [pid] = await bench.box['gifts'].count(1);
      bench.box['gifts'].messages.length = 0;
      return bench.box['names'].register(name, pid);
    };
    await a.run(async (bench) => void (bench.box['gifts'] = await bench.probe('gifts')));
    for (const name of ['x', 'y']) {
      await c.run(
        async (bench, peer, name) => {
          bench.box[name] = await bench.probe();
          bench.node.send({ name: 'gifts', node: peer }, bench.box[name].pid);
        },
        a.name,
        name,
      );
      expect(await a.run(give, name)).toBe(true);
      expect(await everywhere([a, b, c], name)).toEqual([c.name, c.name, c.name]);
    }
    await c.run((bench) => bench.node.sendExit(bench.box['x'].pid, 'kill'));
    await untilEverywhere([a, b, c], 'x', undefined);
    expect(await everywhere([a, b, c], 'y')).toEqual([c.name, c.name, c.name]);
    await c.kill();
    await untilEverywhere([a, b], 'y', undefined);
    expect(await b.run(register, 'y')).toBe(true);
  });

  it('Q5 are told to a third node that joins during a registration', async () => {
    const nodes = (await cluster.nodes(...['a', 'b', 'c'].map((name) => ({ name, ...EXPLICIT })))) as Three;
    const [a, b, c] = nodes;
    for (const node of nodes) await node.run(startNames);
    await mesh([a, b]);
    const many = (bench: Workbench, prefix: string): Promise<number> => {
      bench.box['go'] = async () => {
        const probe = await bench.probe();
        let yes = 0;
        for (let number = 0; number < 1000; number++)
          if (await bench.box['names'].register(`${prefix}${number}`, probe.pid)) yes++;
        return yes;
      };
      return bench.box['go']();
    };
    const registering = Promise.all([a.run(many, 'a'), b.run(many, 'b')]);
    await c.run(connect, a.name);
    await c.run(connect, b.name);
    expect(await registering).toEqual([1000, 1000]);
    for (const node of nodes)
      await node.run((bench) => bench.until('all names', () => bench.box['names'].names().length === 2000));
  });

  it('Q1, Q10 between two of them give no second owner and take none away', async () => {
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b', ...EXPLICIT });
    const [a, c] = (await cluster.nodes({ name: 'a', ...EXPLICIT }, { name: 'c', ...EXPLICIT })) as [
      ClusterNode,
      ClusterNode,
    ];
    for (const node of [a, b, c]) await node.run(startNames);
    // Only a dials b through the proxy; b and c talk to each other directly.
    expect(await a.run(connect, b.name)).toBe(true);
    expect(await b.run(connect, c.name)).toBe(true);
    expect(await a.run(connect, c.name)).toBe(true);
    await c.run(sees, [a.name, b.name]);
    expect([
      await a.run(register, 'of a'),
      await b.run(register, 'of b'),
      await c.run(register, 'of c'),
    ]).toEqual([true, true, true]);
    const before = await c.run((bench) => bench.seen('nodedown').length);
    proxy.partition();
    await a.run(misses, [b.name]);
    await b.run(misses, [a.name]);
    // Nobody lost more than the other end of the broken link.
    expect(await everywhere([a, b, c], 'of a')).toEqual([a.name, undefined, a.name]);
    expect(await everywhere([a, b, c], 'of b')).toEqual([undefined, b.name, b.name]);
    expect(await everywhere([a, b, c], 'of c')).toEqual([c.name, c.name, c.name]);
    expect(await c.run((bench) => bench.seen('nodedown').length)).toBe(before);
    // c sees both: only one of them gets the name, and the one that had one keeps it.
    const both = await Promise.all([a.run(register, 'x'), b.run(register, 'x')]);
    expect(both.filter(Boolean)).toHaveLength(1);
    expect(await b.run(register, 'of a')).toBe(false);
    // What is freed on one side only does not come back.
    expect(await a.run(unregister, 'of a')).toBe(true);
    proxy.heal();
    await a.run(connect, b.name);
    await b.run(sees, [a.name]);
    const owner = both[0] ? a.name : b.name;
    await untilEverywhere([a, b, c], 'x', owner);
    await untilEverywhere([a, b, c], 'of b', b.name);
    expect(await everywhere([a, b, c], 'of a')).toEqual([undefined, undefined, undefined]);
  });

  it('Q11 are not freed by who means an earlier owner, over a slow link', async () => {
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b', ...EXPLICIT });
    const [a, c] = (await cluster.nodes({ name: 'a', ...EXPLICIT }, { name: 'c', ...EXPLICIT })) as [
      ClusterNode,
      ClusterNode,
    ];
    for (const node of [a, b, c]) await node.run(startNames);
    expect(await a.run(connect, b.name)).toBe(true);
    expect(await b.run(connect, c.name)).toBe(true);
    expect(await a.run(connect, c.name)).toBe(true);
    await c.run(sees, [a.name, b.name]);
    for (let round = 0; round < 10; round++) {
      const name = `x${round}`;
      expect(await a.run(register, name)).toBe(true);
      proxy.delay(20 * (round % 3));
      // c may take it over before or after b's wish to free it reaches a, which had it when b asked.
      const freed = b.run(unregister, name);
      const taken = c.run(async (bench, key) => {
        bench.box[key] = await bench.probe();
        return bench.box['names'].reregister(key, bench.box[key].pid);
      }, name);
      expect([await freed, await taken]).toEqual([expect.any(Boolean), true]);
      await untilEverywhere([a, b, c], name, c.name);
      proxy.delay(0);
    }
  });

  it('Q9 leave nothing behind when a node dies in the resolver', async () => {
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b', ...EXPLICIT });
    const [a, c] = (await cluster.nodes({ name: 'a', ...EXPLICIT }, { name: 'c', ...EXPLICIT })) as [
      ClusterNode,
      ClusterNode,
    ];
    for (const node of [a, b, c]) {
      await node.run((bench) => {
        bench.box['names'] = bench.snow.startGlobalNames(bench.node, {
          onConflict: () => process.kill(process.pid, 'SIGKILL') as never,
        });
      });
    }
    expect([await a.run(register, 'x'), await b.run(register, 'x')]).toEqual([true, true]);
    await mesh([a, c]);
    void a.run(connect, b.name).catch(() => {});
    void c.run(connect, b.name).catch(() => {});
    const dead = await until('one dies', () =>
      [a, b].find(({ child }) => child.process.signalCode === 'SIGKILL'),
    );
    const [left] = [a, b].filter((node) => node !== dead) as [ClusterNode];
    await untilEverywhere([left], 'x', left.name);
    await left.run(connect, c.name);
    await untilEverywhere([left, c], 'x', left.name);
    expect(proxy.accepted).toBeGreaterThan(0);
  });
});

describe('global names of four nodes', () => {
  it('Q7 registered on both sides of a split have one owner, the same on all four', async () => {
    const nodes = await joined('a', 'b', 'c', 'd');
    const [a, b, c, d] = nodes as [ClusterNode, ClusterNode, ClusterNode, ClusterNode];
    for (const node of [a, b])
      for (const peer of [c, d]) await node.run((bench, name) => bench.node.disconnect(name), peer.name);
    for (const node of [a, b]) await node.run(misses, [c.name, d.name]);
    for (const node of [c, d]) await node.run(misses, [a.name, b.name]);
    const count = 20;
    for (let number = 0; number < count; number++)
      expect([await a.run(register, `x${number}`), await d.run(register, `x${number}`)]).toEqual([
        true,
        true,
      ]);
    expect([await b.run(where, 'x0'), await c.run(where, 'x0')]).toEqual([a.name, d.name]);
    await mesh(nodes);
    for (let number = 0; number < count; number++) {
      const name = `x${number}`;
      const winner = await until(`one owner of ${name}`, async () => {
        const seen = new Set(await everywhere(nodes, name));
        const [owner] = seen;
        return seen.size === 1 && owner;
      });
      const [first, second] = winner === a.name ? [a, d] : [d, a];
      const isAlive = (bench: Workbench, key: string) => bench.node.runtime.isAlive(bench.box[key].pid);
      await until('the loser is dead', async () => !(await second.run(isAlive, name)));
      expect(await first.run(isAlive, name)).toBe(true);
      expect(new Set(await everywhere(nodes, name))).toEqual(new Set([winner]));
    }
  });

  it('Q1 asked for in a loop keep no node from stopping', async () => {
    const nodes = await joined('a', 'b', 'c');
    for (const node of nodes)
      await node.run((bench) => {
        const { box } = bench;
        box['rounds'] = 0;
        box['loop'] = (async () => {
          const { pid } = await bench.probe();
          // Without a pause, as users write it: until the name is free.
          for (;;) {
            const isOurs = await box['names'].register('leader', pid);
            box['rounds']++;
            if (isOurs) await box['names'].unregister('leader');
          }
        })().catch((error: { code: string }) => error.code);
      });
    for (const node of nodes)
      await node.run((bench) => bench.until('rounds of the loop', () => bench.box['rounds'] > 10));
    const codes = await Promise.all(
      nodes.map((node) =>
        node.run(async (bench) => {
          await bench.node.stop();
          return bench.box['loop'];
        }),
      ),
    );
    expect(codes).toEqual(['SNOW_ERR_STOPPED', 'SNOW_ERR_STOPPED', 'SNOW_ERR_STOPPED']);
  });
});
