import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { startNode } from '../../../ts/node/index.ts';
import { askAuthorize } from '../../../ts/rooms/authorization.ts';
import { createRooms } from '../../../ts/rooms/index.ts';
import { VirtualClock } from '../../../ts/testing/index.ts';
import { answerOf } from '../../support/websocket.ts';

const REQUEST = { url: '/rooms?key=alice' } as IncomingMessage;

it.each([
  [{ key: 'alice', user: { status: 'away' } }],
  [{ key: 'alice', status: undefined }],
  [{}],
  [{ status: 401 }],
  [{ status: 403, reason: 'not you' }],
])('authorize may return %j', async (answer) => {
  const asked: unknown[] = [];
  const options = {
    async authorize(request: IncomingMessage) {
      asked.push(this, request);
      return answer as never;
    },
  };
  expect(await askAuthorize(options, REQUEST)).toBe(answer);
  expect(asked).toEqual([options, REQUEST]);
});

it.each([
  [undefined, 'not undefined'],
  [true, 'not a boolean'],
  [{ key: 'alice', status: 'away' }, "not one with the status 'away'"],
  [{ key: 'alice', status: 200 }, 'not one with the status 200'],
  [{ status: 401, reason: ['who'] }, 'not one whose reason is an array'],
])('authorize may not return %j', async (answer, what) => {
  await expect(askAuthorize({ authorize: () => answer as never }, REQUEST)).rejects.toMatchObject({
    code: 'SNOW_ERR_BAD_ARGUMENT',
    message: expect.stringContaining(what),
  });
});

it('accepts everybody without authorize', async () => {
  expect(await askAuthorize({}, REQUEST)).toEqual({});
});

it('an authorize that throws is logged at most once in ten seconds, however many ask', async () => {
  const written: unknown[] = [];
  const note = (facts: object): void => {
    const { event, count } = facts as { event?: string; count?: number };
    written.push([event, count]);
  };
  const clock = new VirtualClock();
  const logger = { debug() {}, info() {}, warn() {}, error: note };
  const node = await startNode({ clock, logger });
  const rooms = createRooms(node);
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  rooms.attach(server, {
    authorize: () => {
      throw new Error('on purpose');
    },
  });
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/rooms`;
  for (let time = 0; time < 3; time++) expect(await answerOf(url)).toMatchObject({ status: 500 });
  expect(written).toEqual([['rooms_authorize', undefined]]);
  while (clock.step(10_000));
  expect(written).toEqual([
    ['rooms_authorize', undefined],
    ['rooms_authorize', 2],
  ]);
  rooms.close();
  server.close();
  await node.stop();
});
