// Peers that are broken, slow, foreign or lying, written on plain node:tls. A healthy node is left untouched by each.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode, COOKIE } from '../support/cluster.ts';
import { within } from '../support/deadline.ts';
import { ACK, CHALLENGE, frameOf, HELLO, PROOF, REFUSE } from '../support/plain-handshake.ts';
import { Writer } from '../support/plain-terms.ts';
import {
  dialPlain,
  type Frame,
  introduce,
  readIntroduction,
  WireAcceptor,
  WirePeer,
} from '../support/wire-peer.ts';

let cluster: Cluster;
let victim: ClusterNode;
let port: number;
const start = async (options: object = {}): Promise<void> => {
  victim = await cluster.node({ name: 'victim', ...options });
  port = Number(victim.name.split(':')[1]);
};
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

/** A reset ends a connection as well: `once` would reject for it. */
const closed = async (socket: Socket): Promise<unknown> =>
  socket.closed ||
  within('the end of a connection', new Promise((resolve) => void socket.once('close', resolve)));

/** It lists nobody, never saw anybody, and a good peer joins as ever. */
const isHealthy = async (): Promise<void> => {
  expect(await victim.run((bench) => [bench.node.nodes(), bench.seen('nodeup')])).toEqual([[], []]);
  await using good = await WirePeer.join(port, COOKIE, { name: 'good@127.0.0.1:1', dialled: victim.name });
  await victim.run((bench) => bench.event('nodeup'));
  expect(await victim.run((bench) => bench.node.nodes())).toEqual(['good@127.0.0.1:1']);
  await good.close();
  await victim.run((bench) => bench.event('nodedown'));
};

/**
 * A few at a time: the kernel completes a connection that its full queue then forgets, and a client that says nothing
 * never hears of that.
 */
async function dialMany(count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: 25 }, () => dialPlain(port)))));
    // An answer of the victim means that its threads had a turn.
    await victim.run((bench) => bench.node.nodes());
  }
  return sockets;
}

describe('unauthenticated connections', () => {
  it('T5 that send nothing, or a byte now and then, are all closed, while a good peer joins', async () => {
    await start({ handshakeMs: 6000, maxHandshakes: 2000 });
    const count = Number(process.env['SNOWMESH_STRANGERS'] ?? 400);
    const silent = await dialMany(count);
    const slow = await dialMany(count);
    // A byte now and then is no progress. The bytes begin like a TLS record, so they are not refused at sight.
    const drips = setInterval(() => {
      for (const socket of slow) if (!socket.destroyed) socket.write(Buffer.from([0x16]));
    }, 1000);
    for (const socket of [...silent, ...slow]) socket.resume();
    const ends = Promise.all([...silent, ...slow].map(closed));
    const good = await WirePeer.join(port, COOKIE, { name: 'good@127.0.0.1:1', dialled: victim.name });
    await good.close();
    await ends;
    clearInterval(drips);
    await victim.run((bench) =>
      bench.until('no handshakes', () => bench.node.stats().native?.handshakes === 0),
    );
  });

  it('T5 beyond the cap evict the oldest, and a good peer still joins', async () => {
    await start({ handshakeMs: 300_000, maxHandshakes: 8 }); // none ends by the clock
    const silent: Socket[] = [];
    const ends: Promise<unknown>[] = [];
    for (let count = 0; count < 40; count++) {
      const socket = await dialPlain(port);
      ends.push(closed(socket.resume()));
      silent.push(socket);
    }
    await Promise.all(ends.slice(0, 30));
    const good = await WirePeer.join(port, COOKIE, { name: 'good@127.0.0.1:1', dialled: victim.name });
    await good.close();
    for (const socket of silent) socket.destroy();
    await Promise.all(ends);
  });

  it('T10 that send plain text, HTTP or half of TLS are closed', async () => {
    await start({ handshakeMs: 4000 });
    const hello = await dialPlain(port);
    hello.write('hello\n');
    const http = await dialPlain(port);
    http.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const noise = await dialPlain(port);
    noise.write(Buffer.alloc(5000, 0x16));
    const half = await dialPlain(port);
    half.write(Buffer.from('1603010200010001fc0303', 'hex'));
    for (const socket of [hello, http, noise, half]) socket.resume();
    await Promise.all([hello, http, noise, half].map(closed));
    await isHealthy();
  });

  it('T10 that stop after TLS, or use an old TLS, are closed', async () => {
    await start({ handshakeMs: 4000 });
    const peer = await WirePeer.dial(port);
    await within('the end of a silent peer', peer.closed);
    const old = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    const [error] = await within('a refusal', once(old, 'error'));
    expect(String(error)).toMatch(/alert|version|ECONNRESET|closed/i);
    await isHealthy();
  });

  it('T6 that reset after any byte of the handshake leave nothing', async () => {
    await start();
    const hello = introduce(HELLO, { name: 'x@127.0.0.1:1', dialled: victim.name });
    for (let cut = 0; cut <= hello.length; cut += 3) {
      const peer = await WirePeer.dial(port);
      peer.write(hello.subarray(0, cut));
      peer.socket.destroy();
    }
    await victim.run((bench) =>
      bench.until('no handshakes', () => bench.node.stats().native?.handshakes === 0),
    );
    await isHealthy();
  });

  it('T4, T5 whose first frame is over 4 KiB are dropped before the rest of it comes', async () => {
    await start();
    for (const length of [0, 4097, 0x7fff_ffff, 0xffff_ffff]) {
      const peer = await WirePeer.dial(port);
      peer.write(new Writer().u32(length).u8(HELLO).done());
      await within(`the end after length ${length}`, peer.closed);
    }
    await isHealthy();
  });
});

describe('peers without the cookie', () => {
  it('T7 learn nothing but the refusal, whichever byte of the proof is wrong', async () => {
    await start();
    for (const at of [0, 15, 31]) {
      const peer = await WirePeer.dial(port);
      const hello = introduce(HELLO, { name: 'x@127.0.0.1:1', dialled: victim.name });
      peer.write(hello);
      const challenge = await peer.expect(CHALLENGE);
      const proof = peer.mac(COOKIE, 'snowmesh/1 initiator', Buffer.concat([hello, challenge.whole]));
      proof[at]! ^= 1;
      peer.write(frameOf(PROOF, proof));
      await expect(peer.expect(ACK)).rejects.toMatchObject({ refusal: 4 });
      await within('the end', peer.closed);
    }
    const refused = await victim.run((bench) => bench.event('refused', 3));
    expect(refused.map(([, name]) => name)).toEqual(['x@127.0.0.1:1', 'x@127.0.0.1:1', 'x@127.0.0.1:1']);
    await isHealthy();
  });

  it('T7 learn the names that they dial and are dialled by, and no other', async () => {
    await start();
    const bystander = await cluster.node({ name: 'bystander' });
    expect(await bystander.run((bench, peer) => bench.node.connect(peer), victim.name)).toBe(true);
    const heard: Frame[] = [];
    const listen = async (peer: WirePeer): Promise<void> => {
      for (;;) {
        const next = await peer.next().catch(() => undefined);
        if (next === undefined) break;
        heard.push(next);
      }
      await within('the end of a stranger', peer.closed);
    };
    const lies: readonly object[] = [
      {},
      { version: 2 },
      { required: 1n << 63n },
      { name: victim.name },
      { name: 'no name' },
      { name: bystander.name },
      { dialled: bystander.name },
    ];
    for (const lie of lies) {
      const peer = await WirePeer.dial(port);
      peer.write(introduce(HELLO, { name: 'x@127.0.0.1:1', dialled: victim.name, ...lie }));
      peer.write(frameOf(PROOF, Buffer.alloc(32)));
      await listen(peer);
    }
    await using acceptor = await WireAcceptor.listen();
    const name = `down@127.0.0.1:${acceptor.port}`;
    const connecting = victim.run((bench, peer) => bench.node.connect(peer), name);
    const dialled = await acceptor.accept();
    dialled.write(introduce(CHALLENGE, { name }));
    dialled.write(frameOf(ACK, Buffer.alloc(33)));
    await listen(dialled);
    expect(await connecting).toBe(false);
    expect(new Set(heard.map(({ tag }) => tag))).toEqual(new Set([CHALLENGE, REFUSE, HELLO, PROOF]));
    expect(heard.filter(({ whole }) => whole.includes('bystander'))).toEqual([]);
    const told = heard.find(({ tag }) => tag === HELLO) as Frame;
    expect(told.whole.includes(name)).toBe(true);
  });

  it('T8 cannot bounce our own proof back at us', async () => {
    await start();
    // The attacker is dialled by the victim and, at the same time, dials the victim under the name it was dialled by.
    await using acceptor = await WireAcceptor.listen();
    const name = `evil@127.0.0.1:${acceptor.port}`;
    const connecting = victim.run((bench, peer) => bench.node.connect(peer), name);
    const dialled = await acceptor.accept();
    const hello = await dialled.expect(HELLO);
    const own = await WirePeer.dial(port);
    own.write(introduce(HELLO, { name, dialled: victim.name, incarnation: 5n }));
    const challenge = await own.expect(CHALLENGE);
    // The victim's own challenge goes back to it as if it were ours; its proof would be the answer it wants.
    dialled.write(challenge.whole);
    const outcome = await dialled.next().catch(() => undefined);
    if (outcome?.tag === PROOF) {
      own.write(frameOf(PROOF, outcome.body));
      await expect(own.expect(ACK)).rejects.toThrow();
      dialled.write(frameOf(ACK, new Writer().raw(outcome.body).u8(0).done()));
    }
    expect(await connecting).toBe(false);
    expect(readIntroduction(hello).name).toBe(victim.name);
    await isHealthy();
  });

  it('T9 cannot stand in the middle: a relayed handshake verifies at neither end', async () => {
    await start();
    await using middle = await WireAcceptor.listen();
    const dialler = await cluster.node({ name: 'dialler' });
    // The victim's name, the middle's address: the dialler cannot tell by looking.
    const name = `victim@127.0.0.1:${middle.port}`;
    const real = await cluster.process();
    await real.run((bench, options) => bench.start(options).then(() => undefined), {
      name,
      cookie: COOKIE,
      listen: { port: 0 },
    });
    const realPort = (await real.run((bench) => bench.node.stats() && bench.node.port)) as number;
    const connecting = dialler.run((bench, peer) => bench.node.connect(peer), name);
    const left = await middle.accept();
    const right = await WirePeer.dial(realPort);
    left.raw((part) => right.write(part));
    right.raw((part) => left.write(part));
    expect(await connecting).toBe(false);
    await within('the end of the relay', Promise.all([left.closed, right.closed]));
    expect(await dialler.run((bench) => [bench.node.nodes(), bench.seen('nodeup')])).toEqual([[], []]);
    expect(await real.run((bench) => [bench.node.nodes(), bench.seen('nodeup')])).toEqual([[], []]);
    const [refused] = await real.run((bench) => bench.event('refused'));
    expect(refused?.[1]).toBe(dialler.name);
  });
});

describe('peers with the cookie', () => {
  const join = (facts: object = {}): Promise<WirePeer> =>
    WirePeer.join(port, COOKIE, { name: 'x@127.0.0.1:1', dialled: victim.name, ...facts });

  it('K11 of another version or with demands we cannot meet are refused cleanly, extra bytes are ignored', async () => {
    await start();
    await expect(join({ version: 2 })).rejects.toMatchObject({ refusal: 1 });
    await expect(join({ required: 1n << 63n })).rejects.toMatchObject({ refusal: 2 });
    const offering = await join({ offered: 0xffff_ffff_ffff_ffffn, trailing: Buffer.from('more') });
    await victim.run((bench) => bench.event('nodeup'));
    await offering.close();
  });

  it('T11 under our own name, under no name, or for another node are refused', async () => {
    await start();
    await expect(join({ name: victim.name })).rejects.toMatchObject({ refusal: 5 });
    await expect(join({ name: 'no name' })).rejects.toMatchObject({ refusal: 5 });
    await expect(join({ dialled: 'other@127.0.0.1:1' })).rejects.toMatchObject({ refusal: 3 });
    await isHealthy();
  });

  const hostile: readonly (readonly [string, () => Buffer])[] = [
    ['an empty frame', () => new Writer().u32(0).done()],
    ['a frame over the limit', () => new Writer().u32(0x0200_0000).u8(0x10).done()],
    ['an unknown tag', () => frameOf(0x7f, Buffer.alloc(3))],
    ['a SEND without a term', () => frameOf(0x10, new Writer().u64(5n).done())],
    [
      'a SEND with bytes behind its term',
      () => frameOf(0x10, new Writer().u64(5n).u8(2).u8(0x40).u8(0).done()),
    ],
    ['a term of a version to come', () => frameOf(0x10, new Writer().u64(5n).u8(3).u8(0x40).done())],
    [
      'a count beyond its bytes',
      () => frameOf(0x10, new Writer().u64(5n).u8(2).u8(0x0a).u32(0xffff_ffff).done()),
    ],
    [
      'nesting without end',
      () =>
        frameOf(
          0x10,
          new Writer()
            .u64(5n)
            .u8(2)
            .raw(Buffer.alloc(2000, Buffer.from([0x24, 1])))
            .u8(0x40)
            .done(),
        ),
    ],
    ['invalid UTF-8', () => frameOf(0x10, new Writer().u64(5n).u8(2).u8(0x81).u8(0xff).done())],
    [
      'a PID nobody announced',
      () => frameOf(0x10, new Writer().u64(5n).u8(2).u8(0x1e).u64(0x0999_0100_0000_0001n).done()),
    ],
    [
      'an exit from an actor of ours',
      () => frameOf(0x15, new Writer().u64(0x0001_0100_0000_0005n).u64(5n).u8(2).u8(0x40).done()),
    ],
    ['a fragment of no stream', () => frameOf(0x32, new Writer().u32(1).u8(0).raw(Buffer.alloc(10)).done())],
    [
      'fragments beyond their total',
      () => frameOf(0x32, new Writer().u32(1).u8(1).u64(4n).raw(Buffer.alloc(10)).done()),
    ],
    ['a shape that skips an id', () => frameOf(0x31, new Writer().u16(7).u16(1).name('k').done())],
    ['a handshake frame', () => introduce(HELLO, { name: 'x@127.0.0.1:1' })],
  ];

  it('T1, T2 end their own session only with whatever breaks the contract; what came before is delivered', async () => {
    await start();
    const bystander = await cluster.node({ name: 'bystander' });
    await bystander.run((bench, peer) => bench.node.connect(peer), victim.name);
    await victim.run(async (bench) => void (bench.box['probe'] = await bench.probe('inbox')));
    for (const [index, [what, bytes]] of hostile.entries()) {
      const peer = await join({ incarnation: BigInt(index + 1) });
      // Its own pair first, as the contract wants, then a good message, the bad frame, and one that must not arrive.
      const { name } = victim;
      const introduced = await peer.find(0x30);
      expect(introduced.body.length).toBeGreaterThan(10);
      const incarnation = await victim.run((bench) => bench.node.incarnation);
      const announce = frameOf(0x30, new Writer().u16(1).u8(1).u64(incarnation).name(name).done());
      const good = frameOf(
        0x11,
        new Writer()
          .name('inbox')
          .u8(2)
          .u8(0x40 + (index % 60))
          .done(),
      );
      peer.write(
        Buffer.concat([
          announce,
          good,
          bytes(),
          frameOf(0x11, new Writer().name('inbox').u8(2).u8(0x7f).done()),
        ]),
      );
      await within(`the end of a peer that sent ${what}`, peer.closed);
      const cause = await victim.run(
        (bench, count) => bench.event('nodedown', count).then((downs) => downs.at(-1)?.[2]),
        index + 1,
      );
      expect(cause, what).toBe('protocol');
    }
    const seen = await victim.run(
      async (bench, count) => ({
        messages: await bench.box['probe'].count(count),
        nodes: bench.node.nodes(),
      }),
      hostile.length,
    );
    expect(seen).toEqual({ messages: hostile.map((_, index) => index % 60), nodes: [bystander.name] });
  });

  it('T3 damage of an old session found late leaves the new one alone', async () => {
    await start();
    const first = await join({ incarnation: 1n });
    await victim.run((bench) => bench.event('nodeup'));
    const second = await join({ incarnation: 1n });
    await victim.run((bench) => bench.event('nodeup', 2));
    first.write(frameOf(0x7f, Buffer.alloc(3)));
    await within('the end of the old connection', first.closed);
    expect(
      await victim.run((bench) => [bench.node.nodes().length, bench.seen('nodedown').map((down) => down[2])]),
    ).toEqual([1, ['replaced']]);
    await second.close();
    expect((await victim.run((bench) => bench.event('nodedown', 2))).length).toBe(2);
  });

  it('T1 with 2 000 frames of noise each end only their own sessions', async () => {
    await start();
    const random = cluster.random;
    for (let round = 0; round < 20; round++) {
      const peer = await join({ incarnation: BigInt(round + 1) });
      await peer.find(0x30);
      for (let count = 0; count < 100 && !peer.socket.destroyed; count++) {
        const body = Buffer.from(
          Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 256)),
        );
        peer.write(
          frameOf(
            [0x10, 0x11, 0x13, 0x15, 0x16, 0x19, 0x30, 0x31, 0x32, 0x35, 0x37][Math.floor(random() * 11)]!,
            body,
          ),
        );
      }
      peer.socket.end();
      await within('the end of a noisy peer', peer.closed);
      await victim.run((bench, count) => bench.event('nodedown', count), round + 1);
    }
    const { messages } = await victim.run(async (bench) => {
      const probe = await bench.probe('inbox');
      bench.node.send(probe.pid, 'alive');
      return { messages: await probe.count(1) };
    });
    expect(messages).toEqual(['alive']);
    expect(
      await victim.run((bench) =>
        bench.seen('log').filter(([, , text]) => String(text).includes('could not be handled')),
      ),
    ).toEqual([]);
  });
});
