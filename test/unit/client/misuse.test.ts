// What a page hands over by mistake is refused at once, with a code, and changes nothing.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ClientError, connectRooms, RoomClient } from '../../../ts/client/index.ts';
import { ERRORS } from '../../../ts/index.ts';
import { methodsOf, type Wrong } from '../errors/misuse.ts';

/** A socket that never opens. */
class SilentSocket {
  static made = 0;
  binaryType = '';
  readonly readyState = 0;
  constructor() {
    SilentSocket.made++;
  }
  addEventListener(): void {}
  send(): void {}
  close(): void {}
}

const connect = (urls: Wrong = 'ws://x', options: Wrong = {}): RoomClient =>
  connectRooms(urls, { WebSocket: SilentSocket, ...options });

let client: RoomClient;
beforeEach(() => {
  SilentSocket.made = 0;
  client = connect();
});
afterEach(() => client.close());

function refusal(run: () => unknown): ClientError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    expect(ERRORS).toHaveProperty((error as ClientError).code);
    return error as ClientError;
  }
  throw new Error('it was accepted');
}

const circle: Record<string, unknown> = {};
circle['self'] = circle;

/** Of each function, what it refuses: a code, and values. */
const REFUSED: Readonly<
  Record<
    string,
    readonly (readonly [code: string, given: readonly Wrong[], call: (given: Wrong) => unknown])[]
  >
> = {
  connectRooms: [
    [
      'SNOW_ERR_BAD_ARGUMENT',
      [undefined, null, 5, '', [], [5], {}, 'ftp://x', 'wss://', 'ws://x#part', '/rooms', ['ws://x', 'x:y']],
      (urls) => connectRooms(urls, { WebSocket: SilentSocket as never }),
    ],
    [
      'SNOW_ERR_BAD_OPTION',
      [null, 5, 'text', Promise.resolve({})],
      (options) => connectRooms('ws://x', options),
    ],
    ['SNOW_ERR_BAD_OPTION', [{ tiemout: 5 }, { constructor: 5 }], (options) => connect('ws://x', options)],
    ['SNOW_ERR_BAD_OPTION', [null, 5, 'text', {}], (value) => connect('ws://x', { WebSocket: value })],
    [
      'SNOW_ERR_BAD_OPTION',
      [null, -1, Number.NaN, 2 ** 31, '5'],
      (value) => connect('ws://x', { minDelay: value }),
    ],
    [
      'SNOW_ERR_BAD_OPTION',
      [null, -1, Number.NaN, 2 ** 31, '5'],
      (value) => connect('ws://x', { maxDelay: value }),
    ],
    [
      'SNOW_ERR_BAD_OPTION',
      [null, 0, -1, 1.5, Number.NaN, '5'],
      (value) => connect('ws://x', { queue: value }),
    ],
    ['SNOW_ERR_BAD_OPTION', [null, 5, 'text', {}], (value) => connect('ws://x', { random: value })],
    [
      'SNOW_ERR_BAD_OPTION',
      [null, 5, {}, '', 'text', '[]', '[null,[],0,[0,[[1]]]]'],
      (value) => connect('ws://x', { state: value }),
    ],
  ],
  on: [
    [
      'SNOW_ERR_BAD_ARGUMENT',
      [undefined, null, 5, 'mesage', 'constructor'],
      (event) => client.on(event, () => {}),
    ],
    ['SNOW_ERR_BAD_ARGUMENT', [undefined, null, 5, 'text', {}], (listener) => client.on('message', listener)],
  ],
  ...Object.fromEntries(
    (['join', 'leave', 'presence'] as const).map((method) => [
      method,
      [
        ['SNOW_ERR_BAD_ARGUMENT', [undefined, null, 5, {}, ['g']], (room: Wrong) => client[method](room)],
        [
          'SNOW_ERR_BAD_NAME',
          ['', '\0alice', 'x'.repeat(256), 'é'.repeat(128), '\ud800'],
          (room: Wrong) => client[method](room),
        ],
      ] as const,
    ]),
  ),
  send: [
    [
      'SNOW_ERR_UNSENDABLE',
      [undefined, Symbol('s'), () => {}, 1n, circle, Promise.resolve(1)],
      (data) => client.send(data),
    ],
  ],
};

describe.each(Object.entries(REFUSED))('%s', (_name, rows) => {
  it.each(rows)('throws %s at once', (code, given, call) => {
    const before = client.state.replace(/\d{13}/, '');
    for (const value of given) {
      const error = refusal(() => call(value));
      expect([error.code, error.message], String(error)).toEqual([code, expect.stringMatching(/\w{3,}/)]);
    }
    expect([client.state.replace(/\d{13}/, ''), client.queued, client.joined()]).toEqual([before, 0, []]);
  });
});

it('every public method is tested, or takes no arguments', () => {
  const methods = [...methodsOf(RoomClient), ...methodsOf(Object.getPrototypeOf(RoomClient))];
  const taking = methods.filter((name) => (client as Wrong)[name].length > 0 && !HIDDEN.has(name));
  expect(taking.sort()).toEqual(
    Object.keys(REFUSED)
      .filter((name) => name !== 'connectRooms')
      .sort(),
  );
});

/** Methods that TypeScript hides. */
const HIDDEN = new Set([
  ...['received', 'roomMessage', 'welcome', 'enter', 'left', 'refused', 'presenceChanged'],
  ...['ask', 'write', 'sendJson', 'paceJson', 'restore', 'emit'],
]);

it('where there is no WebSocket, connecting says so at once', () => {
  const here = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
  Reflect.deleteProperty(globalThis, 'WebSocket');
  try {
    const error = refusal(() => connectRooms('ws://x'));
    expect([error.code, error.message]).toEqual([
      'SNOW_ERR_BAD_OPTION',
      expect.stringContaining('has no WebSocket'),
    ]);
  } finally {
    if (here !== undefined) Object.defineProperty(globalThis, 'WebSocket', here);
  }
});

it('what connecting accepts: several URLs, secure ones, and those of HTTP', () => {
  for (const urls of [
    'wss://x/y?z',
    ['ws://x', 'wss://y'],
    'https://x',
    'WS://x',
    'ws+unix:/run/x.sock:/rooms',
  ])
    connect(urls).close();
  connect('ws://x', { minDelay: 0, maxDelay: 0, queue: 1, random: undefined, state: undefined }).close();
});

it('a message does not change after it was sent', () => {
  const data = { list: [1] };
  const bytes = Uint8Array.of(1, 2);
  expect([client.send(data), client.send(bytes), client.send(bytes.buffer)]).toEqual([true, true, true]);
  data.list.push(2);
  bytes[0] = 9;
  const waiting = (JSON.parse(client.state) as [unknown, unknown, unknown, [number, unknown[]]])[3][1];
  expect(waiting).toEqual([
    [1, { list: [1] }],
    [2, [1, 2], 1],
    [3, [1, 2], 1],
  ]);
});

it('a closed client rejects with a code', async () => {
  const joining = client.join('g');
  client.close();
  await expect(joining).rejects.toMatchObject({ code: 'SNOW_ERR_CLIENT_CLOSED' });
  await expect(client.join('h')).rejects.toMatchObject({ code: 'SNOW_ERR_CLIENT_CLOSED' });
});
