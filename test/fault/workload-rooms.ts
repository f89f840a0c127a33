// What a node of the chaos of rooms does: it serves clients, and broadcasts numbered messages without a break.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Rooms } from '../../ts/rooms/index.ts';
import type { Workbench } from '../support/cluster-node.ts';

export const ROOMS = ['g', 'h'] as const;

/** What one life of a node has broadcast. */
export interface Life {
  readonly life: string;
  /** How many, by room. */
  readonly sent: Readonly<Record<string, number>>;
}

export interface RoomWorkload {
  readonly url: string;
  readonly rooms: Rooms;
  /** Ends the broadcasts with one more in each room. */
  finish(): Life;
}

/** @param life names this start of the node in what it broadcasts: `life number`. */
export async function startRooms(bench: Workbench, life: string): Promise<RoomWorkload> {
  const { serveRooms } = (await bench.load('./room-server')) as typeof import('../support/room-server.ts');
  const { rooms, url } = await serveRooms(bench.node, {
    message: async (connection, text) => {
      // Some handlers are slow and then crash, while other messages of their client wait.
      const isBad = Number(String(text).split(' ')[1]) % 10 === 3;
      if (isBad) await sleep(400);
      connection.broadcast('h', text);
      if (isBad) throw new Error('on purpose');
    },
    resume: { count: 10_000, bytes: 8 * 1024 * 1024 },
    limits: { messagesPerSecond: 1000 },
  });
  const sent: Record<string, number> = {};
  const broadcast = (room: string): void => {
    const number = sent[room] ?? 0;
    sent[room] = number + 1;
    rooms.broadcast(room, `${life} ${number}`);
  };
  let turn = 0;
  const timer = setInterval(() => {
    for (let count = turn % 7 === 0 ? 5 : 1; count > 0; count--) broadcast(ROOMS[turn % 2] as string);
    turn++;
  }, 15);
  return {
    url,
    rooms,
    finish() {
      clearInterval(timer);
      for (const room of ROOMS) broadcast(room);
      return { life, sent };
    },
  };
}
