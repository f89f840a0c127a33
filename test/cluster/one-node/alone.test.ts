// One operating-system process: what a node is before, without and after a cluster.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { killChildren, startChild } from '../../support/child.ts';
import { Cluster, type ClusterNode, COOKIE } from '../../support/cluster.ts';
import { reservePort } from '../../support/ports.ts';

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(async () => {
  await killChildren();
  await cluster.stop();
});

const startError = (node: ClusterNode, options: object): Promise<{ code: string; message: string }> =>
  node.run(async (bench, wanted) => {
    try {
      await bench.snow.startNode(wanted);
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      return { code, message };
    }
    throw new Error('it started');
  }, options);

it('another thread reads the native counters of a node while its event loop stands still', async () => {
  const child = startChild(new URL('./blocked-loop.ts', import.meta.url));
  expect(JSON.parse(await child.line('"seen"'))).toEqual({
    seen: true,
    age: expect.any(Number),
    sessions: 1,
  });
  expect(JSON.parse(await child.line('"stopped"'))).toEqual({ stopped: null });
  expect(await child.exit()).toMatchObject({ code: 0 });
});

describe('a node without a name', () => {
  it('K1 is nobody, lists nobody, works locally and says clearly what it cannot do', async () => {
    const alone = await cluster.process();
    const seen = await alone.run(async (bench) => {
      const node = await bench.snow.startNode();
      const { name, isListening: isAlive, port } = node;
      const pid = node.spawn(async (self: import('../../../ts/index.ts').Self<unknown>) => {
        const message = await self.receive();
        bench.box['got'] = message;
      });
      node.send(pid, { a: 1 });
      node.send({ name: 'x', node: 'b@127.0.0.1:1' }, 'lost');
      await bench.until('the message', () => bench.box['got']);
      let code = '';
      try {
        await node.connect('b@127.0.0.1:1');
      } catch (error) {
        code = (error as { code: string }).code;
      }
      const loaded = process.report?.getReport() as { sharedObjects?: string[] };
      const native = loaded.sharedObjects?.filter((path) => path.includes('snowmesh')) ?? [];
      const result = {
        name,
        isAlive,
        port,
        nodes: node.nodes(),
        nodeOf: node.nodeOf(pid),
        got: bench.box['got'],
        code,
        native,
      };
      await node.stop();
      return { ...result, lost: node.stats().deadLetters.noconnection };
    });
    expect(seen).toEqual({
      name: 'nonode@nohost',
      isAlive: false,
      port: 0,
      nodes: [],
      nodeOf: 'nonode@nohost',
      got: { a: 1 },
      code: 'SNOW_ERR_NOT_ALIVE',
      native: [],
      lost: 1,
    });
  });
});

describe('starting', () => {
  it('K2 is over only when peers can connect: it hammers a node while that starts', async () => {
    const [prober, starter] = await Promise.all([cluster.node({ name: 'prober' }), cluster.process()]);
    const target = `late@127.0.0.1:${await reservePort()}`;
    const hammering = prober.run(async (bench, name) => {
      for (;;) if (await bench.node.connect(name)) return true;
    }, target);
    const started = await starter.run(
      async (bench, options) => {
        const name = await bench.start(options);
        return { name, isAlive: bench.node.isListening };
      },
      { name: target, cookie: COOKIE },
    );
    expect(started).toEqual({ name: target, isAlive: true });
    expect(await hammering).toBe(true);
  });

  it('K3 refuses bad names, bad options and bad cookies with a code each, and tells no secret', async () => {
    const node = await cluster.process();
    const cookie = 'very-secret-cookie-0815';
    expect((await startError(node, { name: 'a', cookie })).code).toBe('SNOW_ERR_NODE_NAME');
    expect((await startError(node, { name: 'a@h:70000', cookie })).code).toBe('SNOW_ERR_NODE_NAME');
    expect((await startError(node, { name: 'a@127.0.0.1:0' })).code).toBe('SNOW_ERR_COOKIE_MISSING');
    expect((await startError(node, { name: 'a@127.0.0.1:0', cookie: 'short' })).code).toBe(
      'SNOW_ERR_COOKIE_WEAK',
    );
    expect((await startError(node, { name: 'a@127.0.0.1:0', cookie, tickMs: 0 })).code).toBe(
      'SNOW_ERR_BAD_OPTION',
    );
    expect((await startError(node, { name: 'a@127.0.0.1:0', cookie, downMs: 10 })).code).toBe(
      'SNOW_ERR_BAD_OPTION',
    );
    const elsewhere = await startError(node, { name: 'a@203.0.113.1:4000', cookie });
    expect(elsewhere.code).toBe('SNOW_ERR_LISTEN');
    expect(elsewhere.message).toContain('This machine has no such address: name one that it has in `listen`');
    expect(JSON.stringify(elsewhere) + node.output()).not.toContain(cookie);
  });

  it('K5 fails when the address is taken', async () => {
    const [first, second] = await Promise.all([cluster.node({ name: 'a' }), cluster.process()]);
    const taken = await startError(second, { name: first.name, cookie: COOKIE });
    expect(taken.code).toBe('SNOW_ERR_LISTEN');
    expect(taken.message).toContain(String(first.name.split(':')[1]));
    expect(taken.message).toMatch(
      /\. End the process that uses it, or take another port; port 0 takes any free one$/,
    );
  });

  it('T16 takes the cookie from a file, when nobody else can read that', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'snowmesh-'));
    const cookieFile = join(folder, 'cookie');
    try {
      writeFileSync(cookieFile, `${COOKIE}\n`, { mode: 0o600 });
      const [a, b] = await Promise.all([cluster.node({ name: 'a' }), cluster.process()]);
      const connected = await b.run(
        async (bench, options, peer) => {
          const node = await bench.snow.startNode(options);
          const result = await node.connect(peer);
          await node.stop();
          return result;
        },
        { name: 'b@127.0.0.1:0', cookieFile },
        a.name,
      );
      expect(connected).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('a node on its own', () => {
  it('K7 is connected to itself without a session, and messages to its own name go through its own registry', async () => {
    const node = await cluster.node({ name: 'self' });
    const seen = await node.run(async (bench) => {
      const probe = await bench.probe('me');
      const connected = await bench.node.connect(bench.node.name);
      bench.node.send({ name: 'me', node: bench.node.name }, 'by name');
      bench.node.send({ name: 'nobody', node: bench.node.name }, 'silent');
      bench.node.send(probe.pid, 'by pid');
      await probe.count(2);
      return {
        connected,
        nodes: bench.node.nodes(),
        messages: probe.messages,
        stats: bench.node.stats().native?.sessions,
      };
    });
    expect(seen).toEqual({ connected: true, nodes: [], messages: ['by name', 'by pid'], stats: 0 });
  });

  it('K12, D11 gives up on a listener that never answers, on time', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    const node = await cluster.node({ name: 'a', handshakeMs: 3000 });
    const seen = await node.run(async (bench, name) => {
      let isEarly = true;
      setTimeout(() => (isEarly = false), 500);
      const probe = await bench.probe();
      const ref = probe.self.monitor({ name: 'x', node: name });
      const connected = await bench.node.connect(name);
      const gaveUpEarly = isEarly;
      const down = await probe.first((message) => message instanceof bench.snow.Down && message);
      return { connected, gaveUpEarly, same: down.ref.equals(ref), reason: down.reason, from: down.from };
    }, `never@127.0.0.1:${port}`);
    silent.close();
    expect(seen).toEqual({
      connected: false,
      gaveUpEarly: false,
      same: true,
      reason: 'noconnection',
      from: { name: 'x', node: `never@127.0.0.1:${port}` },
    });
  });

  it('L16 keeps nothing of 256 names that do not exist', async () => {
    const node = await cluster.node({ name: 'a' });
    const seen = await node.run(async (bench) => {
      const names = Array.from({ length: 256 }, (_, index) => `n${index}@127.0.0.1:1`);
      const results = await Promise.all(names.map((name) => bench.node.connect(name)));
      const { native } = bench.node.stats();
      return { any: results.some(Boolean), handshakes: native?.handshakes, identities: native?.identities };
    });
    expect(seen).toEqual({ any: false, handshakes: 0, identities: 0 });
  });

  it('K13 can be stopped and started under another name; PIDs of before are dead', async () => {
    const [peer, node] = await cluster.nodes({ name: 'peer' }, { name: 'first' });
    const name = await node!.run(async (bench, peerName) => {
      const probe = await bench.probe('old');
      bench.box['old'] = probe.pid;
      bench.box['probe'] = probe;
      await bench.node.connect(peerName);
      await bench.node.stop();
      const stopped = { name: bench.node.name, isAlive: bench.node.isListening, nodes: bench.node.nodes() };
      if (stopped.isAlive || stopped.nodes.length > 0 || stopped.name !== 'nonode@nohost')
        throw new Error(JSON.stringify(stopped));
      return bench.start({ name: 'second@127.0.0.1:0', cookie: 'test-cookie-9f3c7b1e5d8a2460' });
    }, peer!.name);
    expect(name).toMatch(/^second@/);
    const seen = await node!.run(async (bench, peerName) => {
      const old = bench.box['old'];
      const fresh = await bench.probe();
      bench.node.send(old, 'to the dead');
      await bench.node.connect(peerName);
      await bench.turns();
      return {
        alive: bench.node.runtime.isAlive(old),
        same: fresh.pid.equals(old),
        got: fresh.messages.length,
        old: bench.box['probe'].messages.length,
      };
    }, peer!.name);
    expect(seen).toEqual({ alive: false, same: false, got: 0, old: 0 });
    const nodes = await peer!.run(async (bench) => {
      await bench.event('nodeup', 2);
      return {
        nodes: bench.node.nodes(),
        ups: bench.seen('nodeup').length,
        downs: bench.seen('nodedown').map((event) => event[2]),
      };
    });
    expect(nodes).toEqual({ nodes: [name], ups: 2, downs: ['goodbye'] });
  });

  it('V5 keeps its process alive while it listens, unless told otherwise, and not after stop', async () => {
    const file = new URL('./lifetime.ts', import.meta.url);
    const ended = await Promise.all(
      ['unref', 'stop', 'ref', 'as it is'].map(
        async (mode) => (await startChild(file, { args: [mode] }).exit()).code,
      ),
    );
    expect(ended).toEqual([0, 0, 7, 7]);
  });
});
