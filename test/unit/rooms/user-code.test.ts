// What a listener or a socket of a user throws harms no other connection, and leaves nothing behind.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RoomsEvents } from '../../../ts/rooms/index.ts';
import { FakeSocket } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

const oops = (): never => {
  throw new Error('oops');
};

it('a listener for the end of connections that throws', async () => {
  const rooms = stage.alone();
  const { socket: first, connection } = await stage.plain(rooms, ['g']);
  const { socket: second } = await stage.plain(rooms, ['g']);
  rooms.on('close' satisfies keyof RoomsEvents, oops);
  first.drop();
  await stage.mesh.settle();
  expect(rooms.members('g').local).toBe(1);
  const { runtime, kit } = { runtime: stage.node(0).runtime, kit: stage.node(0).kit };
  expect(runtime.isAlive(connection.pid)).toBe(false);
  rooms.close();
  expect(second.closed?.code).toBe(1001);
  expect(kit.logs.filter(({ facts }) => facts['event'] === 'callback_failed')).toHaveLength(2);
});

it('a listener for slow clients that throws', async () => {
  const rooms = stage.alone({ limits: { bufferBytes: 1024 } });
  rooms.on('slow', oops);
  const { socket: stuck } = await stage.plain(rooms, ['g']);
  const { socket: other } = await stage.plain(rooms, ['g']);
  stuck.isStuck = true;
  const text = 'x'.repeat(1000);
  for (let number = 0; number < 3; number++) {
    rooms.broadcast('g', text);
    await stage.mesh.settle();
  }
  expect(stuck.closed?.code).toBe(1013);
  expect(other.sent).toEqual([text, text, text]);
});

class Broken extends FakeSocket {
  isBroken = false;

  override send(data: string | Uint8Array): void {
    if (this.isBroken) oops();
    super.send(data);
  }

  ping(): void {
    if (this.isBroken) oops();
  }

  override close(code?: number, reason?: string): void {
    if (this.isBroken) oops();
    super.close(code, reason);
  }
}

it('a socket that throws when it is written to', async () => {
  const rooms = stage.alone();
  const broken = new Broken();
  const first = rooms.accept(broken);
  const { socket: other } = await stage.plain(rooms, ['g']);
  await first.join('g');
  const { socket: last } = await stage.plain(rooms, ['g']);
  const ends: unknown[] = [];
  rooms.on('close', (connection, why) => ends.push([connection.id, why.reason]));
  broken.isBroken = true;
  for (const text of ['a', 'b']) {
    rooms.broadcast('g', text);
    await stage.mesh.settle();
  }
  expect([other.sent, last.sent]).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ]);
  expect(ends).toEqual([[first.id, 'its socket failed']]);
  expect(rooms.members('g').local).toBe(2);
});

it('a socket that throws when it is pinged, or closed', async () => {
  const rooms = stage.alone({ heartbeat: { intervalMs: 16_000 } });
  const broken = new Broken();
  rooms.accept(broken);
  const { socket: other } = await stage.plain(rooms, ['g']);
  broken.isBroken = true;
  await stage.mesh.pass(60_000);
  expect(rooms.stats().connections).toBe(1);
  rooms.broadcast('g', 'x');
  await stage.mesh.settle();
  expect(other.sent).toEqual(['x']);
});
