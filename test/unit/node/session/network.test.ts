import { describe, expect, it, vi } from 'vitest';
import { parseNodeName } from '../../../../ts/node/node-name.ts';
import { SLICE_BYTES } from '../../../../ts/node/session/long-frame-slices.ts';
import { Pid } from '../../../../ts/term/index.ts';
import {
  ConnectStatus,
  DialReason,
  DownCause,
  FrameTag,
  KeptTag,
  NativeEvent,
} from '../../../../ts/wire/index.ts';
import { Body } from '../scripted-native.ts';
import { LIMITS, messages, NC, openNetwork as open, PEER, target } from './scripted-network.ts';

describe('sessions', () => {
  it('tells up before and down after the frames of a session, and ignores frames of none', () => {
    const { native, network, news } = open();
    native.emit(FrameTag.SEND, 3, new Body().u64(0n));
    native.up(3, NC, PEER);
    expect([...network.sessions()].map(({ identity }) => identity.name)).toEqual([PEER]);
    native.emit(FrameTag.SEND, 3, new Body().u64(0n));
    native.down(3, 1);
    native.emit(FrameTag.SEND, 3, new Body().u64(0n));
    expect(news).toEqual([
      ['up', PEER],
      ['frame', 3, FrameTag.SEND, 8],
      ['down', PEER, 'timeout'],
    ]);
    expect(network.peer(PEER)).toBeUndefined();
    expect(network.identities.of(NC)?.outgoing).toBeUndefined();
  });

  it('tells of a refused peer, and how many were refused without being reported', () => {
    const { native, news } = open();
    native.emit(
      NativeEvent.REFUSED,
      0,
      new Body().name(PEER).name('127.0.0.1').name('another cookie').u8(ConnectStatus.AUTH).u32(290),
    );
    expect(news).toEqual([['refused', PEER, '127.0.0.1', 'another cookie', 'cookie', 290]]);
  });

  it('K10 lets the end of an old session touch nothing of its successor', () => {
    const { native, network } = open();
    native.up(3, NC, PEER);
    native.down(3, 3);
    native.up(4, NC + 1, PEER);
    native.down(3, 0);
    expect(network.peer(PEER)?.session?.id).toBe(4);
    expect(network.identities.of(NC + 1)?.outgoing).toBe(network.peer(PEER)?.session?.outgoing);
    expect(network.identities.of(NC)?.outgoing).toBeUndefined();
  });

  it.each(['a:b@127.0.0.1:4002', '\ufeffb@127.0.0.1:4001'])(
    'K3 ends a session to a name that only the native core takes, and reports a fault: %s',
    (name) => {
      const { native, network, news } = open();
      native.up(3, NC + 1, name);
      native.emit(FrameTag.SEND, 3, new Body().u64(0n));
      native.down(3, 4);
      expect(native.hangups).toEqual([3]);
      expect(news).toEqual([['fault', expect.stringContaining(JSON.stringify(name))]]);
      expect([...network.sessions()]).toEqual([]);
      expect([...network.peers()]).toEqual([]);
    },
  );

  it('P7 drops the frames of a session that it ends for what the peer sent', () => {
    const { native, network, news } = open();
    native.up(3, NC, PEER);
    const session = network.peer(PEER)!.session!;
    network.end(session, 'it sent too much');
    network.end(session, 'it sent more');
    native.emit(0x10, 3, new Body().u64(0n));
    expect([native.hangups, news]).toEqual([[3], [['up', PEER]]]);
    native.down(3, DownCause.PROTOCOL);
    expect(news[1]).toEqual(['down', PEER, 'protocol', 'it sent too much']);
  });

  it('passes frames that stand in memory of their own', () => {
    const { native, news } = open();
    native.up(3, NC, PEER);
    native.emit(NativeEvent.BIG, 3, new Body().u32(0), [new Uint8Array(100).fill(0x11)]);
    expect(news.at(-1)).toEqual(['frame', 3, 0x11, 99]);
  });

  it('survives a listener that throws, and continues the batch', () => {
    const { native, network, news } = open();
    native.up(3, NC, PEER);
    const session = network.peer(PEER)?.session;
    vi.spyOn(session!.outgoing, 'drained').mockImplementation(() => {
      throw new Error('boom');
    });
    native.emit(NativeEvent.WRITABLE, 3, new Body().u32(0));
    expect(news.at(-1)).toEqual(['fault', 'Error: boom']);
  });
});

describe('what goes out', () => {
  it('is handed over once per tick', async () => {
    const { native, network } = open();
    native.up(3, NC, PEER);
    const { outgoing } = network.peer(PEER)!.session!;
    for (let number = 0; number < 10; number++) outgoing.send(1, target(), number);
    expect(native.flushes).toBe(0);
    await new Promise(process.nextTick);
    expect(native.flushes).toBe(1);
    expect(messages(native)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('M2 waits for the session that is being dialled, in order, whatever its size', () => {
    const { native, network } = open({ ...LIMITS, waiting: 2 ** 20 });
    const waiting = network.pendingOutgoing(network.dial(parseNodeName(PEER)));
    expect(native.dials).toEqual([
      { request: 1, name: PEER, host: '127.0.0.1', port: 4001, reason: DialReason.ASKED },
    ]);
    waiting.send(1, target(), 'first');
    waiting.send(1, target(), 'x'.repeat(200_000));
    waiting.send(1, target(), 'third');
    waiting.send(2, target(), 'other');
    network.flush();
    expect(native.sent).toEqual([]);
    native.up(3, NC, PEER);
    network.flush();
    const order = native.sent.filter(({ tag }) => tag === FrameTag.SEND);
    expect(order.map(({ body, stream }) => [body.length > 1000, stream])).toEqual([
      [false, undefined],
      [true, 1],
      [false, 1],
      [false, undefined],
    ]);
    expect(network.peer(PEER)?.session?.outgoing).toBe(waiting);
  });

  it('B1 keeps what a sender emits behind a bulk message of its own until that has left', () => {
    const { native, network } = open({ ...LIMITS, highWater: 2 ** 30, limit: 2 ** 30 });
    native.up(3, NC, PEER);
    const { outgoing } = network.peer(PEER)!.session!;
    const streamsOf = (): unknown[] =>
      native.sent.filter(({ tag }) => tag === FrameTag.SEND).map(({ stream }) => stream);
    outgoing.send(1, target(), 'before');
    outgoing.send(1, target(), new Uint8Array(300_000));
    outgoing.send(1, target(), 'after');
    outgoing.send(2, target(), 'free');
    network.flush();
    expect(streamsOf()).toEqual([undefined, 1, 1, undefined]);
    native.emit(NativeEvent.STREAM_DONE, 3, new Body().u32(1).u32(1));
    outgoing.send(1, target(), 'still behind');
    network.flush();
    expect(streamsOf().at(-1)).toBe(1);
    native.emit(NativeEvent.STREAM_DONE, 3, new Body().u32(1).u32(2));
    outgoing.send(1, target(), 'free again');
    network.flush();
    expect(streamsOf().at(-1)).toBeUndefined();
    expect(messages(native).filter((message) => typeof message === 'string')).toEqual([
      'before',
      'after',
      'free',
      'still behind',
      'free again',
    ]);
  });

  it('announces shapes and nodes before the frame that needs them, also when that frame is bulk', () => {
    const { native, network } = open({ ...LIMITS, highWater: 2 ** 30, limit: 2 ** 30 });
    native.slotEvent(0x201, 'c@h:1');
    native.up(3, NC, PEER);
    const { outgoing } = network.peer(PEER)!.session!;
    outgoing.send(1, target(), { pid: new Pid(0x201, 9), bulk: new Uint8Array(200_000) });
    outgoing.send(1, target(), { pid: new Pid(0x201, 9), bulk: 1 });
    network.flush();
    expect(native.sent.map(({ tag, stream }) => [tag, stream])).toEqual([
      [KeptTag.SLOT, undefined],
      [KeptTag.SLOT, undefined],
      [FrameTag.SHAPE, undefined],
      [FrameTag.SEND, 1],
      [FrameTag.SEND, 1],
    ]);
  });

  it('M1 throws for what cannot be sent, and the next message is whole', () => {
    const { native, network } = open();
    native.up(3, NC, PEER);
    const { outgoing } = network.peer(PEER)!.session!;
    expect(() => outgoing.send(1, target(), [1, () => 1])).toThrow(/\[1\]/);
    expect(() => outgoing.send(1, new Pid(0x909, 1), 1)).toThrow(/of a stopped node/);
    outgoing.send(1, target(), 'whole');
    network.flush();
    expect(messages(native)).toEqual(['whole']);
  });

  it('M7 throws for what is too large, and the next message is whole', () => {
    const { native, network } = open({ ...LIMITS, maxMessage: 1_000_000 });
    native.up(3, NC, PEER);
    const { outgoing } = network.peer(PEER)!.session!;
    expect(() => outgoing.send(1, target(), new Uint8Array(1_000_100))).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_TOO_LARGE' }),
    );
    outgoing.send(1, target(), 'whole');
    network.flush();
    expect(messages(native)).toEqual(['whole']);
  });

  it('refuses a message that is sent from within another', () => {
    const { native, network } = open();
    native.up(3, NC, PEER);
    const { outgoing } = network.peer(PEER)!.session!;
    const trap = {
      get inner(): number {
        outgoing.send(1, target(), 'nested');
        return 1;
      },
    };
    expect(() => outgoing.send(1, target(), trap)).toThrow(/getter/);
    outgoing.send(1, target(), 'whole');
    network.flush();
    expect(messages(native)).toEqual(['whole']);
  });
});

describe('flow', () => {
  it('tells busy and drain once each, and full between', async () => {
    const { native, network, news } = open();
    native.up(3, NC, PEER);
    const { outgoing } = network.peer(PEER)!.session!;
    expect(outgoing.whenWritable()).toBeUndefined();
    native.pending = 3000;
    outgoing.send(1, target(), 1);
    network.flush();
    outgoing.send(1, target(), 2);
    network.flush();
    expect(news.filter(([kind]) => kind === 'busy')).toEqual([['busy', PEER, 3000]]);
    expect(outgoing.isFull).toBe(false);
    const room = outgoing.whenWritable();
    native.pending = 6000;
    outgoing.send(1, target(), 3);
    network.flush();
    expect(outgoing.isFull).toBe(true);
    native.emit(NativeEvent.WRITABLE, 3, new Body().u32(500));
    await room;
    expect(outgoing.isFull).toBe(false);
    native.emit(NativeEvent.WRITABLE, 3, new Body().u32(0));
    expect(news.filter(([kind]) => kind === 'drain')).toEqual([['drain', PEER]]);
  });

  it('P1 counts long messages until they are gone, whatever passes them', async () => {
    const { native, network, news } = open({ ...LIMITS, limit: 400_000 });
    native.up(3, NC, PEER);
    const { outgoing } = network.peer(PEER)!.session!;
    native.pending = 300_000;
    outgoing.send(1, target(), new Uint8Array(300_000));
    native.pending = 0;
    outgoing.send(2, target(), 'short');
    network.flush();
    expect(outgoing.waiting).toBeGreaterThanOrEqual(300_000);
    const room = outgoing.whenWritable();
    expect(room).toBeInstanceOf(Promise);
    outgoing.send(1, target(), new Uint8Array(100_000)); // on the same stream
    expect(outgoing.isFull).toBe(true);
    native.emit(NativeEvent.WRITABLE, 3, new Body().u32(0)); // that is the short one
    expect(outgoing.isFull).toBe(true);
    const [stream] = native.sent.flatMap((sent) => sent.stream ?? []);
    native.emit(NativeEvent.STREAM_DONE, 3, new Body().u32(stream!).u32(1));
    expect(outgoing.isFull).toBe(false);
    expect(news.map(([kind]) => kind)).not.toContain('drain');
    native.emit(NativeEvent.STREAM_DONE, 3, new Body().u32(stream!).u32(1));
    await room;
    expect(outgoing.waiting).toBe(0);
    expect(news.map(([kind]) => kind).filter((kind) => kind === 'busy' || kind === 'drain')).toEqual([
      'busy',
      'drain',
    ]);
  });

  it('P3 copies a long message of a waiting sender in slices, with other messages between them', async () => {
    const { native, network } = open();
    native.up(3, NC, PEER);
    const { outgoing } = network.peer(PEER)!.session!;
    const bytes = new Uint8Array(5 * SLICE_BYTES).fill(7);
    const sent = outgoing.sendSliced(() => outgoing.send(1, target(), bytes));
    expect(native.gathering).toBe(true);
    outgoing.send(2, target(), 'small');
    network.flush();
    expect(messages(native)).toEqual(['small']);
    expect(outgoing.whenWritable()).toBeInstanceOf(Promise); // one at a time
    outgoing.send(3, target(), bytes.subarray(0, 2 * SLICE_BYTES)); // a sender who does not wait: at once
    expect(messages(native)).toHaveLength(2);
    await sent;
    expect(native.gathering).toBe(false);
    expect(Buffer.compare(bytes, messages(native)[2] as Uint8Array)).toBe(0);
    for (const { stream } of native.sent)
      if (stream !== undefined) native.emit(NativeEvent.STREAM_DONE, 3, new Body().u32(stream).u32(1));
    expect(outgoing.whenWritable()).toBeUndefined();
    expect(outgoing.sendSliced(() => outgoing.send(1, target(), 'short'))).toBeUndefined();
  });

  it('B9 sends nothing of bytes that are detached while they are copied', async () => {
    const { native, network } = open();
    native.up(3, NC, PEER);
    const { outgoing } = network.peer(PEER)!.session!;
    const bytes = new Uint8Array(5 * SLICE_BYTES);
    const sent = outgoing.sendSliced(() => outgoing.send(1, target(), bytes));
    const other = outgoing.sendSliced(() => outgoing.send(2, target(), new Uint8Array(2 * SLICE_BYTES)));
    expect(other).toBeUndefined(); // on its way already, whatever becomes of the first
    structuredClone(bytes, { transfer: [bytes.buffer] });
    await expect(sent).rejects.toMatchObject({ code: 'SNOW_ERR_UNSENDABLE' });
    expect(native.gathering).toBe(false);
    expect(messages(native)).toHaveLength(1);
    expect(outgoing.sendSliced(() => outgoing.send(1, target(), new Uint8Array(9)))).toBeUndefined();
  });

  it('B1, A7 sends nothing of a sender that dies before all is copied', async () => {
    const { native, network } = open();
    native.up(3, NC, PEER);
    const { outgoing } = network.peer(PEER)!.session!;
    let isAlive = true;
    const bytes = new Uint8Array(5 * SLICE_BYTES);
    const sent = outgoing.sendSliced(
      () => outgoing.send(1, target(), bytes),
      () => isAlive,
    );
    expect(native.gathering).toBe(true);
    isAlive = false;
    outgoing.send(1, target(), 'his DOWN');
    await sent;
    expect(native.gathering).toBe(false); // its memory comes back (P4)
    expect(messages(native)).toEqual(['his DOWN']);
    expect(outgoing.whenWritable()).toBeUndefined();
  });

  it('lets a sender go whose session ends while his message is copied', async () => {
    const { native, network } = open();
    native.up(3, NC, PEER);
    const { outgoing } = network.peer(PEER)!.session!;
    const sent = outgoing.sendSliced(() => outgoing.send(1, target(), new Uint8Array(5 * SLICE_BYTES)));
    native.down(3);
    await sent;
    expect(messages(native)).toEqual([]);
  });

  it('resolves waits for room when the session ends', async () => {
    const { native, network } = open();
    native.up(3, NC, PEER);
    const { outgoing } = network.peer(PEER)!.session!;
    native.pending = 3000;
    outgoing.send(1, target(), 1);
    const room = outgoing.whenWritable();
    expect(room).toBeInstanceOf(Promise);
    native.down(3);
    await room;
  });

  it('P1 resolves waits for a connection that takes all at once, and reports busy and drain in pairs', async () => {
    const { native, network, news } = open();
    const waiting = network.pendingOutgoing(network.dial(parseNodeName(PEER)));
    waiting.send(1, target(), 'x'.repeat(2000));
    const room = waiting.whenWritable();
    expect(room).toBeInstanceOf(Promise);
    native.up(3, NC, PEER);
    await room;
    native.emit(NativeEvent.WRITABLE, 3, new Body().u32(0));
    expect(news.map(([kind]) => kind)).toEqual(['up']);
  });

  it('bounds what waits for a connection', () => {
    const { network } = open();
    const waiting = network.pendingOutgoing(network.dial(parseNodeName(PEER)));
    for (let number = 0; number < 1000; number++) {
      if (waiting.isFull) break;
      waiting.send(1, target(), 'x'.repeat(100));
      network.flush();
    }
    expect(waiting.waiting).toBeGreaterThan(4000);
    expect(waiting.waiting).toBeLessThan(5000);
  });
});

describe('dials', () => {
  it('share one attempt, and all get its outcome', async () => {
    const { native, network } = open();
    const peer = network.dial(parseNodeName(PEER));
    expect(network.dial(parseNodeName(PEER))).toBe(peer);
    expect(native.dials.length).toBe(1);
    const both = Promise.all([peer.dialled(), peer.dialled()]);
    native.up(3, NC, PEER);
    native.dialled(1, ConnectStatus.UP);
    expect(await both).toEqual(['up', 'up']);
  });

  it('T14 that a peer caused are asked for from the moment when this node dials, too', () => {
    const { native, network } = open();
    const reasons = (): unknown[] => native.dials.map(({ request, reason }) => [request, reason]);
    const peer = network.dial(parseNodeName(PEER), DialReason.HINTED);
    network.dial(parseNodeName(PEER), DialReason.LOST);
    expect(reasons()).toEqual([[1, DialReason.HINTED]]);
    for (let time = 0; time < 2; time++) expect(network.dial(parseNodeName(PEER))).toBe(peer);
    expect(reasons()).toEqual([
      [1, DialReason.HINTED],
      [1, DialReason.ASKED],
    ]);
    native.dialled(1, ConnectStatus.DNS);
    network.dial(parseNodeName(PEER), DialReason.HINTED);
    native.up(3, NC, PEER);
    network.dial(parseNodeName(PEER)); // it is up: there is nothing to ask for
    expect(reasons().slice(2)).toEqual([[2, DialReason.HINTED]]);
  });

  it('L16 leave nothing behind when they fail, and say what is lost', async () => {
    const { native, network, news } = open();
    const peer = network.dial(parseNodeName(PEER));
    const waiting = network.pendingOutgoing(peer);
    waiting.send(1, target(), 1);
    waiting.send(1, target(), 2);
    waiting.expect(NC, () => {});
    waiting.expect(-1, () => {});
    const result = peer.dialled();
    native.dialled(1, ConnectStatus.AUTH);
    expect(await result).toBe('cookie');
    expect(news).toEqual([
      ['lost', PEER, 2],
      ['failed', PEER, 'cookie', [NC]],
    ]);
    expect(network.peer(PEER)).toBeUndefined();
    expect([...network.peers()]).toEqual([]);
  });

  it('that code makes when it learns that one has failed are new ones', async () => {
    const { native, network, listener, news } = open();
    const results = [network.dial(parseNodeName(PEER)).dialled()];
    listener.dialFailed = () => {
      results.push(network.dial(parseNodeName(PEER)).dialled());
      network.pendingOutgoing(network.dial(parseNodeName(PEER))).send(1, target(), 'again');
    };
    native.dialled(1, ConnectStatus.AUTH);
    expect([network.peer(PEER)?.isIdle, native.dials.length]).toEqual([false, 2]);
    native.up(3, NC, PEER);
    native.dialled(2, ConnectStatus.UP);
    expect([messages(native), news]).toEqual([['again'], [['up', PEER]]]);
    expect(await Promise.all(results)).toEqual(['cookie', 'up']);
  });

  it('L6 have failed when their session ends before it is reported', async () => {
    const { native, network, news } = open();
    const peer = network.dial(parseNodeName(PEER));
    const result = peer.dialled();
    native.up(3, NC, PEER);
    native.down(3);
    network.pendingOutgoing(peer).send(1, target(), 1); // nothing would ever tell of it
    native.dialled(1, ConnectStatus.UP);
    expect(await result).toBe('unreachable');
    expect(news.slice(2)).toEqual([
      ['lost', PEER, 1],
      ['failed', PEER, 'unreachable', []],
    ]);
    expect([...network.peers()]).toEqual([]);
  });

  it('count as up when the peer came by itself meanwhile', async () => {
    const { native, network, news } = open();
    const peer = network.dial(parseNodeName(PEER));
    const result = peer.dialled();
    native.up(3, NC, PEER, 1n, 0);
    native.dialled(1, ConnectStatus.DUPLICATE);
    expect(await result).toBe('up');
    expect(news).toEqual([['up', PEER]]);
    expect(network.peer(PEER)?.session?.dialled).toBe(false);
  });

  it('D12 fail waits for another incarnation than the one that connected', () => {
    const { native, network } = open();
    native.slotEvent(NC, PEER);
    const waiting = network.pendingOutgoing(network.dial(parseNodeName(PEER)));
    const stale = vi.fn();
    const fresh = vi.fn();
    waiting.expect(NC, stale);
    waiting.expect(NC + 1, fresh);
    waiting.expect(-1, fresh);
    native.up(3, NC + 1, PEER);
    expect(stale).toHaveBeenCalledOnce();
    expect(fresh).not.toHaveBeenCalled();
  });
});
