// What connections that do nothing take in memory, once everything else is collected.
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SUBPROTOCOL } from '../../../ts/client/index.ts';
import type { ChannelPeer } from '../../../ts/node/index.ts';
import type { Rooms } from '../../../ts/rooms/index.ts';
import { Interest } from '../../../ts/rooms/interest.ts';
import { DEFAULT_RESUME, PART } from '../../../ts/rooms/limits.ts';
import type { InterestEntry } from '../../../ts/rooms/messages.ts';
import { Peers } from '../../../ts/rooms/peers.ts';
import { PresenceService } from '../../../ts/rooms/presence.ts';
import { PresenceTable } from '../../../ts/rooms/presence-table.ts';
import { RoomTable, type RoomTableListener } from '../../../ts/rooms/room-table.ts';
import { RoomsPeer } from '../../../ts/rooms/rooms-peer.ts';
import { TestRuntime } from '../../../ts/testing/index.ts';
import { Stage } from './stage.ts';

const MANY = 5000;
const silent: RoomTableListener = { unwanted() {}, backupDropped() {} };

/** It emits events as a socket of `ws` does, and keeps nothing. */
class QuietSocket extends EventEmitter {
  readonly protocol: string;

  constructor(protocol: string) {
    super();
    this.protocol = protocol;
  }

  send(): void {}

  close(): void {}

  say(message: readonly unknown[]): void {
    this.emit('message', Buffer.from(JSON.stringify(message)), false);
  }
}

let stage: Stage;
let rooms: Rooms;
beforeEach(() => {
  stage = new Stage();
  rooms = stage.alone({ join: () => true });
});
afterEach(() => stage.mesh.stop());

function heap(): number {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error('run with --expose-gc');
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

/** Bytes of a connection, without its socket, after its client has said this. */
async function bytesEach(protocol: string, said: readonly (readonly unknown[])[]): Promise<number> {
  const sockets = Array.from({ length: MANY }, () => new QuietSocket(protocol));
  for (const socket of sockets) for (const event of ['message', 'close']) socket.on(event, () => {});
  const before = heap();
  for (const [index, socket] of sockets.entries()) {
    rooms.accept(socket);
    for (const message of said) socket.say(message);
    if (index % 500 === 499) await stage.mesh.settle();
  }
  await stage.mesh.settle();
  const bytes = (heap() - before) / MANY;
  expect(rooms.stats().connections).toBe(MANY);
  expect([...rooms.connections()].every(({ isOpen }) => isOpen)).toBe(true);
  return bytes;
}

const HELLO = ['hello', null, [], false, 0];

describe('memory of an idle connection', () => {
  it('takes less than 1100 bytes when it is plain', async () => {
    expect(await bytesEach('', [])).toBeLessThan(1100);
  });

  it('takes less than 1150 bytes after the hello of its client', async () => {
    expect(await bytesEach(SUBPROTOCOL, [HELLO])).toBeLessThan(1150);
  });

  it('takes less than 1250 bytes if it is also in a room', async () => {
    expect(await bytesEach(SUBPROTOCOL, [HELLO, ['join', 1, 'room']])).toBeLessThan(1250);
    expect(rooms.members('room').local).toBe(MANY);
  });
});

describe('memory of a connection in a presence', () => {
  it.each([
    ['one room of many', (_number: number) => 'g'],
    ['many rooms of one', (number: number) => `r${number}`],
  ])('is less than 600 bytes in %s', (_what, roomOf) => {
    const owner = {};
    const texts = Array.from({ length: 8 * MANY }, (_, number) => [
      roomOf(number),
      `k${number}`,
      `c${number}`,
    ]);
    const table = new PresenceTable();
    const before = heap();
    for (const [room, key, connection] of texts as [string, string, string][])
      table.set(owner, room, key, connection, '{}');
    table.takeChanges();
    const bytes = (heap() - before) / texts.length;
    expect(table.count(owner)).toBe(texts.length);
    expect(bytes).toBeLessThan(600);
  });

  it('is given back when it leaves a room that was shown before and that nobody joins here', async () => {
    const { runtime } = stage.node(0);
    const peers = { sendAll: () => {} } as never;
    const presence = new PresenceService(runtime, peers, new RoomTable(runtime, 'o', DEFAULT_RESUME, silent));
    const peer = {} as never;
    const users = Array.from({ length: 10 }, (_, number) => [`u${number}`, `c${number}`] as const);
    presence.received(
      peer,
      users.map(([key, connection]) => ['g', key, connection, '{}']),
    );
    let shown = 0;
    presence.show({ mayQueue: true, notifyFrames: () => shown++ } as never, 'g');
    expect(shown).toBe(1);
    const pass = async (from: number): Promise<void> => {
      for (let number = from; number < from + 4 * MANY; number++) {
        presence.received(peer, [['g', `k${number}`, `d${number}`, '{}']]);
        presence.received(peer, [['g', `k${number}`, `d${number}`, null]]);
      }
      await nextTurn(); // then the changes are told
    };
    await pass(0);
    const before = heap();
    await pass(4 * MANY);
    expect((heap() - before) / (4 * MANY)).toBeLessThan(10);
    expect(presence.of('g').size).toBe(users.length);
  });
});

describe('memory of a room that only a peer wants', () => {
  it.each([
    ['400 bytes with a short name', 10, 400],
    ['640 bytes with the longest name', 255, 640],
  ])('is less than %s', (_what, length, most) => {
    const { runtime } = new TestRuntime();
    const table = new RoomTable(runtime, 'origin', DEFAULT_RESUME, silent);
    const interest = new Interest(runtime, table, new Peers(runtime), 0, undefined);
    const peer = new RoomsPeer({} as ChannelPeer);
    const before = heap();
    for (let told = 0; told < 8 * MANY; told += PART) {
      const names = Array.from({ length: PART }, (_, at) =>
        Buffer.from(`${told + at}`.padStart(length, 'x')),
      );
      interest.received(
        peer,
        names.map((name): InterestEntry => [name.toString(), 1]),
      );
    }
    const bytes = (heap() - before) / peer.rooms.size;
    expect([table.size, peer.rooms.size]).toEqual([8 * MANY, 8 * MANY]);
    expect(bytes).toBeLessThan(most);
  });
});
