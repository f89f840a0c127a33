// The end of a connection that the server, or its WebSocket library, closes: how long its client may still send, and what the handler is told.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Node, startNode } from '../../../ts/node/index.ts';
import {
  type CloseReason,
  type Connection,
  createRooms,
  type Rooms,
  type RoomsOptions,
} from '../../../ts/rooms/index.ts';
import { LONGEST_CLOSE_MS } from '../../../ts/rooms/limits.ts';
import { until } from '../../support/deadline.ts';
import { Tap } from '../../support/websocket.ts';
import { FakeClient } from './fake-socket.ts';
import { Stage } from './stage.ts';

describe('a client that does not answer the close', () => {
  let stage: Stage;
  beforeEach(() => void (stage = new Stage()));
  afterEach(() => stage.mesh.stop());

  class Deaf extends FakeClient {
    isCut = false;
    override close(code: number, reason: string): void {
      this.closed ??= { code, reason };
    }
    override terminate(): void {
      this.isCut = true;
    }
  }

  type Close = (socket: Deaf, connection: Connection, rooms: Rooms) => unknown;
  const CLOSES: [what: string, code: number, close: Close, options: RoomsOptions][] = [
    ['nonsense', 1008, (socket) => socket.say('nonsense'), {}],
    [
      'a message that is too long',
      1009,
      (socket) => socket.say(Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)),
      { limits: { messageBytes: 10 } },
    ],
    [
      'too much in a second',
      1008,
      (socket) => {
        for (let number = 0; number < 10; number++) socket.tell(['beat']);
      },
      { limits: { messagesPerSecond: 2 } },
    ],
    ['close of its connection', 4000, (_socket, connection) => connection.close(4000, 'bye'), {}],
    ['the end of its actor', 1011, (_socket, { pid }) => stage.node(0).runtime.sendExit(pid, 'kill'), {}],
    ['a drain', 1012, (_socket, _connection, rooms) => void rooms.drain({ over: 0 }), {}],
    ['the end of the rooms', 1001, (_socket, _connection, rooms) => rooms.close(), {}],
    ['a resume elsewhere', 4001, (socket, _connection, rooms) => stage.back(rooms, socket, []), {}],
    [
      'reading too slowly',
      1013,
      (socket, connection) => {
        socket.isStuck = true;
        connection.send('x');
        setImmediate(() => connection.send('x'.repeat(100)));
      },
      { limits: { bufferBytes: 50 } },
    ],
  ];
  it.each(CLOSES)('after %s is cut off in time (%i)', async (_what, code, close, options) => {
    const rooms = stage.alone(options);
    const socket = new Deaf();
    const connection = rooms.accept(socket);
    socket.hello();
    await stage.mesh.settle();
    await close(socket, connection, rooms);
    await stage.mesh.settle();
    await stage.mesh.pass(LONGEST_CLOSE_MS - 1);
    expect([socket.closed?.code, socket.isCut]).toEqual([code, false]);
    await stage.mesh.pass(1);
    expect(socket.isCut).toBe(true);
  });

  it('has a reason of at most 123 bytes: a longer one throws, and it stays open', async () => {
    const { socket, connection } = await stage.client(stage.alone());
    expect(() => connection.close(4000, `x${'é'.repeat(61)}y`)).toThrow(
      expect.objectContaining({ code: 'SNOW_ERR_BAD_ARGUMENT' }),
    );
    expect([connection.isOpen, socket.closed]).toEqual([true, undefined]);
    connection.close(4000, `x${'é'.repeat(61)}`);
    expect(socket.closed).toEqual({ code: 4000, reason: `x${'é'.repeat(61)}` });
  });

  it('is not cut off once it has answered: nothing is kept for it', async () => {
    const rooms = stage.alone();
    const { socket, connection } = await stage.client(rooms);
    const { timers } = stage.node(0).runtime;
    const before = timers.size;
    connection.close();
    await stage.mesh.settle();
    expect([socket.closed?.code, timers.size]).toEqual([1001, before]);
  });
});

describe('a WebSocket of a real server', () => {
  let node: Node;
  let server: Server;
  let rooms: Rooms;
  const ends: CloseReason[] = [];

  beforeEach(async () => {
    ends.length = 0;
    node = await startNode();
    rooms = createRooms(node, {
      open: (connection) => connection.join('g'),
      close: (_connection, why) => void ends.push(why),
      limits: { messageBytes: 100 },
    });
    server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    rooms.attach(server, { compress: true });
  });
  afterEach(async () => {
    rooms.close();
    await node.stop();
    server.closeAllConnections();
    server.close();
  });

  const url = (): string => `ws://127.0.0.1:${(server.address() as AddressInfo).port}/rooms`;

  /** A client that writes bytes by itself, and answers no close frame. */
  async function raw(more = ''): Promise<Socket> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(
      'GET /rooms HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${more}\r\n`,
    );
    await once(socket, 'data');
    await until('it is a member', () => rooms.members('g').local === 1);
    return socket;
  }

  /** A masked frame whose mask is zero. */
  const frame = (first: number, payload: readonly number[]): Buffer =>
    Buffer.from([first, 0x80 + payload.length, 0, 0, 0, 0, ...payload]);
  const TOO_LONG = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
  const DEFLATE = 'Sec-WebSocket-Extensions: permessage-deflate\r\n';

  it.each([
    ['longer than any may be', 1009, 'Max payload size exceeded', TOO_LONG],
    ['that is not UTF-8', 1007, 'Invalid WebSocket frame: invalid UTF-8 sequence', frame(0x81, [0xff])],
    ['with an unknown opcode', 1002, 'Invalid WebSocket frame: invalid opcode 3', frame(0x83, [])],
    ['that cannot be inflated', 1007, 'invalid stored block lengths', frame(0xc2, [0, 1, 2, 3, 4, 5])],
    [
      'of too many fragments',
      1008,
      'Too many message fragments',
      Buffer.concat([frame(0x02, []), ...Array.from({ length: 1100 }, () => frame(0x00, []))]),
    ],
  ])(
    'that sends a message %s is closed, and the handler is told',
    async (_what, code, reason, bytes) => {
      const socket = await raw(DEFLATE);
      const came: Buffer[] = [];
      socket.on('data', (data: Buffer) => void came.push(data));
      socket.write(bytes);
      await until('the handler is told', () => ends.length > 0);
      rooms.broadcast('g', 'too late'); // nothing may follow a close frame
      await once(socket, 'close'); // although it does not answer
      expect(ends).toEqual([{ code, reason: expect.stringContaining(reason) }]);
      const all = Buffer.concat(came);
      expect([all[0], all[1], all.length, all.readUInt16BE(2)]).toEqual([0x88, 2, 4, code]);
      expect([rooms.stats().misbehaved, rooms.stats().connections]).toEqual([1, 0]);
    },
    15_000,
  );

  it('is cut off also if its client does not answer when the node has stopped', async () => {
    const socket = await raw();
    const closed = once(socket, 'close');
    await node.stop();
    await closed;
    expect(ends.map(({ code }) => code)).toEqual([1001]);
  }, 15_000);

  it('has the code and the reason of its client', async () => {
    const tap = await Tap.open(url());
    tap.socket.close(4123, 'enough');
    await until('the handler is told', () => ends.length > 0);
    expect(ends).toEqual([{ code: 4123, reason: 'enough' }]);
    expect(rooms.stats().misbehaved).toBe(0);
  });
});
