// Who connects to whom without being told to (L17).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode } from '../../support/cluster.ts';
import type { Proxy } from '../../support/proxy.ts';

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

const connect = (from: ClusterNode, to: string): Promise<boolean> =>
  from.run((bench, peer) => bench.node.connect(peer), to);
const send = (from: ClusterNode, to: string, message: unknown): Promise<void> =>
  from.run((bench, node, what) => bench.node.send({ name: 'inbox', node }, what), to, message);

/** `a`, and `b` behind a proxy with an actor `inbox`; both dial again only what they are told to. */
async function onceOnly(): Promise<{ a: ClusterNode; b: ClusterNode; proxy: Proxy }> {
  const options = { autoConnect: 'once', mesh: 'full' } as const;
  const { node: b, proxy } = await cluster.behindProxy({ name: 'b', ...options });
  const a = await cluster.node({ name: 'a', ...options });
  await b.run(async (bench) => void (await bench.probe('inbox')));
  return { a, b, proxy };
}

const inbox = (node: ClusterNode, count: number): Promise<unknown[]> =>
  node.run((bench, wanted) => bench.probes.get('inbox')?.count(wanted) ?? [], count);

async function cut({ a, b, proxy }: Awaited<ReturnType<typeof onceOnly>>): Promise<void> {
  proxy.cut();
  for (const node of [a, b]) await node.run((bench) => bench.event('nodedown'));
}

describe('autoConnect: once', () => {
  it('L17 connects on use, and after a loss only when told to', async () => {
    const pair = await onceOnly();
    const { a, b, proxy } = pair;
    await send(a, b.name, 'first use');
    expect(await inbox(b, 1)).toEqual(['first use']);
    const { accepted } = proxy;
    await cut(pair);
    await send(a, b.name, 'lost');
    const notice = await a.run(async (bench, peer) => {
      const watcher = await bench.probe();
      bench.node.monitorNode(watcher.pid, peer);
      const call = await bench.snow
        .callWith(bench.node, { timeout: 15_000 }, { name: 'inbox', node: peer }, 'tag')
        .catch((error: { state: string; reason: unknown }) => error.reason);
      const [down] = (await watcher.count(1)) as [{ constructor: { name: string } }];
      return [down.constructor.name, call];
    }, b.name);
    expect(notice).toEqual(['NodeDown', 'noconnection']);
    expect(proxy.accepted).toBe(accepted);
    expect(await connect(a, b.name)).toBe(true);
    await send(a, b.name, 'again');
    expect(await inbox(b, 2)).toEqual(['first use', 'again']);
  });

  it('L17 is forgotten when the other side connects', async () => {
    const pair = await onceOnly();
    const { a, b } = pair;
    await connect(a, b.name);
    await cut(pair);
    expect(await connect(b, a.name)).toBe(true);
    await a.run((bench) => bench.node.ready({ peers: 1 }));
    await send(a, b.name, 'over their connection');
    expect(await inbox(b, 1)).toEqual(['over their connection']);
  });

  it('L17, L1 keeps the peers of a peer from bringing back who was lost', async () => {
    const pair = await onceOnly();
    const { a, b, proxy } = pair;
    await connect(a, b.name);
    await cut(pair);
    const { accepted } = proxy;
    const c = await cluster.node({ name: 'c', mesh: 'full', autoConnect: 'once' });
    await connect(c, b.name);
    await connect(c, a.name); // c tells a of b, and b of a
    const [d] = await cluster.nodes({ name: 'd', mesh: 'full' });
    await connect(d as ClusterNode, c.name); // and once more, when everything else has long been said
    for (const node of [a, b]) await node.run((bench) => bench.node.ready({ peers: 2 }));
    const peers = await a.run((bench) => bench.node.nodes().map((name) => name.split('@')[0]));
    expect(peers.toSorted()).toEqual(['c', 'd']);
    // c, and d unless b was the first to dial it.
    expect(proxy.accepted - accepted).toBeOneOf([1, 2]);
    expect(
      await a.run((bench, name) => bench.seen('nodeup').filter(([, up]) => up === name).length, b.name),
    ).toBe(1);
  });
});

describe('autoConnect: explicit', () => {
  it('L17 brings no connection by use', async () => {
    const a = await cluster.node({ name: 'a', autoConnect: 'explicit' });
    const { node: b, proxy } = await cluster.behindProxy({ name: 'b' });
    await b.run(async (bench) => void (await bench.probe('inbox')));
    await send(a, b.name, 'lost');
    const kinds = await a.run(async (bench, peer) => {
      const watcher = await bench.probe();
      bench.node.monitorNode(watcher.pid, peer);
      return (await watcher.count(1)).map((notice) => (notice as object).constructor.name);
    }, b.name);
    expect(kinds).toEqual(['NodeDown']);
    expect(proxy.accepted).toBe(0);
    expect(await connect(a, b.name)).toBe(true);
    await send(a, b.name, 'arrives');
    expect(await inbox(b, 1)).toEqual(['arrives']);
  });
});
