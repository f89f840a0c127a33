// Rooms over clusters that are not one mesh, with a broker that a test holds.
import Module from 'node:module';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { writeEnvelope } from '../../../ts/rooms/bridge-envelope.ts';
import {
  createRooms,
  type RoomBridge,
  type RoomBridgeListener,
  type Rooms,
  type RoomsOptions,
} from '../../../ts/rooms/index.ts';
import { redisBridge } from '../../../ts/rooms/redis.ts';
import { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

/** What nodes publish, to all that have subscribed, in order. */
class Broker {
  readonly bridges: FakeBridge[] = [];
  readonly log: { readonly room: string; readonly bytes: Uint8Array }[] = [];

  publish(room: string, bytes: Uint8Array): void {
    this.log.push({ room, bytes });
    for (const bridge of this.bridges)
      if (bridge.isUp && bridge.rooms.has(room)) bridge.listener?.message(room, bytes);
  }
}

class FakeBridge implements RoomBridge {
  readonly rooms = new Set<string>();
  listener: RoomBridgeListener | undefined;
  isUp = false;
  isFull = false;
  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
    broker.bridges.push(this);
  }

  open(listener: RoomBridgeListener): void {
    this.listener = listener;
    this.up();
  }

  up(): void {
    this.isUp = true;
    this.listener?.up();
  }

  down(): void {
    this.isUp = false;
    this.listener?.down('a test says so');
  }

  subscribe(room: string): void {
    this.rooms.add(room);
  }

  unsubscribe(room: string): void {
    this.rooms.delete(room);
  }

  publish(room: string, bytes: Uint8Array): boolean {
    if (this.isFull) return false;
    this.#broker.publish(room, bytes);
    return true;
  }

  close(): void {
    this.isUp = false;
    this.listener = undefined;
  }
}

interface Cluster {
  readonly stage: Stage;
  readonly rooms: Rooms[];
  readonly bridges: FakeBridge[];
}

let broker: Broker;
let clusters: Cluster[];
beforeEach(() => {
  broker = new Broker();
  clusters = [];
});
afterEach(() => {
  for (const { stage } of clusters) stage.mesh.stop();
});

/** Three nodes that are one mesh, each with a bridge. */
async function cluster(
  name: string,
  options: RoomsOptions = {},
  filter?: (room: string) => boolean,
): Promise<Cluster> {
  const stage = new Stage();
  const bridges = stage.nodes.map(() => new FakeBridge(broker));
  const rooms = stage.nodes.map((node, index) =>
    createRooms(node, {
      join: () => true,
      ...options,
      bridge: {
        via: bridges[index] as FakeBridge,
        cluster: name,
        ...(filter === undefined ? {} : { rooms: filter }),
      },
    }),
  );
  stage.mesh.connectAll();
  await stage.mesh.settle();
  const made = { stage, rooms, bridges };
  clusters.push(made);
  return made;
}

async function settle(): Promise<void> {
  for (let time = 0; time < 3; time++) for (const { stage } of clusters) await stage.mesh.settle();
}

const member = async (where: Cluster, node: number, key?: string): Promise<FakeClient> =>
  (
    await where.stage.client(where.rooms[node] as Rooms, {
      joins: ['g'],
      ...(key === undefined ? {} : { key }),
    })
  ).socket;

it('R17 a broadcast reaches each member of every cluster once, in order of its node, and is published once', async () => {
  const [eu, us] = [await cluster('eu'), await cluster('us')];
  const all: FakeClient[] = [];
  for (const where of [eu, us]) for (const node of [0, 1, 1, 2]) all.push(await member(where, node));
  for (let number = 0; number < 20; number++) {
    eu.rooms[0]?.broadcast('g', `eu0 ${number}`);
    us.rooms[2]?.broadcast('g', `us2 ${number}`);
    await settle();
  }
  for (const client of all) {
    expect(client.data('g')).toHaveLength(40);
    for (const from of ['eu0', 'us2'])
      expect(client.data('g').filter((text) => String(text).startsWith(from))).toEqual(
        Array.from({ length: 20 }, (_, number) => `${from} ${number}`),
      );
    expect(client.all('resync')).toEqual([]);
  }
  expect(broker.log).toHaveLength(40);
  expect(eu.rooms[0]?.stats().bridge).toEqual({
    isUp: true,
    published: 20,
    received: 20,
    failed: 0,
    refused: 0,
  });
});

it('a broadcast of a node reaches other clusters although its own cluster has no members', async () => {
  const [eu, us] = [await cluster('eu'), await cluster('us')];
  const client = await member(us, 1);
  for (const number of [1, 2]) {
    eu.rooms[2]?.broadcast('g', number);
    eu.rooms[2]?.broadcast('h', 'another room');
  }
  await settle();
  expect(client.data('g')).toEqual([1, 2]);
  expect(client.all('resync')).toEqual([]);
  expect(eu.rooms[2]?.stats().rooms).toBe(0);
});

it('messages to a user, text, bytes and exceptions go over the bridge; a message for one node does not', async () => {
  const [eu, us] = [await cluster('eu'), await cluster('us')];
  const alice = await member(us, 1, 'alice');
  const bob = await member(us, 1, 'bob');
  eu.rooms[0]?.sendTo('alice', 'for alice');
  eu.rooms[0]?.broadcastExcept('g', 'not bob', { key: 'bob' });
  eu.rooms[0]?.broadcast('g', Uint8Array.of(7, 8));
  eu.rooms[0]?.broadcastLocal('g', 'here');
  await settle();
  expect(alice.data('\0alice')).toEqual(['for alice']);
  expect([alice.data('g'), bob.data('g')]).toEqual([['not bob'], []]);
  const binary = bob.sent.find((data) => typeof data !== 'string') as Uint8Array;
  expect([...binary.subarray(-2)]).toEqual([7, 8]);
});

it('messages of rooms that are not bridged stay in their cluster', async () => {
  const filter = (room: string): boolean => room !== 'g';
  const [eu, us] = [await cluster('eu', {}, filter), await cluster('us', {}, filter)];
  const client = await member(us, 1);
  await member(eu, 1);
  eu.rooms[0]?.broadcast('g', 1);
  await settle();
  expect(client.data('g')).toEqual([]);
  expect(broker.log).toEqual([]);
  expect(us.bridges.every(({ rooms }) => !rooms.has('g'))).toBe(true);
});

it('a client that reconnects to another node of its cluster gets what it missed of other clusters', async () => {
  const [eu, us] = [await cluster('eu'), await cluster('us')];
  const before = await member(us, 0);
  await member(us, 1);
  eu.rooms[0]?.broadcast('g', 1);
  await settle();
  before.drop();
  eu.rooms[0]?.broadcast('g', 2);
  eu.rooms[0]?.broadcast('g', 3);
  await settle();
  const { socket } = await us.stage.back(us.rooms[2] as Rooms, before, ['g']);
  eu.rooms[0]?.broadcast('g', 4);
  await settle();
  expect(socket.all('resync')).toEqual([]);
  expect(socket.data('g')).toEqual([2, 3, 4]);
});

it('a client is told resync if its node was killed and was the only one with the messages of another cluster', async () => {
  const [eu, us] = [await cluster('eu'), await cluster('us')];
  const before = await member(us, 0);
  eu.rooms[0]?.broadcast('g', 1);
  await settle();
  const place = before.place('g');
  before.isStuck = true;
  eu.rooms[0]?.broadcast('g', 2);
  await settle();
  us.stage.mesh.crash(us.stage.node(0));
  await settle();
  const client = new FakeClient();
  us.rooms[1]?.accept(client);
  client.hello(before.session, [place]);
  await settle();
  expect(client.all('resync')).toHaveLength(1);
});

it('R17 while the bridge is down each cluster works on its own, and losses are counted and reported; then members are told resync', async () => {
  const [eu, us] = [await cluster('eu'), await cluster('us')];
  const events: unknown[] = [];
  eu.rooms[0]?.on('bridge', (isUp, why) => void events.push([isUp, why]));
  const [here, there] = [await member(eu, 0), await member(us, 0)];
  eu.rooms[0]?.broadcast('g', 1);
  await settle();
  eu.bridges[0]?.down();
  eu.rooms[0]?.broadcast('g', 2);
  us.rooms[0]?.broadcast('g', 'from us');
  await settle();
  expect([here.data('g'), there.data('g')]).toEqual([
    [1, 2],
    [1, 'from us'],
  ]);
  expect(eu.rooms[0]?.stats().bridge).toMatchObject({ isUp: false, published: 1, failed: 1 });
  eu.bridges[0]?.up();
  await settle();
  expect(events).toEqual([
    [false, 'a test says so'],
    [true, ''],
  ]);
  // Both have missed one that nobody sends again.
  expect([here.all('resync').length, there.all('resync').length]).toEqual([1, 1]);
  eu.rooms[0]?.broadcast('g', 3);
  us.rooms[0]?.broadcast('g', 4);
  await settle();
  expect([here.data('g').slice(-2), there.data('g').slice(-2)]).toEqual([
    [3, 4],
    [3, 4],
  ]);
  expect([here.all('resync').length, there.all('resync').length]).toEqual([1, 1]);
});

it('a message that the bridge did not accept is noticed as missing at the next one', async () => {
  const [eu, us] = [await cluster('eu'), await cluster('us')];
  const there = await member(us, 0);
  const bridge = eu.bridges[0] as FakeBridge;
  eu.rooms[0]?.broadcast('g', 1);
  bridge.isFull = true;
  eu.rooms[0]?.broadcast('g', 2);
  bridge.isFull = false;
  eu.rooms[0]?.broadcast('h', 'other room');
  await settle();
  expect(there.all('resync')).toEqual([]);
  eu.rooms[0]?.broadcast('g', 3);
  await settle();
  expect(there.data('g')).toEqual([1, 3]);
  expect(there.all('resync')).toHaveLength(1);
});

it('a message that is too long for the bridge stays in its cluster, and is counted', async () => {
  const [eu, us] = [await cluster('eu'), await cluster('us')];
  const [here, there] = [await member(eu, 1), await member(us, 0)];
  eu.rooms[0]?.broadcast('g', 'x'.repeat(1024 * 1024 + 1));
  await settle();
  expect([here.data('g').length, there.data('g').length]).toEqual([1, 0]);
  expect(eu.rooms[0]?.stats().bridge).toMatchObject({ published: 0, failed: 1 });
});

it('only data that is not a message of another cluster is refused', async () => {
  const [eu, us] = [await cluster('eu'), await cluster('us')];
  const client = await member(us, 0);
  us.rooms[1]?.broadcast('g', 'own');
  await settle();
  const own = Object.keys(client.place('g')[2]);
  const envelope = { cluster: 'xx', origin: 'stranger', sequence: 5, previous: 0, except: [] };
  const content = { kind: 1, payload: Buffer.from('"forged"') } as const;
  const head = (text: string): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length);
    return Buffer.concat([length, Buffer.from(text)]);
  };
  const bad = [
    Buffer.alloc(0),
    Buffer.from('hello'),
    Buffer.alloc(3 * 1024 * 1024),
    head('{}'),
    head('[2,"xx","stranger",5,0,1,[]]'),
    head('[1,"","stranger",5,0,1,[]]'),
    head('[1,"xx","constructor",5,0,1,[]]'),
    head('[1,"xx","stranger",-5,0,1,[]]'),
    head('[1,"xx","stranger",5,9,1,[]]'),
    head('[1,"xx","stranger",5,0,9,[]]'),
    head('[1,"xx","stranger",5,0,1,["x"]]'),
    ...own.map((origin) => writeEnvelope({ ...envelope, origin, sequence: 2 ** 40, content })),
  ];
  for (const bytes of bad) broker.publish('g', bytes);
  await settle();
  expect(us.rooms[0]?.stats().bridge).toMatchObject({ received: 0, refused: bad.length });
  expect(client.data('g')).toEqual(['own']);
  us.rooms[1]?.broadcast('g', 'own again');
  eu.rooms[1]?.broadcast('g', 'from eu');
  await settle();
  expect([...client.data('g')].sort()).toEqual(['from eu', 'own', 'own again']);
});

it('the subscription of a room ends after its last member and the window', async () => {
  const us = await cluster('us', { resume: { windowMs: 10_000 } });
  const client = await member(us, 0);
  expect(us.bridges.map(({ rooms }) => rooms.has('g'))).toEqual([true, false, false]);
  client.drop();
  await us.stage.mesh.pass(20_000);
  expect(us.bridges[0]?.rooms.has('g')).toBe(false);
});

it('wrong options of a bridge are refused', () => {
  const stage = new Stage();
  clusters.push({ stage, rooms: [], bridges: [] });
  const via = new FakeBridge(broker);
  for (const bridge of [
    {},
    { via },
    { via, cluster: '' },
    { via: {}, cluster: 'eu' },
    { via, cluster: 'eu', x: 1 },
  ])
    expect(() => createRooms(stage.node(0), { bridge: bridge as never })).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }),
    );
});

it('redisBridge without the package ioredis says what to install; its options are checked', () => {
  const loader = Module as unknown as { _load(request: string): unknown };
  const missing = Object.assign(new Error("Cannot find module 'ioredis'"), { code: 'MODULE_NOT_FOUND' });
  const loading = vi.spyOn(loader, '_load').mockImplementation(() => {
    throw missing;
  });
  try {
    expect(() => redisBridge({ url: 'redis://127.0.0.1' })).toThrow(
      expect.objectContaining({
        code: 'SNOW_ERR_NO_REDIS',
        message: expect.stringMatching(/npm install ioredis/),
        cause: missing,
      }),
    );
  } finally {
    loading.mockRestore();
  }
  const url = 'redis://127.0.0.1';
  for (const options of [
    {},
    { url: 'http://127.0.0.1' },
    { url, prefix: 1 },
    { url, pendingBytes: 0 },
    { url, more: 1 },
  ])
    expect(() => redisBridge(options as never)).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }),
    );
});

it('A4 a bridge, or its filter, that throws is one that does not work, and harms no room of the cluster', async () => {
  const oops = (): never => {
    throw new Error('oops');
  };
  const stage = new Stage();
  clusters.push({ stage, rooms: [], bridges: [] });
  const logged = (): number =>
    stage.node(0).kit.logs.filter(({ facts }) => facts['event'] === 'callback_failed').length;
  const via: RoomBridge = {
    open: (listener) => listener.up(),
    subscribe: oops,
    unsubscribe: oops,
    publish: oops,
    close() {},
  };
  const rooms = createRooms(stage.node(0), {
    join: () => true,
    resume: { windowMs: 0 },
    bridge: { via, cluster: 'eu', rooms: (room) => (room === 'bad' ? oops() : true) },
  });
  const { socket } = await stage.client(rooms, { key: 'alice', joins: ['g', 'bad'] });
  for (const room of ['g', 'bad']) rooms.broadcast(room, 'x');
  await stage.mesh.settle();
  expect([socket.data('g'), socket.data('bad')]).toEqual([['x'], ['x']]);
  expect(rooms.stats().bridge).toMatchObject({ published: 0, failed: 1 });
  const before = logged();
  expect(before).toBeGreaterThan(0);
  socket.drop();
  await stage.mesh.pass(1000); // the rooms are wanted no longer
  expect(logged()).toBeGreaterThan(before);
  expect(rooms.stats().rooms).toBe(0);
});

it('a filter that returns a promise, or nothing, shares no room', async () => {
  const [eu, us] = [
    await cluster('eu', {}, (async () => true) as never),
    await cluster('us', {}, (() => {}) as never),
  ];
  await member(eu, 0);
  await member(us, 0);
  eu.rooms[0]?.broadcast('g', 1);
  us.rooms[0]?.broadcast('g', 1);
  await settle();
  expect(broker.log).toEqual([]);
});
