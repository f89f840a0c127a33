// The output to one peer: what is written before, during and after its session arrives whole, in order, or is known to be lost.
import { describe, expect, it, vi } from 'vitest';
import { parseNodeName } from '../../../../ts/node/node-name.ts';
import { SLICE_BYTES } from '../../../../ts/node/session/long-frame-slices.ts';
import { SHORT_SIGNAL_BYTES } from '../../../../ts/node/session/outgoing.ts';
import { Pid, TermDecoder } from '../../../../ts/term/index.ts';
import { ConnectStatus, FrameTag, KeptTag, NativeEvent } from '../../../../ts/wire/index.ts';
import { turns } from '../../../support/deadline.ts';
import { Body } from '../scripted-native.ts';
import { LIMITS, messages, NC, openNetwork, PEER, target } from './scripted-network.ts';

const ROOM = { ...LIMITS, highWater: 2 ** 30, limit: 2 ** 30, waiting: 2 ** 30 };

function connected(limits = LIMITS) {
  const opened = openNetwork(limits);
  opened.native.up(3, NC, PEER);
  const session = opened.network.peer(PEER)!.session!;
  return { ...opened, session, outgoing: session.outgoing };
}

describe('what is written before the session', () => {
  it('M2 is sent in order, whenever it was flushed', () => {
    const { native, network } = openNetwork(ROOM);
    const waiting = network.pendingOutgoing(network.dial(parseNodeName(PEER)));
    for (const message of ['first', 'second', 'third']) {
      waiting.send(1, target(), message);
      network.flush();
    }
    waiting.send(1, target(), 'not flushed');
    native.up(3, NC, PEER);
    expect(messages(native)).toEqual(['first', 'second', 'third', 'not flushed']);
    network.flush();
    expect(messages(native)).toHaveLength(4);
  });

  it('L16 is lost with the dial, and what is written after that is, too', async () => {
    const { native, network, news } = openNetwork(ROOM);
    const waiting = network.pendingOutgoing(network.dial(parseNodeName(PEER)));
    waiting.send(1, target(), 'held');
    network.flush();
    native.dialled(1, ConnectStatus.REFUSED);
    waiting.send(1, target(), 'late');
    waiting.send(1, target(), new Uint8Array(300_000));
    network.flush();
    expect([waiting.waiting, waiting.whenWritable()]).toEqual([0, undefined]);
    native.up(3, NC, PEER);
    network.flush();
    expect(messages(native)).toEqual([]);
    expect(news.map(([kind]) => kind)).toEqual(['lost', 'failed', 'up']);
  });

  it('L16 a dial that outlives a session of its peer has an output of its own', () => {
    const { native, network, news } = openNetwork(ROOM);
    const peer = network.dial(parseNodeName(PEER));
    network.pendingOutgoing(peer).send(1, target(), 'in the first session');
    native.up(3, NC, PEER);
    native.down(3);
    network.pendingOutgoing(peer).send(1, target(), 'in the second');
    native.up(4, NC, PEER);
    network.flush();
    expect(native.sent.filter(({ tag }) => tag === FrameTag.SEND).map(({ session }) => session)).toEqual([
      3, 4,
    ]);
    expect(news.map(([kind]) => kind)).toEqual(['up', 'down', 'up']); // nothing was lost
  });
});

describe('the end of a session', () => {
  it('L16 loses the messages that the native core was not given, and no others', () => {
    const { native, network, news, outgoing } = connected(ROOM);
    outgoing.send(1, target(), 'given');
    network.flush();
    outgoing.send(1, target(), new Uint8Array(300_000)); // given at once
    outgoing.send(2, target(), 'not given');
    outgoing.message(2, FrameTag.REG_SEND, (frame) => frame.name('n'));
    native.down(3);
    expect(news.slice(1)).toEqual([
      ['lost', PEER, 2],
      ['down', PEER, 'closed'],
    ]);
  });

  it('is a limit of what is sent: nothing follows it, nothing waits', () => {
    const { native, network, outgoing } = connected();
    native.pending = 3000;
    outgoing.send(1, target(), 'before');
    network.flush();
    native.down(3);
    const flushes = native.flushes;
    outgoing.send(1, target(), 'after');
    outgoing.send(1, target(), new Uint8Array(300_000));
    network.flush();
    expect([messages(native), native.flushes]).toEqual([['before'], flushes]);
    expect([outgoing.waiting, outgoing.whenWritable()]).toEqual([0, undefined]);
  });

  it('L9 comes after what was sent before this node asked for it', () => {
    const { native, network, session, outgoing } = connected();
    outgoing.send(1, target(), 'last');
    network.hangup(session);
    expect([messages(native), native.hangups]).toEqual([['last'], [3]]);
  });

  it('L9 of all sessions comes after what was sent before the node closed, once', async () => {
    const { native, network, outgoing } = connected();
    outgoing.send(1, target(), 'last');
    expect(network.isOpen).toBe(true);
    const close = native.close.bind(native);
    native.close = () => void (native.isClosed = true); // it has not released everything yet
    let isOver = false;
    const closed = network.close().then(() => (isOver = true));
    await turns();
    expect(isOver).toBe(false);
    expect([network.isOpen, native.isClosed, messages(native)]).toEqual([false, true, ['last']]);
    close();
    await closed;
    native.isClosed = false;
    await network.close();
    expect(native.isClosed).toBe(false);
  });
});

describe('a message that is copied in slices', () => {
  it('P3 makes others wait until it is copied, and is long', async () => {
    const { outgoing } = connected(ROOM);
    const sent = outgoing.sendSliced(() => outgoing.send(1, target(), new Uint8Array(2 * SLICE_BYTES)));
    const room = outgoing.whenWritable();
    expect(room).toBeInstanceOf(Promise);
    await sent;
    await room;
    expect(outgoing.whenWritable()).toBeUndefined();
    expect(outgoing.sendSliced(() => outgoing.send(1, target(), new Uint8Array(300_000)))).toBeUndefined();
  });
});

it('A7 a message whose sender ends while it is copied is dropped, also after the last slice', async () => {
  const copied = async (lives: number): Promise<{ asked: number; sent: number }> => {
    const { native, network, outgoing } = connected(ROOM);
    let asked = 0;
    const write = (): void => outgoing.send(1, target(), new Uint8Array(2 * SLICE_BYTES));
    await outgoing.sendSliced(write, () => ++asked <= lives);
    network.flush();
    expect(native.gathering).toBe(false);
    return { asked, sent: messages(native).length };
  };
  const { asked, sent } = await copied(Number.POSITIVE_INFINITY);
  expect([asked, sent]).toEqual([4, 1]); // the head of the frame, two slices, the end
  for (let lives = 0; lives < asked; lives++) expect((await copied(lives)).sent).toBe(0);
});

describe('one turn', () => {
  it('M2 may write more than a chunk: all arrives, in order, outside of streams', () => {
    const { native, network, outgoing } = connected(ROOM);
    const text = 'x'.repeat(10_000);
    for (let number = 0; number < 100; number++) outgoing.send(1, target(), `${number} ${text}`);
    network.flush();
    expect(messages(native)).toEqual(Array.from({ length: 100 }, (_, number) => `${number} ${text}`));
    expect(native.sent.every(({ stream }) => stream === undefined)).toBe(true);
  });

  it('M1 announces a node once, also when the message that needed it was not sent', async () => {
    const { native, outgoing } = connected();
    native.slotEvent(0x201, 'c@h:1');
    expect(() => outgoing.send(1, target(), [new Pid(0x201, 9), () => 1])).toThrow(/\[1\]/);
    await new Promise(process.nextTick);
    outgoing.send(1, target(), new Pid(0x201, 9));
    await new Promise(process.nextTick);
    expect(native.sent.map(({ tag }) => tag).filter((tag) => tag === KeptTag.SLOT)).toHaveLength(2);
    expect(native.sent.at(-1)?.tag).toBe(FrameTag.SEND);
  });

  it('M1 takes back a frame with a name or a reference, too, and the next is whole', () => {
    const { native, network, outgoing } = connected();
    const bad = (): void =>
      outgoing.message(1, FrameTag.REG_SEND, (frame) => {
        frame.name('n');
        frame.term(() => 1);
      });
    expect(bad).toThrow(expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }));
    expect(() => outgoing.check(() => 1)).toThrow(expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }));
    outgoing.check('sendable');
    outgoing.send(1, target(), 'whole');
    network.flush();
    expect(native.sent.map(({ tag }) => tag)).not.toContain(FrameTag.REG_SEND);
    expect(messages(native)).toEqual(['whole']);
  });

  it('P7 refuses a long signal only when too much waits', () => {
    const { native, network, outgoing } = connected();
    // The tag of the frame, the PID, the version of the term, and the tag and length of the text.
    const short = 'x'.repeat(SHORT_SIGNAL_BYTES - (1 + 8 + 1 + 1 + 4));
    const long = `${short}x`;
    const tell = (text: string): boolean =>
      outgoing.boundedSignal(1, FrameTag.SEND, (frame) => {
        frame.pid(target());
        frame.term(text);
      });
    expect(tell(long)).toBe(true);
    native.pending = 6000;
    network.flush();
    expect([outgoing.isFull, tell(long), tell(short)]).toEqual([true, false, true]);
    network.flush();
    expect(messages(native)).toEqual([long, short]);
  });
});

describe('the context of a trace', () => {
  const TRACE = { traceparent: '00-1-2-01', tracestate: 'a=b' };

  /** The frames in order: contexts as lists or null, messages as they are. */
  function told({ native }: ReturnType<typeof connected>): unknown[] {
    return native.sent
      .filter(({ tag }) => tag === FrameTag.SYSTEM || tag === FrameTag.SEND)
      .map(({ tag, body, stream }) => {
        if (tag === FrameTag.SEND) return stream === undefined ? new TermDecoder().decode(body, 8) : 'long';
        const at = 2 + body.readUInt16LE(0);
        expect(body.subarray(2, at).toString()).toBe('trace');
        return new TermDecoder().decode(body, at);
      });
  }

  it('goes directly before its message, and belongs to no other', () => {
    const opened = connected(ROOM);
    const { network, outgoing } = opened;
    network.trace = TRACE;
    outgoing.send(1, target(), 'traced');
    network.trace = null;
    outgoing.send(1, target(), 'not traced');
    network.flush();
    expect(told(opened)).toEqual([[TRACE.traceparent, TRACE.tracestate], 'traced', 'not traced']);
  });

  it.each([
    ['was not sent', () => () => 1],
    ['went another way', () => new Uint8Array(300_000)],
  ])('is taken back when its message %s', (_how, make) => {
    const opened = connected(ROOM);
    const { network, outgoing } = opened;
    network.trace = TRACE;
    try {
      outgoing.send(1, target(), make());
    } catch {
      // not sent
    }
    network.trace = null;
    outgoing.send(2, target(), 'not traced');
    network.flush();
    const all = told(opened);
    const before = all.slice(0, all.indexOf('not traced'));
    expect(before.filter((what) => what !== 'long').at(-1)).toBeNull();
    expect(all.at(-1)).toBe('not traced');
  });
});

describe('what the network tells', () => {
  it('L16 the failure of a dial that nobody writes to, once', () => {
    const { native, network, news } = openNetwork();
    network.dial(parseNodeName(PEER));
    native.dialled(1, ConnectStatus.REFUSED);
    native.dialled(1, ConnectStatus.REFUSED);
    expect(news).toEqual([['failed', PEER, 'refused', []]]);
  });

  it("L13 each change of a peer's event loop once, and since when it is blocked", () => {
    const { native, news, session } = connected();
    const loop = (id: number, stalled: number): void =>
      void native.emit(NativeEvent.PEER_LOOP, id, new Body().u8(stalled).u32(700));
    for (const stalled of [0, 1, 1, 0, 0]) loop(3, stalled);
    loop(9, 1);
    expect(news.filter(([kind]) => kind === 'loop')).toEqual([
      ['loop', PEER, true, 700],
      ['loop', PEER, false, 700],
    ]);
    const clock = vi.spyOn(performance, 'now').mockReturnValue(1000);
    loop(3, 1);
    clock.mockRestore();
    expect([session.isStalled, session.stalledSince]).toEqual([true, 300]);
  });

  it('K10 keeps the successor of a session, whichever is told of first', () => {
    const { native, network } = connected();
    native.up(4, NC, PEER);
    native.down(3, 3);
    expect(network.peer(PEER)?.session?.id).toBe(4);
    expect(network.identities.of(NC)?.outgoing).toBe(network.peer(PEER)?.session?.outgoing);
  });
});
