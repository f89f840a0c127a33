import { afterEach, beforeEach, expect, it } from 'vitest';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

it('R16 a resync on a node that knows fewer messages of a sender than the client repeats nothing', async () => {
  const rooms = await stage.cluster({ join: () => true, resume: { count: 20 } });
  const [a, b, sender] = stage.nodes as [
    (typeof stage.nodes)[0],
    (typeof stage.nodes)[0],
    (typeof stage.nodes)[0],
  ];
  const { socket: before } = await stage.client(rooms[0], { joins: ['g'] });
  const { socket: keeper } = await stage.client(rooms[0], { joins: ['g'] });
  await stage.client(rooms[1], { joins: ['g'] });
  // The second node misses what the third one says before it is killed.
  stage.mesh.cut(b, sender);
  await stage.mesh.settle();
  for (const number of [1, 2, 3]) rooms[2].broadcast('g', number);
  await stage.mesh.settle();
  expect(before.data('g')).toEqual([1, 2, 3]);
  stage.mesh.crash(sender);
  await stage.mesh.settle();
  before.drop();
  const { socket } = await stage.back(rooms[1], before, ['g']);
  // A gap that has nothing to do with that sender: more than the first node keeps.
  stage.mesh.cut(a, b);
  await stage.mesh.settle();
  for (let number = 0; number < 30; number++) rooms[0].broadcast('g', `a${number}`);
  stage.mesh.connect(a, b);
  await stage.mesh.settle();
  expect(socket.all('resync').length).toBeGreaterThan(0);
  // Somebody else brings what the killed one said to the second node.
  keeper.drop();
  await stage.back(rooms[1], keeper, ['g']);
  socket.drop();
  const { socket: last } = await stage.back(rooms[0], socket, ['g']);
  const all = [...before.data('g'), ...socket.data('g'), ...last.data('g')];
  expect(all.filter((each) => each === 1 || each === 2 || each === 3)).toEqual([1, 2, 3]);
});

it('R16 a client whose resume a peer does not answer before the window ends is a member', async () => {
  const rooms = await stage.cluster({ join: () => true, resume: { windowMs: 1000 } });
  const { socket: before } = await stage.client(rooms[0], { joins: ['g'] });
  before.drop();
  stage.mesh.hold(stage.node(1), stage.node(2));
  const { socket: back } = await stage.back(rooms[2], before, ['g']);
  const { socket: gone } = await stage.back(rooms[2], before, ['g'], { fork: true });
  gone.drop();
  expect(back.all('joined')).toEqual([]);
  await stage.mesh.pass(20_000);
  expect([rooms[2].members('g').local, rooms[0].members('g').all]).toEqual([1, 1]);
  rooms[0].broadcast('g', 'x');
  await stage.mesh.settle();
  expect(back.data('g')).toEqual(['x']);
  back.drop();
  await stage.mesh.pass(20_000);
  expect(rooms[2].stats().rooms).toBe(0);
});

it('R16 a client is back in all its rooms after one wait for a peer that does not answer', async () => {
  const rooms = await stage.cluster({ join: () => true });
  const names = Array.from({ length: 10 }, (_, number) => `room ${number}`);
  const { socket: before } = await stage.client(rooms[0], { joins: names });
  before.drop();
  stage.mesh.hold(stage.node(1), stage.node(2));
  rooms[0].broadcast('room 9', 'missed');
  const { socket } = await stage.back(rooms[2], before, names);
  await stage.mesh.pass(10_000);
  expect(socket.all('joined').map(([, , room]) => room)).toEqual(names);
  expect(socket.data('room 9')).toEqual(['missed']);
});
