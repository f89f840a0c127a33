// Rooms of three processes whose nodes are killed, frozen and cut off from each other at random, while their clients lose connections, read slowly
// and come back anywhere. A client that was connected, or came back in time, has every message of its rooms exactly once, in order of its sender; where
// that cannot be it is told `resync`. SNOWMESH_CHAOS_ROUNDS says how often each kind of trouble is made.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectRooms, type RoomClient } from '../../ts/client/index.ts';
import { Cluster, type ClusterNode, startBehind } from '../support/cluster.ts';
import { until } from '../support/deadline.ts';
import type { Proxy } from '../support/proxy.ts';
import { type TestWebSocket, WebSocket } from '../support/websocket.ts';
import type { Life, RoomWorkload } from './workload-rooms.ts';

const ROUNDS = Number(process.env['SNOWMESH_CHAOS_ROUNDS'] ?? 1);
const NODES = 3;
const CLIENTS = 9;
const ROOMS = ['g', 'h'];
const OPTIONS = { mesh: 'full', tickMs: 200, downMs: 1000, handshakeMs: 3000 } as const;

interface Place {
  readonly local: string;
  /** Between nodes. */
  readonly proxy: Proxy;
  /** Before its clients. */
  readonly door: Proxy;
  lives: number;
  node: ClusterNode;
}

/** What a client has been told of one room, in order: a message, or that some may be missing. */
type Told = string | typeof RESYNC;
const RESYNC = Symbol('resync');

class Member {
  readonly client: RoomClient<string, string>;
  readonly told: Readonly<Record<string, Told[]>> = Object.fromEntries(ROOMS.map((room) => [room, []]));
  /** What clients said, with the origin of the node that took it. */
  readonly said: string[] = [];
  sent = 0;
  readonly #name: string;
  #socket: TestWebSocket | undefined;

  constructor(name: string, urls: readonly string[]) {
    this.#name = name;
    const note = (socket: TestWebSocket): void => void (this.#socket = socket);
    class Noted extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol);
        note(this);
      }
    }
    this.client = connectRooms<string, string>(urls, {
      WebSocket: Noted as never,
      minDelay: 20,
      maxDelay: 300,
    });
    this.client.on('message', ({ room, data, origin }) => {
      this.told[room]?.push(data);
      if (data.startsWith('c')) this.said.push(`${data} taken by ${origin}`);
    });
    this.client.on('resync', ({ room }) => void this.told[room]?.push(RESYNC));
  }

  /** Its message comes back to all in `h`. */
  say(): void {
    if (this.client.send(`${this.#name} ${this.sent}`)) this.sent++;
  }

  drop(): void {
    this.#socket?.terminate();
  }

  /** Reads nothing for a while. */
  async stall(ms: number): Promise<void> {
    const socket = this.#socket;
    if (socket?.readyState !== 1) return;
    socket.pause();
    await sleep(ms);
    socket.resume();
  }

  /** Whether it was told this in a room, or, since it had been told `before` things there, that some may be missing. */
  has(room: string, text: string, before: number): boolean {
    const told = this.told[room] ?? [];
    return told.includes(text) || told.includes(RESYNC, before);
  }
}

let cluster: Cluster;
let places: Place[];
let members: Member[];
let story: string[];
/** Lives of nodes that ended by a kill: what of them reached nobody is lost. */
let killed: Set<string>;

beforeEach(async () => {
  cluster = new Cluster();
  story = [];
  killed = new Set();
  members = [];
  places = await Promise.all(
    Array.from({ length: NODES }, async (_, index) => {
      const local = `n${index}`;
      const { node, proxy } = await cluster.behindProxy({ name: local, ...OPTIONS });
      return { local, proxy, door: await cluster.proxy(), node, lives: 0 };
    }),
  );
});
afterEach(async () => {
  for (const { client } of members) client.close();
  await cluster.stop();
});

const pick = <T>(all: readonly T[]): T => all[Math.floor(cluster.random() * all.length)] as T;
const between = (least: number, most: number): number => least + cluster.random() * (most - least);
const lifeOf = ({ local, lives }: Place): string => `${local}.${lives}`;

/** Rooms on a node, and connections to the others. */
async function open(place: Place): Promise<void> {
  place.lives++;
  const peers = places.filter((other) => other !== place).map(({ node }) => node.name);
  const port = await place.node.run(
    async (bench, life, names) => {
      for (const name of names) void bench.node.connect(name);
      const { startRooms } = (await bench.load(
        '../fault/workload-rooms',
      )) as typeof import('./workload-rooms.ts');
      const work = await startRooms(bench, life);
      bench.box['work'] = work;
      return Number(new URL(work.url).port);
    },
    lifeOf(place),
    peers,
  );
  place.door.target(port);
}

/** What can happen. Each takes a while, and leaves everything as it was before. */
const TROUBLES: Record<string, () => Promise<void>> = {
  async kill() {
    const place = pick(places);
    killed.add(lifeOf(place));
    await place.node.kill();
    place.door.cut();
    await sleep(between(0, 1500));
    place.node = await cluster.process();
    await startBehind(place.node, place.proxy, { name: place.local, ...OPTIONS });
    await open(place);
  },
  async freeze() {
    const { node } = pick(places);
    node.freeze();
    await sleep(between(50, 2500));
    node.thaw();
  },
  async cut() {
    for (const { proxy } of places) if (cluster.random() < 0.5) proxy.cut();
  },
  async partition() {
    const some = cluster.random() < 0.3 ? places : places.filter(() => cluster.random() < 0.6);
    for (const { proxy } of some) proxy.partition();
    await sleep(between(100, 2500));
    for (const { proxy } of some) proxy.heal();
  },
  async delay() {
    const { proxy } = pick(places);
    proxy.delay(1 + Math.floor(cluster.random() * 60));
    await sleep(between(100, 1500));
    proxy.delay(0);
  },
  async drops() {
    for (let count = 0; count < 6; count++) {
      for (const member of members) if (cluster.random() < 0.4) member.drop();
      await sleep(between(0, 120));
    }
  },
  async doors() {
    const { door } = pick(places);
    door.partition();
    await sleep(between(50, 1500));
    door.heal();
  },
  async stalls() {
    await Promise.all(
      members.filter(() => cluster.random() < 0.3).map((each) => each.stall(between(100, 1500))),
    );
  },
};

/** All kinds of trouble in some order, as often as there are rounds. Two may overlap. */
async function makeTrouble(): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const left = Object.keys(TROUBLES);
    while (left.length > 0) {
      const [kind] = left.splice(Math.floor(cluster.random() * left.length), 1) as [string];
      const [other] =
        kind === 'kill' || cluster.random() < 0.5
          ? []
          : left.filter((each) => each !== 'kill' && each !== kind).slice(0, 1);
      story.push(other === undefined ? kind : `${kind} and ${other}`);
      await Promise.all([TROUBLES[kind]?.(), other === undefined ? undefined : TROUBLES[other]?.()]);
      await sleep(between(50, 600));
    }
  }
}

async function untilTrue(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  try {
    await until(what, isTrue, 60_000);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${story.join('\n')}`, { cause: error });
  }
}

const isWhole = async (): Promise<boolean> => {
  const seen = await Promise.all(places.map(({ node }) => node.run((bench) => bench.node.nodes().length)));
  return seen.every((count) => count === NODES - 1);
};

/** What is wrong with what a client was told of one sender in one room. */
function faultsOf(told: readonly Told[], sender: string): string[] {
  const faults: string[] = [];
  let last = -1;
  let mayJump = true;
  for (const each of told) {
    if (each === RESYNC) {
      mayJump = true;
      continue;
    }
    if (!each.startsWith(`${sender} `)) continue;
    const number = Number(each.slice(sender.length + 1));
    if (number <= last) faults.push(`${sender}: ${number} after ${last}`);
    else if (number > last + 1 && !mayJump)
      faults.push(`${sender}: ${number} after ${last}, nothing was said`);
    mayJump = false;
    last = Math.max(last, number);
  }
  return faults;
}

it('R6, R7, R10, R16 clients have every message once and in order of its node, or are told resync', {
  timeout: (ROUNDS * 60 + 300) * 1000,
}, async () => {
  for (const place of places) await open(place);
  await untilTrue('every node sees all others', isWhole);
  const urls = places.map(({ door }) => `ws://127.0.0.1:${door.port}/rooms`);
  members = Array.from({ length: CLIENTS }, (_, index) => {
    const first = index % NODES;
    return new Member(`c${index}`, [...urls.slice(first), ...urls.slice(0, first)]);
  });
  for (const { client } of members) for (const room of ROOMS) await client.join(room);
  const talk = setInterval(() => {
    for (const member of members) member.say();
  }, 150);
  await makeTrouble();
  clearInterval(talk);
  await untilTrue('every node sees all others again', isWhole);
  await untilTrue('every client is connected, and has sent all', () =>
    members.every(({ client }) => client.status === 'open' && client.queued === 0),
  );
  // A client may still be resuming a room.
  const before = members.map(({ told }) => ROOMS.map((room) => told[room]?.length ?? 0));
  const lives: Life[] = await Promise.all(
    places.map(({ node }) => node.run((bench) => (bench.box['work'] as RoomWorkload).finish())),
  );
  await untilTrue('every client has the last messages, or is told resync', () =>
    members.every((member, index) =>
      lives.every(({ life, sent }) =>
        ROOMS.every((room, at) =>
          member.has(room, `${life} ${(sent[room] as number) - 1}`, before[index]?.[at] as number),
        ),
      ),
    ),
  );
  const faults: string[] = [];
  const senders = [...lives.map(({ life }) => life), ...killed];
  for (const [index, { told, said: taken }] of members.entries()) {
    for (const room of ROOMS)
      for (const sender of senders)
        for (const fault of faultsOf(told[room] as Told[], sender))
          faults.push(`client ${index}, ${room}: ${fault}`);
    // What clients say is broadcast by one node after the other: no order. Each node takes a message once; nodes that cannot reach each other may both take it.
    const said = (told['h'] as Told[]).filter((each) => each !== RESYNC && each.startsWith('c'));
    if (new Set(taken).size !== taken.length)
      faults.push(`client ${index}: a node took a client's message twice`);
    if (killed.size === 0 && !told['h']?.includes(RESYNC))
      for (const [other, { sent }] of members.entries())
        for (let number = 0; number < sent; number++)
          if (!said.includes(`c${other} ${number}`))
            faults.push(`client ${index}: c${other} ${number} is missing`);
  }
  const resyncs = members.flatMap(({ told }) => Object.values(told).flat()).filter((each) => each === RESYNC);
  if (killed.size === 0 && resyncs.length > 0) faults.push(`${resyncs.length} times resync without a reason`);
  expect(faults.slice(0, 20), story.join('\n')).toEqual([]);
  console.log(
    `${lives.reduce((sum, { sent }) => sum + (sent['g'] as number), 0)} messages, ${resyncs.length} resyncs`,
  );
});
