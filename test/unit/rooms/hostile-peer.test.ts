// A member of the cluster that says what it cannot know.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LOG_PAUSE_MS } from '../../../ts/kernel/throttled-log.ts';
import type { Channel, ChannelListener, ChannelPeer } from '../../../ts/node/index.ts';
import { createRooms, type Rooms, type RoomsOptions } from '../../../ts/rooms/index.ts';
import {
  ANSWERED_PER_TURN,
  HISTORY_MS,
  MAX_CURSOR,
  MAX_HELLOS,
  MAX_QUESTIONS,
} from '../../../ts/rooms/limits.ts';
import type { RoomService } from '../../../ts/rooms/room-service.ts';
import type { FakeNode } from '../global/fake-mesh.ts';
import { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

const FAR = 2 ** 47;
const OPEN: RoomsOptions = { join: () => true };

let stage: Stage;
let rooms: [Rooms, Rooms];
let liar: Liar;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

/** Takes part in the rooms by hand. */
class Liar {
  readonly origin = 'liar';
  /** What it answers those who ask for history. */
  newest: readonly (readonly [origin: string, sequence: number])[] = [];
  messages: readonly unknown[] = [];
  /** What it answers those who ask for the last message of a session. */
  last = 0;
  /** It answers each of these questions as if it had been asked the other one. */
  isConfused = false;
  /** Origins of the others, by the name of their node. */
  readonly origins = new Map<string, string>();
  readonly #node: FakeNode;
  readonly #channel: Channel;

  constructor(node: FakeNode) {
    this.#node = node;
    this.#channel = node.channel('rooms', {
      up: () => {},
      down: () => {},
      message: (peer, value) => this.#hear(peer, value as readonly unknown[]),
    });
  }

  say(to: FakeNode, message: readonly unknown[]): void {
    this.#channel.send(this.#peer(to), message);
  }

  broadcast(to: FakeNode, room: string, text: string, details: readonly unknown[]): void {
    this.#channel.broadcastRoom([this.#peer(to)], room, Buffer.from(text), details);
  }

  originOf(node: FakeNode): string {
    return this.origins.get(node.name) as string;
  }

  #peer(to: FakeNode): ChannelPeer {
    return this.#node.peers.get(to) as ChannelPeer;
  }

  #hear(peer: ChannelPeer, [tag, ...rest]: readonly unknown[]): void {
    if (tag === 'hello') {
      this.origins.set(peer.node, rest[1] as string);
      this.#channel.send(peer, ['hello', 1, this.origin, [['key', new Uint8Array(32)]], false]);
    } else if (tag === 'interest') {
      const entries = rest[0] as readonly (readonly [string, number])[];
      this.#channel.send(peer, ['based', entries.map(([room]) => [room, 0, 0])]);
    } else if (tag === (this.isConfused ? 'claim' : 'ask'))
      this.#channel.send(peer, ['told', rest[0], 'g', this.messages, this.newest, [], [], []]);
    else if (tag === 'claim' || tag === 'ask')
      this.#channel.send(peer, ['last', rest[0], this.last, this.last, 0, 0]);
  }
}

/** Two honest nodes and the liar, and a client on the first that is in `g`. */
async function meet(options: RoomsOptions = {}): Promise<FakeClient> {
  const all = { ...OPEN, ...options };
  rooms = [createRooms(stage.node(0), all), createRooms(stage.node(1), all)];
  liar = new Liar(stage.node(2));
  stage.mesh.connectAll();
  await stage.mesh.settle();
  return (await stage.client(rooms[0], { joins: ['g'] })).socket;
}

/** Comes back, with an origin that nobody knows in its cursor: its node asks all others. */
async function back(before: FakeClient): Promise<FakeClient> {
  before.drop();
  const [room, ticket, cursor] = before.place('g');
  const client = new FakeClient();
  rooms[0].accept(client);
  client.hello(before.session, [[room, ticket, { ...cursor, zzz: 1 }]]);
  await stage.mesh.settle();
  return client;
}

it('a sequence that is too large for a frame is ignored', async () => {
  const client = await meet();
  for (const kind of [0, 1, 2]) liar.broadcast(stage.node(0), 'g', '1', [2 ** 50, 0, kind, [], null, false]);
  liar.say(stage.node(0), ['interest', [['g', Number.MAX_SAFE_INTEGER]]]);
  liar.say(stage.node(0), ['based', [['g', Number.MAX_SAFE_INTEGER, 1]]]);
  liar.say(stage.node(0), ['based', [['g', 1, 2]]]);
  await stage.mesh.settle();
  rooms[1].broadcast('g', 'x');
  await stage.mesh.settle();
  expect(client.data('g')).toEqual(['x']);
  await stage.mesh.pass(250);
  expect(rooms[0].members('g').all).toBe(1);
  const lines = stage.node(0).kit.logs.filter(({ facts }) => facts['event'] === 'rooms_bad_message');
  expect(lines.map(({ facts }) => facts['node'])).toEqual([stage.node(2).name]); // once a session
});

it('T7 what makes no sense in the sessions of a peer is logged once in ten seconds', async () => {
  await meet();
  const [mine, theirs] = [stage.node(0), stage.node(2)];
  for (let session = 1; session <= 3; session++) {
    liar.say(mine, ['nonsense']);
    await stage.mesh.settle();
    stage.mesh.cut(mine, theirs);
    await stage.mesh.settle();
    stage.mesh.connectAll();
    await stage.mesh.settle();
  }
  const counts = (): unknown[] =>
    mine.kit.logs
      .filter(({ facts }) => facts['event'] === 'rooms_bad_message')
      .map(({ facts }) => facts['count']);
  expect(counts()).toEqual([undefined]);
  await stage.mesh.pass(LOG_PAUSE_MS);
  expect(counts()).toEqual([undefined, 2]);
});

it('an answer to another kind of question is none', async () => {
  const before = await meet({ message: (connection, data) => connection.broadcast('g', data) });
  before.tell(['send', 1, 'first']);
  await stage.mesh.settle();
  liar.isConfused = true;
  const returning = back(before);
  await stage.mesh.pass(2 * HISTORY_MS); // it has not answered
  const client = await returning;
  client.tell(['send', 1, 'first']);
  client.tell(['send', 2, 'second']);
  await stage.mesh.settle();
  expect(client.data('g')).toEqual(['second']);
  expect(stage.node(0).kit.logs.filter(({ level }) => level === 'error')).toEqual([]);
});

it('what a peer reports about messages of connected nodes is ignored', async () => {
  const before = await meet();
  const [own, other] = [liar.originOf(stage.node(0)), liar.originOf(stage.node(1))];
  liar.newest = [
    [own, FAR],
    [other, FAR],
  ];
  const forged = (origin: string): unknown => [origin, FAR, 0, 1, Buffer.from('"forged"'), [], 0];
  liar.messages = [forged(own), forged(other), forged('zzz'), forged('yyy')];
  const client = await back(before);
  rooms[0].broadcast('g', 1);
  rooms[1].broadcast('g', 2);
  await stage.mesh.settle();
  expect(client.data('g').filter((data) => data !== 'forged')).toEqual([1, 2]);
  const { socket: elsewhere } = await stage.client(rooms[1], { joins: ['g'] });
  rooms[0].broadcast('g', 3);
  await stage.mesh.settle();
  expect(elsewhere.data('g')).toEqual([3]);
});

it('what a peer has reported about a disconnected node is dropped when that node reconnects: members are told resync', async () => {
  const before = await meet();
  stage.mesh.cut(stage.node(0), stage.node(1));
  await stage.mesh.settle();
  liar.newest = [[liar.originOf(stage.node(1)), FAR]];
  const client = await back(before);
  stage.mesh.connect(stage.node(0), stage.node(1));
  await stage.mesh.settle();
  rooms[1].broadcast('g', 'again');
  await stage.mesh.settle();
  expect(client.all('resync').at(-1)?.[4]).toBe('lost');
  expect(client.data('g')).toEqual(['again']);
});

it('a peer cannot name more origins than a room may have', async () => {
  const before = await meet();
  let number = 0;
  let client = before;
  for (let round = 0; round < 3; round++) {
    liar.newest = Array.from({ length: 256 }, () => [`o${number++}`, 1] as const);
    client = await back(client);
  }
  expect(Object.keys(client.place('g')[2]).length).toBeLessThanOrEqual(256);
  rooms[1].broadcast('g', 'x');
  await stage.mesh.settle();
  expect(client.data('g')).toEqual(['x']);
});

it('a peer that says hello as this node or as another one takes no part', async () => {
  const client = await meet();
  for (const node of [stage.node(0), stage.node(1)]) {
    liar.say(stage.node(0), ['hello', 1, liar.originOf(node), [], false]);
    liar.broadcast(stage.node(0), 'g', '"forged"', [FAR, 0, 1, [], null, false]);
  }
  await stage.mesh.settle();
  rooms[0].broadcast('g', 1);
  rooms[1].broadcast('g', 2);
  await stage.mesh.settle();
  expect(client.data('g').filter((data) => data !== 'forged')).toEqual([1, 2]);
});

it('messages of a peer before its hello are ignored', async () => {
  const client = await meet();
  liar.say(stage.node(0), ['bye', [], []]);
  liar.say(stage.node(0), ['interest', [['g', 5]]]);
  liar.broadcast(stage.node(0), 'g', '1', [1, 0, 1, [], null, false]);
  await stage.mesh.settle();
  expect(client.data('g')).toEqual([]);
  expect(rooms[0].members('g').all).toBe(1);
});

it('a peer cannot report taken messages of a client that is connected here', async () => {
  const taken: unknown[] = [];
  const client = await meet({ message: (_connection, data) => void taken.push(data) });
  const id = client.all('welcome')[0]?.[1].id;
  for (const number of [2 ** 32 - 1, 2 ** 53 - 1])
    liar.broadcast(stage.node(0), 'g', '1', [1, 0, 1, [], [id, number], false]);
  await stage.mesh.settle();
  client.tell(['send', 1, 'hello']);
  await stage.mesh.settle();
  expect(taken).toEqual(['hello']);
});

it.each([0, 1])(
  'a peer cannot report taken messages of a client that reconnects to node %i',
  async (where) => {
    const taken: unknown[] = [];
    const before = await meet({ message: (_connection, data) => void taken.push(data) });
    before.tell(['send', 1, 'first']);
    await stage.mesh.settle();
    before.drop();
    const id = before.all('welcome')[0]?.[1].id;
    for (const to of [stage.node(0), stage.node(1)])
      liar.broadcast(to, 'g', '1', [1, 0, 1, [], [id, 2 ** 32 - 1], true]);
    await stage.mesh.settle();
    liar.last = 2 ** 32 - 1;
    const { socket } = await stage.back(rooms[where] as Rooms, before, []);
    expect(socket.all('welcome')[0]?.[1].last).toBe(1);
    socket.tell(['send', 2, 'second']);
    await stage.mesh.settle();
    expect(taken).toEqual(['first', 'second']);
  },
);

it('a peer that says hello with the key of another node takes no part', async () => {
  await meet();
  const client = (await stage.client(rooms[1])).socket;
  liar.say(stage.node(0), ['bye', [], []]);
  const keys = [[client.session.split('.')[0], new Uint8Array(32)]];
  liar.say(stage.node(0), ['hello', 1, 'other', keys, false]);
  liar.say(stage.node(0), ['interest', [['g', 5]]]);
  await stage.mesh.settle();
  expect(rooms[0].members('g').all).toBe(1);
});

it('the presence of one connection under many keys, or in rooms with similar names, ends with the session of its peer', async () => {
  await meet();
  const say = (...entry: unknown[]): void => liar.say(stage.node(0), ['presence', [entry]]);
  for (const key of ['a', 'b', 'c']) say('g', key, 'one', '{}');
  say('y g', 'd', 'x', '{}');
  say('g', 'e', 'x y', '{}');
  await stage.mesh.settle();
  expect(rooms[0].presence('g').entries()).toEqual(['c', 'e'].map((key) => ({ key, metas: [{}] })));
  stage.mesh.cut(stage.node(0), stage.node(2));
  await stage.mesh.settle();
  expect([rooms[0].presence('g').size, rooms[0].presence('y g').size]).toEqual([0, 0]);
});

it.each([
  ['has no number', 0, 'x'],
  ['is too long to be kept', 1, 'x'.repeat(3000)],
])('a message to be kept that %s leaves no room behind', async (_what, sequence, text) => {
  await meet({ resume: { bytes: 2000 } });
  const before = rooms[0].stats().rooms;
  liar.broadcast(stage.node(0), 'unknown', text, [sequence, 0, 0, [], null, true]);
  await stage.mesh.settle();
  expect(rooms[0].stats().rooms).toBe(before);
});

it('what a peer reports about an ended node does not count for a node that has reconnected', async () => {
  const client = await meet();
  const [first, other] = [stage.node(0), stage.node(1)];
  const origin = liar.originOf(other);
  const forge = async (): Promise<void> => {
    liar.messages = [[origin, FAR, 0, 1, Buffer.from('"forged"'), [], 0]];
    liar.say(first, ['newest', origin, [['g', FAR]]]);
    await stage.mesh.settle();
  };
  await forge();
  stage.mesh.cut(first, other);
  stage.mesh.connect(first, other);
  await stage.mesh.settle();
  await forge();
  rooms[1].broadcast('g', 'x');
  await stage.mesh.settle();
  expect([client.data('g'), client.all('resync')]).toEqual([['x'], []]);
});

it('a peer that loses nodes again and again and does not read gets no messages beyond its outbox', async () => {
  await meet();
  const first = stage.node(0);
  liar.say(first, ['interest', [['g', 1]]]);
  await stage.mesh.settle();
  rooms[1].broadcast('g', 'x');
  await stage.mesh.settle();
  stage.mesh.cut(first, stage.node(1));
  await stage.mesh.settle();
  let told = 0;
  stage.mesh.onSend = (from, _to, value) => {
    if (from === first && (value as readonly unknown[])[0] === 'newest') told++;
  };
  const lose = (): void => liar.say(first, ['lost', liar.originOf(stage.node(1))]);
  first.isFullFor = ({ node }) => node === stage.node(2).name;
  for (let count = 0; count < 100; count++) lose();
  await stage.mesh.settle();
  expect(told).toBe(0);
});

it('a peer that says again and again that it has lost a node is told what is kept of it at most twice in a turn', async () => {
  await meet();
  const first = stage.node(0);
  const origin = liar.originOf(stage.node(1));
  const lose = (): void => liar.say(first, ['lost', origin]);
  let told = 0;
  stage.mesh.onSend = (from, to, value) => {
    if (from === first && to === stage.node(2) && (value as readonly unknown[])[0] === 'newest') told++;
  };
  liar.say(first, ['interest', [['g', 1]]]);
  for (let life = 1; life <= 3; life++) {
    rooms[1].broadcast('g', 'x');
    await stage.mesh.settle();
    stage.mesh.cut(first, stage.node(1));
    await stage.mesh.settle();
    for (let count = 0; count < 100; count++) lose();
    await stage.mesh.settle();
    expect(told).toBe(3 * life - 1); // once when it is lost here; before the first loss here it had said nothing
    stage.mesh.connect(first, stage.node(1));
    await stage.mesh.settle();
  }
});

it('a peer that has lost more nodes than are remembered is still told of the last ones', async () => {
  await meet();
  const first = stage.node(0);
  liar.say(first, ['interest', [['g', 1]]]);
  for (let node = 0; node < 2000; node++) liar.say(first, ['lost', `z${node}`]);
  liar.say(first, ['lost', liar.originOf(stage.node(1))]);
  rooms[1].broadcast('g', 'x');
  await stage.mesh.settle();
  const told: unknown[] = [];
  stage.mesh.onSend = (from, to, value) => {
    const [tag, origin] = value as readonly unknown[];
    if (from === first && to === stage.node(2) && tag === 'newest') told.push(origin);
  };
  stage.mesh.cut(first, stage.node(1));
  await stage.mesh.settle();
  expect(told).toEqual([liar.originOf(stage.node(1))]);
});

it('a peer that requests history and does not read gets no answers beyond its outbox', async () => {
  await meet();
  const first = stage.node(0);
  for (let number = 0; number < 20; number++) rooms[0].broadcast('g', 'x'.repeat(1000));
  await stage.mesh.settle();
  const told: number[] = [];
  stage.mesh.onSend = (from, _to, value) => {
    const [tag, , , messages] = value as [string, number, string, readonly unknown[]];
    if (from === first && tag === 'told') told.push(messages.length);
  };
  const ask = (): void => liar.say(first, ['ask', 1, 'g', [[liar.originOf(first), 0]]]);
  first.isFullFor = ({ node }) => node === stage.node(2).name;
  for (let count = 0; count < 1000; count++) ask();
  await stage.mesh.settle();
  expect(told).toEqual([]);
  first.isFullFor = () => false;
  ask();
  await stage.mesh.settle();
  expect(told).toEqual([20]);
});

it('a peer that asks for history very often costs a turn of the event loop little, and delays no other peer', async () => {
  await meet();
  const [first, second, third] = [stage.node(0), stage.node(1), stage.node(2)];
  for (let number = 0; number < 1000; number++) rooms[0].broadcast('g', 'x'.repeat(1000));
  await stage.mesh.settle();
  let now = 0;
  const bytes: number[] = [];
  const told: FakeNode[] = [];
  stage.mesh.onSend = (from, to, value) => {
    const [tag, , , messages] = value as [string, number, string, readonly unknown[]];
    if (from !== first || tag !== 'told') return;
    told.push(to);
    bytes[now] = (bytes[now] ?? 0) + 1000 * messages.length;
  };
  const service = first.listener as ChannelListener;
  const after = [[liar.originOf(first), 0]];
  for (let count = 0; count < 100; count++)
    service.message(first.peers.get(third) as ChannelPeer, ['ask', count, 'g', after]);
  service.message(first.peers.get(second) as ChannelPeer, ['ask', 1, 'g', after]);
  while (told.length < 101) {
    await new Promise((resolve) => setImmediate(resolve));
    now++;
  }
  expect(Math.max(...bytes.filter(Boolean))).toBeLessThanOrEqual(2 * ANSWERED_PER_TURN);
  expect(told.indexOf(second)).toBeLessThan(10);
});

it('a peer that asks for more than may wait is answered what was asked first', async () => {
  await meet();
  const [first, third] = [stage.node(0), stage.node(2)];
  for (let number = 0; number < 1000; number++) rooms[0].broadcast('g', 'x'.repeat(1000));
  await stage.mesh.settle();
  const told: number[] = [];
  stage.mesh.onSend = (from, _to, value) => {
    const [tag, ref] = value as [string, number];
    if (from === first && tag === 'told') told.push(ref);
  };
  const peer = first.peers.get(third) as ChannelPeer;
  const service = first.listener as ChannelListener;
  const many = Array.from({ length: MAX_CURSOR }, (_, at) => [`o${at}`, 0]);
  service.message(peer, ['ask', 0, 'g', [[liar.originOf(first), 0]]]);
  for (let ref = 1; ref < 1000; ref++) service.message(peer, ['ask', ref, 'g', many]);
  await stage.mesh.settle();
  expect(told).toEqual(
    Array.from({ length: 1 + Math.floor(MAX_QUESTIONS / (1 + MAX_CURSOR)) }, (_, at) => at),
  );
});

it('a peer that asks and leaves is answered no more', async () => {
  await meet();
  const [first, third] = [stage.node(0), stage.node(2)];
  for (let number = 0; number < 1000; number++) rooms[0].broadcast('g', 'x'.repeat(1000));
  await stage.mesh.settle();
  let told = 0;
  stage.mesh.onSend = (from, _to, value) => {
    if (from === first && (value as readonly unknown[])[0] === 'told') told++;
  };
  const peer = first.peers.get(third) as ChannelPeer;
  const service = first.listener as ChannelListener;
  for (let ref = 0; ref < 10; ref++) service.message(peer, ['ask', ref, 'g', [[liar.originOf(first), 0]]]);
  const before = told;
  service.message(peer, ['bye', [], []]);
  await stage.mesh.settle();
  expect(told).toBe(before);
});

it('a peer that says hello again and again is told everything only so often', async () => {
  await meet();
  const first = stage.node(0);
  let told = 0;
  stage.mesh.onSend = (from, to, value) => {
    if (from === first && to === stage.node(2) && (value as readonly unknown[])[0] === 'interest') told++;
  };
  for (let count = 0; count < 3 * MAX_HELLOS; count++)
    liar.say(first, ['hello', 1, liar.origin, [['key', new Uint8Array(32)]], false]);
  await stage.mesh.settle();
  expect(told).toBeGreaterThan(0);
  expect(told).toBeLessThan(MAX_HELLOS);
});

it('a peer that says hello again and again is told of the lost nodes once in a turn of the event loop', async () => {
  await meet();
  const first = stage.node(0);
  const peer = first.peers.get(stage.node(2)) as ChannelPeer;
  const service = first.listener as RoomService;
  for (let count = 0; count < 500; count++) service.history.ended(`z${count}`, 'gone', true);
  let lost = 0;
  stage.mesh.onSend = (_from, _to, value) => {
    if ((value as readonly unknown[])[0] === 'lost') lost++;
  };
  for (let count = 0; count < 100; count++)
    service.message(peer, ['hello', 1, liar.origin, [['key', new Uint8Array(32)]], false]);
  expect(lost).toBe(500);
  await stage.mesh.settle();
  expect(lost).toBe(1000);
});
