// Rooms on three nodes while sessions are cut and healed, outboxes are full, and clients come back on any node: whatever happens,
// a client that is not told `resync` has every message of its room once, and in order of its sender. And whatever handlers do, each message
// that a client sends is handled once.
import { afterEach, expect, it, vi } from 'vitest';
import { Outbox } from '../../ts/client/outbox.ts';
import type { Rooms } from '../../ts/rooms/index.ts';
import { randomFrom, seed } from '../support/seed.ts';
import type { FakeNode } from '../unit/global/fake-mesh.ts';
import { FakeClient } from '../unit/rooms/fake-socket.ts';
import { Stage } from '../unit/rooms/stage.ts';

/** Tables of lost nodes are removed, and those of this node sent, an entry in each turn of the event loop, so that everything can happen meanwhile. */
vi.mock('../../ts/peer/limits.ts', async (original) => ({
  ...(await original<object>()),
  ENTRIES_PER_STEP: 1,
  WRITTEN_PER_STEP: 1,
}));
vi.mock('../../ts/rooms/limits.ts', async (original) => ({ ...(await original<object>()), PART: 1 }));

const RUNS = Number(process.env['RUNS'] ?? 1) * 25;
const STEPS = 60;
const WINDOW_MS = 4000;

/** A user over all its sockets. */
interface User {
  socket: FakeClient;
  /** It joined when others had messages already. */
  readonly isLate: boolean;
  isOnline: boolean;
  readonly had: string[];
  resyncs: number;
}

let stage: Stage;
afterEach(() => stage.mesh.stop());

type Below = (limit: number) => number;

/** A test that runs many times, each time on a new stage. */
const often =
  (run: (random: () => number, below: Below) => Promise<void>): (() => Promise<void>) =>
  async () => {
    const random = randomFrom(seed());
    for (let count = 0; count < RUNS; count++) {
      stage = new Stage();
      await run(random, (limit) => Math.floor(random() * limit));
      stage.mesh.stop();
    }
  };

it(
  'R4, R7, R16 a client that is not told resync gets every message once, in order of its sender',
  often(play),
);

it(
  'R16 members get all of nodes that stand still and lose each other, and are told no resync',
  often(standStill),
);

it(
  'R18 members on the remaining nodes get the same messages of a lost node, or are told resync',
  often(loseOne),
);

it(
  'R19 each message of a client is handled once and in order, wherever it goes while its handlers crash, stall and are killed',
  often(sendAndMove),
);

/** A client that sends, as `snowmesh/client` does. */
class Sender {
  readonly outbox = new Outbox(1000);
  socket: FakeClient | undefined;
  session: string | null = null;
  #read = 0;
  #isWelcome = false;
  #isDropped = true;
  /** Another client continues its session. */
  isFork = false;

  get isOnline(): boolean {
    return !this.#isDropped && this.socket?.closed === undefined;
  }

  drop(): void {
    this.#isDropped = true;
    this.socket?.drop();
  }

  say(text: string): void {
    const number = this.outbox.add(JSON.stringify(text)) as number;
    if (this.#isWelcome) this.socket?.tell(['send', number, text]);
  }

  /** Reads what came. */
  listen(): void {
    for (const message of this.socket?.heard.slice(this.#read) ?? []) {
      this.#read++;
      if (message[0] === 'ack') this.outbox.taken(message[1]);
      if (message[0] !== 'welcome') continue;
      this.session = message[1].session;
      this.outbox.takenUpTo(message[1].last);
      if (!message[1].resumed) this.outbox.renumber();
      this.isFork = false;
      this.#isWelcome = true;
      for (const [number, text] of this.outbox.all())
        this.socket?.tell(['send', number, JSON.parse(text as string)]);
    }
    if (this.socket?.closed?.code === 4001) this.isFork = true;
  }

  connect(rooms: Rooms): void {
    this.listen();
    const socket = new FakeClient();
    rooms.accept(socket);
    this.socket = socket;
    this.#read = 0;
    this.#isWelcome = this.#isDropped = false;
    socket.hello(this.session, [], { fork: this.isFork });
  }
}

async function sendAndMove(random: () => number, below: Below): Promise<void> {
  const { mesh } = stage;
  const handled: string[] = [];
  let running: (() => void)[] = [];
  const rooms: Rooms[] = await stage.cluster({
    message: async (_connection, data) => {
      handled.push(data as string);
      if (random() < 0.3) await new Promise<void>((resolve) => running.push(resolve));
      if (random() < 0.15) throw new Error('on purpose');
    },
  });
  const senders: Sender[] = [];
  const said: string[][] = [];
  const begin = (): void => {
    senders.push(new Sender());
    said.push([]);
    if (random() < 0.5) say(senders.length - 1); // before its first connection
    senders.at(-1)?.connect(rooms[below(3)] as Rooms);
  };
  const say = (index: number): void => {
    const text = `${index} ${said[index]?.length}`;
    said[index]?.push(text);
    senders[index]?.say(text);
  };
  for (let count = 0; count < 3; count++) begin();
  await mesh.settle();
  for (let step = 0; step < STEPS; step++) {
    const index = below(senders.length);
    const sender = senders[index] as Sender;
    const what = random();
    if (what < 0.4) say(index);
    else if (what < 0.5) sender.drop();
    else if (what < 0.6) sender.connect(rooms[below(3)] as Rooms);
    else if (what < 0.7) running.splice(below(running.length), 1)[0]?.();
    else if (what < 0.9) for (let count = below(6); count > 0; count--) mesh.step();
    else if (what < 0.98) await mesh.settle();
    else await mesh.pass(6000);
    for (const each of senders) each.listen();
  }
  const isDone = (): boolean => senders.every(({ outbox, isOnline }) => isOnline && outbox.size === 0);
  for (let round = 0; round < 200 && !isDone(); round++) {
    for (const resolve of running) resolve();
    running = [];
    for (const sender of senders) if (!sender.isOnline) sender.connect(rooms[below(3)] as Rooms);
    await mesh.settle();
    for (const sender of senders) sender.listen();
    await mesh.settle();
  }
  expect(isDone(), 'all clients are connected, and all that they sent is acknowledged').toBe(true);
  for (const texts of said) expect(handled.filter((text) => texts.includes(text))).toEqual(texts);
}

/** What one node sent, as it should come. */
const inOrder = (texts: readonly string[]): string[] =>
  [...new Set(texts)].sort((a, b) => Number(a.slice(2)) - Number(b.slice(2)));

async function play(random: () => number, below: Below): Promise<void> {
  const { mesh } = stage;
  const rooms: Rooms[] = await stage.cluster({ join: () => true });
  const sent: string[][] = [[], [], []];
  const users: User[] = [];
  const leftAt = new Map<User, number>();
  const now = (): number => stage.node(0).runtime.now();
  const join = async (isLate: boolean): Promise<void> => {
    const { socket } = await stage.client(rooms[below(3)] as Rooms, { joins: ['g'] });
    users.push({ socket, isLate, isOnline: true, had: [], resyncs: 0 });
  };
  for (let number = 0; number < 4; number++) await join(false);
  const broadcast = (): void => {
    const from = below(3);
    const text = `${from} ${sent[from]?.length}`;
    sent[from]?.push(text);
    rooms[from]?.broadcast('g', text);
  };
  const leave = (user: User): void => {
    if (!user.isOnline) return;
    user.isOnline = false;
    leftAt.set(user, now());
    user.socket.drop();
    collect(user);
  };
  const comeBack = async (user: User): Promise<void> => {
    if (user.isOnline) return;
    const awayMs = now() - (leftAt.get(user) ?? 0);
    const { socket } = await stage.back(rooms[below(3)] as Rooms, user.socket, ['g'], { awayMs });
    user.socket = socket;
    user.isOnline = true;
  };
  for (let step = 0; step < STEPS; step++) {
    for (const { kit } of stage.nodes) kit.clock.skip(1);
    const [a, b] = [below(3), below(3)];
    const user = users[below(users.length)] as User;
    const what = random();
    if (what < 0.45) broadcast();
    else if (what < 0.55) leave(user);
    else if (what < 0.68) await comeBack(user);
    else if (what < 0.74 && a !== b) mesh.cut(stage.node(a), stage.node(b));
    else if (what < 0.82 && a !== b) mesh.connect(stage.node(a), stage.node(b));
    else if (what < 0.88) stage.node(a).isFullFor = random() < 0.5 ? () => true : () => false;
    else if (what < 0.93) for (let count = below(6); count > 0; count--) mesh.step();
    else if (what < 0.98) await mesh.settle();
    else await join(true);
  }
  for (const node of stage.nodes) node.isFullFor = () => false;
  mesh.connectAll();
  await mesh.settle();
  for (const user of users) await comeBack(user);
  for (const [from, each] of rooms.entries()) {
    sent[from]?.push(`${from} last`);
    each.broadcast('g', `${from} last`);
  }
  await mesh.pass(3000);
  for (const user of users) {
    collect(user);
    const each = new Set(user.had);
    expect(user.had.length, `a message came twice: ${user.had.join()}`).toBe(each.size);
    for (const [from, all] of sent.entries()) {
      const had = user.had.filter((text) => text.startsWith(`${from} `));
      const inOrder = all.filter((text) => each.has(text));
      expect(had, `out of order, of ${from}`).toEqual(inOrder);
      const first = user.isLate ? all.indexOf(had[0] as string) : 0;
      if (user.resyncs === 0) expect(had, `missing, of ${from}`).toEqual(all.slice(first));
    }
  }
}

/** Members stay where they are. Broadcasts go past full outboxes, and nodes that stand still are lost and come back. */
async function standStill(random: () => number, below: Below): Promise<void> {
  const { mesh } = stage;
  const rooms: Rooms[] = await stage.cluster({ join: () => true });
  const clients: FakeClient[] = [];
  for (const each of rooms) clients.push((await stage.client(each, { joins: ['g'] })).socket);
  const sent = new Map([0, 1, 2].map((from) => [from, 0]));
  const broadcast = (from: number): void => {
    const number = sent.get(from) as number;
    sent.set(from, number + 1);
    rooms[from]?.broadcast('g', `${from} ${number}`);
  };
  for (let step = 0; step < STEPS; step++) {
    const [a, b] = [below(3), below(3)];
    const [node, other] = [stage.node(a), stage.node(b)];
    const what = random();
    if (what < 0.45 && !node.isFrozen) {
      node.isFullFor = random() < 0.5 ? (peer) => peer.node === other.name : () => false;
      broadcast(a);
    } else if (what < 0.55) mesh.freeze(node);
    else if (what < 0.65) mesh.thaw(node);
    else if (what < 0.72 && a !== b) mesh.cut(node, other);
    else if (what < 0.8 && a !== b && !node.isFrozen && !other.isFrozen) mesh.connect(node, other);
    else if (what < 0.95) for (let count = below(6); count > 0; count--) mesh.step();
    else await mesh.settle();
  }
  for (const node of stage.nodes) {
    node.isFullFor = () => false;
    mesh.thaw(node);
  }
  mesh.connectAll();
  await mesh.settle();
  for (const from of sent.keys()) broadcast(from);
  await mesh.pass(9000);
  for (const client of clients) {
    expect(client.all('resync')).toEqual([]);
    for (const [from, count] of sent)
      expect(client.data('g').filter((text) => String(text).startsWith(`${from} `))).toEqual(
        Array.from({ length: count }, (_, number) => `${from} ${number}`),
      );
  }
}

/** A node is lost for good while others lack some of its messages. */
async function loseOne(random: () => number, below: Below): Promise<void> {
  const { mesh } = stage;
  const rooms: Rooms[] = await stage.cluster({ join: () => true, resume: { windowMs: WINDOW_MS } });
  const clients: FakeClient[] = [];
  for (const each of rooms) clients.push((await stage.client(each, { joins: ['g', 'h'] })).socket);
  const [lost, ...left] = stage.nodes as [FakeNode, FakeNode, FakeNode];
  for (let number = 0; number < 20; number++) {
    const full = stage.node(below(3));
    lost.isFullFor = ({ node }) => node === full.name;
    rooms[0]?.broadcast(random() < 0.5 ? 'g' : 'h', `0 ${number}`);
    for (let count = below(4); count > 0; count--) mesh.step();
    const [a, b] = [below(3), below(3)];
    if (a !== b && random() < 0.1) mesh.cut(stage.node(a), stage.node(b));
    if (a !== b && random() < 0.3) mesh.connect(stage.node(a), stage.node(b));
  }
  mesh.crash(lost);
  mesh.connect(...(left as [FakeNode, FakeNode]));
  for (let change = below(4); change > 0; change--) {
    const isFull = random() < 0.5;
    (left[below(2)] as FakeNode).isFullFor = () => isFull;
    for (let count = below(8); count > 0; count--) mesh.step();
  }
  for (const node of left) node.isFullFor = () => false;
  await mesh.pass(WINDOW_MS + 3000);
  for (const room of ['g', 'h']) {
    const had = clients.slice(1).map((client) => client.data(room).map(String));
    for (const each of had) expect(each, 'in order, once').toEqual(inOrder(each));
    if (clients.some((client) => client.all('resync').length > 0)) continue;
    expect(had[1]).toEqual(had[0]);
  }
}

/** What came over its socket so far. */
function collect(user: User): void {
  user.had.push(...user.socket.data('g').map(String));
  user.resyncs += user.socket.all('resync').length;
}
