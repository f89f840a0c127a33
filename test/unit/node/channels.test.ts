// Channels over sessions whose far ends a test reads.
import { isDeepStrictEqual } from 'node:util';
import { expect, it } from 'vitest';
import { type ChannelListener, Channels } from '../../../ts/node/channels.ts';
import { Network } from '../../../ts/node/session/network.ts';
import type { NetworkListener } from '../../../ts/node/session/network-listener.ts';
import { Pid, RefCipher, TermDecoder } from '../../../ts/term/index.ts';
import { FrameTag } from '../../../ts/wire/index.ts';
import { shapeIn } from '../term/frames.ts';
import { ScriptedNative } from './scripted-native.ts';

const LIMITS = { highWater: 1000, limit: 5000, waiting: 4000, maxMessage: 16 * 1024 * 1024 };
const NAME = 'test';
const CHANNEL_TAGS: readonly number[] = [FrameTag.SYSTEM, FrameTag.ROOM_BROADCAST];

function open(peers: number, limits = LIMITS) {
  const native = new ScriptedNative();
  const ended: [string, string][] = [];
  const channels = new Channels(
    (action) => action(),
    new RefCipher(new Uint8Array(16)),
    (session, rule) => ended.push([session.identity.name, rule]),
  );
  const listener: Partial<NetworkListener> = {
    sessionUp: (session) => channels.up(session),
    sessionDown: (session) => channels.down(session),
    batchEnd() {},
    busy() {},
  };
  const network = new Network({ native, limits, ownPid: (local) => new Pid(0, local) });
  network.report(listener as NetworkListener);
  network.open({ name: 'a@127.0.0.1:0', listenHost: '127.0.0.1', listenPort: 0, cookie: 'x' });
  const heard: unknown[][] = [];
  /** Notes what it hears, with the number of the connection. */
  const listening = (): ChannelListener => ({
    up: ({ connection }) => heard.push(['up', connection]),
    message: ({ connection }, value) => heard.push(['message', connection, value]),
    room: ({ connection }, ...facts) => heard.push(['room', connection, ...facts]),
    down: ({ connection }) => heard.push(['down', connection]),
  });
  const channel = channels.open(NAME, listening());
  for (let id = 1; id <= peers; id++) native.up(id, 256 + id, `p${id}@127.0.0.1:${4000 + id}`);
  /** What arrives at the far end of a session. */
  const arrived = (session: number): unknown[] => {
    network.flush();
    const decoder = new TermDecoder();
    return native.sent
      .filter((frame) => frame.session === session)
      .flatMap(({ tag, body }) => {
        const shape = tag === FrameTag.SHAPE ? shapeIn(body) : undefined;
        if (shape !== undefined) decoder.defineShape(shape.id, shape.keys);
        return tag === FrameTag.SYSTEM ? [decoder.decode(body, 2 + NAME.length)] : [];
      });
  };
  return { native, network, channels, channel, arrived, ended, heard, listening };
}

it.each([1, 2, 5])('B11 a broadcast to %i peers brings each the same value', (peers) => {
  const { channel, arrived } = open(peers, { ...LIMITS, limit: 2 ** 30 });
  const [one] = [...channel.peers()];
  channel.send(one!, { only: { for: 'one' } });
  const values = [
    { a: 1, b: [{ for: 'all' }] },
    'x'.repeat(300_000),
    new Uint8Array(200_000),
    { a: 2, b: [] },
  ];
  for (const value of values) expect(channel.broadcast(channel.peers(), value)).toEqual([]);
  for (let id = 1; id <= peers; id++) {
    const expected = id === 1 ? [{ only: { for: 'one' } }, ...values] : values;
    expect(isDeepStrictEqual(arrived(id), expected)).toBe(true);
  }
});

it('R10 a broadcast leaves out peers that are full or gone, and names them', () => {
  const { native, network, channel, arrived } = open(4);
  const [p1, p2, p3, p4] = [...channel.peers()];
  native.down(2);
  native.pending = 6000;
  channel.send(p3!, 'much');
  network.flush();
  native.pending = 0;
  expect(channel.broadcast([p1!, p2!, p3!, p4!], ['x'])).toEqual([p2, p3]);
  expect([1, 2, 3, 4].map(arrived)).toEqual([[['x']], [], ['much'], [['x']]]);
});

it('B9 what cannot travel is refused before any peer gets it, and disturbs nothing', () => {
  const { channel, arrived } = open(3);
  expect(() => channel.broadcast(channel.peers(), ['x', () => {}])).toThrow(
    expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }),
  );
  channel.broadcast(channel.peers(), 'next');
  expect([1, 2, 3].map(arrived)).toEqual([['next'], ['next'], ['next']]);
});

it('a room broadcast brings each peer the same bytes, also long ones, behind what went before', () => {
  const { native, network, channel } = open(3, { ...LIMITS, limit: 2 ** 30 });
  const payloads = [Buffer.from('hello'), Buffer.alloc(0), Buffer.alloc(200_000, 7)];
  for (const payload of payloads)
    expect(channel.broadcastRoom(channel.peers(), 'lobby', payload, [1, 'x'])).toEqual([]);
  network.flush();
  for (let id = 1; id <= 3; id++) {
    const bodies = native.sent.flatMap(({ session, tag, body }) =>
      session === id && tag === FrameTag.ROOM_BROADCAST ? [Buffer.from(body)] : [],
    );
    expect(bodies.map((body) => body.toString('utf8', 2, 7))).toEqual(['lobby', 'lobby', 'lobby']);
    expect(bodies.map((body) => body.readUInt32LE(7))).toEqual([5, 0, 200_000]);
    for (const [index, body] of bodies.entries()) {
      const end = 11 + (payloads[index]?.length ?? 0);
      expect(body.subarray(11, end).equals(payloads[index] as Buffer)).toBe(true);
      expect(new TermDecoder().decode(body, end)).toEqual([1, 'x']);
    }
  }
});

it('a room broadcast leaves out a peer whose session is over', () => {
  const { native, channel } = open(2);
  const [p1, p2] = [...channel.peers()];
  native.down(1);
  expect(channel.broadcastRoom([p1!, p2!], 'lobby', Buffer.from('x'), [])).toEqual([p1]);
});

it('K10 ends the session of a peer that breaks a rule of the channel, and none that came after it', () => {
  const { native, channel, ended } = open(2);
  const [p1, p2] = [...channel.peers()];
  native.down(1);
  native.up(3, 257, p1!.node);
  channel.end(p1!, 'late');
  expect(ended).toEqual([]);
  channel.end(p2!, 'it votes twice');
  expect(ended).toEqual([[p2!.node, `channel ${NAME}: it votes twice`]]);
});

it('has one owner at a time, and a closed channel sends nothing and hears nothing', () => {
  const { native, network, channels, channel, arrived, heard, listening } = open(1);
  expect(() => channels.open(NAME, listening())).toThrow(
    expect.objectContaining({ code: 'SNOW_ERR_ALREADY_STARTED' }),
  );
  const [peer] = [...channel.peers()];
  const session = network.peer(peer!.node)!.session!;
  channel.close();
  heard.length = 0;
  channels.message(session, NAME, 'nobody listens');
  const next = channels.open(NAME, listening());
  channel.close();
  channel.send(peer!, 'closed');
  expect(channel.broadcast([peer!], 'closed')).toEqual([peer]);
  expect(channel.broadcastRoom([peer!], 'lobby', Buffer.from('x'), [])).toEqual([peer]);
  next.send(peer!, 'open');
  channels.message(session, NAME, 'heard');
  expect(heard).toEqual([
    ['up', peer!.connection],
    ['message', peer!.connection, 'heard'],
  ]);
  expect([arrived(1), native.sent.some(({ tag }) => tag === FrameTag.ROOM_BROADCAST)]).toEqual([
    ['open'],
    false,
  ]);
});

it('K10 hears of a peer, of what it sends and of its end, and no more of it after that', () => {
  const { native, network, channels, channel, arrived, heard, listening } = open(1);
  const rooms = channels.open('rooms', { ...listening(), up() {}, down() {} });
  const [peer] = [...channel.peers()];
  const earlier = network.peer(peer!.node)!.session!;
  const say = (of: typeof earlier, what: string): void => {
    channels.message(of, NAME, what);
    channels.message(of, 'a channel that nobody opened', what);
    channels.room(of, 'lobby', Uint8Array.of(1), what);
  };
  say(earlier, 'first');
  native.down(1);
  say(earlier, 'between');
  channel.send(peer!, 'too late');
  expect(arrived(1)).toEqual([]);
  native.up(3, 257, peer!.node);
  const [successor] = [...channel.peers()];
  say(earlier, 'late');
  channels.down(earlier);
  expect([channel.peer(peer!.node), channel.peer('x@x:1')]).toEqual([successor, undefined]);
  channel.send(peer!, 'too late');
  expect(arrived(3)).toEqual([]);
  rooms.close();
  say(network.peer(peer!.node)!.session!, 'second');
  const [one, two] = [peer!.connection, successor!.connection];
  expect(heard).toEqual([
    ['up', one],
    ['message', one, 'first'],
    ['room', one, 'lobby', Uint8Array.of(1), 'first'],
    ['down', one],
    ['up', two],
    ['message', two, 'second'],
  ]);
});

it('B1 what is sent for an actor stays behind a long message of that actor, and of no other', () => {
  const { native, network, channel } = open(2, { ...LIMITS, limit: 2 ** 30 });
  const peers = [...channel.peers()];
  const own = new Pid(0, 7);
  for (const { node, nc } of peers) {
    const { outgoing } = network.peer(node)!.session!;
    outgoing.send(own.local, new Pid(nc, 5), 'x'.repeat(200_000));
  }
  for (const from of [own, new Pid(0, 8), undefined]) {
    for (const peer of peers) channel.send(peer, 1, from);
    channel.broadcast(peers, 2, from);
    channel.broadcast([peers[0]!], 3, from);
    channel.broadcastRoom(peers, 'lobby', Buffer.from('x'), 4, from);
  }
  network.flush();
  for (const session of [1, 2]) {
    const sent = native.sent.filter((frame) => frame.session === session && CHANNEL_TAGS.includes(frame.tag));
    const behind = sent.filter(({ stream }) => stream !== undefined).length;
    const expected = session === 1 ? 4 : 3;
    expect([behind, sent.length]).toEqual([expected, 3 * expected]);
  }
});

it('R10 a peer that no other is open with gets a broadcast of its own', () => {
  const { native, channel, arrived } = open(2);
  const peers = [...channel.peers()];
  native.down(2);
  expect(channel.broadcast(peers, { a: 1 })).toEqual([peers[1]]);
  native.down(1);
  expect(channel.broadcast(peers, { a: 2 })).toEqual(peers);
  expect(arrived(1)).toEqual([]);
});
