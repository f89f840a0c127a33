import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { askAuthorize } from '../../../ts/rooms/authorization.ts';

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
