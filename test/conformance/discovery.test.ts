// Every discovery keeps the same promises (section U): the exported suite, run over each of ours.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import {
  type DnsResolver,
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

const INTERVAL = { intervalMs: 5 };

function srv(): DiscoveryFixture {
  let names: readonly string[] | undefined = [];
  const answer = async (): Promise<{ name: string; port: number }[]> => {
    if (names === undefined) throw Object.assign(new Error('querySrv ESERVFAIL'), { code: 'ESERVFAIL' });
    return names.map((name) => ({ name: '127.0.0.1', port: Number(name.split(':')[1]) }));
  };
  const resolver: DnsResolver = { resolve4: async () => [], resolve6: async () => [], resolveSrv: answer };
  const inner = dnsDiscovery({ name: 'n', query: 'srv', hostname: 'nodes.test', resolver, ...INTERVAL });
  // DNS gives all nodes the same name before the @; the suite has two.
  const renamed = (found: readonly string[]): string[] =>
    found.map((name) => name.replace(/^n(?=.*1$)/, 'a').replace(/^n(?=.*2$)/, 'b'));
  return {
    discovery: {
      start: (listener) =>
        inner.start({ found: (found) => listener.found(renamed(found)), failed: listener.failed }),
      stop: () => inner.stop(),
    },
    set: (given) => void (names = given),
    breakDown: () => void (names = undefined),
  };
}

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
  'dnsDiscovery, over SRV records': srv,
  fileDiscovery: file,
  portmapDiscovery: portmap,
};

describe.each(Object.entries(makers))('%s', (_name, make) => {
  it.each(discoveryConformance)('$name', ({ run }) => run(make));
});
