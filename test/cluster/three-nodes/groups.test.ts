// Process groups of two to four operating-system processes: members that die, nodes that are lost, splits, broadcasts.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { until } from '../../support/deadline.ts';

/** Who is connected to whom is what these tests decide: nodes are not to find each other by themselves. */
const EXPLICIT = { mesh: 'explicit' } as const;

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

const startGroups = (bench: Workbench): void => {
  bench.box['groups'] = bench.snow.startGroups(bench.node);
};
const join = async (bench: Workbench, group: string, label: string): Promise<void> => {
  bench.box[label] ??= await bench.probe();
  bench.box['groups'].join(group, bench.box[label].pid);
};
const leave = (bench: Workbench, group: string, label: string): boolean =>
  bench.box['groups'].leave(group, bench.box[label].pid);
/** The nodes of the members of a group, sorted. */
const homes = (bench: Workbench, group: string): string[] =>
  bench.box['groups']
    .members(group)
    .map((pid: import('../../../ts/index.ts').Pid) => bench.node.nodeOf(pid))
    .sort();
const which = (bench: Workbench): string[] => bench.box['groups'].which().sort();
const connect = (bench: Workbench, peer: string): Promise<boolean> => bench.node.connect(peer);
const got = (bench: Workbench, label: string, count: number): Promise<unknown[]> =>
  bench.box[label].count(count);

async function connected(nodes: readonly ClusterNode[]): Promise<void> {
  for (const node of nodes) await node.run(startGroups);
  for (const [index, node] of nodes.entries())
    for (const peer of nodes.slice(index + 1)) expect(await node.run(connect, peer.name)).toBe(true);
}

async function joined<N extends ClusterNode[] = [ClusterNode, ClusterNode, ClusterNode]>(
  ...names: string[]
): Promise<N> {
  const nodes = await cluster.nodes(...names.map((name) => ({ name, ...EXPLICIT })));
  await connected(nodes);
  return nodes as N;
}

/** All these nodes see the members of a group on those, each node once for every member. */
const untilSeen = (
  by: readonly ClusterNode[],
  group: string,
  on: readonly ClusterNode[],
): Promise<unknown> => {
  const wanted = JSON.stringify(on.map(({ name }) => name).sort());
  return until(`the members of ${group} are on ${wanted}`, async () =>
    (await Promise.all(by.map((node) => node.run(homes, group)))).every(
      (seen) => JSON.stringify(seen) === wanted,
    ),
  );
};

describe('groups of several nodes', () => {
  it('R1, R2, R3 have members of all nodes, until they leave, die, or their node is lost', async () => {
    const nodes = await joined('a', 'b', 'c');
    const [a, b, c] = nodes;
    for (const node of nodes) await node.run(join, 'g', 'x');
    await b.run(join, 'g', 'x');
    await untilSeen(nodes, 'g', [a, b, b, c]);
    expect(await b.run(leave, 'g', 'x')).toBe(true);
    await untilSeen(nodes, 'g', [a, b, c]);
    await a.run((bench) => bench.node.sendExit(bench.box['x'].pid, 'kill'));
    await untilSeen(nodes, 'g', [b, c]);
    await c.kill();
    await untilSeen([a, b], 'g', [b]);
    await b.run((bench) => bench.box['groups'].close());
    await untilSeen([a, b], 'g', []);
    expect(await a.run(which)).toEqual([]);
  });

  it('R2 loses the members of a node that is disconnected, and of one that stops', async () => {
    const [a, b, c] = await joined('a', 'b', 'c');
    await b.run(join, 'g', 'x');
    await c.run(join, 'g', 'x');
    await untilSeen([a], 'g', [b, c]);
    await a.run((bench, peer) => bench.node.disconnect(peer), b.name);
    await untilSeen([a], 'g', [c]);
    await untilSeen([b], 'g', [b, c]);
    await c.run((bench) => bench.node.stop());
    await untilSeen([a], 'g', []);
    await untilSeen([b], 'g', [b]);
  });

  it('R4 after a split has own members only, and then the union with changes made meanwhile', async () => {
    const a = await cluster.node({ name: 'a', ...EXPLICIT });
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b', ...EXPLICIT });
    await connected([a, b]);
    await a.run(join, 'g', 'x');
    await b.run(join, 'g', 'x');
    await untilSeen([a, b], 'g', [a, b]);
    await a.run(async (bench) => {
      const watcher = await bench.probe('watcher');
      bench.box['groups'].monitor('g', watcher.pid);
    });
    proxy.partition();
    await untilSeen([a], 'g', [a]);
    await untilSeen([b], 'g', [b]);
    await b.run(join, 'g', 'y');
    await b.run(leave, 'g', 'x');
    await b.run(join, 'h', 'x');
    await a.run(join, 'h', 'x');
    proxy.heal();
    await until('a session again', () => a.run(connect, b.name));
    await untilSeen([a, b], 'g', [a, b]);
    await untilSeen([a, b], 'h', [a, b]);
    const events = await a.run(async (bench) => {
      const { GroupJoin } = bench.snow;
      const all = (await bench.probes.get('watcher')?.count(2)) ?? [];
      return all.map((event) => [
        event instanceof GroupJoin ? 'join' : 'leave',
        (event as { pids: unknown[] }).pids.length,
      ]);
    });
    expect(events).toEqual([
      ['leave', 1],
      ['join', 1],
    ]);
  });

  it('P6, R2, R4 of which there are very many are gone with their node at once, and back with it', async () => {
    const count = 20_000;
    const [a, b] = await joined<[ClusterNode, ClusterNode]>('a', 'b');
    await a.run((bench) => {
      const { GroupJoin, GroupLeave } = bench.snow;
      /** The members of each group, as an actor that monitors all groups is told of them. */
      const told = new Map<string, number>();
      bench.box['told'] = told;
      bench.box['wrong'] = [];
      const watcher = bench.node.spawnHandler(() => ({
        onMessage(event: unknown) {
          if (!(event instanceof GroupJoin || event instanceof GroupLeave)) return;
          const members = (told.get(event.group) ?? 0) + (event instanceof GroupJoin ? 1 : -1);
          if (members !== 0 && members !== 1) bench.box['wrong'].push([event.group, members]);
          if (members === 0) told.delete(event.group);
          else told.set(event.group, members);
        },
      }));
      bench.box['groups'].monitorAll(watcher);
      bench.node.on('nodedown', () => (bench.box['left'] = bench.box['groups'].which()));
    });
    await b.run(async (bench, many) => {
      const { pid } = await bench.probe();
      for (let at = 0; at < many; at++) bench.box['groups'].join(`g${at}`, pid);
    }, count);
    const counts = (): Promise<number[]> =>
      a.run((bench) => [bench.box['groups'].which().length, bench.box['told'].size]);
    const untilBoth = (many: number): Promise<unknown> =>
      until(`${many} groups`, async () => (await counts()).every((each) => each === many));
    await untilBoth(count);
    const gone = await a.run(async (bench, peer) => {
      await bench.node.disconnect(peer);
      const seen = [bench.box['left'], bench.box['groups'].which()];
      await bench.node.connect(peer);
      return seen;
    }, b.name);
    expect(gone).toEqual([[], []]);
    await untilBoth(count);
    await a.run((bench) => void (bench.box['left'] = undefined));
    await b.kill();
    expect(await until('the loss', () => a.run((bench) => bench.box['left']))).toEqual([]);
    await untilBoth(0);
    expect(await a.run((bench) => bench.box['wrong'])).toEqual([]);
  });

  it('R4 come together again from four parts', async () => {
    const nodes = await joined<ClusterNode[]>('a', 'b', 'c', 'd');
    for (const node of nodes) await node.run(join, 'g', 'x');
    await untilSeen(nodes, 'g', nodes);
    for (const node of nodes)
      await node.run(async (bench) => {
        for (const peer of bench.node.nodes()) await bench.node.disconnect(peer);
      });
    for (const node of nodes) await untilSeen([node], 'g', [node]);
    for (const node of nodes) await node.run(join, 'g', 'y');
    for (const [index, node] of nodes.entries())
      for (const peer of nodes.slice(index + 1)) await node.run(connect, peer.name);
    await untilSeen(nodes, 'g', [...nodes, ...nodes]);
  });

  it('R5 are not forwarded: what one has no session with is not seen', async () => {
    const [a, b, c] = (await cluster.nodes(...['a', 'b', 'c'].map((name) => ({ name, ...EXPLICIT })))) as [
      ClusterNode,
      ClusterNode,
      ClusterNode,
    ];
    for (const node of [a, b, c]) await node.run(startGroups);
    await a.run(connect, b.name);
    await b.run(connect, c.name);
    await a.run(join, 'g', 'x');
    await b.run(join, 'g', 'x');
    await untilSeen([a, b], 'g', [a, b]);
    await untilSeen([c], 'g', [b]);
    await a.run(connect, c.name);
    await untilSeen([a, b, c], 'g', [a, b]);
  });

  it('R6, R7 a broadcast reaches each member on all nodes once, in order with what else its sender sends', async () => {
    const nodes = await joined('a', 'b', 'c');
    const [a] = nodes;
    for (const node of nodes) {
      await node.run(join, 'g', 'x');
      await node.run(join, 'g', 'y');
      await node.run(join, 'other', 'z');
    }
    await untilSeen(nodes, 'g', [...nodes, ...nodes]);
    const count = 2000;
    await a.run((bench, count) => {
      const { groups } = bench.box as { groups: import('../../../ts/index.ts').Groups };
      bench.node.spawn((self: import('../../../ts/index.ts').Self<unknown>) => {
        const members = groups.members<unknown>('g');
        for (let number = 0; number < count; number += 2) {
          groups.broadcast('g', { number }, self);
          for (const pid of members) self.send(pid, { number: number + 1 });
        }
      });
    }, count);
    const wanted = Array.from({ length: count }, (_, number) => ({ number }));
    for (const node of nodes) {
      expect(await node.run(got, 'x', count)).toEqual(wanted);
      expect(await node.run(got, 'y', count)).toEqual(wanted);
      expect(await node.run((bench) => bench.box['z'].messages)).toEqual([]);
    }
  });

  it('R13 a broadcast to a node that is just lost does no harm', async () => {
    const [a, b, c] = await joined('a', 'b', 'c');
    for (const node of [a, b, c]) await node.run(join, 'g', 'x');
    await untilSeen([a], 'g', [a, b, c]);
    await Promise.all([
      c.kill(),
      a.run(async (bench, peers) => {
        const { groups } = bench.box as { groups: import('../../../ts/index.ts').Groups };
        const from = await bench.probe();
        await bench.until('the loss', () => {
          groups.broadcast('g', 'x', from.pid);
          return bench.node.nodes().length < peers;
        });
        groups.broadcast('g', 'last', from.pid);
      }, 2),
    ]);
    for (const node of [a, b])
      await node.run(async (bench) => void (await bench.box['x'].first((each: unknown) => each === 'last')));
    await untilSeen([a, b], 'g', [a, b]);
  });
});

describe('many groups', () => {
  it('R3 leave nothing behind: a million joined and left on two nodes', { timeout: 480_000 }, async () => {
    const [a, b] = await joined<[ClusterNode, ClusterNode]>('a', 'b');
    const memory = (bench: Workbench): Promise<number> =>
      bench.turns(5).then(() => {
        globalThis.gc?.();
        return process.memoryUsage().heapUsed / 2 ** 20;
      });
    const many = async (bench: Workbench, from: number, to: number): Promise<void> => {
      const { groups } = bench.box as { groups: import('../../../ts/index.ts').Groups };
      bench.box['x'] ??= await bench.probe();
      for (let number = from; number < to; number++) {
        groups.join(`room ${number}`, bench.box['x'].pid);
        if (number % 1000 === 0) await bench.turns(1);
      }
      for (let number = from; number < to; number++) {
        groups.leave(`room ${number}`, bench.box['x'].pid);
        if (number % 1000 === 0) await bench.turns(1);
      }
      groups.join('last', bench.box['x'].pid);
      groups.leave('first', bench.box['x'].pid);
    };
    await a.run(many, 0, 20_000);
    await untilSeen([b], 'last', [a]);
    const before = [await a.run(memory), await b.run(memory)];
    await a.runFor(420_000, many, 0, 1_000_000);
    await untilSeen([b], 'last', [a, a]);
    expect([await a.run(which), await b.run(which)]).toEqual([['last'], ['last']]);
    const after = [await a.run(memory), await b.run(memory)];
    for (const [index, size] of after.entries()) expect(size).toBeLessThan((before[index] as number) + 20);
  });
});
