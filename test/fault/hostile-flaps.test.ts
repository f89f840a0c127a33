// Sessions that come and go: a member that connects and closes its connection again and again leaves nothing open at a node.
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Cluster, type ClusterNode, COOKIE } from '../support/cluster.ts';
import { until } from '../support/deadline.ts';
import { WirePeer } from '../support/wire-peer.ts';

let cluster: Cluster;
let victim: ClusterNode;
let good: ClusterNode;
beforeEach(async () => {
  cluster = new Cluster();
  [victim, good] = (await cluster.nodes({ name: 'victim' }, { name: 'good' })) as [ClusterNode, ClusterNode];
  await good.run((bench, name) => bench.node.connect(name), victim.name);
  await victim.run((bench) => bench.node.ready({ peers: 1 })); // the one that dialled may know of the session first
});
afterEach(() => cluster.stop());

const ROUNDS = Number(process.env['SNOWMESH_FLAPS'] ?? 150);

/** What is open at the victim: descriptors (on Linux), sessions and handshakes, and timers of its runtime. */
const open = async (): Promise<unknown> => [
  process.platform === 'linux' ? readdirSync(`/proc/${victim.child.pid}/fd`).length : 0,
  await victim.run((bench) => {
    const { sessions, handshakes } = bench.node.stats().native as { sessions: number; handshakes: number };
    return [sessions, handshakes, bench.node.nodes()];
  }),
];

it.each<[string, (round: number) => bigint]>([
  ['the same incarnation', () => 7n],
  ['a new incarnation each time', (round) => BigInt(7 + round)],
])('of one name and %s leave nothing open, and a good peer stays connected', async (_what, incarnationOf) => {
  const flap = async (round: number): Promise<void> => {
    const facts = { name: 'flaps@127.0.0.1:1', dialled: victim.name, incarnation: incarnationOf(round) };
    const peer = await WirePeer.join(Number(victim.name.split(':')[1]), COOKIE, facts);
    peer.socket.destroy();
  };
  const before = JSON.stringify(await open());
  for (let round = 0; round < ROUNDS; round++) await flap(round);
  await until('all is closed', async () => JSON.stringify(await open()) === before);
  const [ups, downs] = await victim.run((bench) => [
    bench.seen('nodeup').length,
    bench.seen('nodedown').length,
  ]);
  expect([ups, downs]).toEqual([ROUNDS + 1, ROUNDS]);
  expect(await good.run((bench) => [bench.node.nodes(), bench.seen('nodedown')])).toEqual([
    [victim.name],
    [],
  ]);
});
