// What waits for something when the node stops, or when the peer that it waits for is lost.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startNode } from '../../../ts/node/index.ts';
import { type Connection, createRooms, type RoomBridge, type Rooms } from '../../../ts/rooms/index.ts';
import { answerOf } from '../../support/websocket.ts';
import { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

let stage: Stage;
let rooms: [Rooms, Rooms, Rooms];
let connection: Connection;
let socket: FakeClient;

/** The handler of `message` and the callback `join` of clients do not end. */
beforeEach(async () => {
  stage = new Stage();
  rooms = await stage.cluster({ message: () => new Promise(() => {}), join: () => new Promise(() => {}) });
  ({ connection, socket } = await stage.client(rooms[0]));
});
afterEach(() => stage.mesh.stop());

const stop = (): void => stage.node(0).runtime.stop();
const lose = (): void => stage.mesh.cut(stage.node(0), stage.node(1));
/** The second node answers nothing. */
const hold = (): void => stage.mesh.hold(stage.node(0), stage.node(1));

/** What is waited for, and how it ends: a promise that resolves, or a socket that is closed. */
const WAITS: Readonly<Record<string, () => Promise<unknown>>> = {
  'drain, for its time': () => {
    rooms[0].accept(new FakeClient());
    return rooms[0].drain({ over: 60_000 });
  },
  'drain, for a handler that does not end': () => {
    socket.tell(['send', 1, 'x']);
    return rooms[0].drain({ over: 0 });
  },
  'drain, twice': () => {
    rooms[0].accept(new FakeClient());
    void rooms[0].drain({ over: 60_000 });
    return rooms[0].drain();
  },
  'join, for the answer of a peer': () => {
    hold();
    return connection.join('first');
  },
  'join, beside another one': () => {
    hold();
    void connection.join('first');
    return connection.join('first');
  },
  'a client, for its handler': () => {
    socket.tell(['send', 1, 'x']);
    return closed(socket);
  },
  'a client, for the callback join': () => {
    socket.tell(['join', 1, 'g']);
    return closed(socket);
  },
  'a client that has not said hello': () => {
    const silent = new FakeClient();
    rooms[0].accept(silent);
    return closed(silent);
  },
  'a client whose session a peer should hand over': () => {
    hold();
    const back = new FakeClient();
    rooms[0].accept(back);
    back.hello(socket.session);
    return closed(back);
  },
};

const closed = (of: FakeClient): Promise<unknown> =>
  new Promise((resolve) => of.on('close', (code: number) => resolve(code)));

describe('when the node stops', () => {
  it.each(Object.keys(WAITS))('this ends: %s', async (name) => {
    let isSettled = false;
    const ended = WAITS[name]?.().then(() => (isSettled = true));
    await stage.mesh.settle();
    expect(isSettled).toBe(false);
    stop();
    await ended;
  });

  it('drain and join that are called after it settle at once', async () => {
    stop();
    await Promise.all([rooms[0].drain(), connection.join('g')]);
    expect(() => rooms[0].accept(new FakeClient())).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_NOT_ALIVE' }),
    );
    expect([rooms[0].members('g').all, rooms[0].presence('g').size]).toEqual([0, 0]);
  });

  it('its bridge is closed, and one that throws keeps nothing else open', async () => {
    let isClosed = false;
    const via: RoomBridge = {
      open() {},
      subscribe() {},
      unsubscribe() {},
      publish: () => true,
      close() {
        isClosed = true;
        throw new Error('on purpose');
      },
    };
    const bridged = createRooms(stage.node(0), { bridge: { via, cluster: 'eu' } });
    const { connection: member } = await stage.client(bridged);
    hold();
    const joined = member.join('first');
    stop();
    await joined;
    expect([isClosed, stage.node(0).listener]).toEqual([true, undefined]);
  });

  it('R6 what was broadcast in the same turn still reaches the members here and on its peers', async () => {
    const { socket: here } = await stage.plain(rooms[0], ['g']);
    const { socket: there } = await stage.plain(rooms[1], ['g']);
    rooms[0].broadcast('g', 'last');
    stop();
    expect([here.sent, here.closed?.code]).toEqual([['last'], 1001]);
    await stage.mesh.settle();
    expect(there.sent).toEqual(['last']);
  });

  it('its clients are closed with 1001, and peers know that it left in order', async () => {
    const { socket: other } = await stage.client(rooms[1]);
    await stage.mesh.settle();
    stop();
    await stage.mesh.settle();
    expect([socket.closed?.code, other.closed]).toEqual([1001, undefined]);
  });
});

describe('when the peer is lost', () => {
  it.each(['join, for the answer of a peer', 'join, beside another one'])('this ends: %s', async (name) => {
    let isSettled = false;
    const ended = WAITS[name]?.().then(() => (isSettled = true));
    await stage.mesh.settle();
    expect(isSettled).toBe(false);
    stage.mesh.release(stage.node(0), stage.node(1));
    lose();
    await stage.mesh.settle();
    await ended;
  });

  it('a client whose session it should hand over gets its welcome', async () => {
    hold();
    const back = new FakeClient();
    rooms[0].accept(back);
    back.hello(socket.session);
    await stage.mesh.settle();
    expect(back.all('welcome')).toEqual([]);
    stage.mesh.release(stage.node(0), stage.node(1));
    lose();
    await stage.mesh.settle();
    expect(back.all('welcome')).toHaveLength(1);
  });
});

it.each([
  ['', false],
  [', also if its path was detached meanwhile', true],
])(
  'an upgrade that waits for authorize is refused with 503 when the node stops%s',
  async (_what, isDetached) => {
    const node = await startNode();
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    let isAsked = (): void => {};
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    const detach = createRooms(node).attach(server, {
      authorize: () => {
        isAsked();
        return new Promise(() => {});
      },
    });
    const answer = answerOf(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/rooms`);
    await asked;
    if (isDetached) detach();
    await node.stop();
    expect(await answer).toMatchObject({ status: 503 });
    server.close();
  },
);

it('nothing is kept of a path that was detached', async () => {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error('run with --expose-gc');
  const [one] = rooms;
  const kept = Array.from({ length: 10 }, () => {
    const authorize = (): object => ({});
    one.attach(createServer(), { authorize })();
    return new WeakRef(authorize);
  });
  await nextTurn();
  gc();
  expect(kept.filter((each) => each.deref() !== undefined)).toEqual([]);
});
