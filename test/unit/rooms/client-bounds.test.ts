// What clients and peers can make a node hold, or do again and again.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Runtime } from '../../../ts/actor/index.ts';
import type { ResumeRoom } from '../../../ts/client/index.ts';
import type { Connection } from '../../../ts/rooms/index.ts';
import {
  DEFAULT_RESUME,
  MAX_RETURNING,
  MAX_WAITING_BYTES,
  RESUMED_PER_TURN,
} from '../../../ts/rooms/limits.ts';
import { isExcept, parseMessage } from '../../../ts/rooms/messages.ts';
import { PresenceTable } from '../../../ts/rooms/presence-table.ts';
import { RoomTable } from '../../../ts/rooms/room-table.ts';
import { turns, until } from '../../support/deadline.ts';
import { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => {
  vi.restoreAllMocks();
  return stage.mesh.stop();
});

it('the rooms whose former members may reconnect are limited: the longest waits are ended, and peers are told', () => {
  const stopped = { now: () => 0, after: () => () => {} } as unknown as Runtime;
  const unwanted: string[] = [];
  const table = new RoomTable(stopped, 'origin', DEFAULT_RESUME, {
    unwanted(room) {
      unwanted.push(room.name);
      room.isAnnounced = false; // as when peers were told
    },
    backupDropped: () => {},
  });
  for (let number = 0; number < MAX_RETURNING + 10; number++) {
    const room = table.getOrCreate(`r${number}`);
    room.isAnnounced = true;
    table.awaitReturn(room);
    if (number === 4) room.addMember({} as never); // has a member again
    if (number === MAX_RETURNING - 1) table.awaitReturn(table.getOrCreate('r0')); // once more
  }
  expect(table.size).toBe(MAX_RETURNING + 1);
  expect(unwanted).toEqual([1, 2, 3, 5, 6, 7, 8, 9, 10].map((number) => `r${number}`));
});

it('a client that sends nothing is closed after 10 s, and one that said hello is not', async () => {
  const rooms = stage.alone();
  const silent = new FakeClient();
  rooms.accept(silent);
  await stage.mesh.pass(5000);
  const { socket } = await stage.client(rooms);
  await stage.mesh.pass(4999);
  expect([silent.closed, socket.closed]).toEqual([undefined, undefined]);
  await stage.mesh.pass(1);
  expect(silent.closed?.code).toBe(1008);
  await stage.mesh.pass(10_000);
  expect(socket.closed).toBeUndefined();
});

it('a client that joins again and again makes the server encode the presence once', async () => {
  const rooms = stage.alone({ join: () => true });
  const { connection } = await stage.plain(rooms, ['g'], 'ann');
  connection.track('g', { at: 1 });
  await stage.mesh.settle();
  const listed = vi.spyOn(PresenceTable.prototype, 'entryText');
  const { socket } = await stage.client(rooms, { joins: ['g'] });
  for (let ref = 2; ref < 40; ref += 2) {
    socket.tell(['leave', ref, 'g']);
    socket.tell(['join', ref + 1, 'g']);
  }
  await stage.mesh.settle();
  expect(socket.all('present')).toHaveLength(20);
  expect(listed).toHaveBeenCalledTimes(1);
  connection.track('g', { at: 2 });
  socket.tell(['leave', 98, 'g']);
  socket.tell(['join', 99, 'g']);
  await stage.mesh.settle();
  expect(socket.all('present').at(-1)).toEqual(['present', 'g', [{ key: 'ann', metas: [{ at: 2 }] }]]);
});

it('a join encodes only the keys of a presence that have changed since the last one', async () => {
  const rooms = stage.alone({ join: () => true });
  const encoded = vi.spyOn(PresenceTable.prototype, 'entryText');
  const tracked: Connection[] = [];
  for (let number = 0; number < 50; number++) {
    const { connection } = await stage.plain(rooms, ['g'], `u"${number}`);
    connection.track('g', { number });
    tracked.push(connection);
    const { socket } = await stage.client(rooms, { joins: ['g'] });
    expect(socket.all('present')).toEqual([['present', 'g', rooms.presence('g').entries()]]);
    socket.drop();
  }
  expect(encoded).toHaveBeenCalledTimes(50);
  tracked[0]?.untrack('g');
  tracked[1]?.track('g', 'new');
  const { socket } = await stage.client(rooms, { joins: ['g'] });
  expect(encoded).toHaveBeenCalledTimes(52);
  expect(socket.all('present')).toEqual([['present', 'g', rooms.presence('g').entries()]]);
});

it('a peer cannot send many exceptions, or one that is longer than a key, because only payloads count as kept bytes', () => {
  const told = (except: unknown) =>
    parseMessage(['told', 1, 'g', [['o', 1, 0, 0, new Uint8Array(1), except, 0]], [], [], [], []]);
  const many = (count: number) => Array.from({ length: count }, (_, index) => `#${index}`);
  for (const except of [['#id'], ['@ann'], [`@${'x'.repeat(255)}`], many(64)]) {
    expect(isExcept(except)).toBe(true);
    expect(told(except)).toBeDefined();
  }
  for (const except of [[`@${'x'.repeat(256)}`], many(65)]) {
    expect(isExcept(except)).toBe(false);
    expect(told(except)).toBeUndefined();
  }
});

describe('a message that names very many rooms', () => {
  const NAMED: readonly ResumeRoom[] = Array.from({ length: 2000 }, (_, index) => [`r${index}`, '', {}]);

  /** The answers that come in each turn of the event loop, until there are `count`. */
  async function answersByTurn({ sent }: FakeClient, count: number): Promise<number[]> {
    const counts: number[] = [];
    for (let before = sent.length; before < count; before = sent.length) {
      await turns(1);
      counts.push(sent.length - before);
    }
    return counts;
  }

  it('is answered in many turns of the event loop, so that nobody else waits', async () => {
    const rooms = stage.alone();
    const { socket } = await stage.client(rooms);
    for (let message = 0; message < 5; message++) socket.tell(['resume', NAMED]);
    const counts = await answersByTurn(socket, 5 * NAMED.length);
    expect(Math.max(...counts)).toBeLessThanOrEqual(2 * RESUMED_PER_TURN);
    expect(socket.closed).toBeUndefined();
  });

  it('is not answered further while the client does not read, nor after its end', async () => {
    const bufferBytes = 10_000;
    const rooms = stage.alone({ limits: { bufferBytes } });
    const { socket, connection } = await stage.client(rooms);
    socket.isStuck = true;
    for (let message = 0; message < 5; message++) socket.tell(['resume', NAMED]);
    await until('it waits for its client', () => connection.waiting > bufferBytes);
    await turns();
    expect([connection.isOpen, connection.waiting < 2 * bufferBytes]).toEqual([true, true]);
    const answers = vi.spyOn(connection, 'notify');
    socket.drop();
    await stage.mesh.settle();
    expect(answers).not.toHaveBeenCalled();
    expect(rooms.stats().connections).toBe(0);
  });
});

it('a client whose handler is slow is read no further when long messages wait, and again later', async () => {
  const handled: (() => void)[] = [];
  const rooms = stage.alone({ message: () => new Promise<void>((done) => void handled.push(done)) });
  const { socket } = await stage.client(rooms);
  let sent = 0;
  while (!socket.isHeld && sent < 100) socket.tell(['send', ++sent, 'x'.repeat(60_000)]);
  expect(sent).toBe(Math.ceil(MAX_WAITING_BYTES / 60_000));
  await until('the first is handled', () => handled.length === 1);
  handled[0]?.();
  await until('the second is handled', () => handled.length === 2);
  expect(socket.isHeld).toBe(false);
});
