// Two operating-system processes look at each other.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster } from '../../support/cluster.ts';

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

describe('introspection of another node', () => {
  it('W2 shows its actors, tree, names, groups, sessions and event loop', async () => {
    const [a, b] = await cluster.nodes({ name: 'a' }, { name: 'b' });
    await b!.run(async (bench) => {
      const { node, snow } = bench;
      const worker = snow.defineHandler('worker', () => ({ onMessage() {} }));
      await snow
        .defineSupervisor({ name: 'top', children: [snow.childSpec('w', worker, { name: 'worker' })] })
        .start(node);
      const pid = node.spawn(async function clerk(self) {
        self.monitor(node.whereis('worker') as never);
        await self.receive((message) => message === 'never');
      });
      for (let left = 3; left > 0; left--) node.send(pid, left as never);
      snow.startGroups(node).join('staff', pid as never);
      snow.startGlobalNames(node);
    });
    const seen = await a!.run(async (bench, peer) => {
      const { node } = bench;
      await node.connect(peer);
      const view = node.introspect(peer);
      const [busiest] = await view.top();
      if (busiest === undefined) throw new Error('no actor');
      const { items } = await view.processes({ limit: 1000 });
      const info = await view.processInfo(busiest.pid);
      // A PID of the answer is an address like any other.
      node.sendExit(busiest.pid, 'kill');
      await bench.until('its end', async () => (await view.processInfo(busiest.pid)) === undefined);
      const [root] = (await view.tree()).roots;
      await view.overview();
      await bench.until('a figure', async () => (await view.overview()).loopDelay !== undefined);
      return {
        labels: items.map(({ label }) => label).sort(),
        home: node.nodeOf(busiest.pid),
        busiest: [busiest.label, busiest.mailbox],
        monitored: info?.monitors.length,
        tree: [root?.id, root?.children.map(({ id, label }) => [id, label])],
        names: (await view.names()).items.map(({ name }) => name),
        groups: (await view.groups()).total,
        overview: await view.overview(),
        sessions: await view.sessions(),
        ours: await node.introspect().sessions(),
      };
    }, b!.name);
    expect(seen).toMatchObject({
      labels: ['clerk', 'top', 'worker'],
      home: b!.name,
      busiest: ['clerk', 3],
      monitored: 1,
      tree: ['top', [['w', 'worker']]],
      names: ['worker'],
      groups: 0,
      overview: { node: b!.name, actors: 2, supervisors: 1, peers: 1, stalledPeers: [] },
      sessions: [{ node: a!.name, dialled: false, stalled: false }],
      ours: [{ node: b!.name, dialled: true }],
    });
    const { sessions, ours } = seen;
    for (const { framesIn, framesOut, bytesIn, bytesOut, silentMs } of [...sessions, ...ours]) {
      expect(framesIn).toBeGreaterThan(10);
      expect(framesOut).toBeGreaterThan(10);
      expect(bytesIn).toBeGreaterThan(500);
      expect(bytesOut).toBeGreaterThan(500);
      expect(silentMs).toBeGreaterThanOrEqual(0);
    }
  });

  it('W2 is refused by a node that was started without it', async () => {
    const [a, b] = await cluster.nodes({ name: 'a' }, { name: 'b', introspection: false });
    const reason = await a!.run(async (bench, peer) => {
      await bench.node.connect(peer);
      return bench.node
        .introspect(peer)
        .overview()
        .catch((error: { code: string; details: { reason: string } }) => [error.code, error.details.reason]);
    }, b!.name);
    expect(reason).toEqual(['SNOW_ERR_INTROSPECTION', 'off']);
    expect(await b!.run(async (bench) => bench.node.processes().total)).toBe(0);
  });
});
