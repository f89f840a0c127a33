// What one peer may make a node remember of rooms: beyond the limits it is ignored, and said in the log once.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ChannelPeer } from '../../../ts/node/index.ts';
import { createRooms } from '../../../ts/rooms/index.ts';
import { Stage } from './stage.ts';

vi.mock('../../../ts/rooms/limits.ts', async (original) => ({
  ...(await original<object>()),
  MAX_INTEREST: 3,
  MAX_PRESENT: 3,
  MAX_PRESENT_CHARACTERS: 100,
}));

let stage: Stage;
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

/** A node with rooms, and what a peer of it that takes part by hand says. */
async function facePeer() {
  const rooms = createRooms(stage.node(0), { join: () => true });
  const heard: (readonly unknown[])[] = [];
  const far = stage.node(1).channel('rooms', {
    up: (peer) => far.send(peer, ['hello', 1, 'far', [['key', new Uint8Array(32)]], false]),
    down: () => {},
    message: (_peer, value) => heard.push(value as readonly unknown[]),
  });
  stage.mesh.connectAll();
  await stage.mesh.settle();
  const say = async (message: readonly unknown[]): Promise<void> => {
    far.send(stage.node(1).peers.get(stage.node(0)) as ChannelPeer, message);
    await stage.mesh.settle();
  };
  return { rooms, heard, say };
}

it('P7 a peer can want a limited number of rooms, and one that it no longer wants frees a place', async () => {
  const { heard, say } = await facePeer();
  await say(['interest', ['a', 'b', 'c', 'd', 'e'].map((room) => [room, 1])]);
  const based = (): unknown[] =>
    heard
      .filter(([kind]) => kind === 'based')
      .flatMap(([, bases]) => (bases as [string][]).map(([room]) => room));
  expect(based()).toEqual(['a', 'b', 'c']);
  await say(['interest', [['a', -1]]]);
  await say(['interest', [['e', 1]]]);
  expect(based()).toEqual(['a', 'b', 'c', 'e']);
});

it('P7 a peer can show a limited number of connections in all presences, and one that leaves frees a place', async () => {
  const { rooms, say } = await facePeer();
  await say(['presence', [0, 1, 2, 3, 4].map((id) => [`room ${id % 2}`, `key ${id}`, `${id}`, '1'])]);
  const shown = (): number => rooms.presence('room 0').size + rooms.presence('room 1').size;
  expect(shown()).toBe(3);
  await say(['presence', [['room 0', 'key 0', '0', null]]]);
  await say(['presence', [['room 1', 'key 5', '5', '1']]]);
  expect(shown()).toBe(3);
  expect(rooms.presence('room 1').entries()).toContainEqual({ key: 'key 5', metas: [1] });
});

it('P7 the metas of a peer are limited together, and those that leave make room', async () => {
  const { rooms, say } = await facePeer();
  const long = JSON.stringify('x'.repeat(120));
  const show = (id: number, meta: string | null): Promise<void> =>
    say(['presence', [['room', `key ${id}`, `${id}`, meta]]]);
  const shown = (): string[] =>
    rooms
      .presence('room')
      .entries()
      .map(({ key }) => key);
  await show(0, '1');
  await show(0, long);
  await show(1, '1');
  expect(shown()).toEqual(['key 0']);
  await show(0, null);
  await show(1, '1');
  expect(shown()).toEqual(['key 1']);
  await show(1, long);
  await show(1, null);
  await show(2, '1');
  expect(shown()).toEqual(['key 2']);
});
