import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chatOn, nameFrom, parse } from '../../../examples/chat/chat.ts';
import { createRooms, type Rooms } from '../../../ts/rooms/index.ts';
import { Stage } from '../rooms/stage.ts';

let stage: Stage;
let deaths: string[];
beforeEach(() => {
  stage = new Stage();
  deaths = [];
});
afterEach(() => stage.mesh.stop());

/** The chat on three nodes, and a page of Ada on the first, of Joe on the second. */
async function chat() {
  const rooms = stage.nodes.map((node, index) => {
    const letter = 'abc'[index] as string;
    return createRooms(
      node,
      chatOn(letter, {
        greet: (connection) => connection.send({ type: 'cluster', here: letter }),
        die: () => void deaths.push(letter),
      }),
    );
  }) as unknown as [Rooms, Rooms, Rooms];
  stage.mesh.connectAll();
  await stage.mesh.settle();
  const joins = ['lobby', 'random', 'secret'];
  const ada = await stage.client(rooms[0], { key: 'Ada', joins });
  const joe = await stage.client(rooms[1], { key: 'Joe', joins });
  return { rooms, ada: ada.socket, joe: joe.socket };
}

describe('the chat', () => {
  it('brings what somebody says to everybody in the room, with name, node and time', async () => {
    const { ada, joe } = await chat();
    ada.tell(['send', 1, { type: 'say', room: 'lobby', text: '  hello ', id: 'x' }]);
    await stage.mesh.settle();
    const at = expect.any(Number);
    for (const page of [ada, joe])
      expect(page.data('lobby')).toEqual([{ id: 'x', from: 'Ada', node: 'a', text: 'hello', at }]);
  });

  it('shows a user in the room it looks at, with its node and whether it is typing', async () => {
    const { rooms, ada } = await chat();
    const seen = (room: string) => rooms[2].presence(room).entries();
    ada.tell(['send', 1, { type: 'look', room: 'lobby' }]);
    ada.tell(['send', 2, { type: 'typing', room: 'lobby', isTyping: true }]);
    await stage.mesh.settle();
    expect(seen('lobby')).toEqual([{ key: 'Ada', metas: [{ node: 'a', isTyping: true }] }]);
    ada.tell(['send', 3, { type: 'look', room: 'random' }]);
    await stage.mesh.settle();
    expect(seen('lobby')).toEqual([]);
    expect(seen('random')).toEqual([{ key: 'Ada', metas: [{ node: 'a', isTyping: false }] }]);
  });

  it('has no other rooms than its own', async () => {
    const { ada } = await chat();
    expect(ada.heard).toContainEqual(['refused', 3, 'secret', 'not allowed']);
  });

  it('kills the process that is named, and no other', async () => {
    const { ada, joe } = await chat();
    joe.tell(['send', 1, { type: 'kill', pid: process.pid + 1 }]);
    await stage.mesh.settle();
    expect(deaths).toEqual([]);
    ada.tell(['send', 1, { type: 'kill', pid: process.pid }]);
    await stage.mesh.settle();
    expect(deaths).toEqual(['a']);
  });

  it.each([
    null,
    7,
    'say',
    {},
    { type: 'look', room: 'secret' },
    { type: 'say', room: 'lobby', text: ' ', id: 'x' },
    { type: 'say', room: 'lobby', text: 'x'.repeat(2001), id: 'x' },
    { type: 'say', room: 'lobby', text: 'x' },
    { type: 'typing', room: 'lobby', isTyping: 'yes' },
    { type: 'kill', pid: '1' },
  ])('refuses %j', (data) => {
    expect(() => parse(data)).toThrow(/no such room|nothing that a page sends/);
  });

  it('takes a name of 1 to 24 characters', () => {
    expect(nameFrom('/rooms?name=%20Ada%20')).toBe('Ada');
    for (const url of ['/rooms', '/rooms?name=', '/rooms?name=%20', `/rooms?name=${'x'.repeat(25)}`])
      expect(nameFrom(url)).toBeUndefined();
  });
});
