// Payloads of others that are not what they say: clients get text as it came, and JSON within other JSON.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ChannelPeer } from '../../../ts/node/index.ts';
import { readEnvelope, writeEnvelope } from '../../../ts/rooms/bridge-envelope.ts';
import { createRooms } from '../../../ts/rooms/index.ts';
import { parseMessage } from '../../../ts/rooms/messages.ts';
import { Kind } from '../../../ts/rooms/room-message.ts';
import { Stage } from './stage.ts';

const NOT_UTF8 = Buffer.from([0x22, 0xff, 0x22]);
const BAD: readonly (readonly [what: string, kind: Kind, payload: Buffer])[] = [
  ['text that is not UTF-8', Kind.text, NOT_UTF8],
  ['JSON that is not UTF-8', Kind.json, NOT_UTF8],
  ['JSON that ends too early', Kind.json, Buffer.from('{"a":')],
  ['two values as JSON', Kind.json, Buffer.from('1,2')],
  ['no value as JSON', Kind.json, Buffer.from('')],
  ['JSON with a byte order mark', Kind.json, Buffer.from('\ufeff1')],
];
const GOOD: readonly (readonly [kind: Kind, payload: Buffer])[] = [
  [Kind.text, Buffer.from('{"a":')],
  [Kind.json, Buffer.from('{"a":[1]}')],
  [Kind.binary, NOT_UTF8],
];

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

it.each(BAD)(
  'T1 of a peer: %s is ignored, and clients get the next message',
  async (_what, kind, payload) => {
    const [mine, theirs] = [stage.node(0), stage.node(2)];
    const rooms = createRooms(mine, { join: () => true });
    const channel = theirs.channel('rooms', {
      up: () => {},
      down: () => {},
      message: (peer, value) => {
        const [tag, entries] = value as [string, readonly [string, number][]];
        if (tag === 'interest') channel.send(peer, ['based', entries.map(([room]) => [room, 0, 0])]);
      },
    });
    stage.mesh.connectAll();
    await stage.mesh.settle();
    const peer = theirs.peers.get(mine) as ChannelPeer;
    channel.send(peer, ['hello', 1, 'liar', [['key', new Uint8Array(32)]], false]);
    await stage.mesh.settle();
    const { socket } = await stage.client(rooms, { joins: ['g'] });
    const plain = await stage.plain(rooms, ['g']);
    channel.broadcastRoom([peer], 'g', payload, [1, 0, kind, [], null, false]);
    channel.broadcastRoom([peer], 'g', payload, [0, 0, kind, [], null, false]);
    channel.broadcastRoom([peer], 'g', Buffer.from('"x"'), [1, 0, Kind.json, [], null, false]);
    await stage.mesh.settle();
    expect(socket.data('g')).toEqual(['x']);
    expect(plain.socket.sent.map(String)).toEqual(['"x"']);
  },
);

it('T1 of a peer that is asked for kept messages', () => {
  const told = (kind: Kind, payload: Uint8Array): unknown =>
    parseMessage(['told', 1, 'g', [['liar', 2, 1, kind, payload, [], 0]], [], [], [], []]);
  for (const [what, kind, payload] of BAD) expect(told(kind, payload), what).toBeUndefined();
  for (const [kind, payload] of GOOD) expect(told(kind, payload)).toBeDefined();
});

it('of another cluster', () => {
  const from = { cluster: 'c', origin: 'liar', sequence: 2, previous: 1, except: [] };
  const read = (kind: Kind, payload: Uint8Array): unknown =>
    readEnvelope(writeEnvelope({ ...from, content: { kind, payload } }));
  for (const [what, kind, payload] of BAD) expect(read(kind, payload), what).toBeUndefined();
  for (const [kind, payload] of GOOD) expect(read(kind, payload)).toBeDefined();
});

it('half of a surrogate pair in a text message becomes U+FFFD for every receiver, and within JSON it is kept', async () => {
  const HALF = 'a\ud800b';
  const REPLACED = 'a\ufffdb';
  const heard: unknown[] = [];
  const [rooms, other] = await stage.cluster({
    join: () => true,
    message: (_connection, data) => void heard.push(data),
  });
  const here = await stage.client(rooms, { key: 'ann', joins: ['g'] });
  const far = await stage.client(other, { key: 'ann', joins: ['g'] });
  const plain = await stage.plain(other, ['g']);
  for (const message of [HALF, [HALF]]) {
    rooms.broadcast('g', message);
    rooms.sendTo('ann', message);
    for (const { connection } of [here, far]) connection.send(message);
    await stage.mesh.settle();
    for (const { socket } of [here, far]) {
      const [wanted] = typeof message === 'string' ? [REPLACED] : [[HALF]];
      expect(socket.data('g').at(-1)).toEqual(wanted);
      expect(socket.data('\0ann').at(-1)).toEqual(wanted);
      expect(socket.all('d').at(-1)).toEqual(['d', wanted]);
    }
  }
  expect(plain.socket.sent).toEqual([REPLACED, JSON.stringify([HALF])]);
  here.socket.tell(['send', 1, HALF]); // a client sends JSON
  await stage.mesh.settle();
  expect(heard).toEqual([HALF]);
});
