// Nodes that find each other by DNS as in Kubernetes: a name server of this machine, real resolvers, real processes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode, COOKIE } from '../../support/cluster.ts';
import { until } from '../../support/deadline.ts';
import { NameServer } from '../../support/name-server.ts';
import { reservePort } from '../../support/ports.ts';

const SERVICE = 'shop.default.svc.cluster.local';
let cluster: Cluster;
let server: NameServer;
beforeEach(async () => {
  cluster = new Cluster();
  server = await NameServer.listen();
});
afterEach(async () => {
  await cluster.stop();
  await server.close();
});

/** Starts `shop@address:port`, which connects to what DNS says and to nobody else. */
async function pod(address: string, port: number, hostname = SERVICE): Promise<ClusterNode> {
  const node = await cluster.process();
  node.name = `shop@${address}:${port}`;
  const query = hostname.startsWith('_') ? ('srv' as const) : ('a' as const);
  await node.run(
    async (bench, name, where, wanted, cookie) => {
      const { Resolver } = process.getBuiltinModule('node:dns/promises');
      const resolver = new Resolver({ timeout: 2000, tries: 1 });
      resolver.setServers([where]);
      const options = { name: 'shop', resolver, intervalMs: 50, ...wanted };
      await bench.start({ name, cookie, mesh: 'explicit', discovery: bench.snow.dnsDiscovery(options) });
    },
    node.name,
    server.address,
    query === 'srv' ? { query, hostname } : { query, hostname, port },
    COOKIE,
  );
  return node;
}

const ready = (node: ClusterNode, ...peers: ClusterNode[]): Promise<readonly string[]> =>
  node.run(
    (bench, wanted) => bench.node.ready({ peers: wanted, timeout: 80_000 }),
    peers.map(({ name }) => name),
  );
const downs = (node: ClusterNode): Promise<unknown[][]> =>
  node.run((bench) => bench.seen('nodedown').map(([, name, cause]) => [name, cause]));

describe('DNS', () => {
  it('connects the pods of a headless service, whenever they come; a failure of it disturbs nobody', async () => {
    const port = await reservePort();
    const addresses = ['127.0.0.1', '127.0.0.2'];
    server.records.set(SERVICE, { addresses });
    const [a, b] = [await pod('127.0.0.1', port), await pod('127.0.0.2', port)];
    await ready(a, b);
    const c = await pod('127.0.0.3', port); // finds them, and is found later
    await ready(c, a, b);
    server.isBroken = true;
    await a.run((bench) => bench.until('a warning', () => bench.seen('log').length > 0));
    server.isBroken = false;
    server.records.set(SERVICE, { addresses: [...addresses, '127.0.0.3', '127.0.0.4'] });
    const asked = server.questions.length;
    await until('the next questions', () => server.questions.length > asked + 12);
    expect([await downs(a), await downs(b), await downs(c)]).toEqual([[], [], []]);
    const d = await pod('127.0.0.4', port);
    await ready(a, b, c, d);
  });

  it('brings a pod of a stateful set back under its name', async () => {
    const service = `_snowmesh._tcp.${SERVICE}`;
    const [first, second] = [await reservePort(), await reservePort()];
    server.records.set(service, {
      services: [
        { name: 'localhost', port: first },
        { name: 'localhost', port: second },
      ],
    });
    const a = await pod('localhost', first, service);
    const b = await pod('localhost', second, service);
    await ready(a, b);
    await b.kill();
    await a.run((bench) => bench.event('nodedown'));
    const again = await pod('localhost', second, service);
    await ready(a, again);
    expect(await downs(a)).toEqual([[b.name, 'closed']]);
  });
});
