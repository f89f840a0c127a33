// Nodes that register while they look, and the port mapper one of them may run (section U), over real sockets.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Discovery,
  lookupPort,
  type Portmap,
  type PortmapDiscoveryOptions,
  portmapDiscovery,
  startPortmap,
} from '../../../ts/discovery/index.ts';
import type { SnowmeshError } from '../../../ts/errors/index.ts';
import { type Clock, systemClock } from '../../../ts/timers/index.ts';
import { until } from '../../support/deadline.ts';
import { reservePort } from '../../support/ports.ts';

/** A discovery of one node, and what it told. */
class Looker {
  readonly discovery: Discovery;
  readonly sets: (readonly string[])[] = [];
  readonly failures: SnowmeshError[] = [];

  constructor(options: PortmapDiscoveryOptions) {
    this.discovery = portmapDiscovery({ port, intervalMs: 10, ...options });
    lookers.push(this);
  }

  start(name?: string, listenPort = 9001, host = '127.0.0.1'): void | Promise<void> {
    const listener = {
      found: (names: readonly string[]) => void this.sets.push(names),
      failed: (error: SnowmeshError) => void this.failures.push(error),
    };
    return this.discovery.start(listener, name === undefined ? undefined : { name, host, port: listenPort });
  }

  found(...names: string[]): Promise<unknown> {
    return until(names.join(), () => JSON.stringify(this.sets.at(-1)) === JSON.stringify(names));
  }
}

let port: number;
let portmap: Portmap | undefined;
const lookers: Looker[] = [];
beforeEach(async () => {
  port = await reservePort(); // it is closed, and opened again
  portmap = await startPortmap({ port });
});
afterEach(async () => {
  for (const { discovery } of lookers.splice(0)) await discovery.stop();
  await portmap?.close();
});

const portOf = (name: string): Promise<number | undefined> => lookupPort(name, { port });

async function noPortmap(): Promise<void> {
  await portmap?.close();
  portmap = undefined;
}

describe('portmapDiscovery', () => {
  it('U1 registers the node that uses it, until that ends', async () => {
    const a = new Looker({});
    await a.start('a');
    expect(await portOf('a')).toBe(9001);
    await a.found('a@127.0.0.1:9001');
    await a.discovery.stop();
    await until('the name to go', async () => (await portOf('a')) === undefined);
  });

  it('U1 does not start under the name of a living node, and leaves that alone', async () => {
    const [a, b] = [new Looker({}), new Looker({ embed: true })];
    await a.start('a');
    await expect(b.start('a', 9002)).rejects.toMatchObject({ code: 'SNOW_ERR_PORTMAP_TAKEN' });
    expect(await portOf('a')).toBe(9001);
    await b.start('b', 9002); // it can be used again
    await a.found('a@127.0.0.1:9001', 'b@127.0.0.1:9002');
  });

  it('serves one node at a time', async () => {
    const a = new Looker({});
    await a.start('a');
    expect(() => a.start('b')).toThrow(expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }));
    expect(() => a.start()).toThrow(expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }));
    expect(await portOf('b')).toBeUndefined();
  });

  it.each([
    ['a hidden node', {}, undefined],
    ['when told not to', { register: false }, 'a'],
  ])('only looks for %s', async (_what, options, name) => {
    const [a, b] = [new Looker({}), new Looker(options)];
    await a.start('other');
    await b.start(name, 9002);
    await b.found('other@127.0.0.1:9001');
    expect(await portOf('a')).toBeUndefined();
  });

  it('finds names with the host of the node that looks, or the one it was given', async () => {
    const [a, b] = [new Looker({}), new Looker({ hostname: 'm.test' })];
    await a.start('a', 9001, 'localhost');
    await b.start('b', 9002);
    await a.found('a@localhost:9001', 'b@localhost:9002');
    await b.found('a@m.test:9001', 'b@m.test:9002');
  });

  it('U2, U4 starts without a port mapper, says so once, and registers when there is one', async () => {
    await noPortmap();
    const a = new Looker({});
    await a.start('a');
    await until('both failures', () => a.failures.length >= 2);
    expect(a.failures.map(({ code }) => code).sort()).toEqual(['SNOW_ERR_DISCOVERY', 'SNOW_ERR_PORTMAP']);
    portmap = await startPortmap({ port });
    await until('the name', async () => (await portOf('a')) === 9001);
  });

  it('looks less often while it fails', async () => {
    await noPortmap();
    const pauses: number[] = [];
    const arm: Clock['arm'] = (ms, fire, keepAlive) => {
      if (ms < 1000) pauses.push(ms);
      return systemClock.arm(ms < 1000 ? 1 : ms, fire, keepAlive);
    };
    const a = new Looker({ clock: { ...systemClock, arm } });
    await a.start();
    await until('some look-ups', () => pauses.length >= 4);
    expect(pauses.slice(0, 4)).toEqual([20, 40, 80, 160]);
  });

  it.each([{ register: 1 as never }, { embed: 'yes' as never }, { embed: true, register: false }])(
    'refuses %j',
    (options) => {
      expect(() => new Looker(options)).toThrow(expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }));
    },
  );
});

describe('an embedded port mapper', () => {
  beforeEach(noPortmap);

  it('U1 is started by the first of several nodes that start at once', async () => {
    const nodes = Array.from({ length: 5 }, () => new Looker({ embed: true }));
    await Promise.all(nodes.map(async (node, index) => node.start(`n${index}`, 9000 + index)));
    const names = nodes.map((_, index) => `n${index}@127.0.0.1:${9000 + index}`);
    for (const node of nodes) await node.found(...names);
    expect(nodes.flatMap(({ failures }) => failures)).toEqual([]);
  });

  it('U2 passes to another node when its own stops, and the names with it', async () => {
    const nodes = Array.from({ length: 3 }, () => new Looker({ embed: true }));
    for (const [index, node] of nodes.entries()) await node.start(`n${index}`, 9000 + index);
    for (const [index, node] of nodes.slice(0, 2).entries()) {
      await node.discovery.stop();
      await until('the last name', async () => (await portOf('n2').catch(() => undefined)) === 9002);
      expect(await portOf(`n${index}`)).toBeUndefined();
    }
    await nodes[2]?.discovery.stop();
    await expect(portOf('n2')).rejects.toMatchObject({ code: 'SNOW_ERR_PORTMAP' });
  });

  it('is not started when the node ends while it starts', async () => {
    const a = new Looker({ embed: true });
    const started = a.start('a');
    await a.discovery.stop();
    await started;
    await expect(portOf('a')).rejects.toMatchObject({ code: 'SNOW_ERR_PORTMAP' });
  });

  it('says so while something else has its port, and starts when that is gone', async () => {
    const stranger = createServer((socket) => socket.end('go away\n')).listen(port, '127.0.0.1');
    await once(stranger, 'listening');
    const a = new Looker({ embed: true });
    await a.start('a');
    await until('a failure', () => a.failures.length > 0);
    expect(a.failures[0]?.message).toContain('makes no sense');
    stranger.close();
    await until('the name', async () => (await portOf('a').catch(() => undefined)) === 9001);
  });
});
