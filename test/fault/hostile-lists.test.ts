// Lists of peers are hints (T14): however many names they hold, few are dialled at once, and none stands in the way of
// a node that was really here.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode, COOKIE } from '../support/cluster.ts';
import { turns, until } from '../support/deadline.ts';
import { PlainPeer } from '../support/plain-peer.ts';

/** A listener that accepts and says nothing: each dial of it lasts as long as a handshake may. */
class Silence {
  readonly open = new Set<Socket>();
  most = 0;
  accepted = 0;
  readonly #server: Server = createServer((socket) => {
    this.accepted++;
    this.open.add(socket);
    void this.#count([...this.open]);
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.once('close', () => void this.open.delete(socket));
  });

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Those of before may have ended already, and be told of only in the next turns. */
  async #count(present: readonly Socket[]): Promise<void> {
    await turns(5);
    this.most = Math.max(this.most, present.filter((socket) => this.open.has(socket)).length);
  }

  close(): void {
    for (const socket of this.open) socket.destroy();
    this.#server.close();
  }
}

let cluster: Cluster;
let silence: Silence;
let victim: ClusterNode;
beforeEach(async () => {
  cluster = new Cluster();
  silence = await new Silence().listen();
  victim = await cluster.node({ name: 'victim', mesh: 'full', handshakeMs: 3000 });
});
afterEach(async () => {
  await cluster.stop();
  silence.close();
});

const join = (name = 'x@127.0.0.1:1'): Promise<PlainPeer> =>
  PlainPeer.dial(Number(victim.name.split(':')[1]), COOKIE, name, victim.name);
const madeUp = (count: number, from = 0, port = silence.port): string[] =>
  Array.from({ length: count }, (_, index) => `n${from + index}@127.0.0.1:${port}`);

describe('a peer that tells of too many peers', () => {
  it('T14 has at most 4 of its 65 535 names dialled at once', async () => {
    await using peer = await join();
    peer.send('PEER_LIST', madeUp(65_535));
    await until('dials', () => silence.accepted >= 4);
    // Two rounds of handshakes that fail.
    await until('another round', () => silence.accepted > 2 * 4);
    expect(silence.most).toBeLessThanOrEqual(4);
    expect(await victim.run((bench) => bench.node.nodes())).toEqual(['x@127.0.0.1:1']);
  });

  it('T14 does not keep a former peer from being dialled again', async () => {
    const { node: friend, proxy } = await cluster.behindProxy({ name: 'friend' });
    await victim.run((bench, name) => bench.node.connect(name), friend.name);
    await using peer = await join();
    for (let from = 0; from < 8192; from += 512) peer.send('PEER_LIST', madeUp(512, from));
    await until('dials', () => silence.accepted >= 4);
    proxy.cut();
    await victim.run(
      (bench, name) => bench.until('nodedown', () => !bench.node.nodes().includes(name)),
      friend.name,
    );
    // Made-up names take all dials for 25 minutes.
    await victim.run((bench, name) => bench.node.ready({ peers: [name], timeout: 60_000 }), friend.name);
  });

  it('T14 does not keep a node that another peer tells of from being dialled', async () => {
    const friend = await cluster.node({ name: 'friend' });
    await using one = await join();
    await using two = await join('z@127.0.0.1:1');
    // Dials of made-up names last three seconds, eight of them at once: longer than a hint is kept.
    one.send('PEER_LIST', madeUp(512));
    two.send('PEER_LIST', madeUp(512, 512));
    await until('dials', () => silence.open.size >= 8);
    await using other = await join('y@127.0.0.1:1');
    other.send('PEER_LIST', [friend.name]);
    await victim.run((bench, name) => bench.node.ready({ peers: [name], timeout: 30_000 }), friend.name);
  });

  it('T14 passes over our own name, names that are up, and what is no name', async () => {
    await using peer = await join();
    const nonsense = ['no name', 'a@b@c', 'a@h:0', 'a@h:70000', '@', 'é\u0000@h', 'x'.repeat(255)];
    peer.send('PEER_LIST', [victim.name, 'x@127.0.0.1:1', ...nonsense]);
    peer.send('PEER_LIST', []);
    peer.send('PEER_LIST', madeUp(1));
    await until('the dial of the only name', () => silence.most > 0);
    expect([silence.most, silence.accepted]).toEqual([1, 1]);
    expect(await victim.run((bench) => bench.node.nodes())).toEqual(['x@127.0.0.1:1']);
  });

  it('T14 is thrown out for an empty name, and not dialled by us', async () => {
    await using peer = await PlainPeer.dial(
      Number(victim.name.split(':')[1]),
      COOKIE,
      `x@127.0.0.1:${silence.port}`,
      victim.name,
    );
    peer.send('PEER_LIST', ['']);
    const [[, , cause]] = (await victim.run((bench) => bench.event('nodedown'))) as [
      [string, string, string],
    ];
    expect(cause).toBe('protocol');
    // A dial would have come at once: before that of a name that is told later.
    const elsewhere = await new Silence().listen();
    await using other = await join();
    other.send('PEER_LIST', madeUp(1, 0, elsewhere.port));
    await until('the dial of the only name', () => elsewhere.accepted > 0);
    elsewhere.close();
    expect(silence.accepted).toBe(0);
  });
});
