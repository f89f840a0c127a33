// Supervisors whose children live on other nodes: crashes, lost nodes, splits, stops, and what runs on beyond a split.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { until } from '../../support/deadline.ts';

type AnySelf = import('../../../ts/index.ts').Self<unknown>;
type Info = import('../../../ts/index.ts').ChildInfo;

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster('full')));
afterEach(() => cluster.stop());

/** What children there can be. `box.ends` records how they ended, `box.living` who lives. */
const expose = (bench: Workbench): void => {
  const { box } = bench;
  box['ends'] = [];
  box['living'] = new Set();
  const offer = (name: string, body: (self: AnySelf) => Promise<void>): void =>
    bench.node.expose(
      bench.snow.defineActor(name, async (self: AnySelf) => {
        box['living'].add(self.pid.local);
        bench.node.runtime.onDeath(self.pid, (pid, reason) => {
          box['living'].delete(pid.local);
          box['ends'].push([name, reason]);
        });
        await body(self);
      }) as never,
    );
  offer('sitter', async (self) => self.exit((await self.receive()) as string));
  offer('stubborn', async (self) => {
    self.trapExit(true);
    for (;;) await self.receive();
  });
};

interface ChildOrder {
  readonly id: string;
  readonly what: string;
  /** Several: the next one for each start. */
  readonly nodes: string[];
  readonly shutdown?: number;
}

/** Starts a supervisor on a node, and gives why it did not start. Its end is in `box.ended`. */
const supervise = async (bench: Workbench, orders: ChildOrder[], intensity: number): Promise<unknown> => {
  const { defineSupervisor, defineActor, childSpec } = bench.snow;
  const tree = defineSupervisor({
    name: 'tree',
    intensity,
    period: 60_000,
    children: orders.map(({ id, what, nodes, shutdown = 1000 }) => {
      let turn = 0;
      const next = (): string => nodes[Math.min(turn++, nodes.length - 1)] as string;
      const node = nodes.length === 1 ? (nodes[0] as string) : next;
      return childSpec(id, defineActor(what, async () => {}) as never, { node, shutdown });
    }),
  });
  const result = await bench.snow.start(bench.node.runtime, tree as never, []);
  if (!result.ok) return result;
  bench.box['tree'] = result.pid;
  bench.node.runtime.onDeath(result.pid as never, (_pid, reason) => void (bench.box['ended'] = [reason]));
  return 'ok';
};
/** Each child, and where it is. */
const children = async (bench: Workbench): Promise<string[]> => {
  const list: Info[] = await bench.snow.whichChildren(bench.node.runtime, bench.box['tree']);
  return list.map(({ id, pid }) =>
    typeof pid === 'object' ? `${id} ${pid.local} ${bench.node.nodeOf(pid)}` : `${id} ${pid}`,
  );
};
/** Tells a child to end. */
const tell = async (bench: Workbench, id: string, message: string): Promise<void> => {
  const list: Info[] = await bench.snow.whichChildren(bench.node.runtime, bench.box['tree']);
  bench.node.send(list.find((child) => child.id === id)?.pid as never, message as never);
};
const ended = (bench: Workbench): Promise<unknown[]> =>
  bench.until('the end of the supervisor', () => bench.box['ended']);
const living = (bench: Workbench): number => bench.box['living'].size;
const ends = (bench: Workbench): unknown[] => bench.box['ends'];
const untilLiving = (node: ClusterNode, count: number): Promise<unknown> =>
  until(`${count} children on ${node.name}`, async () => (await node.run(living)) === count);

async function nodes<N extends ClusterNode[]>(...names: string[]): Promise<N> {
  const all = await cluster.nodes(...names.map((name) => ({ name })));
  for (const node of all) await node.run(expose);
  return all as N;
}

describe('a supervisor with children on other nodes', () => {
  it('S1 restarts a child that crashes on its node, with a new PID', async () => {
    const [a, b, c] = await nodes<[ClusterNode, ClusterNode, ClusterNode]>('a', 'b', 'c');
    const orders = [b, c].map((node) => ({ id: `on ${node.name}`, what: 'sitter', nodes: [node.name] }));
    expect(await a.run(supervise, orders, 5)).toBe('ok');
    const before = await a.run(children);
    expect(before).toEqual([expect.stringContaining(b.name), expect.stringContaining(c.name)]);
    await a.run(tell, `on ${b.name}`, 'oops');
    // Between the two it has no PID: the restart runs beside the supervisor's own work.
    await until('the restart', async () => {
      const [first] = await a.run(children);
      return first !== before[0] && first?.split(' ').at(-1) === b.name;
    });
    const after = await a.run(children);
    expect(after[1]).toBe(before[1]);
    expect(await b.run(ends)).toEqual([['sitter', 'oops']]);
    await untilLiving(b, 1);
  });

  it('S2 takes the loss of a node as an abnormal end, and gives up when its intensity is used up', async () => {
    const [a, b] = await nodes<[ClusterNode, ClusterNode]>('a', 'b');
    expect(await a.run(supervise, [{ id: 'x', what: 'sitter', nodes: [b.name] }], 3)).toBe('ok');
    await b.kill();
    expect(await a.run(ended)).toEqual(['shutdown']);
  });

  it('S2 lets a child fall over to another node', async () => {
    const [a, b, c] = await nodes<[ClusterNode, ClusterNode, ClusterNode]>('a', 'b', 'c');
    const order = { id: 'x', what: 'sitter', nodes: [b.name, c.name] };
    expect(await a.run(supervise, [order], 3)).toBe('ok');
    expect(await a.run(children)).toEqual([expect.stringContaining(b.name)]);
    await b.kill();
    await untilLiving(c, 1);
    expect(await a.run(children)).toEqual([expect.stringContaining(c.name)]);
  });

  it('S3 stops a child that ran on beyond a split once its node is back', async () => {
    const [a, c] = await nodes<[ClusterNode, ClusterNode]>('a', 'c');
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b' });
    await b.run(expose);
    const order = { id: 'x', what: 'stubborn', nodes: [b.name, c.name] };
    expect(await a.run(supervise, [order], 3)).toBe('ok');
    await untilLiving(b, 1);
    proxy.partition();
    await untilLiving(c, 1);
    expect(await b.run(living)).toBe(1);
    proxy.heal();
    await untilLiving(b, 0);
    expect(await b.run(ends)).toEqual([['stubborn', 'killed']]);
    expect(await c.run(living)).toBe(1);
    expect(await a.run(children)).toEqual([expect.stringContaining(c.name)]);
  });

  it('S3 kills the stray before it starts another on the same node', async () => {
    const [a, b] = await nodes<[ClusterNode, ClusterNode]>('a', 'b');
    expect(await a.run(supervise, [{ id: 'x', what: 'stubborn', nodes: [b.name] }], 3)).toBe('ok');
    const [before] = await a.run(children);
    await b.run((bench) => {
      const { living } = bench.box as { living: Set<number> };
      const add = living.add.bind(living);
      living.add = (pid) => {
        if (living.size > 0) bench.box['two'] = true;
        return add(pid);
      };
    });
    await a.run((bench, peer) => bench.node.disconnect(peer), b.name);
    await until('the restart', async () => {
      const [now] = await a.run(children);
      return now !== before && now?.includes(b.name);
    });
    await untilLiving(b, 1);
    expect(await b.run(ends)).toEqual([['stubborn', 'killed']]);
    expect(await b.run((bench) => bench.box['two'])).toBeUndefined();
  });

  it('S4 stops its children in reverse order, each within its time', async () => {
    const [a, b] = await nodes<[ClusterNode, ClusterNode]>('a', 'b');
    const orders = [
      { id: 'first', what: 'sitter', nodes: [b.name] },
      { id: 'second', what: 'stubborn', nodes: [b.name], shutdown: 200 },
    ];
    expect(await a.run(supervise, orders, 3)).toBe('ok');
    const story = await a.run(async (bench) => {
      const { snow, node: own, box } = bench;
      const events: string[] = [];
      // Timers of a runtime fire in the order of their times: this one comes before that of the supervisor.
      own.runtime.after(200, () => events.push('200 ms'));
      await snow.stop(own.runtime, box['tree'], 'shutdown');
      return [...events, 'stopped'];
    });
    expect(story).toEqual(['200 ms', 'stopped']);
    expect(await b.run(ends)).toEqual([
      ['stubborn', 'killed'],
      ['sitter', 'shutdown'],
    ]);
  });

  it('S5 does not start when a child cannot: nothing of that name there, or no such node', async () => {
    const [a, b] = await nodes<[ClusterNode, ClusterNode]>('a', 'b');
    const failures = [];
    for (const order of [
      { id: 'x', what: 'unheard-of', nodes: [b.name] },
      { id: 'x', what: 'sitter', nodes: ['nobody@127.0.0.1:1'] },
    ]) {
      const orders = [{ id: 'before', what: 'sitter', nodes: [b.name] }, order];
      failures.push(JSON.stringify(await a.run(supervise, orders, 3)));
    }
    expect(failures[0]).toContain('unknown_function');
    expect(failures[1]).toContain('noconnection');
    await untilLiving(b, 0);
    expect(await b.run(ends)).toEqual([
      ['sitter', 'shutdown'],
      ['sitter', 'shutdown'],
    ]);
  });

  it('S6 ends although the node of a child is gone', async () => {
    const [a, b, c] = await nodes<[ClusterNode, ClusterNode, ClusterNode]>('a', 'b', 'c');
    const orders = [b, c].map((node) => ({
      id: node.name,
      what: 'stubborn',
      nodes: [node.name],
      shutdown: 300,
    }));
    expect(await a.run(supervise, orders, 3)).toBe('ok');
    c.freeze();
    const stopped = a.run((bench) => bench.snow.stop(bench.node.runtime, bench.box['tree'], 'shutdown'));
    await c.kill();
    await stopped;
    expect(await a.run(ended)).toEqual(['shutdown']);
    expect(await b.run(ends)).toEqual([['stubborn', 'killed']]);
  });

  it('S7 takes children that do not trap along when its node dies', async () => {
    const [a, b, c] = await nodes<[ClusterNode, ClusterNode, ClusterNode]>('a', 'b', 'c');
    const orders = [b, c].map((node) => ({ id: node.name, what: 'sitter', nodes: [node.name] }));
    expect(await a.run(supervise, orders, 3)).toBe('ok');
    for (const node of [b, c]) await untilLiving(node, 1);
    await a.kill();
    for (const node of [b, c]) {
      await untilLiving(node, 0);
      expect(await node.run(ends)).toEqual([['sitter', 'noconnection']]);
    }
  });
});
