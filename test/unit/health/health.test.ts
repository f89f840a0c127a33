import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type Health,
  type HealthOptions,
  healthHandler,
  startHealthServer,
} from '../../../ts/health/index.ts';
import { type Node, silentLogger, startNode } from '../../../ts/index.ts';
import { until } from '../../support/deadline.ts';

const COOKIE = 'only for tests: 0123456789';
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function started(name?: string): Promise<Node> {
  const node = await startNode({
    logger: silentLogger,
    ...(name === undefined ? {} : { name, cookie: COOKIE }),
  });
  closers.push(() => node.stop({ timeout: 0 }));
  return node;
}

/** Asks a health server of `node`: status and body. */
async function prober(
  node: Node,
  options: HealthOptions = {},
): Promise<(path: string) => Promise<[number, Health]>> {
  const server = await startHealthServer(node, { port: 0, host: '127.0.0.1', ...options });
  closers.push(() => server.close());
  return async (path) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return [response.status, (await response.json()) as Health];
  };
}

describe('a node alone', () => {
  let node: Node;
  beforeEach(async () => void (node = await started()));

  it('is alive and ready; answers name nobody', async () => {
    const probe = await prober(node);
    expect(await probe('/livez')).toEqual([200, { status: 'ok', reasons: [] }]);
    expect(await probe('/readyz?verbose')).toEqual([200, { status: 'ok', reasons: [] }]);
  });

  it('is neither when an actor that it cannot do without has ended by itself', async () => {
    const { defineSupervisor, stop } = await import('../../../ts/index.ts');
    const top = defineSupervisor({ name: 'top', children: [] });
    const [one, other] = [await top.start(node), await top.start(node)];
    const probe = await prober(node, { actors: [one, other] });
    expect(await probe('/livez')).toEqual([200, { status: 'ok', reasons: [] }]);
    await stop(node, other, 'shutdown');
    expect(await probe('/livez')).toEqual([503, { status: 'failed', reasons: ['actors'] }]);
    expect(await probe('/readyz')).toEqual([503, { status: 'failed', reasons: ['actors'] }]);
  });

  it('is alive but not ready while it stops, and neither afterwards', async () => {
    const probe = await prober(node);
    let end = (): void => {};
    const { defineServer } = await import('../../../ts/index.ts');
    const slow = defineServer({
      name: 'slow',
      init: () => 0,
      terminate: () => new Promise<void>((resolve) => void (end = resolve)),
    });
    const { defineSupervisor } = await import('../../../ts/index.ts');
    await slow.start(node);
    const top = await defineSupervisor({ name: 'top', children: [] }).start(node); // ends first
    const supervised = await prober(node, { actors: [top] });
    const stopped = node.stop();
    await until('the end of the top', () => !node.isAlive(top));
    expect(await supervised('/livez')).toEqual([200, { status: 'ok', reasons: [] }]);
    expect(await probe('/livez')).toEqual([200, { status: 'ok', reasons: [] }]);
    expect(await probe('/readyz')).toEqual([503, { status: 'failed', reasons: ['stopping'] }]);
    end();
    await stopped;
    expect(await probe('/livez')).toEqual([503, { status: 'failed', reasons: ['stopped'] }]);
    expect(await probe('/readyz')).toEqual([503, { status: 'failed', reasons: ['stopped'] }]);
  });

  it.each([
    [undefined, 5000],
    [100, 100],
  ])('is not ready when its event loop was late: maxLoopDelay %s', async (maxLoopDelay, most) => {
    const probe = await prober(node, maxLoopDelay === undefined ? {} : { maxLoopDelay });
    const meter = vi.spyOn(node.introspector.view, 'loopDelay');
    try {
      for (const [max, status] of [
        [most, 200],
        [most + 1, 503],
      ] as const) {
        meter.mockReturnValue({ mean: 1, p99: 2, max });
        const reasons = status === 200 ? [] : ['loop'];
        expect(await probe('/readyz')).toMatchObject([status, { reasons }]);
        expect((await probe('/livez'))[0]).toBe(200);
      }
    } finally {
      meter.mockRestore();
    }
  });

  it('hears of a blocked event loop from its meter', async () => {
    await prober(node);
    const delay = (): number | undefined => node.introspector.view.loopDelay()?.max;
    await until('a meter at work', () => delay() !== undefined);
    const longest = delay() ?? 0;
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    await until('a longer delay', () => {
      // Each block is longer than all that the machine has made before.
      Atomics.wait(nothing, 0, 0, longest + 100);
      return (delay() ?? 0) > longest;
    });
  });

  it('leaves other requests to others', async () => {
    const health = healthHandler(node);
    const server = createServer(
      (request, response) => void (health(request, response) || response.end('app')),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => server.close());
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await (await fetch(`${at}/livezz`)).text()).toBe('app');
    expect((await fetch(`${at}/livez`, { method: 'HEAD' })).status).toBe(200);
    const posted = await fetch(`${at}/livez`, { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('answers 404 for anything else on a server of its own, and bounds connections that say nothing', async () => {
    const server = await startHealthServer(node, { port: 0, host: '127.0.0.1' });
    closers.push(() => server.close());
    expect((await fetch(`http://127.0.0.1:${server.port}/`)).status).toBe(404);
    const idle = Array.from({ length: 70 }, () => connect(server.port, '127.0.0.1').on('error', () => {}));
    closers.push(() => idle.forEach((socket) => socket.destroy()));
    const ends = idle.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    await Promise.race(ends); // one that was too many
    expect((await fetch(`http://127.0.0.1:${server.port}/livez`)).status).toBe(200);
    idle.forEach((socket) => socket.destroy());
    await Promise.all(ends);
    expect((await fetch(`http://127.0.0.1:${server.port}/livez`)).status).toBe(200);
  });

  it.each([
    { peers: -1 },
    { peers: ['x'] },
    { maxLoopDelay: 0 },
    { verbose: 1 },
    { peer: 1 },
    { actors: ['top'] },
  ] as unknown as HealthOptions[])('refuses %j', (options) => {
    expect(() => healthHandler(node, options)).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }),
    );
  });

  it('refuses what is no node, and a port that is taken', async () => {
    expect(() => healthHandler(Promise.resolve(node) as never)).toThrow(/startNode resolved to/);
    const { port } = await startHealthServer(node, { port: 0, host: '127.0.0.1' });
    await expect(startHealthServer(node, { port, host: '127.0.0.1' })).rejects.toMatchObject({
      code: 'SNOW_ERR_LISTEN',
    });
  });
});

describe('a node with peers', () => {
  it('is ready when enough of them are connected whose event loops turn', async () => {
    const [a, b] = [await started('a@127.0.0.1:0'), await started('b@127.0.0.1:0')];
    const one = await prober(a, { peers: 1 });
    const named = await prober(a, { peers: [b.name] });
    const all = await prober(a, { peers: 1, verbose: true });
    for (const probe of [one, named])
      expect(await probe('/readyz')).toEqual([503, { status: 'failed', reasons: ['peers'] }]);
    await a.connect(b.name);
    for (const probe of [one, named]) expect((await probe('/readyz'))[0]).toBe(200);
    await b.introspect().overview(); // its meter is at work
    const [, told] = await all('/readyz');
    expect(told).toMatchObject({ node: a.name, peers: [{ node: b.name, stalled: false }] });
    const stats = a.stats();
    a.stats = () => ({ ...stats, peers: stats.peers.map((peer) => ({ ...peer, stalled: true })) });
    expect(await one('/readyz')).toEqual([503, { status: 'failed', reasons: ['peers'] }]);
    expect((await one('/livez'))[0]).toBe(200);
  });

  it('is not ready by a hidden peer', async () => {
    const a = await started('a@127.0.0.1:0');
    const hidden = await startNode({
      name: 'h@127.0.0.1:0',
      cookie: COOKIE,
      logger: silentLogger,
      hidden: true,
    });
    closers.push(() => hidden.stop({ timeout: 0 }));
    const probe = await prober(a, { peers: 1 });
    const up = new Promise((resolve) => a.once('nodeup', resolve));
    await hidden.connect(a.name);
    await up;
    expect(a.nodes('all')).toEqual([hidden.name]);
    expect(await probe('/readyz')).toEqual([503, { status: 'failed', reasons: ['peers'] }]);
  });

  it('tells the event-loop delay of peers that tell it', async () => {
    const [a, b] = [await started('a@127.0.0.1:0'), await started('b@127.0.0.1:0')];
    const probe = await prober(a, { verbose: true });
    await a.connect(b.name);
    for (;;) {
      const [, { peers = [] }] = await probe('/readyz');
      if (peers[0]?.loopDelay !== undefined) break;
    }
  });
});

/** The handler takes the objects of `node:http`: this does not compile otherwise. */
export type Takes = Parameters<ReturnType<typeof healthHandler>>[0] extends IncomingMessage ? true : never;
