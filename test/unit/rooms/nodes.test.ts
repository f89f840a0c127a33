import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRooms, type Rooms } from '../../../ts/rooms/index.ts';
import type { FakeNode } from '../global/fake-mesh.ts';
import { FakeSocket } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

describe('rooms on three nodes', () => {
  it('R5, R6 deliver a broadcast to each member once, on every node', async () => {
    const rooms = await stage.cluster();
    const sockets: FakeSocket[] = [];
    for (const each of rooms)
      sockets.push((await stage.plain(each, ['g'])).socket, (await stage.plain(each, ['g'])).socket);
    rooms[1].broadcast('g', 'x');
    rooms[0].broadcast('h', 'nobody');
    await stage.mesh.settle();
    expect(sockets.map(({ sent }) => sent)).toEqual(sockets.map(() => ['x']));
  });

  it('R5 never forward a broadcast', async () => {
    const rooms = stage.nodes.map((node) => createRooms(node));
    stage.mesh.connect(stage.node(0), stage.node(1));
    stage.mesh.connect(stage.node(1), stage.node(2));
    await stage.mesh.settle();
    const { socket: b } = await stage.plain(rooms[1] as Rooms, ['g']);
    const { socket: c } = await stage.plain(rooms[2] as Rooms, ['g']);
    (rooms[0] as Rooms).broadcast('g', 'x');
    await stage.mesh.settle();
    expect([b.sent, c.sent]).toEqual([['x'], []]);
  });

  it('R7 keep the order of one node', async () => {
    const rooms = await stage.cluster();
    const { socket } = await stage.plain(rooms[2], ['g']);
    const { socket: other } = await stage.plain(rooms[1], ['g']);
    for (let number = 0; number < 50; number++) rooms[number % 2]?.broadcast('g', `${number % 2} ${number}`);
    await stage.mesh.settle();
    for (const { sent } of [socket, other])
      for (const from of ['0', '1']) {
        const numbers = sent.map(String).filter((text) => text.startsWith(from));
        expect(numbers).toHaveLength(25);
        expect(numbers).toEqual([...numbers].sort((a, b) => Number(a.slice(2)) - Number(b.slice(2))));
      }
  });

  it('R8, R9 broadcast here, on one node, to a key, and to all but a key', async () => {
    const rooms = await stage.cluster();
    const { socket: a, connection } = await stage.plain(rooms[0], ['g'], 'x');
    const { socket: b } = await stage.plain(rooms[1], ['g'], 'x');
    const { socket: c } = await stage.plain(rooms[2], ['g'], 'y');
    rooms[0].broadcastLocal('g', 'here');
    expect(rooms[0].broadcastOn(stage.node(1).name, 'g', 'there')).toBe(true);
    expect(rooms[0].broadcastOn(stage.node(0).name, 'g', 'own')).toBe(true);
    expect(rooms[0].broadcastOn('nobody@fake:1', 'g', '?')).toBe(false);
    rooms[2].broadcastExcept('g', 'past x', { key: 'x' });
    rooms[2].broadcastExcept('g', 'past one', { connection: connection.id });
    rooms[2].sendTo('x', 'to x');
    await stage.mesh.settle();
    expect(a.sent).toEqual(['here', 'own', 'to x']);
    expect(b.sent).toEqual(['there', 'past one', 'to x']);
    expect(c.sent).toEqual(['past x', 'past one']);
  });

  it('R2, R4 count the members of all nodes, until they leave or their node is lost', async () => {
    const rooms = await stage.cluster();
    const { connection } = await stage.plain(rooms[0], ['g']);
    await stage.plain(rooms[1], ['g']);
    await stage.plain(rooms[1], ['g']);
    await stage.mesh.pass(250);
    expect(rooms.map((each) => each.members('g'))).toEqual([
      { local: 1, all: 3 },
      { local: 2, all: 3 },
      { local: 0, all: 3 },
    ]);
    connection.leave('g');
    stage.mesh.crash(stage.node(1));
    await stage.mesh.pass(250);
    expect(rooms[2].members('g')).toEqual({ local: 0, all: 0 });
  });

  it('R15 a broadcast is not lost after a first join on another node was acknowledged', async () => {
    for (let round = 0; round < 30; round++) {
      stage.mesh.stop();
      stage = new Stage();
      const rooms = await stage.cluster();
      const socket = new FakeSocket();
      const connection = rooms[0].accept(socket);
      let isJoined = false;
      void connection.join('g').then(() => (isJoined = true));
      await nextTurn();
      for (let step = 0; !isJoined && step < 100; step++) {
        stage.mesh.step();
        await nextTurn();
      }
      expect(isJoined).toBe(true);
      rooms[1].broadcast('g', 'x');
      rooms[2].broadcast('g', 'y');
      await stage.mesh.settle();
      expect([...socket.sent].sort()).toEqual(['x', 'y']);
    }
  });

  it('a first join waits only for a limited time for a frozen peer', async () => {
    const rooms = await stage.cluster({ limits: { joinMs: 500 } });
    stage.mesh.freeze(stage.node(2));
    const socket = new FakeSocket();
    const connection = rooms[0].accept(socket);
    let isJoined = false;
    void connection.join('g').then(() => (isJoined = true));
    await stage.mesh.settle();
    expect(isJoined).toBe(false);
    rooms[1].broadcast('g', 'meanwhile');
    await stage.mesh.pass(750);
    expect([isJoined, socket.sent]).toEqual([true, ['meanwhile']]);
  });

  it('R15 tell members resync if a peer that had not answered their join in time broadcasts before it knows of them', async () => {
    for (let round = 0; round < 10; round++) {
      stage.mesh.stop();
      stage = new Stage();
      const rooms = await stage.cluster({ join: () => true, limits: { joinMs: 500 } });
      const [, late, other] = stage.nodes as [FakeNode, FakeNode, FakeNode];
      for (const each of rooms.slice(1)) {
        await stage.plain(each, ['g']);
        each.broadcast('g', 'before');
      }
      await stage.mesh.pass(250);
      stage.mesh.freeze(late);
      stage.mesh.freeze(other);
      const { socket } = await stage.client(rooms[0], { joins: ['g'] });
      const resyncs = (): number => socket.all('resync').length;
      await stage.mesh.pass(750);
      expect(socket.all('joined').length).toBe(1);
      stage.mesh.thaw(other); // it has broadcast nothing since
      await stage.mesh.settle();
      expect(resyncs()).toBe(0);
      rooms[1].broadcast('g', 'unheard');
      stage.mesh.thaw(late);
      await stage.mesh.settle();
      // If this node keeps its earlier messages for it, it notices the gap and fetches the message.
      const unheard = resyncs() === 0 ? ['unheard'] : [];
      expect(socket.data('g')).toEqual(unheard);
      rooms[1].broadcast('g', 'heard');
      await stage.mesh.settle();
      expect([socket.data('g'), resyncs()]).toEqual([[...unheard, 'heard'], 1 - unheard.length]);
    }
  });

  it('R13 broadcast to a node that is going down without an error', async () => {
    const rooms = await stage.cluster();
    const { socket } = await stage.plain(rooms[0], ['g']);
    await stage.plain(rooms[1], ['g']);
    stage.mesh.cut(stage.node(0), stage.node(1));
    rooms[0].broadcast('g', 'x');
    expect(rooms[0].broadcastOn(stage.node(1).name, 'g', 'y')).toBeTypeOf('boolean');
    await stage.mesh.settle();
    expect(socket.sent).toEqual(['x']);
  });

  it('R4 deliver to each side of a split what the other side broadcast, once and in order', async () => {
    const rooms = await stage.cluster();
    const { socket: a } = await stage.plain(rooms[0], ['g']);
    const { socket: b } = await stage.plain(rooms[1], ['g']);
    stage.mesh.cut(stage.node(0), stage.node(1));
    await stage.mesh.settle();
    rooms[0].broadcast('g', 'a1');
    rooms[1].broadcast('g', 'b1');
    rooms[0].broadcast('g', 'a2');
    await stage.mesh.settle();
    stage.mesh.connect(stage.node(0), stage.node(1));
    await stage.mesh.settle();
    rooms[0].broadcast('g', 'a3');
    await stage.mesh.settle();
    expect(a.sent).toEqual(['a1', 'a2', 'b1', 'a3']);
    expect(b.sent).toEqual(['b1', 'a1', 'a2', 'a3']);
  });

  it('R18 exchange messages of a lost node that only some of them have', async () => {
    const rooms = await stage.cluster();
    const sockets = [];
    for (const each of rooms) sockets.push((await stage.plain(each, ['g', 'h'])).socket);
    for (const [room, index] of [
      ['g', 1],
      ['h', 2],
    ] as const) {
      stage.node(0).isFullFor = ({ node }) => node === stage.node(index).name;
      for (const number of [1, 2, 3]) rooms[0].broadcast(room, `${room}${number}`);
    }
    await stage.mesh.settle();
    expect(sockets.slice(1).map(({ sent }) => sent.length)).toEqual([3, 3]);
    stage.mesh.crash(stage.node(0));
    await stage.mesh.settle();
    rooms[1].broadcast('g', 'after');
    await stage.mesh.settle();
    for (const { sent } of sockets.slice(1))
      expect([...sent].sort()).toEqual(['after', 'g1', 'g2', 'g3', 'h1', 'h2', 'h3']);
  });

  it('R18 exchange messages of a lost node also if one of them had lost it before, and loses it again last', async () => {
    const rooms = await stage.cluster();
    const { mesh } = stage;
    const [lost, late, early] = stage.nodes as [FakeNode, FakeNode, FakeNode];
    const { socket } = await stage.plain(rooms[1], ['g']);
    await stage.plain(rooms[2], ['g']);
    mesh.cut(lost, late);
    await mesh.settle();
    mesh.connect(lost, late);
    await mesh.settle();
    lost.isFullFor = ({ node }) => node === late.name;
    for (const number of [1, 2, 3]) rooms[0].broadcast('g', `${number}`);
    await mesh.settle();
    mesh.crash(lost);
    // What the early one says arrives before the late one notices the loss.
    while (mesh.deliver(lost, early));
    while (mesh.deliver(early, late));
    await mesh.settle();
    expect(socket.sent).toEqual(['1', '2', '3']);
  });

  it('R18 exchange messages of a lost node also if one of them heard of them while it was connected to it again', async () => {
    const rooms = await stage.cluster();
    const { mesh } = stage;
    const [lost, again, early] = stage.nodes as [FakeNode, FakeNode, FakeNode];
    const { socket } = await stage.plain(rooms[1], ['g']);
    await stage.plain(rooms[2], ['g']);
    mesh.cut(lost, again);
    while (mesh.deliver(lost, again) || mesh.deliver(again, lost));
    mesh.connect(lost, again);
    while (mesh.deliver(lost, again) || mesh.deliver(again, lost));
    lost.isFullFor = ({ node }) => node === again.name;
    for (const number of [1, 2, 3]) rooms[0].broadcast('g', `${number}`);
    while (mesh.deliver(lost, early));
    mesh.crash(lost);
    while (mesh.deliver(lost, early));
    while (mesh.deliver(again, early)); // what it said when it lost that node for the first time
    while (mesh.deliver(early, again));
    await mesh.settle();
    expect(socket.sent).toEqual(['1', '2', '3']);
  });

  it('R18 exchange messages of a lost node also if their outboxes are full at first', async () => {
    const rooms = await stage.cluster();
    const { mesh } = stage;
    const [lost, one, other] = stage.nodes as [FakeNode, FakeNode, FakeNode];
    const { socket } = await stage.plain(rooms[1], ['g', 'h']);
    await stage.plain(rooms[2], ['g', 'h']);
    lost.isFullFor = ({ node }) => node === one.name;
    for (const room of ['g', 'h']) rooms[0].broadcast(room, `in ${room}`);
    await mesh.settle();
    other.isFullFor = () => true;
    mesh.crash(lost);
    await mesh.settle();
    expect(socket.sent).toEqual([]);
    other.isFullFor = () => false;
    await mesh.pass(3000);
    expect(socket.sent).toEqual(['in g', 'in h']);
  });

  it.each([
    [0, []],
    [120_000, ['lost', 'lost', 'newest', 'newest']],
  ])('tell each other of a lost node only if messages are kept: window %d', async (windowMs, expected) => {
    const rooms = await stage.cluster({ resume: { windowMs } });
    for (const each of rooms) await stage.plain(each, ['g']);
    rooms[2].broadcast('g', 'x');
    await stage.mesh.settle();
    const told: unknown[] = [];
    stage.mesh.onSend = (_from, _to, value) => void told.push((value as readonly unknown[])[0]);
    stage.mesh.crash(stage.node(2));
    await stage.mesh.settle();
    await stage.mesh.pass(1000);
    expect(told.filter((tag) => tag !== 'interest').sort()).toEqual(expected);
  });

  it('R10 deliver the rest to a peer whose outbox was full later, in order', async () => {
    const rooms = await stage.cluster();
    const { socket } = await stage.plain(rooms[1], ['g']);
    rooms[0].broadcast('g', '1');
    stage.node(0).isFullFor = () => true;
    rooms[0].broadcast('g', '2');
    rooms[0].broadcast('g', '3');
    stage.node(0).isFullFor = () => false;
    rooms[0].broadcast('g', '4');
    rooms[0].broadcast('g', '5');
    await stage.mesh.settle();
    expect(socket.sent).toEqual(['1', '2', '3', '4', '5']);
    expect(rooms[0].stats().refusedByPeers).toBe(2);
  });

  it('ignore invalid messages of a peer, and log that once', async () => {
    const rooms = await stage.cluster();
    const { socket } = await stage.plain(rooms[0], ['g']);
    const peer = [...stage.node(0).peers.values()][0]!;
    for (const value of [
      7,
      [],
      ['hello'],
      ['interest', 7],
      ['told', 1, 'g', [[]], [], 0],
      ['based', [['', 1, 1]]],
    ])
      stage.node(0).listener?.message(peer, value);
    for (const details of [
      null,
      [1, 1, 0, [], null, false],
      [1, 0, 9, [], null, false],
      [1, 0, 0, ['x'], null, false],
    ])
      stage.node(0).listener?.room?.(peer, 'g', Buffer.from('x'), details);
    await stage.mesh.settle();
    expect(socket.sent).toEqual([]);
  });
});

it('take part at once if they are created after their node has connected', async () => {
  const nodes = stage.nodes;
  stage.mesh.connectAll();
  await stage.mesh.settle();
  const rooms: Rooms[] = [];
  for (const node of nodes) {
    rooms.push(createRooms(node));
    await stage.mesh.settle();
  }
  const all = [];
  for (const each of rooms) all.push((await stage.plain(each, ['g'])).socket);
  for (const [index, each] of rooms.entries()) each.broadcast('g', `${index}`);
  await stage.mesh.settle();
  for (const { texts } of all) expect([...texts].sort()).toEqual(['0', '1', '2']);
});
