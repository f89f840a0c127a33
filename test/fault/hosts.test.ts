// Hosts that are cut off: what is sent is lost without a word, and no connection is ever closed by anybody.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode } from '../support/cluster.ts';
import type { Workbench } from '../support/cluster-node.ts';
import { until } from '../support/deadline.ts';
import { canMakeHosts, type Host, Hosts } from '../support/hosts.ts';

/** Silence is noticed after three quarters of `downMs` at the earliest. Unit: ms. */
const SOON = { tickMs: 500, downMs: 3000 };
/** Nobody notices silence while a test runs. */
const LATE = { tickMs: 60_000, downMs: 240_000 };

let cluster: Cluster;
let hosts: Hosts;
let [one, two, three] = [] as unknown as [Host, Host, Host];

beforeEach(() => {
  cluster = new Cluster('full');
  hosts = new Hosts(3);
  [one, two, three] = hosts.all as [Host, Host, Host];
});
afterEach(async () => {
  await cluster.stop();
  hosts.close();
});

const connect = (bench: Workbench, peer: string): Promise<boolean> => bench.node.connect(peer);
const peersOf = (node: ClusterNode): Promise<string[]> => node.run((bench) => bench.node.nodes().sort());
const events = (node: ClusterNode): Promise<unknown[][]> =>
  node.run((bench) =>
    bench.events
      .filter(([kind]) => kind === 'nodeup' || kind === 'nodedown')
      .map(([kind, name, cause]) => (kind === 'nodeup' ? [kind, name] : [kind, name, cause])),
  );
const untilAll = (nodes: readonly ClusterNode[]): Promise<unknown> =>
  until('all see all others', async () =>
    (await Promise.all(nodes.map(peersOf))).every((peers) => peers.length === nodes.length - 1),
  );

async function joined(...nodes: ClusterNode[]): Promise<void> {
  const [first, ...others] = nodes as [ClusterNode, ...ClusterNode[]];
  for (const node of others) expect(await node.run(connect, first.name)).toBe(true);
  await untilAll(nodes);
}

describe.skipIf(!canMakeHosts())('a host that is cut off', () => {
  it('L12, D10, M3 is lost by the clock on both sides, and its actors are the same when it is back', async () => {
    const [a, b] = await Promise.all([
      cluster.nodeOn(one, { name: 'a', ...SOON }),
      cluster.nodeOn(two, { name: 'b', ...SOON }),
    ]);
    await joined(a, b);
    await b.run((bench) => void bench.echo());
    await a.run(async (bench, node) => {
      const probe = (bench.box['probe'] = await bench.probe());
      probe.self.send({ name: 'echo', node }, [probe.pid, 'who']);
      probe.self.monitor({ name: 'echo', node });
      await probe.count(1);
    }, b.name);
    hosts.cut(two);
    const downs = [];
    for (const node of [a, b]) {
      const [[, , cause] = []] = await node.run((bench) => bench.event('nodedown'));
      downs.push(cause);
    }
    expect(downs).toEqual(['timeout', 'timeout']);
    const lost = await a.run(async (bench) => {
      const messages = await bench.box['probe'].count(2);
      return messages[1].reason;
    });
    expect(lost).toBe('noconnection');
    hosts.heal(two);
    await untilAll([a, b]); // found again by the mesh
    const echoed = await a.run(async (bench, node) => {
      const { probe } = bench.box;
      probe.self.send({ name: 'echo', node }, [probe.pid, 'still']);
      return (await probe.count(3))[2];
    }, b.name);
    expect(echoed).toEqual(['echo', 'still']);
  });

  it('K9 and started anew is taken at once, long before its silence is noticed', async () => {
    const a = await cluster.nodeOn(one, { name: 'a', ...LATE });
    const b = await cluster.nodeOn(two, { name: 'b', ...LATE });
    await joined(a, b);
    await b.run((bench) => void bench.echo('kept'));
    await a.run(async (bench, node) => {
      const probe = (bench.box['probe'] = await bench.probe());
      bench.node.monitorNodes(probe.self);
      probe.self.monitor({ name: 'kept', node });
      probe.self.send({ name: 'kept', node }, [probe.pid, 'is watched']);
      await probe.count(1);
    }, b.name);
    hosts.cut(two);
    await b.kill(); // not a word of it gets out
    hosts.reboot(two);
    const again = await cluster.nodeOn(two, { name: 'b', ...LATE });
    expect(again.name).toBe(b.name);
    expect(await again.run(connect, a.name)).toBe(true); // silence is noticed after four minutes
    await untilAll([a, again]);
    expect((await events(a)).map(([kind]) => kind)).toEqual(['nodeup', 'nodedown', 'nodeup']);
    const told = await a.run(async (bench) => {
      const messages = await bench.box['probe'].count(4);
      return messages.slice(1).map((message: object) => message.constructor.name);
    });
    expect(told).toEqual(['Down', 'NodeDown', 'NodeUp']);
    expect(await again.run((bench) => bench.seen('nodedown'))).toEqual([]);
  });

  it('Q7, L1 keeps its names to itself, and the cluster settles them the same way when it is back', async () => {
    const nodes = await Promise.all(
      [one, two, three].map((host, at) => cluster.nodeOn(host, { name: 'abc'[at] as string, ...SOON })),
    );
    const [a, b, c] = nodes as [ClusterNode, ClusterNode, ClusterNode];
    for (const node of nodes)
      await node.run(
        (bench) => void (bench.box['names'] = bench.snow.startGlobalNames(bench.node, { loser: 'notify' })),
      );
    await joined(a, b, c);
    for (const node of nodes) await node.run((bench) => bench.box['names'].sync());
    hosts.cut(three);
    await until(
      'the loss of the third',
      async () => (await peersOf(a)).length + (await peersOf(b)).length === 2,
    );
    await until('the loss of the others', async () => (await peersOf(c)).length === 0);
    for (const node of [b, c])
      expect(
        await node.run(async (bench) => {
          const probe = (bench.box['probe'] = await bench.probe());
          return bench.box['names'].register('leader', probe.pid);
        }),
      ).toBe(true);
    hosts.heal(three);
    await untilAll(nodes);
    const leader = (node: ClusterNode): Promise<string | undefined> =>
      node.run((bench) => {
        const pid = bench.box['names'].whereis('leader');
        return pid && bench.node.nodeOf(pid);
      });
    await until('one leader', async () => new Set(await Promise.all(nodes.map(leader))).size === 1);
    const [winner, loser] = (await leader(a)) === c.name ? [c, b] : [b, c];
    expect(await leader(a)).toBe(winner.name);
    const told = (node: ClusterNode): Promise<boolean[]> =>
      node.run((bench) =>
        bench.box['probe'].messages.map((message: unknown) => message instanceof bench.snow.NameConflict),
      );
    await until('the loser knows', async () => (await told(loser)).length === 1);
    expect([await told(loser), await told(winner)]).toEqual([[true], []]);
  });
});
