// Clients that read too slowly, and clients that are gone without a word.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startNode } from '../../../ts/node/index.ts';
import { createRooms, type SlowPolicy } from '../../../ts/rooms/index.ts';
import { turns, until } from '../../support/deadline.ts';
import { Tap } from '../../support/websocket.ts';
import { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

const KIB = 'x'.repeat(1024);

describe('a client that does not read', () => {
  it.each<SlowPolicy>(['drop-new', 'drop-old', 'close'])(
    'R10 is treated by the policy %s, and delays nobody',
    async (slow) => {
      const rooms = stage.alone({ limits: { slow, bufferBytes: 100 * 1024 } });
      const told: unknown[] = [];
      rooms.on('slow', (connection, dropped) => void told.push([connection.id, dropped]));
      const { socket: stuck, connection } = await stage.plain(rooms, ['g']);
      const { socket: reads } = await stage.plain(rooms, ['g']);
      stuck.isStuck = true;
      for (let number = 0; number < 400; number++) {
        rooms.broadcast('g', `${number} ${KIB}`);
        await turns(1);
      }
      expect(reads.sent).toHaveLength(400);
      expect(connection.waiting).toBeLessThanOrEqual(100 * 1024);
      expect(told.length).toBeGreaterThan(0);
      if (slow === 'close') {
        await stage.mesh.pass(1500);
        expect([
          stuck.closed?.code === 1013 || stuck.closed?.code === 1006,
          rooms.members('g').local,
        ]).toEqual([true, 1]);
        expect(rooms.stats().closedSlow).toBe(1);
        return;
      }
      const before = stuck.sent.length;
      stuck.isStuck = false;
      stuck.bufferedAmount = 0;
      await until('it has what was kept', () => connection.waiting === 0);
      const numbers = stuck.sent.map((text) => Number(String(text).split(' ')[0]));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      expect(numbers.length + rooms.stats().dropped).toBe(400);
      // The newest is kept by the one, lost by the other.
      expect(numbers.at(-1) === 399).toBe(slow === 'drop-old');
      expect(numbers.length).toBeGreaterThan(before);
    },
  );

  it('is told how many messages were dropped', async () => {
    const rooms = stage.alone({ join: () => true, limits: { slow: 'drop-new', bufferBytes: 80 * 1024 } });
    const { socket } = await stage.client(rooms, { joins: ['g'] });
    socket.isStuck = true;
    for (let number = 0; number < 200; number++) {
      rooms.broadcast('g', KIB);
      await turns(1);
    }
    socket.isStuck = false;
    socket.bufferedAmount = 0;
    await until('it is told', () => socket.all('lost').length > 0);
    const [[, lost] = ['lost', 0]] = socket.all('lost');
    expect(lost + socket.data('g').length).toBe(200);
  });

  it('R10 on a real socket does not make buffers grow, whatever is sent to it', async () => {
    const node = await startNode();
    const rooms = createRooms(node, {
      open: (connection) => connection.join('g'),
      limits: { slow: 'drop-new' },
    });
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    rooms.attach(server);
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/rooms`;
    const [stuck, reads] = [await Tap.open(url), await Tap.open(url)];
    await until('both are members', () => rooms.members('g').local === 2);
    stuck.socket.pause();
    const text = 'y'.repeat(64 * 1024);
    for (let number = 0; number < 400; number++) {
      rooms.broadcast('g', text);
      if (number % 10 === 9) await reads.count(number + 1);
    }
    const waiting = rooms.localMembers('g').map((connection) => connection.waiting);
    expect(Math.max(...waiting)).toBeLessThanOrEqual(1024 * 1024 + 2 * text.length);
    expect(rooms.stats().dropped).toBeGreaterThan(0);
    stuck.socket.terminate();
    rooms.close();
    server.closeAllConnections();
    server.close();
    await node.stop();
  });
});

describe('a silent client', () => {
  /** One that a server can ping. */
  class Pinged extends FakeClient {
    pings = 0;
    ping(): void {
      this.pings++;
    }
  }

  async function two(intervalMs: number) {
    const rooms = stage.alone({ heartbeat: { intervalMs } });
    const [dead, alive] = [new Pinged(), new Pinged()];
    for (const socket of [dead, alive]) {
      rooms.accept(socket);
      socket.hello();
    }
    await stage.mesh.settle();
    return { rooms, dead, alive };
  }

  it('is pinged after an interval and ended after another; one that answers stays', async () => {
    const { rooms, dead, alive } = await two(16_000);
    for (let second = 0; second < 60; second++) {
      alive.emit('pong');
      await stage.mesh.pass(1000);
    }
    expect([dead.closed?.code, alive.closed, alive.pings > 0]).toEqual([1006, undefined, true]);
    expect(rooms.stats().connections).toBe(1);
  });

  it('is not ended before what arrived while the event loop was blocked is read', async () => {
    const { alive } = await two(16_000);
    for (let second = 0; alive.pings === 0 && second < 16; second++) await stage.mesh.pass(1000);
    expect(alive.pings).toBe(1);
    await stage.mesh.pass(15_000);
    const { clock } = stage.node(0).kit;
    clock.skip(1000);
    while (clock.step(clock.now())); // timers fire before the sockets are read
    alive.emit('pong');
    await stage.mesh.settle();
    expect([alive.pings, alive.closed]).toEqual([2, undefined]);
    await stage.mesh.pass(16_000);
    expect(alive.closed?.code).toBe(1006);
  });

  it('is not checked twice if two ticks come before the next read', async () => {
    const { dead } = await two(16_000);
    const { clock } = stage.node(0).kit;
    for (let pair = 0; pair < 8 && dead.pings === 0; pair++) {
      for (let beat = 0; beat < 2; beat++) {
        clock.skip(1000);
        while (clock.step(clock.now()));
      }
      await stage.mesh.settle();
    }
    expect([dead.pings, dead.closed]).toEqual([1, undefined]);
  });

  it('is not ended while its socket is not read, because its handler has not caught up', async () => {
    let go = (): void => {};
    const rooms = stage.alone({
      heartbeat: { intervalMs: 16_000 },
      limits: { waiting: 2 },
      message: () => new Promise<void>((done) => (go = done)),
    });
    const socket = new Pinged();
    rooms.accept(socket);
    socket.hello();
    for (const number of [1, 2]) socket.tell(['send', number, 'x']);
    await stage.mesh.settle();
    await stage.mesh.pass(100_000);
    expect([socket.isHeld, socket.closed]).toEqual([true, undefined]);
    go();
    await stage.mesh.settle();
    expect(socket.isHeld).toBe(false);
    await stage.mesh.pass(15_000); // it has an interval to answer
    expect(socket.closed).toBeUndefined();
    await stage.mesh.pass(32_000);
    expect(socket.closed?.code).toBe(1006);
  });

  it('is not ended because of the time in which the server itself was blocked', async () => {
    const { dead, alive } = await two(16_000);
    await stage.mesh.pass(15_000);
    stage.node(0).kit.clock.skip(120_000); // nothing ran
    await stage.mesh.pass(1000);
    expect([dead.closed, alive.closed]).toEqual([undefined, undefined]);
    for (let second = 0; second < 60; second++) {
      alive.emit('pong');
      await stage.mesh.pass(1000);
    }
    expect([dead.closed?.code, alive.closed]).toEqual([1006, undefined]);
  });
});
