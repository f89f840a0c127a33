// Two connected nodes: `a` asks, `b` offers.
import { Cluster, type ClusterNode } from './cluster.ts';
import type { Workbench } from './cluster-node.ts';
import type { Proxy } from './proxy.ts';

type Setup = (bench: Workbench) => void | Promise<void>;

export interface Pair {
  readonly cluster: Cluster;
  readonly a: ClusterNode;
  readonly b: ClusterNode;
}

/** Starts both, runs `ask` on a and `offer` on b, then connects them. */
export async function connectedPair(ask: Setup, offer: Setup): Promise<Pair> {
  const cluster = new Cluster();
  const [a, b] = await orStop(cluster, cluster.nodes({ name: 'a' }, { name: 'b' }) as Promise<Two>);
  await orStop(cluster, connect(a, b, ask, offer));
  return { cluster, a, b };
}

/** The same with a proxy between them; `toServer` is the way from a to b. */
export async function proxiedPair(ask: Setup, offer: Setup): Promise<Pair & { readonly proxy: Proxy }> {
  const cluster = new Cluster();
  const starting = Promise.all([cluster.node({ name: 'a' }), cluster.behindProxy({ name: 'b' })]);
  const [a, { node: b, proxy }] = await orStop(cluster, starting);
  await orStop(cluster, connect(a, b, ask, offer));
  return { cluster, a, b, proxy };
}

type Two = [ClusterNode, ClusterNode];

async function connect(a: ClusterNode, b: ClusterNode, ask: Setup, offer: Setup): Promise<void> {
  await b.run(offer);
  await a.run(ask);
  await a.run((bench, peer) => bench.node.connect(peer), b.name);
  await b.run((bench) => bench.node.ready({ peers: 1 })); // the one that dialled may know of the session first
}

/** A set-up that fails leaves no process behind. */
async function orStop<T>(cluster: Cluster, step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
