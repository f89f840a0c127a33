// Two nodes have ended, one of them without handing over its copies, and a client comes back to a node that had no member of its rooms.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRooms, type Rooms } from '../../../ts/rooms/index.ts';
import { COUNT_MS } from '../../../ts/rooms/limits.ts';
import type { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

const resynced = (socket: FakeClient): string[] => socket.all('resync').map(([, room]) => room);

const create = (at: number): Rooms => createRooms(stage.node(at), { join: () => true });

/** The second node is started again. */
async function replaceSecond(rooms: Rooms): Promise<Rooms> {
  await stage.mesh.pass(COUNT_MS);
  rooms.close();
  await stage.mesh.settle();
  const fresh = create(1);
  await stage.mesh.settle();
  return fresh;
}

async function killFirst(): Promise<void> {
  stage.mesh.cut(stage.node(0), stage.node(1));
  stage.mesh.cut(stage.node(0), stage.node(2));
  await stage.mesh.settle();
}

it('R16 is told no resync of a room in which another node has had members all the time, and misses nothing', async () => {
  const [first, second, third] = await stage.cluster({ join: () => true });
  const { socket: before } = await stage.client(first, { joins: ['g'] });
  await stage.client(third, { joins: ['g'] });
  second.broadcast('g', 'of the second');
  await stage.mesh.settle();
  const fresh = await replaceSecond(second);
  before.drop();
  first.broadcast('g', 'of the first');
  third.broadcast('g', 'of the third');
  await stage.mesh.settle();
  await killFirst();
  const { socket } = await stage.back(fresh, before, ['g']);
  expect(resynced(socket)).toEqual([]);
  expect(socket.data('g').toSorted()).toEqual(['of the first', 'of the third']);
});

it('R16 is told resync if the other node had no member before the first end', async () => {
  const [first, second, third] = await stage.cluster({ join: () => true });
  const { socket: before } = await stage.client(first, { joins: ['g'] });
  before.drop();
  second.broadcast('g', 'its copy may be on the first node only');
  await stage.mesh.settle();
  const fresh = await replaceSecond(second);
  await stage.client(third, { joins: ['g'] });
  await stage.mesh.pass(COUNT_MS);
  await killFirst();
  const { socket } = await stage.back(fresh, before, ['g']);
  expect(resynced(socket)).toEqual(['g']);
});

it('R16 is told resync if the other node had members all the time, but was not connected to the node that stopped', async () => {
  const [first, second, third] = [create(0), create(1), create(2)];
  stage.mesh.connect(stage.node(0), stage.node(1));
  stage.mesh.connect(stage.node(0), stage.node(2));
  await stage.mesh.settle();
  const { socket: before } = await stage.client(first, { joins: ['g'] });
  const { socket: other } = await stage.client(first, { joins: ['g'] });
  second.broadcast('g', 'read');
  await stage.mesh.settle();
  other.drop();
  await stage.back(third, other, ['g']); // its position names the second node
  before.drop();
  second.broadcast('g', 'only the first node gets it');
  await stage.mesh.pass(COUNT_MS);
  second.close();
  await stage.mesh.pass(COUNT_MS);
  const fresh = create(1);
  stage.mesh.cut(stage.node(0), stage.node(1));
  stage.mesh.cut(stage.node(0), stage.node(2));
  stage.mesh.connect(stage.node(1), stage.node(2));
  await stage.mesh.settle();
  const { socket } = await stage.back(fresh, before, ['g']);
  expect(resynced(socket)).toEqual(['g']);
});
