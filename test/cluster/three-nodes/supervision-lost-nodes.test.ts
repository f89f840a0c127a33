// Supervisors whose children's node is lost: killed and started anew, split off, or standing still for good.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { until } from '../../support/deadline.ts';

type AnySelf = import('../../../ts/index.ts').Self<unknown>;
type Info = import('../../../ts/index.ts').ChildInfo;

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

/** Exposes a child that ends only when it is killed. `box.living`: who lives; `box.most`: how many ever did at once. */
const expose = (bench: Workbench): void => {
  const { box, node, snow } = bench;
  box['living'] = new Set();
  box['most'] = 0;
  box['ends'] = [];
  node.expose(
    snow.defineActor('stubborn', async (self: AnySelf) => {
      self.trapExit(true);
      box['living'].add(self.pid.local);
      box['most'] = Math.max(box['most'], box['living'].size);
      node.runtime.onDeath(self.pid, (pid, reason) => {
        box['living'].delete(pid.local);
        box['ends'].push(reason);
      });
      for (;;) await self.receive();
    }) as never,
  );
};

/** Starts a supervisor with `count` stubborn children on a node. `last`: options of the last child alone. */
const supervise = async (
  bench: Workbench,
  node: string,
  count: number,
  options: object,
  last: object = {},
): Promise<boolean> => {
  const { defineSupervisor, defineActor, childSpec, start } = bench.snow;
  const stubborn = defineActor('stubborn', async () => {});
  const children = Array.from({ length: count }, (_, index) =>
    childSpec(`x${index}`, stubborn as never, { node, ...options, ...(index === count - 1 ? last : {}) }),
  );
  const tree = defineSupervisor({
    name: 'tree',
    intensity: 1,
    period: 3_600_000,
    ...bench.box['limit'],
    children,
  });
  const result = await start(bench.node.runtime, tree as never, []);
  if (result.ok) bench.box['tree'] = result.pid;
  return result.ok;
};
const pids = async (bench: Workbench): Promise<string[]> => {
  const list: Info[] = await bench.snow.whichChildren(bench.node.runtime, bench.box['tree']);
  return list.map(({ pid }) => String(pid));
};
const stopTree = (bench: Workbench): Promise<void> =>
  bench.snow.stop(bench.node.runtime, bench.box['tree'], 'shutdown');
const living = (bench: Workbench): number => bench.box['living'].size;
const counted = (bench: Workbench): Promise<{ specs: number; active: number }> =>
  bench.snow.countChildren(bench.node.runtime, bench.box['tree']);
const untilActive = (node: ClusterNode, active: number): Promise<unknown> =>
  until(`${active} active children`, async () => (await node.run(counted)).active === active);

async function node(name: string, options: object = {}): Promise<ClusterNode> {
  const made = await cluster.node({ name, ...options });
  await made.run(expose);
  return made;
}

describe('a child that waits for its lost node', () => {
  it('S2 is started again each time its node is, however often it was killed', async () => {
    const [a, first] = await Promise.all([node('a'), node('b')]);
    let b = first;
    expect(await a.run(supervise, b.name, 2, { onNodeLost: 'wait' })).toBe(true);
    for (let round = 0; round < 3; round++) {
      await b.kill();
      await untilActive(a, 0);
      expect(await a.run(pids)).toEqual(['restarting', 'restarting']);
      expect(await a.run(counted)).toMatchObject({ specs: 2, active: 0 });
      b = await node(b.name);
      await untilActive(a, 2);
      expect(await b.run(living)).toBe(2);
      expect(await b.run((bench) => bench.box['most'])).toBe(2);
    }
    await a.run(stopTree);
    expect(await b.run(living)).toBe(0);
  });

  it('S2 is started again because its node connects: the pauses between looks do not end here', async () => {
    const [a, b] = await Promise.all([node('a'), node('b')]);
    expect(await a.run(supervise, b.name, 2, { onNodeLost: 'wait' })).toBe(true);
    await a.run(() => void (Math.random = () => 1e6)); // a pause lasts longer by a random part
    await b.kill();
    await untilActive(a, 0);
    const again = await node(b.name);
    await again.run((bench, peer) => bench.node.connect(peer), a.name);
    await untilActive(a, 2);
  });

  it('S2, S3 is one of very many: all are started again once after a split, and the connection holds', async () => {
    const children = 1000;
    const a = await node('a');
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b' });
    await b.run(expose);
    expect(await a.run(supervise, b.name, children, { onNodeLost: 'wait' })).toBe(true);
    proxy.partition();
    await untilActive(a, 0);
    proxy.heal();
    await untilActive(a, children);
    await until('those of before are killed', async () => (await b.run(living)) === children);
    expect(await b.run((bench) => bench.box['ends'].length)).toBe(children);
  });

  it('S3 is never there twice after a split that heals', async () => {
    const a = await node('a');
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b' });
    await b.run(expose);
    expect(await a.run(supervise, b.name, 1, { onNodeLost: 'wait' })).toBe(true);
    for (let round = 1; round <= 3; round++) {
      const before = await a.run(pids);
      proxy.partition();
      await untilActive(a, 0);
      expect(await b.run(living)).toBe(1);
      proxy.heal();
      await untilActive(a, 1);
      expect(await a.run(pids)).not.toEqual(before);
      const seen = await b.run((bench) => [
        bench.box['living'].size,
        bench.box['most'],
        bench.box['ends'].length,
      ]);
      expect(seen).toEqual([1, 1, round]);
    }
    expect(await b.run((bench) => bench.box['ends'])).toEqual(['killed', 'killed', 'killed']);
  });

  it('S3 is killed after the heal although its supervisor was stopped during the split', async () => {
    const a = await node('a');
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b' });
    await b.run(expose);
    expect(await a.run(supervise, b.name, 1, { onNodeLost: 'wait' })).toBe(true);
    proxy.partition();
    await untilActive(a, 0);
    await a.run(stopTree);
    expect(await b.run(living)).toBe(1);
    proxy.heal();
    await until('the end of the orphan', async () => (await b.run(living)) === 0);
    expect(await b.run((bench) => bench.box['ends'])).toEqual(['killed']);
  });

  it('S2, S6 can be stopped while it waits, and does not come back', async () => {
    const [a, b] = await Promise.all([node('a'), node('b')]);
    expect(await a.run(supervise, b.name, 1, { onNodeLost: 'wait' })).toBe(true);
    await b.kill();
    await untilActive(a, 0);
    await a.run(stopTree);
    const again = await node(b.name);
    await again.run((bench, peer) => bench.node.connect(peer), a.name);
    await again.run((bench) => bench.turns(20));
    expect(await again.run(living)).toBe(0);
  });
});

describe('a node that stands still for good', () => {
  it('S2, J10 leaves the supervisor able to answer, and has its limit reached', async () => {
    const [a, b] = await Promise.all([node('a', { tickMs: 400, downMs: 2000 }), node('b')]);
    await a.run((bench) => void (bench.box['limit'] = { intensity: 3, period: 4000 }));
    expect(await a.run(supervise, b.name, 1, {})).toBe(true);
    await a.run((bench) => {
      bench.box['ended'] = new Promise((resolve) => {
        bench.node.runtime.onDeath(bench.box['tree'], (_pid, reason) => resolve(reason));
      });
    });
    b.freeze();
    await untilActive(a, 0);
    // One answer in each of the four tries: one request at a time, until the supervisor ends.
    const [answers, reason] = await a.run(async (bench) => {
      const { snow, node: own, box } = bench;
      let count = 0;
      for (;;) {
        const info = await snow.whichChildren(own.runtime, box['tree']).catch(() => undefined);
        if (info?.[0]?.pid !== 'restarting') break;
        count++;
        await bench.turns(10);
      }
      return [count, await box['ended']];
    });
    expect(answers).toBeGreaterThan(10); // it was 2 when each try kept the supervisor for as long as connecting takes
    expect(reason).toBe('shutdown');
  });

  it('S6 holds up the stop no longer than the time of one child and the liveness bound', async () => {
    const downMs = 2000;
    const a = await node('a', { tickMs: 400, downMs });
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b' });
    await b.run(expose);
    // The last child is stopped first, and has been killed before its node is given up; the others could take for ever.
    expect(await a.run(supervise, b.name, 5, { shutdown: 'infinity' }, { shutdown: 500 })).toBe(true);
    const { accepted } = proxy;
    b.freeze();
    await a.run(stopTree);
    expect(await a.run((bench) => bench.seen('nodedown').map(([, , cause]) => cause))).toEqual(['timeout']);
    // Four dials one after the other would be waited for.
    expect(proxy.accepted - accepted).toBeLessThanOrEqual(1);
    expect(await a.run((bench) => bench.node.runtime.links.remoteCount)).toBe(0);
  });
});
