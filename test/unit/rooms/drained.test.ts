// Sockets of other libraries that are accepted while rooms are drained, or after that.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Rooms } from '../../../ts/rooms/index.ts';
import { FakeClient, FakeSocket } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
let rooms: Rooms;
beforeEach(() => {
  stage = new Stage();
  rooms = stage.alone();
});
afterEach(() => stage.mesh.stop());

describe.each([
  ['during', async () => void rooms.drain({ over: 60_000, to: 'ws://elsewhere' })],
  ['after', () => rooms.drain({ over: 0, to: 'ws://elsewhere' })],
])('%s a drain', (when, drain) => {
  it.each(['client', 'plain socket'])('a new %s is sent elsewhere', async (what) => {
    if (when === 'during') for (let count = 0; count < 2; count++) rooms.accept(new FakeClient());
    await drain();
    const socket = what === 'client' ? new FakeClient() : new FakeSocket();
    const connection = rooms.accept(socket, { key: 'ann' });
    expect([connection.isOpen, socket.closed]).toEqual([
      false,
      { code: 1012, reason: 'the server restarts' },
    ]);
    expect(socket.sent).toEqual(what === 'client' ? ['["drain","ws://elsewhere"]'] : []);
    await stage.mesh.settle();
    expect(rooms.stats().connections).toBe(when === 'during' ? 1 : 0);
  });
});

it.each([
  '',
  'elsewhere',
  '/rooms',
  'ftp://elsewhere',
  'ws://',
  'ws:///elsewhere',
  'ws://?elsewhere',
  'ws://elsewhere#part',
  1,
])('a drain to %j, which clients cannot connect to, is refused, and closes nothing', (to) => {
  const refused = expect.objectContaining({
    code: 'SNOW_ERR_BAD_OPTION',
    message: expect.stringContaining('option to is'),
  });
  expect(() => rooms.drain({ to: to as string })).toThrow(refused);
  const socket = new FakeSocket();
  rooms.accept(socket);
  expect(socket.closed).toBeUndefined();
});
