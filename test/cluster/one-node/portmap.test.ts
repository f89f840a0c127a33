// The port mapper as people run it: the command, in a process of its own, or embedded in a node (U1, U2, U5).
import { afterEach, describe, expect, it } from 'vitest';
import {
  lookupPort,
  type PortmapDiscoveryOptions,
  type PortmapRegistration,
  registerWithPortmap,
} from '../../../ts/discovery/index.ts';
import { type Child, hasSignals, killChildren, startChild } from '../../support/child.ts';
import { Cluster, type ClusterNode, COOKIE } from '../../support/cluster.ts';
import { until } from '../../support/deadline.ts';
import { reservePort } from '../../support/ports.ts';

const MAIN = new URL('../../../ts/cli/main.ts', import.meta.url);
const WORKER_POOL = new URL('./worker-pool.ts', import.meta.url);
const LIFETIME = new URL('./lifetime.ts', import.meta.url);
const registrations: PortmapRegistration[] = [];
afterEach(async () => {
  for (const registration of registrations.splice(0)) registration.close();
  await killChildren();
});

const start = (...args: string[]): Child => startChild(MAIN, { args });

async function portmap(port = 0): Promise<{ child: Child; port: number }> {
  const child = start('portmap', '--port', String(port));
  const line = await child.line('port mapper listens on 127.0.0.1:');
  return { child, port: Number(line.split(':').at(-1)) };
}

describe('snowmesh portmap', () => {
  it.runIf(hasSignals).each(['SIGINT', 'SIGTERM'] as const)(
    'says where it listens, and ends with 0 at %s',
    async (signal) => {
      const { child } = await portmap();
      child.kill(signal);
      expect(await child.exit()).toEqual({ code: 0, signal: null });
      expect(child.stderr()).toBe('');
    },
  );

  it('says why it cannot listen, and ends with 1', async () => {
    const { port } = await portmap();
    const second = start('portmap', '--port', String(port));
    expect(await second.exit()).toEqual({ code: 1, signal: null });
    expect(second.stderr()).toContain('EADDRINUSE');
  });

  it.each([
    [['portmap', '--port', '70000'], 'it must be a whole number from 0 to 65535'],
    [['portmap', '--colour'], '--colour'],
    [['portmop'], 'there is no command portmop'],
    [[], 'Usage'],
  ])('%j explains itself and ends with 2', async (args, words) => {
    const child = start(...args);
    expect(await child.exit()).toEqual({ code: 2, signal: null });
    expect(child.stderr()).toContain(words);
  });

  it('U2 killed and started again, it has the names again within seconds', async () => {
    const first = await portmap(await reservePort());
    registrations.push(await registerWithPortmap('a', 9001, { port: first.port }));
    first.child.kill('SIGKILL');
    await first.child.exit();
    await portmap(first.port);
    await until('the name', async () => (await lookupPort('a', { port: first.port })) === 9001);
  });

  it('U1 two nodes find each other through it, and the name of a killed one goes', async () => {
    const { port } = await portmap();
    await using cluster = new Cluster();
    const [a, b] = [await cluster.process(), await cluster.process()];
    const first = await join(a, 'a', { port });
    const second = await join(b, 'b', { port });
    expect(await ready(a, [second])).toEqual([second]);
    expect(await ready(b, [first])).toEqual([first]);
    await b.kill();
    await until('the name to go', async () => (await lookupPort('b', { port })) === undefined);
    expect(await lookupPort('a', { port })).toBe(Number(first.split(':')[1]));
  });

  it('U1, K5 refuses a second node of a name, whose start fails and leaves nothing behind', async () => {
    const { port } = await portmap();
    await using cluster = new Cluster();
    const a = await cluster.process();
    const first = await join(a, 'a', { port });
    const second = startChild(LIFETIME, { args: ['as it is', String(port)] });
    expect((await second.exit()).code).toBe(0);
    expect(second.stdout()).toBe('SNOW_ERR_PORTMAP_TAKEN\n');
    expect(await lookupPort('a', { port })).toBe(Number(first.split(':')[1]));
  });

  it('L2 does not tell of hidden nodes, which find the others', async () => {
    const { port } = await portmap();
    await using cluster = new Cluster();
    const [a, hidden] = [await cluster.process(), await cluster.process()];
    const first = await join(a, 'a', { port });
    await join(hidden, 'hidden', { port, hidden: true });
    expect(await ready(hidden, [first])).toEqual([first]);
    expect(await lookupPort('hidden', { port })).toBeUndefined();
  });
});

describe('an embedded port mapper', () => {
  it('U1 makes a cluster of nodes on free ports that start at once, without anything else', async () => {
    const port = await reservePort();
    await using cluster = new Cluster();
    const nodes = await Promise.all(['a', 'b', 'c'].map(() => cluster.process()));
    const names = await Promise.all(nodes.map((node, at) => join(node, `n${at}`, { port, embed: true })));
    for (const [at, node] of nodes.entries()) {
      const others = names.filter((_, index) => index !== at);
      expect((await ready(node, others)).toSorted()).toEqual(others.toSorted());
    }
  });

  it('U2 passes to another node when its own is killed; sessions stay, and newcomers find everybody', async () => {
    const port = await reservePort();
    await using cluster = new Cluster();
    const [a, b, c, d] = await Promise.all(['a', 'b', 'c', 'd'].map(() => cluster.process()));
    await join(a as ClusterNode, 'a', { port, embed: true });
    const second = await join(b as ClusterNode, 'b', { port, embed: true });
    const third = await join(c as ClusterNode, 'c', { port, embed: true });
    await ready(b as ClusterNode, [third]);
    await a?.kill();
    await until('both names', async () => {
      const known = await Promise.all(['b', 'c'].map((name) => lookupPort(name, { port }))).catch(
        (): undefined[] => [],
      );
      return known.length === 2 && known.every((found) => found !== undefined);
    });
    await join(d as ClusterNode, 'd', { port, embed: true });
    await ready(d as ClusterNode, [second, third]);
    expect(await lookupPort('a', { port })).toBeUndefined();
    const downs = await b?.run((bench) => bench.box['downs'] as string[]);
    expect(downs?.map((name) => name.split('@')[0])).toEqual(['a']);
  });

  it.each(['unref', 'stop'])('V5 keeps no process alive (%s)', async (mode) => {
    const args = [mode, String(await reservePort())];
    expect((await startChild(LIFETIME, { args }).exit()).code).toBe(0);
  });
});

/** Starts a node that finds others through the port mapper; its name. */
function join(
  node: ClusterNode,
  name: string,
  { hidden = false, ...options }: PortmapDiscoveryOptions & { hidden?: boolean },
): Promise<string> {
  return node.run(
    async (bench, local, isHidden, given, cookie) => {
      const downs: string[] = [];
      bench.box['downs'] = downs;
      const started = await bench.snow.startNode({
        name: `${local}@127.0.0.1:0`,
        cookie,
        hidden: isHidden,
        logger: bench.snow.silentLogger,
        discovery: bench.snow.portmapDiscovery({ intervalMs: 50, ...given }),
      });
      started.on('nodedown', (peer: string) => void downs.push(peer));
      bench.box['node'] = started;
      return started.name;
    },
    name,
    hidden,
    options,
    COOKIE,
  );
}

const ready = (node: ClusterNode, peers: readonly string[]): Promise<readonly string[]> =>
  node.run((bench, wanted) => bench.box['node'].ready({ peers: wanted, timeout: 80_000 }), peers);

describe('node:cluster', () => {
  it.each([2, 4])('U1 %i workers that embed the port mapper meet each other', async (count) => {
    const port = await reservePort();
    const child = startChild(WORKER_POOL, { args: [String(count), String(port)] });
    for (let id = 1; id <= count; id++) await child.line(`worker ${id} has met all`, 80_000);
    // One port mapper, whichever worker runs it: the primary does not spread its clients over all workers.
    for (let round = 0; round < count; round++) {
      for (let id = 1; id <= count; id++)
        expect(await lookupPort(`w${id}`, { port }), `w${id}, round ${round}`).toBeDefined();
    }
  });
});
