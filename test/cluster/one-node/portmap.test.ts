// The port mapper as people run it: the command, in a process of its own (U1, U2, U5).
import { afterEach, describe, expect, it } from 'vitest';
import { lookupPort, type PortmapRegistration, registerWithPortmap } from '../../../ts/discovery/index.ts';
import { type Child, killChildren, startChild } from '../../support/child.ts';
import { Cluster, COOKIE } from '../../support/cluster.ts';
import { until } from '../../support/deadline.ts';

const MAIN = new URL('../../../ts/cli/main.ts', import.meta.url);
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
  it.each(['SIGINT', 'SIGTERM'] as const)('says where it listens, and ends with 0 at %s', async (signal) => {
    const { child } = await portmap();
    child.kill(signal);
    expect(await child.exit()).toEqual({ code: 0, signal: null });
    expect(child.stderr()).toBe('');
  });

  it('says why it cannot listen, and ends with 1', async () => {
    const { port } = await portmap();
    const second = start('portmap', '--port', String(port));
    expect(await second.exit()).toEqual({ code: 1, signal: null });
    expect(second.stderr()).toContain('EADDRINUSE');
  });

  it.each([
    [['portmap', '--port', '70000'], 'not a port'],
    [['portmap', '--colour'], '--colour'],
    [['portmop'], 'no such command: portmop'],
    [[], 'Usage'],
  ])('%j explains itself and ends with 2', async (args, words) => {
    const child = start(...args);
    expect(await child.exit()).toEqual({ code: 2, signal: null });
    expect(child.stderr()).toContain(words);
  });

  it('U2 killed and started again, it has the names again within seconds', async () => {
    const first = await portmap();
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
    const join = (
      bench: Parameters<Parameters<typeof a.run>[0]>[0],
      name: string,
      at: number,
      cookie: string,
    ) =>
      bench.snow
        .startNode({
          name: `${name}@127.0.0.1:0`,
          cookie,
          logger: bench.snow.silentLogger,
          discovery: bench.snow.portmapDiscovery({ port: at, intervalMs: 50 }),
        })
        .then(async (node) => {
          bench.box['node'] = node;
          bench.box['registration'] = await bench.snow.registerWithPortmap(name, node.port, { port: at });
          return node.name;
        });
    const first = await a.run(join, 'a', port, COOKIE);
    const second = await b.run(join, 'b', port, COOKIE);
    expect(await a.run((bench) => bench.box['node'].ready({ timeout: 10_000 }))).toEqual([second]);
    expect(await b.run((bench) => bench.box['node'].ready({ timeout: 10_000 }))).toEqual([first]);
    await b.kill();
    await until('the name to go', async () => (await lookupPort('b', { port })) === undefined);
    expect(await lookupPort('a', { port })).toBe(Number(first.split(':')[1]));
  });
});
