// A node that is stopped while strangers and peers hold what they can: its stop ends, its process ends by itself, and nothing is open.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode, COOKIE } from '../support/cluster.ts';
import { within } from '../support/deadline.ts';
import { HELLO } from '../support/plain-handshake.ts';
import { reservePort } from '../support/ports.ts';
import { dialPlain, introduce, WirePeer } from '../support/wire-peer.ts';

type HealthModule = typeof import('../../ts/health/index.ts');

let cluster: Cluster;
let node: ClusterNode;
let port: number;
const sockets: { destroy(): void }[] = [];
beforeEach(async () => {
  cluster = new Cluster();
  node = await cluster.node({ name: 'stops', handshakeMs: 300_000 }); // nothing ends by the clock
  port = Number(node.name.split(':')[1]);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await cluster.stop();
});

const join = (name: string): Promise<WirePeer> =>
  WirePeer.join(port, COOKIE, { name: `${name}@127.0.0.1:1`, dialled: node.name });

/** A reset ends a connection as well: `once` would reject for it. */
const ended = (socket: Socket): Promise<void> =>
  new Promise(
    (resolve) =>
      void socket
        .on('error', () => {})
        .resume()
        .once('close', () => resolve()),
  );

/** Stops the node, and lets its process end: nothing that strangers or peers have may keep it alive. */
async function stops(stopped = node): Promise<void> {
  await stopped.run((bench) => bench.node.stop());
  await stopped.run(() => {
    process.removeAllListeners('disconnect');
    setImmediate(() => process.disconnect());
  });
  expect(await stopped.child.exit()).toEqual({ code: 0, signal: null });
}

describe('a node that is stopped', () => {
  it('V5 closes connections that say nothing, have begun TLS, or have begun the handshake', async () => {
    const closed: Promise<unknown>[] = [];
    const hold = (socket: Socket): void => {
      sockets.push(socket);
      closed.push(ended(socket));
    };
    for (let count = 0; count < 100; count++) {
      const silent = await dialPlain(port);
      hold(silent);
      const half = await dialPlain(port);
      half.write(Buffer.from('1603010200010001fc0303', 'hex'));
      hold(half);
    }
    for (let count = 0; count < 20; count++) {
      const peer = await WirePeer.dial(port);
      hold(peer.socket);
      if (count % 2 === 0) peer.write(introduce(HELLO, { name: 'x@127.0.0.1:1', dialled: node.name }));
    }
    await stops();
    await within('the end of all connections', Promise.all(closed));
  });

  it('V5 does not wait for peers that read nothing, however much waits for them', async () => {
    const peers = await Promise.all(['a', 'b', 'c'].map(join));
    for (const peer of peers) {
      sockets.push(peer.socket);
      peer.socket.pause();
    }
    await node.run(async (bench) => {
      await bench.event('nodeup', 3);
      for (const name of bench.node.nodes())
        for (let count = 0; count < 100; count++)
          bench.node.send({ name: 'x', node: name }, new Uint8Array(1 << 20));
    });
    await stops();
  });

  it('V5 does not wait for a dial to a listener that never answers', async () => {
    const silent = createServer((socket) => void sockets.push(socket.on('error', () => {})));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port: far } = silent.address() as { port: number };
    const accepted = once(silent, 'connection');
    await node.run((bench, name) => {
      bench.box['dial'] = bench.node.connect(name);
    }, `never@127.0.0.1:${far}`);
    await accepted;
    await stops();
    silent.close();
  });

  it('V5 does not wait for connections to its port mapper and its health server', async () => {
    const mapped = await cluster.process();
    const mapper = await reservePort();
    const health = await mapped.run(
      async (bench, at, cookie) => {
        const { startHealthServer } = (await bench.load('../../ts/health/index')) as HealthModule;
        const discovery = bench.snow.portmapDiscovery({ embed: true, port: at });
        await bench.start({ name: 'mapped@127.0.0.1:0', cookie, discovery });
        return (await startHealthServer(bench.node, { port: 0, host: '127.0.0.1' })).port;
      },
      mapper,
      COOKIE,
    );
    const closed: Promise<unknown>[] = [];
    for (let count = 0; count < 40; count++)
      for (const at of [mapper, health]) {
        const socket = await dialPlain(at);
        sockets.push(socket);
        closed.push(ended(socket));
        if (count % 2 === 0) socket.write(at === health ? 'GET /livez HTTP/1.1\r\nx: ' : '{"op":');
      }
    await stops(mapped);
    await within('the end of all connections', Promise.all(closed));
  });
});
