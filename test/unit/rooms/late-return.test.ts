// Clients that come back late, or to a node with other limits, as during a deploy.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Rooms } from '../../../ts/rooms/index.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

it.each([0, 1])('R19 what was handled before a long sleep is not handled again on node %i', async (index) => {
  const handled: unknown[] = [];
  const rooms = await stage.cluster({
    resume: { windowMs: 1000 },
    message: (_connection, data) => void handled.push(data),
  });
  const { socket: before } = await stage.client(rooms[0]);
  before.tell(['send', 1, 'before the sleep']);
  await stage.mesh.settle();
  before.drop(); // its client has not read the acknowledgement
  await stage.mesh.pass(60_000);
  const { socket } = await stage.back(rooms[index] as Rooms, before, [], { awayMs: 60_000 });
  socket.tell(['send', 1, 'before the sleep']);
  socket.tell(['send', 2, 'after it']);
  await stage.mesh.settle();
  expect([socket.all('welcome')[0]?.[1].last, handled]).toEqual([1, ['before the sleep', 'after it']]);
});
