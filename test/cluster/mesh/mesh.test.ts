// Nodes that find each other through each other (L1, L2, L15, T14), and find each other again.
import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode, COOKIE } from '../../support/cluster.ts';
import { until } from '../../support/deadline.ts';

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

const MESH = { mesh: 'full' } as const;

const connect = (from: ClusterNode, to: ClusterNode): Promise<boolean> =>
  from.run((bench, peer) => bench.node.connect(peer), to.name);
const ready = (node: ClusterNode, peers: number | string[]): Promise<readonly string[]> =>
  node.run((bench, wanted) => bench.node.ready({ peers: wanted, timeout: 80_000 }), peers);
const peersOf = (node: ClusterNode): Promise<string[]> => node.run((bench) => bench.node.nodes().sort());

describe('a mesh', () => {
  it('L1 connects a node to the peers of its peer', async () => {
    const [a, b, c] = (await cluster.nodes(
      { name: 'a', ...MESH },
      { name: 'b', ...MESH },
      { name: 'c', ...MESH },
    )) as [ClusterNode, ClusterNode, ClusterNode];
    await connect(a, b);
    await connect(c, b);
    expect(await ready(a, [b.name, c.name])).toHaveLength(2);
    expect(await ready(c, [a.name, b.name])).toHaveLength(2);
  });

  it('L1 takes a newcomer in, whichever node it knows', async () => {
    const [first, ...newcomers] = (await cluster.nodes(
      ...['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, ...MESH })),
    )) as [ClusterNode, ...ClusterNode[]];
    let previous = first;
    for (const [index, newcomer] of newcomers.entries()) {
      const failed = await newcomer.run(
        async (bench, door, peers) => {
          await bench.node.connect(door);
          await bench.node.ready({ peers, timeout: 80_000 });
          return bench.seen('nodedown');
        },
        previous.name,
        index + 1,
      );
      expect(failed).toEqual([]);
      previous = newcomer;
    }
  });

  it('L16 keeps nothing of 256 names that do not exist, and tells nobody of them', async () => {
    const [a, b] = (await cluster.nodes({ name: 'a', ...MESH }, { name: 'b', ...MESH })) as [
      ClusterNode,
      ClusterNode,
    ];
    await connect(a, b);
    await b.run((bench) => bench.event('nodeup'));
    const residue = async (node: ClusterNode): Promise<unknown[]> =>
      node.run(async (bench) => {
        const { native } = bench.node.stats();
        const error = await bench.node.ready({ peers: 9, timeout: 0 }).catch((failure) => failure);
        return [native?.handshakes, native?.identities, bench.node.nodes('all'), error.details.missing];
      });
    /** A dial that came second may still be under way. */
    const untilResidue = (node: ClusterNode, isRight: (residue: unknown[]) => boolean): Promise<unknown> =>
      until('only what is connected is left', async () => isRight(await residue(node)));
    for (const node of [a, b]) await untilResidue(node, ([handshakes]) => handshakes === 0);
    const before = [await residue(a), await residue(b)];
    const found = await a.run(async (bench) => {
      const names = Array.from({ length: 256 }, (_, index) => `n${index}@127.0.0.1:1`);
      for (const node of names) bench.node.send({ name: 'nobody', node }, 'hello');
      return (await Promise.all(names.map((name) => bench.node.connect(name)))).some(Boolean);
    });
    expect(found).toBe(false);
    for (const [index, node] of [a, b].entries())
      await untilResidue(node, (left) => isDeepStrictEqual(left, before[index]));
    const c = await cluster.node({ name: 'c', ...MESH });
    await connect(c, a);
    await ready(c, [a.name, b.name]);
    await untilResidue(c, ([handshakes, identities, , missing]) =>
      isDeepStrictEqual([handshakes, identities, missing], [0, 2, []]),
    );
  });

  it('L1, L3 of eight grows out of a chain, with one session a pair', async () => {
    const names = Array.from({ length: 8 }, (_, index) => ({ name: `n${index}`, ...MESH }));
    const nodes = await cluster.nodes(...names);
    await Promise.all(nodes.slice(1).map((node, index) => connect(node, nodes[index] as ClusterNode)));
    for (const node of nodes) {
      await ready(node, 7);
      const others = nodes.filter((other) => other !== node).map(({ name }) => name);
      expect(await peersOf(node)).toEqual(others.sort());
    }
  });

  it('L2 leaves hidden nodes out, and explicit ones alone', async () => {
    const [a, b, hidden, loner] = (await cluster.nodes(
      { name: 'a', ...MESH },
      { name: 'b', ...MESH },
      { name: 'hidden', ...MESH, hidden: true },
      { name: 'loner', mesh: 'explicit' },
    )) as [ClusterNode, ClusterNode, ClusterNode, ClusterNode];
    await connect(hidden, a);
    await connect(loner, a);
    await connect(b, a);
    await ready(b, [a.name, loner.name]); // b was told of the loner, who dials nobody itself
    expect(await hidden.run((bench) => bench.node.nodes('all'))).toEqual([a.name]);
    expect(await b.run((bench) => bench.node.nodes('hidden'))).toEqual([]);
  });

  it('dials a lost peer again, and not one that left or was sent away (L15)', async () => {
    const [a, c] = (await cluster.nodes({ name: 'a', ...MESH }, { name: 'c', ...MESH })) as [
      ClusterNode,
      ClusterNode,
    ];
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b', ...MESH });
    await connect(a, b);
    proxy.cut();
    await a.run((bench) => bench.event('nodedown'));
    await a.run((bench) => bench.event('nodeup', 2));
    await connect(a, c);
    await c.run((bench) => bench.node.stop());
    await a.run((bench, name) => bench.until('goodbye', () => !bench.node.nodes().includes(name)), c.name);
    const accepted = proxy.accepted;
    await a.run((bench, name) => bench.node.disconnect(name), b.name);
    // A peer that is wanted is dialled several times meanwhile.
    const { node: d, proxy: wanted } = await cluster.behindProxy({ name: 'd', ...MESH });
    await connect(a, d);
    const before = wanted.accepted;
    await d.kill();
    await until('three dials', () => wanted.accepted >= before + 3);
    expect(proxy.accepted).toBe(accepted);
    expect(await peersOf(a)).toEqual([]);
  });

  it('finds a node again that was killed and started anew', async () => {
    const [a, b] = (await cluster.nodes({ name: 'a', ...MESH }, { name: 'b', ...MESH })) as [
      ClusterNode,
      ClusterNode,
    ];
    await connect(a, b);
    await b.kill();
    await a.run((bench) => bench.event('nodedown'));
    const again = await cluster.node({ name: b.name, ...MESH });
    await ready(a, [again.name]);
    expect(await ready(again, 1)).toEqual([a.name]);
  });
});

describe('ready', () => {
  it('refuses what is no number of peers and no time', async () => {
    const a = await cluster.node({ name: 'a', ...MESH });
    const codes = await a.run((bench) =>
      Promise.all(
        [{ peers: -1 }, { peers: Number.NaN }, { timeout: -5 }].map((options) =>
          bench.node.ready(options).catch((error: { code: string }) => error.code),
        ),
      ),
    );
    expect(codes).toEqual(Array(3).fill('SNOW_ERR_BAD_OPTION'));
  });

  it('says who is missing', async () => {
    const a = await cluster.node({ name: 'a', ...MESH });
    const failure = await a.run((bench) =>
      bench.node
        .ready({ peers: ['b@127.0.0.1:9'], timeout: 50 })
        .catch((error: { code: string; message: string; details: { missing: string[] } }) => [
          error.code,
          error.details.missing,
        ]),
    );
    expect(failure).toEqual(['SNOW_ERR_NOT_READY', ['b@127.0.0.1:9']]);
  });

  it('says why the missing cannot be reached', async () => {
    const a = await cluster.node({ name: 'a', ...MESH });
    const failure = await a.run(async (bench) => {
      await bench.node.connect('b@127.0.0.1:9');
      return bench.node
        .ready({ peers: ['b@127.0.0.1:9'], timeout: 0 })
        .catch((error: Error) => error.message);
    });
    expect(failure).toMatch(/missing: b@127\.0\.0\.1:9 \(nothing listens at its address, .*\)\.$/);
  });

  it('ends with its signal', async () => {
    const a = await cluster.node({ name: 'a', ...MESH });
    const reason = await a.run((bench) =>
      bench.node.ready({ signal: AbortSignal.timeout(30) }).catch((error: Error) => error.name),
    );
    expect(reason).toBe('TimeoutError');
  });
});

describe('a discovery', () => {
  it('brings up what it finds, as soon as that can be reached, and ends with the node', async () => {
    const { node: late, proxy } = await cluster.behindProxy({ name: 'late' });
    proxy.partition();
    const early = await cluster.process();
    const events = await early.run(
      async (bench, wanted, cookie) => {
        const happened: string[] = [];
        const node = await bench.snow.startNode({
          name: 'early@127.0.0.1:0',
          cookie,
          logger: bench.snow.silentLogger,
          discovery: {
            start: ({ found }) => {
              happened.push('started');
              found([wanted, 'no name at all']);
            },
            stop: () => void happened.push('stopped'),
          },
        });
        bench.box['node'] = node;
        bench.box['happened'] = happened;
        return happened;
      },
      late.name,
      COOKIE,
    );
    expect(events).toEqual(['started']);
    await until('a dial', () => proxy.accepted > 1);
    proxy.heal();
    expect(await early.run((bench) => bench.box['node'].ready({ timeout: 80_000 }))).toEqual([late.name]);
    const end = await early.run(async (bench) => {
      await bench.box['node'].stop();
      return bench.box['happened'];
    });
    expect(end).toEqual(['started', 'stopped']);
  });
});
