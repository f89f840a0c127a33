// Clients that continue elsewhere while messages of them wait for the handler of the connection that they have lost.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRooms, type Rooms } from '../../../ts/rooms/index.ts';
import type { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
let rooms: [Rooms, Rooms, Rooms];
/** What handlers were called with: the node, and the message. */
let handled: (readonly [node: number, data: unknown])[];
/** Ends the handler that runs on the first node: it returns, or throws. */
let end: (how: 'return' | 'throw') => void;

beforeEach(async () => {
  stage = new Stage();
  handled = [];
  end = () => {};
  const message = (index: number, data: unknown): Promise<void> | undefined => {
    handled.push([index, data]);
    if (data !== 'slow') return undefined;
    return new Promise((resolve, reject) => {
      end = (how) => (how === 'return' ? resolve() : reject(new Error('on purpose')));
    });
  };
  rooms = stage.nodes.map((node, index) =>
    createRooms(node, { join: () => true, message: (_connection, data) => message(index, data) }),
  ) as [Rooms, Rooms, Rooms];
  stage.mesh.connectAll();
  await stage.mesh.settle();
});
afterEach(() => stage.mesh.stop());

/** A client of the first node whose first message is being handled there; two others wait. */
async function busy(): Promise<FakeClient> {
  const { socket } = await stage.client(rooms[0]);
  for (const [index, data] of ['slow', 'a', 'b'].entries()) socket.tell(['send', index + 1, data]);
  await stage.mesh.settle();
  expect(handled).toEqual([[0, 'slow']]);
  return socket;
}

const lastOf = (socket: FakeClient): number | undefined => socket.all('welcome')[0]?.[1].last;

describe.each([
  ['on another node', 1],
  ['on the same node', 0],
] as const)('a client that continues %s', (_where, index) => {
  it.each([
    ['crashes', () => end('throw')],
    ['ends', () => end('return')],
    ['is killed after 5 s', () => stage.mesh.pass(6000)],
  ] as const)(
    'R19 has what waited behind a handler that then %s handled there, once',
    async (_how, finish) => {
      const before = await busy();
      before.drop();
      await stage.mesh.settle();
      const { socket } = await stage.back(rooms[index] as Rooms, before, []);
      expect(lastOf(socket)).toBe(1);
      await finish();
      await stage.mesh.settle();
      socket.tell(['send', 2, 'a']);
      socket.tell(['send', 3, 'b']);
      await stage.mesh.settle();
      expect(handled).toEqual([
        [0, 'slow'],
        [index, 'a'],
        [index, 'b'],
      ]);
      expect(socket.all('ack').map(([, number]) => number)).toEqual([2, 3]);
    },
  );
});

it('R19 a session that goes on and comes back after a crash has each message handled once', async () => {
  const before = await busy();
  before.drop();
  await stage.mesh.settle();
  const { socket: second } = await stage.back(rooms[1], before, []);
  second.tell(['send', 2, 'a']);
  await stage.mesh.settle();
  second.drop();
  const { socket: third } = await stage.back(rooms[0], second, []);
  expect(lastOf(third)).toBe(2);
  third.tell(['send', 3, 'b']);
  await stage.mesh.settle();
  end('throw'); // the actor of the first connection ends only now
  await stage.mesh.settle();
  third.drop();
  const { socket: fourth } = await stage.back(rooms[2], third, []);
  expect(lastOf(fourth)).toBe(3);
  expect(handled).toEqual([
    [0, 'slow'],
    [1, 'a'],
    [0, 'b'],
  ]);
});

it('R19 a client whose session another one continues knows which of its messages were handled', async () => {
  const first = await busy();
  const { socket: copy } = await stage.back(rooms[1], first, []);
  expect([first.closed?.code, first.all('ack').map(([, number]) => number)]).toEqual([4001, [1]]);
  expect(lastOf(copy)).toBe(1);
});

describe('R19 a client with an old token of a session that another client has continued', () => {
  // The node that the other client is on, and the one that the first client comes back to.
  it.each([
    [1, 2],
    [1, 0],
    [1, 1],
    [0, 0],
    [0, 1],
    [2, 1],
  ])('on node %i gets a new session on node %i', async (there, here) => {
    const { socket: first } = await stage.client(rooms[0], { joins: [] });
    first.tell(['send', 1, 'common']);
    await stage.mesh.settle();
    first.drop();
    await stage.mesh.settle();
    const { socket: other } = await stage.back(rooms[there] as Rooms, first, []);
    for (const number of [2, 3, 4]) other.tell(['send', number, `of the other ${number}`]);
    await stage.mesh.settle();
    const { socket: back } = await stage.back(rooms[here] as Rooms, first, []);
    const [[, welcome] = []] = back.all('welcome');
    const numbers = welcome?.resumed === true ? [2, 3] : [1, 2];
    expect(welcome?.last).toBe(1);
    for (const number of numbers) back.tell(['send', number, `of the first ${number}`]);
    other.tell(['send', 5, 'of the other 5']);
    await stage.mesh.settle();
    const texts = handled.map(([, data]) => data);
    for (const number of numbers) expect(texts).toContain(`of the first ${number}`);
    if (other.closed === undefined) expect(texts).toContain('of the other 5');
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('does not close the other one, on whichever nodes the two are', async () => {
    for (const [there, here] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const { socket: first } = await stage.client(rooms[0]);
      first.drop();
      await stage.mesh.settle();
      const { socket: other } = await stage.back(rooms[there], first, []);
      other.tell(['send', 1, 'of the other']);
      await stage.mesh.settle();
      await stage.back(rooms[here], first, []);
      expect(other.closed).toBeUndefined();
    }
  });
});
