// Messages of a node that are missing before others. They are fetched as long as they can still come: members are told nothing before that.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Rooms } from '../../../ts/rooms/index.ts';
import { DEFAULT_RESUME } from '../../../ts/rooms/limits.ts';
import { ReplayRing } from '../../../ts/rooms/replay-ring.ts';
import { Kind, RoomMessage } from '../../../ts/rooms/room-message.ts';
import type { FakeNode } from '../global/fake-mesh.ts';
import { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

const WINDOW_MS = 20_000;

let stage: Stage;
let rooms: [Rooms, Rooms, Rooms];
let origin: FakeNode;
let goal: FakeNode;
let client: FakeClient;
/** Questions for kept messages that the goal has sent to the origin. */
let asked: number;

beforeEach(async () => {
  stage = new Stage();
  [origin, goal] = [stage.node(0), stage.node(1)];
  rooms = await stage.cluster({ join: () => true, resume: { windowMs: WINDOW_MS, count: 4 } });
  client = (await stage.client(rooms[1], { joins: ['g'] })).socket;
  asked = 0;
  stage.mesh.onSend = (from, to, value) => {
    if (from === goal && to === origin && (value as unknown[])[0] === 'ask') asked++;
  };
});
afterEach(() => stage.mesh.stop());

/** The goal lacks message 2, and has asked for it: the origin did not hear that yet. */
async function gap(): Promise<void> {
  rooms[0].broadcast('g', 1);
  origin.isFullFor = () => true;
  rooms[0].broadcast('g', 2);
  origin.isFullFor = () => false;
  rooms[0].broadcast('g', 3);
  while (asked === 0) if (!stage.mesh.deliver(origin, goal)) await nextTurn();
}

const told = (): unknown => [client.data('g'), client.all('resync').length];

it('R16 a node that stands still is waited for: it has them when it goes on', async () => {
  await gap();
  stage.mesh.freeze(origin);
  await stage.mesh.pass(WINDOW_MS / 2);
  expect(told()).toEqual([[1], 0]);
  stage.mesh.thaw(origin);
  rooms[0].broadcast('g', 4);
  await stage.mesh.settle();
  expect(told()).toEqual([[1, 2, 3, 4], 0]);
});

it('R16 after the window members are told resync, and get what came; nothing comes twice later', async () => {
  await gap();
  stage.mesh.freeze(origin);
  await stage.mesh.pass(WINDOW_MS - 250);
  expect(told()).toEqual([[1], 0]);
  await stage.mesh.pass(250);
  expect(told()).toEqual([[1, 3], 1]);
  stage.mesh.thaw(origin);
  rooms[0].broadcast('g', 4);
  await stage.mesh.settle();
  expect(told()).toEqual([[1, 3, 4], 1]);
});

it('R16 an answer that the outbox did not take is asked for again, a few times', async () => {
  await gap();
  origin.isFullFor = () => true;
  await stage.mesh.pass(2250);
  expect(told()).toEqual([[1], 0]);
  origin.isFullFor = () => false;
  await stage.mesh.pass(4000);
  expect([told(), asked]).toEqual([[[1, 2, 3], 0], 3]);
});

it('a node that answers nothing is asked only a few times', async () => {
  await gap();
  origin.isFullFor = () => true;
  await stage.mesh.pass(WINDOW_MS);
  expect(asked).toBe(4); // after 2, 4 and 8 s more
  expect(told()).toEqual([[1, 3], 1]);
});

it('R4 R16 a connection that is lost meanwhile: it has them when it is back', async () => {
  await gap();
  stage.mesh.cut(origin, goal);
  await stage.mesh.pass(WINDOW_MS / 2);
  expect(told()).toEqual([[1], 0]);
  stage.mesh.connect(origin, goal);
  rooms[0].broadcast('g', 4);
  await stage.mesh.settle();
  rooms[0].broadcast('g', 5);
  await stage.mesh.settle();
  expect(told()).toEqual([[1, 2, 3, 4, 5], 0]);
});

it('R18 a node that is lost meanwhile: another one has them', async () => {
  const { socket } = await stage.client(rooms[2], { joins: ['g'] });
  rooms[0].broadcast('g', 1);
  origin.isFullFor = ({ node }) => node === goal.name;
  rooms[0].broadcast('g', 2);
  origin.isFullFor = () => false;
  rooms[0].broadcast('g', 3);
  while (asked === 0) if (!stage.mesh.deliver(origin, goal)) await nextTurn();
  while (stage.mesh.deliver(origin, stage.node(2)));
  stage.mesh.crash(origin);
  await stage.mesh.settle();
  expect([told(), socket.data('g')]).toEqual([
    [[1, 2, 3], 0],
    [1, 2, 3],
  ]);
});

/** The goal has message 1 alone. The third node has 3 as well, and lacks 2. Both have lost the origin, and have told each other what they have. */
async function gapOnBoth(): Promise<FakeClient> {
  const { mesh } = stage;
  const { socket } = await stage.client(rooms[2], { joins: ['g'] });
  rooms[0].broadcast('g', 1);
  await mesh.settle();
  origin.isFullFor = () => true;
  rooms[0].broadcast('g', 2);
  origin.isFullFor = ({ node }) => node === goal.name;
  rooms[0].broadcast('g', 3);
  origin.isFullFor = () => false;
  while (mesh.deliver(origin, stage.node(2)));
  mesh.freeze(origin);
  for (const each of [goal, stage.node(2)]) mesh.cut(origin, each);
  await mesh.settle();
  return socket;
}

it('R16 a node that is lost because it stands still: what another one lacks, too, comes when it is back', async () => {
  const socket = await gapOnBoth();
  await stage.mesh.pass(WINDOW_MS / 2);
  expect([told(), socket.all('resync')]).toEqual([[[1], 0], []]);
  stage.mesh.thaw(origin);
  stage.mesh.connectAll();
  await stage.mesh.settle();
  rooms[0].broadcast('g', 4);
  await stage.mesh.settle();
  for (const each of [client, socket])
    expect([each.data('g'), each.all('resync')]).toEqual([[1, 2, 3, 4], []]);
});

it('R18 a node that is lost for good: members of all nodes are told resync for what all lack, and get the rest', async () => {
  const socket = await gapOnBoth();
  await stage.mesh.pass(WINDOW_MS);
  for (const each of [client, socket])
    expect([each.data('g'), each.all('resync').length]).toEqual([[1, 3], 1]);
});

it('R18 what another node had of a lost one and dropped before it was asked is told as resync', async () => {
  const { mesh } = stage;
  await stage.client(rooms[2], { joins: ['g'] });
  rooms[0].broadcast('g', 1);
  await mesh.settle();
  origin.isFullFor = ({ node }) => node === goal.name;
  rooms[0].broadcast('g', 2);
  while (mesh.deliver(origin, stage.node(2)));
  stage.node(2).kit.clock.skip(1); // what follows is younger
  mesh.onDeliver = (from, to, value) => {
    if (from !== goal || to !== stage.node(2) || (value as unknown[])[0] !== 'ask') return;
    for (let number = 0; number < 4; number++) rooms[2].broadcast('g', `more ${number}`); // as many as a room keeps
  };
  mesh.crash(origin);
  await mesh.pass(WINDOW_MS);
  expect([client.data('g').filter(Number), client.all('resync').length]).toEqual([[1], 1]);
});

it('R16 an answer says nothing of what is sent after it: that is asked for, too', async () => {
  await gap();
  const { mesh } = stage;
  while (mesh.deliver(goal, origin)); // it answers
  origin.isFullFor = () => true;
  rooms[0].broadcast('g', 4);
  origin.isFullFor = () => false;
  rooms[0].broadcast('g', 5);
  while (mesh.deliver(origin, goal)); // the answer and message 5, in one turn
  await mesh.settle();
  expect([told(), asked]).toEqual([[[1, 2, 3, 4, 5], 0], 2]);
});

it('R16 a node that is lost for good: what came of it is shown after the window', async () => {
  await gap();
  stage.mesh.crash(origin);
  await stage.mesh.pass(WINDOW_MS);
  expect(told()).toEqual([[1, 3], 1]);
});

it.each(['another node has', 'no other node has'])(
  'R16 of a node that is back only messages that members lack are needed: when it was away, %s the earlier ones',
  async (who) => {
    const { mesh } = stage;
    const third = stage.node(2);
    await stage.client(rooms[1], { joins: ['k'] });
    const { socket: before } = await stage.client(rooms[0], { joins: ['k'] });
    mesh.cut(origin, third);
    if (who === 'no other node has') mesh.cut(origin, goal);
    await mesh.settle();
    for (let number = 1; number <= 5; number++) rooms[0].broadcast('k', number);
    await mesh.settle();
    before.drop();
    await mesh.settle();
    const { socket } = await stage.back(rooms[2], before, ['k']);
    rooms[0].broadcast('k', 6);
    const questions: unknown[] = [];
    mesh.onSend = (from, to, value) => {
      const [tag, , room, after] = value as unknown[];
      if (from === third && to === origin && tag === 'ask' && room === 'k') questions.push(after);
    };
    mesh.connect(origin, third);
    await mesh.settle();
    rooms[0].broadcast('k', 7);
    await mesh.settle();
    expect([socket.data('k'), socket.all('resync')]).toEqual([[6, 7], []]);
    expect(questions).toEqual([[[expect.any(String), 5]]]);
  },
);

it('R16 peers are asked for what their first answers show to be missing', async () => {
  const { mesh } = stage;
  await stage.client(rooms[2], { joins: ['g'] });
  mesh.cut(origin, stage.node(2));
  await mesh.settle();
  rooms[0].broadcast('g', 1);
  await mesh.settle();
  client.drop();
  rooms[0].broadcast('g', 2);
  await mesh.settle();
  const socket = new FakeClient(client);
  rooms[2].accept(socket);
  const [name, ticket, cursor] = client.place('g');
  socket.hello(client.session, [[name, ticket, { ...cursor, unknown: 1 }]]);
  await mesh.settle();
  expect([socket.all('resync'), socket.data('g')]).toEqual([[], [2]]);
});

it('R16 a client that comes back need not wait for what members wait for: it gets that as one of them', async () => {
  const { socket: before } = await stage.client(rooms[2], { joins: ['g'] });
  await gap();
  before.drop();
  stage.mesh.freeze(origin);
  await stage.mesh.pass(WINDOW_MS / 2);
  const { socket } = await stage.back(rooms[1], before, ['g']);
  await stage.mesh.pass(3000); // the node is asked for the session, too
  expect([socket.all('joined').length, socket.all('resync')]).toEqual([1, []]);
  stage.mesh.thaw(origin);
  await stage.mesh.settle();
  expect([socket.data('g'), socket.all('resync')]).toEqual([[1, 2, 3], []]);
});

it('R16 what one client says that it has does not count for members that have got messages since', () => {
  const ring = new ReplayRing();
  ring.followFrom({ o: 0 }, { o: 3 });
  const content = { kind: Kind.text, payload: Buffer.from('x') };
  const message = (sequence: number): RoomMessage =>
    new RoomMessage({ origin: 'o', sequence, previous: sequence - 1 }, content, [], 0);
  ring.merge([message(1), message(2)], DEFAULT_RESUME);
  expect(ring.advance('o')).toHaveLength(2);
  ring.believe('o', 9);
  expect(ring.last('o')).toBe(2);
});
