// Every discovery keeps the same promises (section U): the exported suite, run over each of ours.
import { Resolver } from 'node:dns/promises';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import {
  type DnsOptions,
  dnsDiscovery,
  fileDiscovery,
  type Portmap,
  type PortmapRegistration,
  portmapDiscovery,
  registerWithPortmap,
  startPortmap,
  staticList,
} from '../../ts/discovery/index.ts';
import { type DiscoveryFixture, discoveryConformance } from '../../ts/testing/index.ts';
import { NameServer, type Records } from '../support/name-server.ts';

const INTERVAL = { intervalMs: 5 };

/** DNS gives all nodes one name before the @, and the suite's have two: each of its nodes has a stand-in there. */
async function dns(
  options: Pick<DnsOptions, 'query' | 'hostname' | 'port'>,
  standIns: Readonly<Record<string, string>>,
  recordsOf: (standIns: readonly string[]) => Records,
): Promise<DiscoveryFixture> {
  const server = await NameServer.listen();
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([server.address]);
  const inner = dnsDiscovery({ name: 'n', resolver, ...options, ...INTERVAL });
  const back = new Map(Object.entries(standIns).map(([name, standIn]) => [standIn, name]));
  const renamed = (found: readonly string[]): string[] => found.map((name) => back.get(name) ?? name);
  return {
    discovery: {
      start: (listener) =>
        inner.start({ found: (found) => listener.found(renamed(found)), failed: listener.failed }),
      stop: () => inner.stop(),
    },
    set(names) {
      server.isBroken = false;
      server.records.set(options.hostname, recordsOf(names.map((name) => standIns[name] as string)));
    },
    breakDown: () => void (server.isBroken = true),
    async close() {
      resolver.cancel();
      await server.close();
    },
  };
}

/** The pods of a headless service in Kubernetes, one of each family. */
const addresses = (): Promise<DiscoveryFixture> =>
  dns(
    { query: 'a', hostname: 'nodes.test', port: 9000 },
    { 'a@127.0.0.1:9001': 'n@10.0.0.1:9000', 'b@127.0.0.1:9002': 'n@[fd00::2]:9000' },
    (names) => ({ addresses: names.map((name) => name.slice(2, -5).replace(/[[\]]/g, '')) }),
  );

/** The pods of a stateful set. */
const services = (): Promise<DiscoveryFixture> =>
  dns(
    { query: 'srv', hostname: '_snowmesh._tcp.nodes.test' },
    { 'a@127.0.0.1:9001': 'n@n-0.nodes.test:9001', 'b@127.0.0.1:9002': 'n@n-1.nodes.test:9002' },
    (names) => ({
      services: names.map((name) => ({ name: name.slice(2, -5), port: Number(name.slice(-4)) })),
    }),
  );

function file(): DiscoveryFixture {
  const folder = mkdtempSync(join(tmpdir(), 'snowmesh-discovery-'));
  const path = join(folder, 'nodes');
  return {
    discovery: fileDiscovery({ path, ...INTERVAL }),
    set(names) {
      writeFileSync(`${path}.new`, `# nodes\n${names.join('\n')}\n`);
      renameSync(`${path}.new`, path);
    },
    breakDown: () => rmSync(path),
    close: () => rmSync(folder, { recursive: true }),
  };
}

async function portmap(): Promise<DiscoveryFixture> {
  let server: Portmap | undefined = await startPortmap({ port: 0 });
  const { port } = server;
  const held = new Map<string, PortmapRegistration>();
  const release = (name: string): void => {
    held.get(name)?.close();
    held.delete(name);
  };
  const breakDown = async (): Promise<void> => {
    await server?.close(); // before the names go, so that nobody sees an empty list
    server = undefined;
    for (const name of [...held.keys()]) release(name);
  };
  return {
    discovery: portmapDiscovery({ port, ...INTERVAL }),
    async set(names) {
      server ??= await startPortmap({ port });
      for (const name of [...held.keys()]) if (!names.includes(name)) release(name);
      for (const name of names) {
        if (held.has(name)) continue;
        const [local = '', , listenPort] = name.split(/[@:]/);
        held.set(name, await registerWithPortmap(local, Number(listenPort), { port }));
      }
    },
    breakDown,
    close: breakDown,
  };
}

const makers: Record<string, () => DiscoveryFixture | Promise<DiscoveryFixture>> = {
  staticList: () => ({ discovery: staticList(['a@127.0.0.1:9001']) }),
  'dnsDiscovery, over A and AAAA records': addresses,
  'dnsDiscovery, over SRV records': services,
  fileDiscovery: file,
  portmapDiscovery: portmap,
};

describe.each(Object.entries(makers))('%s', (_name, make) => {
  it.each(discoveryConformance)('$name', ({ run }) => run(make));
});
