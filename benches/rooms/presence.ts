// The presence of one room with many connections, and of many rooms with one: what each takes in memory, and what a change costs.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Connection, createRooms, type RoomSocket, type Rooms } from '../../ts/rooms/index.ts';
import {
  type BenchCase,
  collectGarbage,
  type Round,
  type Running,
  type Settings,
  timed,
} from '../harness.ts';
import { openLab } from '../lab.ts';

interface Size {
  readonly name: string;
  readonly about: string;
  /** Connections that are tracked, each under a key of its own. */
  readonly count: number;
  room(number: number): string;
}

const SIZES: readonly Size[] = [
  ...[1000, 10_000].map((count) => ({
    name: `${count}-in-one`,
    about: `${count} connections in one room`,
    count,
    room: () => 'room',
  })),
  ...[10_000, 100_000].map((count) => ({
    name: `${count}-rooms-of-one`,
    about: `one connection in each of ${count} rooms`,
    count,
    room: (number: number) => `room ${number}`,
  })),
];

export const roomPresence: readonly BenchCase[] = SIZES.map((size) => ({
  name: `rooms/presence_${size.name}`,
  about: `The presence of ${size.about}: bytes for each, and the CPU of a join and of a change of its meta, with a listener.`,
  rounds: 3,
  open: (settings) => openPresence(size, settings),
}));

/** It accepts all output and sends nothing. */
const SOCKET: RoomSocket = { send() {}, close() {} };
const CHANGES = 2000;

async function openPresence(size: Size, settings: Settings): Promise<Running> {
  const lab = await openLab();
  const rooms = createRooms(lab);
  const count = settings.quick ? 100 : size.count;
  const connections: Connection[] = [];
  for (let number = 0; number < count; number++)
    connections.push(rooms.accept(SOCKET, { key: `user ${number}` }));
  await nextTurn();
  return {
    round: () => oneRound(rooms, connections, size),
    stop: async () => {
      rooms.close();
      await lab.stop();
    },
  };
}

async function oneRound(rooms: Rooms, connections: readonly Connection[], size: Size): Promise<Round> {
  let heard = 0;
  const off = rooms
    .presence(size.room(0))
    .onDiff(({ joins, updates }) => (heard += joins.length + updates.length));
  collectGarbage();
  const before = process.memoryUsage();
  const join = await timed(async () => {
    for (const [number, connection] of connections.entries()) {
      connection.track(size.room(number), { name: 'somebody' });
      if (number % 100 === 99) await nextTurn();
    }
    await nextTurn();
  });
  collectGarbage();
  const after = process.memoryUsage();
  const change = await timed(async () => {
    for (let number = 0; number < CHANGES; number++) {
      const at = (number * 7919) % connections.length;
      connections[at]?.track(size.room(at), { name: 'somebody', number });
      await nextTurn();
    }
  });
  for (const [number, connection] of connections.entries()) connection.untrack(size.room(number));
  await nextTurn();
  off();
  if (heard === 0) throw new Error('no diff was told');
  const bytes = after.heapUsed + after.external - before.heapUsed - before.external;
  return {
    memory: { value: bytes / connections.length, unit: 'bytes' },
    join_cpu: { value: (join.cpu / connections.length) * 1e6, unit: 'us' },
    change_cpu: { value: (change.cpu / CHANGES) * 1e6, unit: 'us' },
  };
}
