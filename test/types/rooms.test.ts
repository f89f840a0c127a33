// What the types of rooms accept and refuse, on the server and in the client. The type checker is the judge (`npm run check:types`);
// nothing here runs but the assertions about types, which do nothing.
import { createServer } from 'node:http';
import { describe, expectTypeOf, it } from 'vitest';
import { connectRooms, type RoomData } from '../../ts/client/index.ts';
import type { Node } from '../../ts/index.ts';
import { type Connection, createRooms, type RoomSocket } from '../../ts/rooms/index.ts';

/** What server and client share. */
type FromClient =
  | { readonly type: 'say'; readonly text: string }
  | { readonly type: 'typing'; readonly on: boolean };
interface FromServer {
  readonly from: string;
  readonly text: string;
}
interface User {
  readonly name: string;
}

declare const socket: RoomSocket;
const unreached = (_body: (node: Node) => unknown): void => {};

describe('the server', () => {
  it('has the user that authorize gives in each handler, and messages as parse makes them', () => {
    unreached((node) => {
      const rooms = createRooms<User, FromClient>(node, {
        parse: (data) => {
          expectTypeOf(data).toBeUnknown();
          return data as FromClient;
        },
        open: (connection) => void expectTypeOf(connection).toEqualTypeOf<Connection<User>>(),
        join: ({ user }, room) => user.name === room,
        message: ({ user }, message) => {
          expectTypeOf(user).toEqualTypeOf<User>();
          expectTypeOf(message).toEqualTypeOf<FromClient>();
          if (message.type === 'say') expectTypeOf(message.text).toBeString();
          // @ts-expect-error: only what is said has a text
          void message.text;
        },
      });
      rooms.attach(createServer(), { authorize: () => ({ key: 'ada', user: { name: 'Ada' } }) });
      rooms.attach(createServer(), { authorize: async () => ({ status: 401, reason: 'who are you?' }) });
      // @ts-expect-error: a user has a name
      rooms.attach(createServer(), { authorize: () => ({ user: { nmae: 'Ada' } }) });
      // @ts-expect-error: each connection has a user
      rooms.attach(createServer(), { authorize: async () => ({ key: 'ada' }) });
      // @ts-expect-error: without authorize there is no user
      rooms.attach(createServer(), { path: '/rooms' });
      // @ts-expect-error: without authorize there is no user
      rooms.attach(createServer());
      // @ts-expect-error: each connection has a user
      rooms.accept(socket, { key: 'ada' });
      rooms.accept(socket, { key: 'ada', user: { name: 'Ada' } });
      // @ts-expect-error: a refusal is 401 or 403
      rooms.attach(createServer(), { authorize: () => ({ status: 404 }) });
      for (const { user } of rooms.localMembers('g')) expectTypeOf(user).toEqualTypeOf<User>();
      rooms.on('slow', (connection, dropped) => {
        expectTypeOf(connection.user).toEqualTypeOf<User>();
        expectTypeOf(dropped).toBeNumber();
      });
      // @ts-expect-error: a policy that there is none of
      createRooms(node, { limits: { slow: 'drop-all' } });
    });
  });
});

describe('what the server sends', () => {
  it('is checked, wherever it is sent from, if its type is given', () => {
    unreached((node) => {
      const said: FromServer = { from: 'ada', text: 'hello' };
      const rooms = createRooms<User, FromClient, FromServer>(node, {
        open: (connection) => {
          expectTypeOf(connection).toEqualTypeOf<Connection<User, FromServer>>();
          connection.send(said);
          // @ts-expect-error: what is sent is of the server
          connection.send({ type: 'say', text: 'hello' });
          // @ts-expect-error: the id belongs to the session
          connection.id = 'another';
        },
        message: (connection, message) => {
          connection.broadcast('g', said, { self: false });
          // @ts-expect-error: what a client sent is not what clients are sent
          connection.broadcast('g', message);
        },
      });
      rooms.broadcast('g', said);
      // @ts-expect-error: it has a text
      rooms.broadcast('g', { from: 'ada' });
      // @ts-expect-error: it has a text
      rooms.broadcastExcept('g', { from: 'ada' }, { key: 'ada' });
      // @ts-expect-error: it has a text
      rooms.broadcastLocal('g', { from: 'ada' });
      // @ts-expect-error: it has a text
      rooms.broadcastOn('a@b:1', 'g', { from: 'ada' });
      // @ts-expect-error: it has a text
      rooms.sendTo('ada', { from: 'ada' });
      for (const connection of rooms.localMembers('g'))
        expectTypeOf(connection).toEqualTypeOf<Connection<User, FromServer>>();
      rooms.on('close', (connection) => connection.send(said));
      const anyConnection = (connection: Connection<User>): unknown => connection.user;
      createRooms<User, FromClient, FromServer>(node, {
        open: (connection) => void anyConnection(connection),
      });
    });
  });

  it('may be anything without it; without any type parse gives that of messages', () => {
    unreached((node) => {
      createRooms<User>(node).broadcast('g', 7);
      createRooms(node, {
        parse: (data) => String(data),
        message: (_connection, message) => void expectTypeOf(message).toBeString(),
      });
      createRooms(node, {
        parse: async (data) => String(data),
        message: (_connection, message) => void expectTypeOf(message).toBeString(),
      });
    });
  });
});

describe('a server whose connections may have no user', () => {
  it('needs no authorize', () => {
    unreached((node) => {
      const rooms = createRooms<User | undefined>(node);
      rooms.attach(createServer());
      rooms.attach(createServer(), { authorize: () => ({ key: 'ada' }) });
      rooms.accept(socket);
      expectTypeOf(rooms.accept(socket, { user: { name: 'Ada' } }).user).toEqualTypeOf<User | undefined>();
      const untyped = createRooms(node);
      untyped.attach(createServer(), { path: '/rooms' });
      untyped.accept(socket, { user: 7 });
    });
  });
});

describe('the client', () => {
  it('sends what the server takes, and hears what it sends', () => {
    unreached(() => {
      const client = connectRooms<FromServer, FromClient>('wss://example.com/rooms');
      client.send({ type: 'say', text: 'hello' });
      // @ts-expect-error: what is said has a text
      client.send({ type: 'say' });
      client.on('message', (message) => {
        expectTypeOf(message).toEqualTypeOf<RoomData<FromServer>>();
        expectTypeOf(message.data.text).toBeString();
      });
      client.on('direct', (data) => expectTypeOf(data).toEqualTypeOf<FromServer>());
      client.on('status', (status) => expectTypeOf(status).toExtend<string>());
      // @ts-expect-error: no such event
      client.on('mesage', () => {});
    });
  });
});
