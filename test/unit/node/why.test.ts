// What errors say about nodes that are out of reach, and do not answer: the words, and the sentences themselves.
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server as TcpServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type CallError,
  call,
  defineActor,
  defineServer,
  type Node,
  type NodeDown,
  type NodeOptions,
  type Self,
  silentLogger,
  startNode,
  stop,
} from '../../../ts/index.ts';
import { Cluster } from '../../../ts/node/cluster.ts';
import { parseNodeName } from '../../../ts/node/node-name.ts';
import { startTestRuntime } from '../../../ts/testing/index.ts';
import { ConnectStatus, NativeEvent } from '../../../ts/wire/index.ts';
import { root } from '../../support/child.ts';
import { Body, ScriptedNative } from './scripted-native.ts';

const COOKIE = 'only for tests: 0123456789';
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function started(name: string, options: Partial<NodeOptions> = {}): Promise<Node> {
  const node = await startNode({ name, cookie: COOKIE, logger: silentLogger, mesh: 'explicit', ...options });
  closers.push(() => node.stop({ timeout: 0 }));
  return node;
}

/** A server that accepts and says nothing. */
async function silent(): Promise<number> {
  const server: TcpServer = createServer((socket) => socket.on('error', () => {}).resume());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

const failed = (promise: Promise<unknown>): Promise<CallError> =>
  promise.then(
    () => {
      throw new Error('it was answered');
    },
    (error: CallError) => error,
  );

describe('a connect that fails, and a call of that node, say why', () => {
  const cases: [why: string, text: string, peer: () => Promise<string>][] = [
    ['refused', 'nothing listens at its address', async () => 'x@127.0.0.1:1'],
    [
      'cookie',
      'it has another cookie',
      async () => (await started('b@127.0.0.1:0', { cookie: `${COOKIE}!` })).name,
    ],
    [
      'wrong_name',
      'a node with another name answers',
      async () => `c@127.0.0.1:${(await started('b@127.0.0.1:0')).port}`,
    ],
    ['timeout', 'no answer came in time', async () => `x@127.0.0.1:${await silent()}`],
  ];

  it.each(cases)('%s: %s', async (why, text, peer) => {
    const name = await peer();
    // Only who never answers is given up by the clock.
    const node = await started('a@127.0.0.1:0', { handshakeMs: why === 'timeout' ? 500 : 60_000 });
    const events: unknown[][] = [];
    node.on('unreachable', (...args) => void events.push(args));
    expect(node.connectFailure(name)?.why).toBe('not_dialled');
    expect(await node.connect(name)).toBe(false);
    expect(node.connectFailure(name)).toMatchObject({ why, detail: expect.stringContaining(text) });
    expect(events).toEqual([[name, why, expect.any(String)]]);
    const error = await failed(call(node, { name: 'shop', node: name }, 'open'));
    expect(error).toMatchObject({ code: 'SNOW_ERR_CALL_NODEDOWN', state: 'nodedown', details: { why } });
    expect(error.message).toContain(`the node is out of reach (nodedown): ${text}`);
    expect((await failed(stop(node, { name: 'shop', node: name }))).details).toMatchObject({ why });
    const spec = defineActor('shop', () => {});
    const spawned = new Promise((resolve) => {
      node.spawn(async (self) => resolve(await failed(self.spawnOn(name, spec, []))));
    });
    expect(await spawned).toMatchObject({
      code: 'SNOW_ERR_SPAWN',
      message: expect.stringMatching(`^Cannot spawn shop on ${name}: the node is out of reach: ${text}`),
      details: { reason: 'noconnection', node: name, why },
    });
    const down = new Promise((resolve) => {
      node.spawn(async (self: Self<NodeDown>) => {
        node.monitorNode(self, name);
        resolve(await self.receive());
      });
    });
    expect(await down).toMatchObject({ node: name, cause: why });
    const server = defineServer({ name: 'shop', init: () => 0 });
    expect(await failed(server.startWith(node, { node: name }))).toMatchObject({
      code: 'SNOW_ERR_START',
      message: expect.stringMatching(`^shop did not start: noconnection: ${text}`),
      details: { reason: 'noconnection', node: name, why },
    });
  });

  it('a dial of a discovery that fails is told, too', async () => {
    let found: (names: readonly string[]) => void = () => {};
    const discovery = {
      start: (listener: { found: typeof found }) => void ({ found } = listener),
      stop() {},
    };
    const node = await started('a@127.0.0.1:0', { discovery });
    const told = new Promise((resolve) => node.once('unreachable', (...args) => resolve(args)));
    found(['x@127.0.0.1:1']);
    expect(await told).toEqual(['x@127.0.0.1:1', 'refused', expect.any(String)]);
  });

  it('no_name_of_our_own: a node without a name', async () => {
    const node = await startNode({ logger: silentLogger });
    closers.push(() => node.stop());
    expect(node.connectFailure('b@127.0.0.1:1')?.why).toBe('no_name_of_our_own');
    const error = await failed(call(node, { name: 'shop', node: 'b@127.0.0.1:1' }, 'open'));
    expect(error.details.why).toBe('no_name_of_our_own');
    expect(error.message).toContain('this node was started without a name and can reach no other');
  });

  it('not_a_node_name, and not_dialled', async () => {
    const node = await started('a@127.0.0.1:0', { autoConnect: 'explicit' });
    const bad = await failed(call(node, { name: 'shop', node: 'b@host:port' }, 'open'));
    expect([bad.details.why, bad.message]).toEqual([
      'not_a_node_name',
      expect.stringContaining('its name is not a node name (name@host:port)'),
    ]);
    const unasked = await failed(call(node, { name: 'shop', node: 'b@127.0.0.1:1' }, 'open'));
    expect(unasked.details.why).toBe('not_dialled');
    const other = await started('c@127.0.0.1:0');
    const anyPort = await failed(call(other, { name: 'shop', node: 'b@127.0.0.1:0' }, 'open'));
    expect(anyPort.details.why).toBe('not_dialled');
  });

  it('nothing is left to say when it is connected; then, how the connection ended', async () => {
    const [a, b] = [await started('a@127.0.0.1:0'), await started('b@127.0.0.1:0')];
    const name = b.name;
    expect(await a.connect(name)).toBe(true);
    expect(a.connectFailure(name)).toBeUndefined();
    expect(a.connectFailure(a.name)).toBeUndefined();
    const lost = new Promise((resolve) => a.once('nodedown', resolve));
    await b.stop();
    await lost;
    expect(a.connectFailure(name)).toEqual({
      why: 'goodbye',
      detail: expect.stringContaining('it has stopped'),
    });
  });
});

describe('over a native core that a test plays', () => {
  const PEER = 'b@127.0.0.1:4001';
  const scene = () => {
    const kit = startTestRuntime();
    const native = new ScriptedNative();
    const open = { name: 'a@127.0.0.1:4000', listenHost: '127.0.0.1', listenPort: 4000, cookie: 'x' };
    const limits = { highWater: 1000, limit: 5000, waiting: 4000, maxMessage: 2 ** 24 };
    const cluster = new Cluster({
      native,
      name: parseNodeName(open.name),
      open,
      runtime: kit.runtime,
      limits,
      autoConnect: 'use',
      mesh: 'explicit',
    });
    closers.push(() => kit.stop());
    return { kit, native, cluster };
  };

  it('a host that cannot be looked up is logged, the first at once, others together', async () => {
    const { kit, native, cluster } = scene();
    for (let number = 1; number <= 50; number++) {
      const connecting = cluster.connect(`b@host-${number}:4001`);
      native.dialled(number, ConnectStatus.DNS, 'no such host');
      expect(await connecting).toBe(false);
    }
    const lines = (): unknown[] =>
      kit.logs.filter(({ message }) => message === 'the host of a node could not be looked up');
    expect(lines()).toEqual([
      {
        level: 'warn',
        facts: { event: 'dns_failed', node: 'b@host-1:4001', detail: 'no such host' },
        message: expect.anything(),
      },
    ]);
    await kit.advance(10_000);
    expect(lines()).toHaveLength(2);
    expect(cluster.reachability.whyDown('b@host-7:4001')).toEqual({
      why: 'dns',
      detail: 'its host could not be looked up: no such host',
    });
  });

  it('has a word for each way in which a dial ends, which docs/operate.md explains', async () => {
    const { native, cluster } = scene();
    const explained = readFileSync(join(root, 'docs/operate.md'), 'utf8');
    const words: string[] = [];
    const ends = Object.values(ConnectStatus).filter((status) => status !== ConnectStatus.UP);
    for (const [index, status] of ends.entries()) {
      const name = `b@host:${index + 1}`;
      const connecting = cluster.connect(name);
      native.dialled(index + 1, status, 'what the system said');
      expect(await connecting).toBe(false);
      const { why = '', detail = '' } = cluster.reachability.whyDown(name) ?? {};
      words.push(why);
      expect(detail).toMatch(/^\w[^:]+: what the system said$/);
      expect(explained).toMatch(new RegExp(`^\\| \`${why}\` \\|`, 'm'));
    }
    expect(words.toSorted()).toEqual([
      ...['cookie', 'dns', 'duplicate', 'incompatible', 'name_taken'],
      ...['refused', 'stopping', 'timeout', 'wrong_name'],
    ]);
  });

  it('remembers 1024 failures, those of the last', () => {
    const { cluster } = scene();
    for (let number = 0; number < 2000; number++)
      cluster.reachability.failed(`b@h:${number + 1}`, 'refused', '');
    expect(cluster.reachability.whyDown('b@h:2000')?.why).toBe('refused');
    expect(cluster.reachability.whyDown('b@h:900')?.why).toBe('not_dialled');
  });

  it('a timeout says when the event loop of the target is known to stand still', async () => {
    const { kit, native } = scene();
    native.slotEvent(0x101, PEER);
    native.up(1, 0x101, PEER);
    native.emit(NativeEvent.PEER_LOOP, 1, new Body().u8(1).u32(5000));
    const ask = (): Promise<CallError> => failed(call(kit, { name: 'shop', node: PEER }, 'open'));
    const stalled = ask();
    await kit.advance(5000);
    const error = await stalled;
    expect(error.details).toMatchObject({ state: 'timeout', why: 'stalled' });
    expect(error.message).toMatch(
      /\(timeout\); the target may still handle it: its event loop has stood still for 5(\.\d)? s\.$/,
    );
    const server = defineServer({ name: 'shop', init: () => 0 });
    const start = failed(server.startWith(kit, { node: PEER, timeout: 100 }));
    await kit.advance(100);
    expect(await start).toMatchObject({
      code: 'SNOW_ERR_START',
      message: expect.stringMatching(
        /^shop did not start: timeout: its event loop has stood still for 5(\.\d)? s$/,
      ),
      details: { reason: 'timeout', node: PEER, why: 'stalled' },
    });
    native.emit(NativeEvent.PEER_LOOP, 1, new Body().u8(0).u32(0));
    const plain = ask();
    await kit.advance(5000);
    expect((await plain).details.why).toBeUndefined();
  });
});

it('a start on a node that does not expose it says what to do there', async () => {
  const [a, b] = [await started('a@127.0.0.1:0'), await started('b@127.0.0.1:0')];
  const server = defineServer({ name: 'shop', init: () => 0 });
  expect(await failed(server.startWith(a, { node: b.name }))).toMatchObject({
    code: 'SNOW_ERR_START',
    message: 'shop did not start: the node exposes no spec of that name; call node.expose(spec) there',
    details: { reason: 'unknown_function', node: b.name },
  });
});

describe('{ node } that is no node name', () => {
  it('is refused at once wherever it stands, with the name and the form', async () => {
    const node = await startNode({ logger: silentLogger });
    closers.push(() => node.stop());
    const bad = { name: 'shop', node: 'srv' };
    const spec = defineActor('idle', async () => {});
    const refused = expect.objectContaining({
      code: 'SNOW_ERR_NODE_NAME',
      message: '"srv" is not a node name: it is name@host or name@host:port',
    });
    expect(() => node.send(bad, 1)).toThrow(refused);
    await expect(node.sendWait(bad, 1)).rejects.toEqual(refused);
    expect(() => call(node, bad, 'open')).toThrow(refused);
    expect(() => stop(node, bad)).toThrow(refused);
    const tried: Promise<unknown>[] = [];
    await new Promise<void>((resolve) => {
      node.spawn(async (self) => {
        for (const action of [() => self.monitor(bad), () => self.send(bad, 1)]) {
          tried.push(Promise.resolve().then(action));
        }
        tried.push(self.spawnOn('srv', spec, []));
        resolve();
        await self.receive();
      });
    });
    for (const each of tried) await expect(each).rejects.toEqual(refused);
  });
});
