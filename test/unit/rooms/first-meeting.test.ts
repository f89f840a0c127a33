// Two nodes that meet for the first time: what one of them has broadcast before, and members on the other one have missed.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRooms, type Rooms, type RoomsOptions } from '../../../ts/rooms/index.ts';
import { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

/** All nodes know the second one; the first and the third have not met yet. */
async function split(options: RoomsOptions = {}): Promise<Rooms[]> {
  const rooms = stage.nodes.map((node) => createRooms(node, { join: () => true, ...options }));
  stage.mesh.connect(stage.node(0), stage.node(1));
  stage.mesh.connect(stage.node(1), stage.node(2));
  await stage.plain(rooms[1] as Rooms, ['g', 'other']); // the first node has somebody to broadcast to
  return rooms;
}

async function meet(): Promise<void> {
  stage.mesh.connect(stage.node(0), stage.node(2));
  await stage.mesh.settle();
}

describe('R4 a node that broadcast before it met another one', () => {
  it('tells members resync that were there, and they get what follows', async () => {
    const [first, , third] = await split();
    const { socket } = await stage.client(third as Rooms, { joins: ['g'] });
    await stage.mesh.pass(1000);
    first?.broadcast('g', 1);
    await meet();
    expect([socket.all('resync').length, socket.data('g')]).toEqual([1, []]);
    first?.broadcast('g', 2);
    await stage.mesh.settle();
    expect([socket.all('resync').length, socket.data('g')]).toEqual([1, [2]]);
  });

  it('tells a client resync that was away meanwhile, and has never heard of it', async () => {
    const rooms = stage.nodes.map((node) => createRooms(node, { join: () => true }));
    const [first, second, third] = rooms as [Rooms, Rooms, Rooms];
    stage.mesh.connect(stage.node(1), stage.node(2));
    await stage.plain(first, ['g']);
    const { socket: before } = await stage.client(second, { joins: ['g'] });
    before.drop();
    await stage.mesh.pass(1000);
    first.broadcast('g', 1);
    await stage.mesh.pass(1000);
    const { socket } = await stage.back(third, before, ['g'], { awayMs: 2000 });
    await stage.mesh.pass(1000);
    await meet();
    expect([socket.all('resync').length, socket.data('g')]).toEqual([1, []]);
  });

  it('tells members nothing that came later, in a room that is new here, or that it did not broadcast in', async () => {
    const [first, , third] = await split();
    first?.broadcast('g', 1);
    first?.broadcast('other', 1);
    await stage.mesh.pass(1000);
    const { socket } = await stage.client(third as Rooms, { joins: ['g', 'quiet'] });
    await stage.mesh.pass(1000);
    await meet();
    await stage.plain(third as Rooms, ['other']);
    expect([socket.all('resync'), socket.data('g')]).toEqual([[], []]);
  });

  it.each(['still has', 'no longer has'])(
    'tells members resync also for what is older than the window, when it %s the room',
    async (has) => {
      const [first, second, third] = await split({ resume: { windowMs: 10_000 } });
      const { socket } = await stage.client(third as Rooms, { joins: ['g'] });
      await stage.mesh.pass(1000);
      first?.broadcast('g', 1);
      if (has === 'no longer has') for (const connection of second?.connections() ?? []) connection.close();
      await stage.mesh.pass(20_000); // no heartbeat is due
      await meet();
      expect([socket.all('resync').length, socket.data('g')]).toEqual([1, []]);
    },
  );

  it('tells members resync also when it is lost before it has said what they missed', async () => {
    const { mesh } = stage;
    const [first, , third] = await split();
    const { socket } = await stage.client(third as Rooms, { joins: ['g'] });
    await mesh.pass(1000);
    first?.broadcast('g', 1);
    const [one, other] = [stage.node(0), stage.node(2)];
    let asked = 0;
    mesh.onSend = (from, to, value) => {
      if (from === other && to === one && (value as unknown[])[0] === 'ask') asked++;
    };
    mesh.connect(one, other);
    while (asked === 0) if (!mesh.deliver(one, other) && !mesh.deliver(other, one)) await nextTurn();
    mesh.cut(one, other);
    await mesh.settle();
    await meet();
    first?.broadcast('g', 2);
    await mesh.settle();
    expect([socket.all('resync').length, socket.data('g')]).toEqual([1, [2]]);
  });

  it('tells members resync also for what is too long to be kept', async () => {
    const [first, , third] = await split({ resume: { bytes: 1000 } });
    const { socket } = await stage.client(third as Rooms, { joins: ['g'] });
    await stage.mesh.pass(1000);
    first?.broadcast('g', 'x'.repeat(2000));
    await meet();
    expect(socket.all('resync')).toHaveLength(1);
  });

  it('tells members nothing without a window', async () => {
    const [first, , third] = await split({ resume: { windowMs: 0 } });
    const { socket } = await stage.client(third as Rooms, { joins: ['g'] });
    await stage.mesh.pass(1000);
    first?.broadcast('g', 1);
    await meet();
    expect(socket.all('resync')).toEqual([]);
  });
});

describe('R15 nodes that are connected, and have not heard of each other yet', () => {
  it.each([
    ['are not told of a broadcast that went to nobody', 0],
    ['are told resync when it went to others', 1],
  ])('%s', async (_what, told) => {
    const [first, second, third] = stage.nodes.map((node) => createRooms(node, { join: () => true }));
    stage.mesh.connect(stage.node(0), stage.node(1));
    if (told > 0) await stage.plain(second as Rooms, ['g']);
    const socket = new FakeClient();
    const connection = (third as Rooms).accept(socket);
    socket.hello();
    stage.mesh.connect(stage.node(0), stage.node(2)); // the hellos are on their way
    await connection.join('g');
    for (const { kit } of stage.nodes) kit.clock.skip(1);
    first?.broadcast('g', 1);
    await stage.mesh.settle();
    first?.broadcast('g', 2);
    await stage.mesh.settle();
    expect([socket.all('resync').length, socket.data('g')]).toEqual([told, [2]]);
  });
});
