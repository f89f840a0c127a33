// Rooms on nodes that stop in order and start again, one after the other, as in a deploy, while outboxes are full and clients come and go: a
// client that is not told `resync` has every message of its room once, and in order of its sender.
import { afterEach, expect, it, vi } from 'vitest';
import { createRooms, type Rooms } from '../../ts/rooms/index.ts';
import type { RoomService } from '../../ts/rooms/room-service.ts';
import { randomFrom, seed } from '../support/seed.ts';
import type { FakeClient } from '../unit/rooms/fake-socket.ts';
import { Stage } from '../unit/rooms/stage.ts';

vi.mock('../../ts/peer/limits.ts', async (original) => ({
  ...(await original<object>()),
  ENTRIES_PER_STEP: 1,
  WRITTEN_PER_STEP: 1,
}));
vi.mock('../../ts/rooms/limits.ts', async (original) => ({ ...(await original<object>()), PART: 1 }));

const RUNS = Number(process.env['RUNS'] ?? 1) * 25;
const STEPS = 60;

/** A user over all its sockets. */
interface User {
  socket: FakeClient;
  at: number;
  isOnline: boolean;
  leftAt: number;
  readonly had: string[];
  resyncs: number;
}

let stage: Stage;
afterEach(() => {
  stage.mesh.stop();
  vi.restoreAllMocks();
});

/** A case that has failed: a node that had just started took the silence of a peer for an answer. */
const KNOWN = 401_479;

it('R4, R16 nodes that stop in order and start again lose nothing without a word', async () => {
  const first = seed() * 100_003;
  for (const start of [KNOWN, ...Array.from({ length: RUNS }, (_, count) => first + count)]) {
    const random = randomFrom(start);
    // The origin of a node decides for which rooms it keeps copies.
    vi.spyOn(crypto, 'getRandomValues').mockImplementation((values) => {
      (values as unknown as BigUint64Array)[0] = BigInt(Math.floor(random() * 2 ** 52));
      return values;
    });
    stage = new Stage(random);
    await restart(random, (limit) => Math.floor(random() * limit)).catch((error: unknown) => {
      throw new Error(`the case ${start} fails`, { cause: error });
    });
    stage.mesh.stop();
  }
});

async function restart(random: () => number, below: (limit: number) => number): Promise<void> {
  const { mesh } = stage;
  const open = (at: number): Rooms => createRooms(stage.node(at), { join: () => true });
  const rooms: Rooms[] = await stage.cluster({ join: () => true });
  /** What the rooms of each life of a node sent. */
  const sent = new Map<Rooms, string[]>();
  const users: User[] = [];
  const now = (): number => stage.node(0).runtime.now();
  for (let number = 0; number < 3; number++) {
    const at = below(3);
    const { socket } = await stage.client(rooms[at] as Rooms, { joins: ['g'] });
    users.push({ socket, at, isOnline: true, leftAt: 0, had: [], resyncs: 0 });
  }
  const broadcast = (at: number): void => {
    // A node that does not know of the room, sends nothing.
    if ((stage.node(at).listener as RoomService).table.get('g') === undefined) return;
    const all = sent.get(rooms[at] as Rooms) ?? [];
    all.push(`${[...sent.keys()].length} ${at} ${all.length}`);
    sent.set(rooms[at] as Rooms, all);
    rooms[at]?.broadcast('g', all.at(-1));
  };
  const leave = (user: User): void => {
    if (!user.isOnline) return;
    user.isOnline = false;
    user.leftAt = now();
    user.socket.drop();
    collect(user);
  };
  const comeBack = async (user: User): Promise<void> => {
    if (user.isOnline) return;
    user.at = below(3);
    const awayMs = now() - user.leftAt;
    const { socket } = await stage.back(rooms[user.at] as Rooms, user.socket, ['g'], { awayMs });
    user.socket = socket;
    user.isOnline = true;
  };
  const stop = (at: number): void => {
    stage.node(at).isFullFor = () => false;
    rooms[at]?.close();
    for (const user of users) if (user.at === at) leave(user);
  };
  for (let step = 0; step < STEPS; step++) {
    const a = below(3);
    for (const { kit } of stage.nodes) kit.clock.skip(1);
    const user = users[below(users.length)] as User;
    const what = random();
    if (what < 0.4) broadcast(a);
    else if (what < 0.55) leave(user);
    else if (what < 0.63) await comeBack(user);
    else if (what < 0.7) stage.node(a).isFullFor = random() < 0.5 ? () => true : () => false;
    else if (what < 0.85) for (let count = below(6); count > 0; count--) mesh.step();
    else if (what < 0.9) await mesh.pass(3000);
    else {
      stop(a);
      for (let count = below(6); count > 0; count--) mesh.step();
      if (random() < 0.5) await mesh.settle();
      rooms[a] = open(a);
      for (const node of stage.nodes) node.isFullFor = () => false; // it hears who wants the room before it broadcasts
      await mesh.settle();
    }
  }
  for (const node of stage.nodes) node.isFullFor = () => false;
  await mesh.pass(3000);
  for (const user of users) await comeBack(user);
  for (const at of rooms.keys()) broadcast(at); // what comes after a message that was refused shows that it is missing
  await mesh.pass(9000);
  for (const user of users) {
    collect(user);
    expect(user.had, 'once').toEqual([...new Set(user.had)]);
    for (const all of sent.values()) {
      const had = user.had.filter((text) => all.includes(text));
      expect(had, 'in order').toEqual(all.filter((text) => had.includes(text)));
      if (user.resyncs === 0) expect(had, 'missing').toEqual(all);
    }
  }
}

/** What came over its socket so far. */
function collect(user: User): void {
  user.had.push(...user.socket.data('g').map(String));
  user.resyncs += user.socket.all('resync').length;
}
