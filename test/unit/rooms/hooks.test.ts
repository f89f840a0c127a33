// What hooks and listeners of users do at bad moments: too late, in the middle of a delivery, or again from within.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Connection } from '../../../ts/rooms/index.ts';
import { deferred } from '../../support/deadline.ts';
import { FakeClient, FakeSocket } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

it('R2 a client whose join is allowed after its socket was closed is no member', async () => {
  const allowed = deferred<boolean>();
  const rooms = stage.alone({ join: (_connection, room) => room === 'at once' || allowed.promise });
  const { socket, connection } = await stage.client(rooms);
  socket.tell(['join', 1, 'later']);
  await stage.mesh.settle();
  socket.tell(['join', 2, 'at once']);
  socket.drop();
  allowed.resolve(true);
  await stage.mesh.settle();
  expect(stage.node(0).runtime.isAlive(connection.pid)).toBe(false);
  expect(['later', 'at once'].map((room) => rooms.members(room).local)).toEqual([0, 0]);
  expect(connection.rooms).toEqual([]);
});
