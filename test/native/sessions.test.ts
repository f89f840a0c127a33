import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { BatchAnswer } from '../../bindings/index.ts';
import { turns, until } from '../support/deadline.ts';
import { reservePort } from '../support/ports.ts';
import { Proxy } from '../support/proxy.ts';
import {
  bigFrame,
  ConnectStatus,
  DialReason,
  DownCause,
  type Entry,
  frame,
  localOn,
  NativeEvent,
  nameBytes,
  RawNode,
  type RawOptions,
  type RawPeer,
  REG_SEND,
  SEND,
  sendFrame,
  TICK_BYTES,
} from './raw-node.ts';

const open: RawNode[] = [];

function start(name: string, options: RawOptions = {}): RawNode {
  const node = new RawNode({ name: `${name}@127.0.0.1:0`, ...options });
  open.push(node);
  return node;
}

async function pair(options: RawOptions = {}): Promise<[RawNode, RawPeer, RawNode, RawPeer]> {
  const [a, b] = [start('a', options), start('b', options)];
  const toA = await b.connect(a.name, a.port);
  return [a, await a.up(), b, toA];
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((node) => node.close()));
});

describe.each(['loop', 'thread'] as const)('two nodes, reader %s', (reader) => {
  it('L4 announces the session before its frames and its end after them', async () => {
    const [a, toB, b, toA] = await pair({ reader });
    expect([toB.name, toA.name]).toEqual([b.name, a.name]);
    expect([toB.dialledByUs, toA.dialledByUs]).toEqual([false, true]);
    expect(toB.incarnation).toBe(b.incarnation);
    for (let value = 0; value < 1000; value++) b.send(toA, value);
    b.native.hangup(b.handle, toA.session, DownCause.DISCONNECT);
    expect(await a.down(toB.session)).toBe(DownCause.GOODBYE);
    expect(await b.down(toA.session)).toBe(DownCause.DISCONNECT);
    const tags = a.entries.filter((entry) => entry.session === toB.session).map((entry) => entry.tag);
    expect(tags[0]).toBe(NativeEvent.SESSION_UP);
    expect(tags.at(-1)).toBe(NativeEvent.SESSION_DOWN);
    expect(a.numbers()).toEqual(Array.from({ length: 1000 }, (_, value) => value));
  });

  it('calls onBatch again, without bytes, when a batch asks for it', async () => {
    const [a, , b, toA] = await pair({ reader });
    const order: string[] = [];
    a.onEntry = ({ tag }) => {
      if (tag === SEND) {
        order.push('batch');
        void Promise.resolve().then(() => order.push('microtask'));
      }
      return true;
    };
    a.onEmpty = () => order.push('again');
    a.answer = BatchAnswer.CALL_AGAIN;
    // The reader on the loop calls outside of all callbacks: microtasks run in between. What the I/O thread read while the loop was
    // blocked is handed over inside of a callback, which may be so of a few messages.
    const isDone = (): boolean =>
      reader === 'thread'
        ? order.includes('again')
        : order.at(-1) === 'again' && order.at(-2) === 'microtask';
    for (let value = 1; value <= 20 && !isDone(); value++) {
      order.length = 0;
      b.send(toA, value);
      await until('the second call', () => order.includes('again') && order.includes('microtask'));
    }
    expect(isDone()).toBe(true);
    a.answer = 0;
    order.length = 0;
    b.send(toA, 0);
    await until('a message without a second call', () => order.includes('microtask'));
    expect(order).toEqual(['batch', 'microtask']);
  });

  it('V6 delivers what was flushed before an orderly stop', async () => {
    const [a, toB, b, toA] = await pair({ reader });
    const frames = Array.from({ length: 500 }, (_, value) => sendFrame(toA.nc, 1, value));
    for (let round = 0; round < 20; round++) b.flush(toA.session, ...frames);
    await b.close();
    expect(await a.down(toB.session)).toBe(DownCause.GOODBYE);
    expect(a.numbers()).toHaveLength(10_000);
    open.splice(open.indexOf(b), 1);
  });

  it('P3 interleaves a long message with short ones and joins it whole', async () => {
    const [a, toB, b, toA] = await pair({ reader, inboxBytes: 65_536 });
    // The reader of a is this very thread: when the way is full, nothing moves before all has been given.
    const filling = Array.from({ length: 8000 }, () => sendFrame(toA.nc, 1, -1));
    await until('the way is full', () => b.flush(toA.session, ...filling) > 0);
    const size = 24 * 1024 * 1024;
    const holes = Array<Uint8Array>(2 ** 32 - 1); // its length reserves nothing
    expect(() => b.native.bulk(b.handle, toA.session, 9, holes)).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }),
    );
    expect(b.native.bulk(b.handle, toA.session, 9, halves(bigFrame(toA.nc, 1, size)))).toBeGreaterThan(0);
    b.native.bulk(b.handle, toA.session, 9, [bigFrame(toA.nc, 1, 3)]);
    for (let value = 0; value < 100; value++) b.send(toA, value);
    // The long one is reported when it is sent, the other when the stream is empty.
    const sent = (): number[] =>
      b.entries
        .filter(({ tag }) => tag === NativeEvent.STREAM_DONE)
        .flatMap(({ body }) => Array<number>(body.readUInt32LE(4)).fill(body.readUInt32LE(0)));
    await until('both long messages are reported as sent', () => sent().length >= 2);
    expect(sent()).toEqual([9, 9]);
    const long = await a.event(NativeEvent.BIG);
    expect(long.session).toBe(toB.session);
    expect(long.body.length).toBe(size + 15);
    expect(long.body[0]).toBe(SEND);
    expect(long.body.subarray(15).every((byte) => byte === 7)).toBe(true);
    await a.find('the short one of the same stream', (entry) => entry.body.length === 8 + 6 + 3);
    const at = a.entries.indexOf(long);
    const isShort = ({ tag, body }: Entry): boolean =>
      tag === SEND && body.length === 8 + 6 && body.readInt32LE(10) >= 0;
    const before = a.entries.slice(0, at).filter(isShort).length;
    expect(before, 'short messages did not wait for the long one').toBeGreaterThan(0);
    expect(a.entries.findIndex((entry) => entry.body.length === 8 + 6 + 3)).toBeGreaterThan(at);
  });

  it('P3 sends a long message that was handed over slice by slice, and none that was given up', async () => {
    const [a, , b, toA] = await pair({ reader });
    const { native, handle } = b;
    const { session, nc } = toA;
    b.flush(session); // slices need the chunk of the session
    const give = (frame: Buffer, slice: number, total = frame.length): void => {
      for (let at = 0; at < frame.length; at += slice)
        expect(native.gather(handle, session, total, frame.subarray(at, at + slice))).toBe(true);
    };
    give(bigFrame(nc, 1, 900_000, 1).subarray(0, 500_000), 100_000, 900_015);
    expect(native.gather(handle, session, 0, new Uint8Array(0))).toBe(true);
    give(bigFrame(nc, 1, 3_000_000, 2), 1 << 20);
    expect(native.gathered(handle, session, 5)).toBeGreaterThan(0);
    // More than was said is left out.
    give(Buffer.concat([bigFrame(nc, 1, 700_000, 3), Buffer.alloc(1000, 9)]), 100_000, 700_015);
    expect(native.gathered(handle, session, 5)).toBeGreaterThan(0);
    for (const [fill, size] of [
      [2, 3_000_000],
      [3, 700_000],
    ] as const) {
      const { body } = await a.event(NativeEvent.BIG, (entry) => entry.body.length === size + 15);
      expect(body.subarray(15).every((byte) => byte === fill)).toBe(true);
    }
    expect(a.entries.filter((entry) => entry.tag === NativeEvent.BIG)).toHaveLength(2);
  });

  it('L4 takes no slices for a session that is over', async () => {
    const [a, , b, toA] = await pair({ reader });
    const { native, handle } = b;
    const slice = new Uint8Array(1000);
    b.flush(toA.session);
    expect(native.gather(handle, toA.session, 2000, slice)).toBe(true);
    await a.close();
    open.splice(open.indexOf(a), 1);
    await b.down(toA.session);
    expect(native.gathered(handle, toA.session, 1)).toBe(-1);
    expect(native.gather(handle, toA.session, 2000, slice)).toBe(false);
    expect(native.gather(handle, 70_000, 2000, slice)).toBe(false);
  });

  it('P1 counts what the peer does not take, and says when it is taken', async () => {
    const [a, , b, toA] = await pair({ reader, inboxBytes: 65_536 });
    // The reader of a is this very thread: nothing is read while this loop runs.
    const many = Array.from({ length: 8000 }, (_, value) => sendFrame(toA.nc, 1, value));
    let waiting = 0;
    let sent = 0;
    while (waiting === 0 && sent < 40_000_000) {
      waiting = b.flush(toA.session, ...many);
      sent += many.length;
    }
    expect(waiting).toBeGreaterThan(0);
    const writable = await b.event(NativeEvent.WRITABLE, (entry) => entry.body.readUInt32LE(0) === 0);
    expect(writable.session).toBe(toA.session);
    await until('everything arrived', () => a.numbers().length === sent);
    expect(a.numbers().every((value, index) => value === index % 8000)).toBe(true);
  });
});

describe('connecting', () => {
  it('K6 refuses another cookie on both sides, once, and stays healthy', async () => {
    const a = start('a');
    const stranger = start('s', { cookie: 'quite another cookie, as long' });
    const friend = start('f');
    expect((await stranger.dial(a.name, a.port)).status).toBe(ConnectStatus.AUTH);
    const refused = await a.event(NativeEvent.REFUSED);
    expect(refused.body.toString()).toContain(stranger.name);
    expect(refused.body.readUInt32LE(refused.body.length - 4), 'none before it').toBe(0);
    await friend.connect(a.name, a.port);
    await a.up((peer) => peer.name === friend.name);
    expect(a.entries.filter((entry) => entry.tag === NativeEvent.REFUSED)).toHaveLength(1);
    expect(a.stats.sessions).toBe(1);
    expect(a.stats.identities).toBe(1);
  });

  it('T11 refuses a peer that is not the one dialled', async () => {
    const [a, b] = [start('a'), start('b')];
    const other = `other@127.0.0.1:${a.port}`;
    expect((await b.dial(other, a.port)).status).toBe(ConnectStatus.WRONG_NAME);
    expect((await b.dial('no name at all', a.port, 2)).status).toBe(ConnectStatus.WRONG_NAME);
  });

  it('M2 answers every dial exactly once, also when nobody is there', async () => {
    const [a, b] = [start('a'), start('b')];
    const free = await reservePort();
    expect((await b.dial(`c@127.0.0.1:${free}`, free, 1)).status).toBe(ConnectStatus.REFUSED);
    for (let request = 2; request < 50; request++) {
      b.native.dial(b.handle, request, a.name, 'localhost', a.port, DialReason.ASKED);
    }
    await until('all answers', () => answers(b) === 49);
    await turns(20);
    expect(answers(b)).toBe(49);
    await a.up();
    expect(a.stats.sessions).toBe(1);
  });

  it('K8 two nodes that dial each other at once end with one and the same session', async () => {
    for (let round = 0; round < 40; round++) {
      const [a, b] = [start('a'), start('b')];
      a.native.dial(a.handle, 1, b.name, '127.0.0.1', b.port, DialReason.ASKED);
      b.native.dial(b.handle, 1, a.name, '127.0.0.1', a.port, DialReason.ASKED);
      const [toB, toA] = [await a.up(), await b.up()];
      await until('both answered', () => answers(a) === 1 && answers(b) === 1);
      a.send(toB, 1);
      b.send(toA, 2);
      await until('both heard', () => a.numbers().length === 1 && b.numbers().length === 1);
      const ups = [a, b].map((node) => node.entries.filter((e) => e.tag === NativeEvent.SESSION_UP).length);
      expect(ups, `round ${round}`).toEqual([1, 1]);
      expect(toB.dialledByUs, 'both have the same one').toBe(!toA.dialledByUs);
      await Promise.all(open.splice(0).map((node) => node.close()));
    }
  });

  it('K8 of two dials that meet the one of the greater name stays', async () => {
    for (let round = 0; round < 10; round++) {
      const [a, b] = [start('a'), start('b')];
      await using toA = await Proxy.listen({ port: a.port });
      await using toB = await Proxy.listen({ port: b.port });
      // Neither can begin before both are there.
      for (const proxy of [toA, toB]) proxy.blackhole();
      a.native.dial(a.handle, 1, b.name, '127.0.0.1', toB.port, DialReason.ASKED);
      b.native.dial(b.handle, 1, a.name, '127.0.0.1', toA.port, DialReason.ASKED);
      await until('both connections', () => toA.open === 1 && toB.open === 1);
      for (const proxy of [toA, toB]) proxy.heal();
      const ups = [await a.up(), await b.up()];
      expect(ups.map(({ dialledByUs }) => dialledByUs)).toEqual([false, true]);
      await Promise.all(open.splice(0).map((node) => node.close()));
    }
  });

  it('K9 a restarted peer replaces its old session; the end comes before the new begin', async () => {
    const [a, first] = await pair();
    const old = open[1] as RawNode;
    const again = new RawNode({ name: old.name, incarnation: 77n });
    open.push(again);
    await again.connect(a.name, a.port);
    const second = await a.up((peer) => peer.incarnation === 77n);
    expect(await a.down(first.session)).toBe(DownCause.REPLACED);
    expect(second.nc).toBe(first.nc + 1);
    const order = a.entries
      .filter((entry) => entry.tag === NativeEvent.SESSION_UP || entry.tag === NativeEvent.SESSION_DOWN)
      .map((entry) => entry.tag);
    expect(order).toEqual([0xa0, 0xa1, 0xa0]);
  });

  it.each(['loop', 'thread'] as const)(
    'K10 a connection that is reset behind its last bytes ends at once, reader %s',
    async (reader) => {
      // No tick can help: the reset itself has to be seen. It comes together with bytes, while the loop is away.
      const patience = { reader, tickMs: 60_000, downMs: 120_000 };
      const a = start('a', patience);
      for (let round = 0; round < 20; round++) {
        let isLast = false;
        const proxy = createServer((near) => {
          const far = connect(a.port, '127.0.0.1');
          far.on('data', (bytes) => near.write(bytes)).on('error', () => {});
          near
            .on('error', () => {})
            .on('data', (bytes) => {
              far.write(bytes);
              if (!isLast) return;
              far.resetAndDestroy();
              near.resetAndDestroy();
            });
        });
        await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
        const b = new RawNode({ name: `b${round}@127.0.0.1:0`, ...patience });
        const toA = await b.dial(a.name, (proxy.address() as AddressInfo).port).then(() => b.up());
        const up = await a.up((peer) => peer.name === b.name);
        isLast = true;
        b.send(toA, round);
        await a.down(up.session);
        await b.close();
        proxy.close();
      }
      // The reset may overtake the bytes in the proxy's own buffer, but mostly they arrive.
      expect(a.numbers().length).toBeGreaterThan(10);
    },
  );

  it('T1 a malformed frame ends that session and no other', async () => {
    const [a, toB, b, toA] = await pair();
    const c = start('c');
    const cToA = await c.connect(a.name, a.port);
    b.flush(toA.session, sendFrame(toA.nc, 1, 5), frame(REG_SEND, nameBytes('x'), Buffer.from([9, 9])));
    expect(await a.down(toB.session)).toBe(DownCause.PROTOCOL);
    expect(a.numbers()).toEqual([5]);
    c.send(cToA, 6);
    await until('the other session works', () => a.numbers().includes(6));
  });
});

describe('liveness', () => {
  it('L11 keeps a silent session alive by ticks that JavaScript does not see', async () => {
    const [tickMs, downMs] = [40, 1500];
    const [a, , b, toA] = await pair({ tickMs, downMs });
    const before = a.entries.length;
    const heard = a.stats.bytesIn;
    // More than come in the time after which a silent peer is lost: a PING and a PONG each interval.
    const most = (2 * downMs) / tickMs;
    await until('many ticks and answers', () => a.stats.bytesIn - heard > most * TICK_BYTES);
    // A loop that has to wait for a processor is told of.
    const told = a.entries.slice(before).filter(({ tag }) => tag !== NativeEvent.PEER_LOOP);
    expect(told).toEqual([]);
    expect([a.stats.sessions, b.stats.sessions]).toEqual([1, 1]);
    b.send(toA, 1);
    await until('it still works', () => a.numbers().length === 1);
  });
});

describe('names and numbers', () => {
  it('K3 refuses bad names, weak cookies, bad options and a taken port with their codes', () => {
    const a = start('a');
    const code = (options: RawOptions): unknown => {
      try {
        open.push(new RawNode(options));
        return 'opened';
      } catch (error) {
        return (error as { code?: unknown }).code;
      }
    };
    expect(code({ name: 'nobody' })).toBe('SNOW_ERR_NODE_NAME');
    expect(code({ cookie: 'short' })).toBe('SNOW_ERR_COOKIE_WEAK');
    expect(code({ cookie: '' })).toBe('SNOW_ERR_COOKIE_WEAK');
    expect(code({ tickMs: 100, downMs: 50 })).toBe('SNOW_ERR_BAD_OPTION');
    expect(code({ listenPort: a.port })).toBe('SNOW_ERR_LISTEN');
    expect(code({ listenHost: '192.0.2.1' })).toBe('SNOW_ERR_LISTEN');
  });

  it('refuses a reason of a dial and a cause of an end that do not exist', () => {
    const a = start('a');
    const refused = expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' });
    for (const number of [9, -1]) {
      expect(() => a.native.dial(a.handle, 1, 'x@127.0.0.1:9', '127.0.0.1', 9, number)).toThrow(refused);
      expect(() => a.native.hangup(a.handle, 999, number)).toThrow(refused);
    }
  });

  it('numbers identities once and announces each to JavaScript', async () => {
    const a = start('a');
    const nc = a.native.numberOf(a.handle, 'x@127.0.0.1:9', 5n);
    expect(a.native.numberOf(a.handle, 'x@127.0.0.1:9', 5n)).toBe(nc);
    expect(a.native.numberOf(a.handle, 'x@127.0.0.1:9', 6n)).toBe(nc + 1);
    expect(a.native.numberOf(a.handle, a.name, a.incarnation)).toBe(0);
    const { body } = await a.event(NativeEvent.NODE_SLOT);
    expect([body.readUInt32LE(0), body.readBigUInt64LE(4), body.subarray(14).toString()]).toEqual([
      nc,
      5n,
      'x@127.0.0.1:9',
    ]);
  });

  it('packs and unpacks PIDs as the wire does', () => {
    const { native } = start('a');
    const local = localOn(63, 2 ** 34 - 1);
    expect(native.pidPack(0xffffff, local)).toBe(2n ** 64n - 1n);
    expect(native.pidUnpack(2n ** 64n - 1n)).toEqual([0xffffff, local]);
    native.termCheck(Buffer.from([2, 0x41]));
    expect(() => native.termCheck(Buffer.from([2, 0x41, 0]))).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_TERM' }) as Error,
    );
  });

  it('calls on a handle that is gone say so', async () => {
    const a = start('a');
    await open.pop()?.close();
    expect(() => a.native.port(a.handle)).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_NO_NODE' }) as Error,
    );
    expect(a.native.flush(a.handle, 1, 0)).toBe(-1);
  });
});

function answers(node: RawNode): number {
  return node.entries.filter((entry) => entry.tag === NativeEvent.CONNECT_RESULT).length;
}

/** The same frame in two parts. */
function halves(frame: Uint8Array): Uint8Array[] {
  return [frame.subarray(0, 100_000), frame.subarray(100_000)];
}
