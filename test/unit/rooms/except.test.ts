// A broadcast that is not for its sender, whose session another client continues later (a duplicated tab).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connection, Rooms } from '../../../ts/rooms/index.ts';
import type { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
let rooms: [Rooms, Rooms, Rooms];
beforeEach(async () => {
  stage = new Stage();
  rooms = await stage.cluster({ join: () => true });
});
afterEach(() => stage.mesh.stop());

const WAYS: Readonly<Record<string, (from: Connection, text: string) => void>> = {
  'connection.broadcast': (from, text) => from.broadcast('g', text, { self: false }),
  broadcastExcept: (from, text) => rooms[0].broadcastExcept('g', text, { connection: from }),
};

describe.each(Object.keys(WAYS))('R16 what %s excludes', (way) => {
  const say = WAYS[way] as (typeof WAYS)[string];
  /** A client and its copy: the copy continues the session on the first node, where the client has sent something before. */
  async function copied(): Promise<{ first: FakeClient; copy: Connection; copySocket: FakeClient }> {
    const { socket: first, connection } = await stage.client(rooms[0], { joins: ['g'] });
    await stage.client(rooms[1], { joins: ['g'] });
    say(connection, 'own');
    await stage.mesh.settle();
    const { socket: copySocket, connection: copy } = await stage.back(rooms[0], first, ['g']);
    expect(first.closed?.code).toBe(4001);
    return { first, copy, copySocket };
  }

  it.each([0, 1])(
    'is not sent to the sender when it comes back with a new session to node %i',
    async (index) => {
      const { first } = await copied();
      const { socket: back } = await stage.back(rooms[index] as Rooms, first, ['g'], { fork: true });
      rooms[0].broadcast('g', 'later');
      await stage.mesh.settle();
      expect(back.data('g')).toEqual(['later']);
    },
  );

  it.each([0, 1])('is sent to it when the other client has sent it, on node %i', async (index) => {
    const { first, copy, copySocket } = await copied();
    say(copy, 'of the other');
    await stage.mesh.settle();
    const { socket: back } = await stage.back(rooms[index] as Rooms, first, ['g'], { fork: true });
    expect([back.data('g'), back.all('resync'), copySocket.data('g')]).toEqual([['of the other'], [], []]);
  });
});
