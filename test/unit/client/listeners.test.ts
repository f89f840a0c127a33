// What listeners of a client may do while it is called: its messages keep their order, and a client that is closed stays closed.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type ClientOptions, connectRooms, type RoomClient } from '../../../ts/client/index.ts';

/** The client's WebSocket, in the hands of a test. */
class HeldSocket extends EventTarget {
  static readonly all: HeldSocket[] = [];
  /** URLs that it refuses, as a browser does. */
  static refused: readonly string[] = [];
  binaryType = '';
  readyState = 0;
  readonly url: string;
  readonly sent: unknown[][] = [];

  constructor(url: string) {
    super();
    this.url = url;
    if (HeldSocket.refused.includes(url)) throw new Error(`${url} is refused`);
    HeldSocket.all.push(this);
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data) as unknown[]);
  }

  close(): void {
    this.readyState = 3;
  }

  /** The server sends. */
  say(...messages: readonly (readonly unknown[])[]): void {
    for (const message of messages) this.hear(JSON.stringify(message));
  }

  hear(data: string): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }

  /** It opens, and the server answers the hello. */
  welcome({ last = 0, resumed = true }: { readonly last?: number; readonly resumed?: boolean } = {}): void {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
    this.say(['welcome', { session: 's', id: 'i', resumed, last, beatMs: 0, spreadMs: 0 }]);
  }

  fail(): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event('close'), { code: 1006 }));
  }

  all(tag: string): unknown[][] {
    return this.sent.filter(([each]) => each === tag);
  }
}

let client: RoomClient;
const socket = (): HeldSocket => HeldSocket.all.at(-1) as HeldSocket;
/** A later task: a client connects in one. */
const task = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

function connect(options: ClientOptions = {}, urls: string | readonly string[] = 'ws://one'): void {
  client = connectRooms(urls, { WebSocket: HeldSocket as never, random: () => 0, ...options });
}

beforeEach(() => {
  vi.useFakeTimers();
  HeldSocket.all.length = 0;
  HeldSocket.refused = [];
});
afterEach(() => {
  client.close();
  vi.useRealTimers();
});

it('R19 what waits is sent before what a listener sends when the client is open', async () => {
  connect();
  client.send('first');
  client.on('status', (status) => void (status === 'open' && client.send('second')));
  await task();
  socket().welcome();
  expect(socket().all('send')).toEqual([
    ['send', 1, 'first'],
    ['send', 2, 'second'],
  ]);
  socket().fail();
  await task();
  socket().welcome();
  expect(socket().all('send')).toEqual([
    ['send', 1, 'first'],
    ['send', 2, 'second'],
    ['send', 3, 'second'],
  ]);
});

it('the event queue also tells that messages were handled whose acknowledgement was lost', async () => {
  connect();
  const lengths: number[] = [];
  client.on('queue', (length) => void lengths.push(length));
  await task();
  socket().welcome();
  for (const message of ['a', 'b', 'c']) client.send(message);
  socket().fail();
  await task();
  socket().welcome({ last: 2 });
  expect([lengths, client.queued]).toEqual([[1, 2, 3, 1], 1]);
  socket().say(['ack', 3]);
  socket().fail();
  await task();
  socket().welcome({ last: 3 });
  expect(lengths).toEqual([1, 2, 3, 1, 0]);
});

it.each(['connecting', 'open', 'waiting'] as const)(
  'a client that is closed by a listener of %s stays closed',
  async (when) => {
    connect();
    client.send('x');
    const statuses: string[] = [];
    client.on('status', (status) => {
      statuses.push(status);
      if (status === when) client.close();
    });
    await task();
    if (when !== 'connecting') socket().welcome();
    if (when === 'waiting') socket().fail();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(statuses).toEqual([...['connecting', 'open', 'waiting'].slice(0, statuses.length - 1), 'closed']);
    expect(HeldSocket.all.map(({ readyState }) => readyState)).toEqual(when === 'connecting' ? [] : [3]);
    expect(vi.getTimerCount()).toBe(0);
  },
);

it('a room that is joined while a leave is under way is joined again', async () => {
  connect();
  await task();
  socket().welcome();
  const first = client.join('g');
  socket().say(['joined', 1, 'g', 'ticket', {}]);
  await first;
  const left = client.leave('g');
  const again = client.join('g');
  expect(socket().all('join')).toEqual([
    ['join', 1, 'g'],
    ['join', 3, 'g'],
  ]);
  // In one piece, as a socket may read them.
  socket().say(['left', 2, 'g'], ['joined', 3, 'g', 'ticket', {}]);
  await Promise.all([left, again]);
  expect(client.joined()).toEqual(['g']);
});

it('requests that a lost connection left without an answer are sent again as they were, in order', async () => {
  connect();
  await task();
  socket().welcome();
  const settled: string[] = [];
  const after = (what: string) => (): void => void settled.push(what);
  void client.join('g').then(after('joined'));
  void client.leave('g').then(after('left'));
  void client.join('h').then(after('joined h'));
  socket().fail();
  await task();
  socket().welcome();
  const requests = socket().sent.filter(([tag]) => tag !== 'hello');
  expect(requests).toEqual([
    ['join', 1, 'g'],
    ['leave', 2, 'g'],
    ['join', 3, 'h'],
  ]);
  socket().say(['joined', 1, 'g', 't', {}], ['left', 2, 'g'], ['joined', 3, 'h', 't', {}]);
  await task();
  expect([settled, client.joined()]).toEqual([['joined', 'left', 'joined h'], ['h']]);
});

it('a URL that the platform refuses counts as a failed attempt, and its error is reported', async () => {
  HeldSocket.refused = ['ws://refused'];
  connect({}, ['ws://refused', 'ws://two']);
  await expect(vi.advanceTimersByTimeAsync(1)).rejects.toThrow('ws://refused is refused');
  expect([client.status, socket().url]).toEqual(['connecting', 'ws://two']);
  socket().welcome();
  HeldSocket.refused = ['ws://not a host'];
  socket().say(['drain', 'ws://not a host']);
  socket().fail();
  await task();
  expect([client.status, socket().url]).toEqual(['connecting', 'ws://refused']);
});

it('R16 a client is told resync when the room of its user is not continued, for any reason', async () => {
  connect();
  const told: unknown[] = [];
  client.on('resync', (what) => void told.push(what));
  client.on('refused', (what) => void told.push(what));
  await task();
  socket().welcome();
  socket().say(['joined', 0, '\0ann', 't', {}]);
  socket().fail();
  await task();
  socket().welcome();
  socket().say(['refused', 0, '\0ann', 'ticket']);
  expect(told).toEqual([{ room: '', reason: 'window' }]);
});

it('R12 a client is told each change of a presence once, and who has left when its session is not continued', async () => {
  connect();
  const seen: unknown[] = [];
  client.on('presence', ({ diff, all }) => void seen.push([diff, all.size]));
  const [ann, bob] = [
    { key: 'ann', metas: [1] },
    { key: 'bob', metas: [1] },
  ];
  const none = { joins: [], updates: [], leaves: [] };
  await task();
  socket().welcome();
  socket().say(['joined', 1, 'g', 't', {}], ['present', 'g', [ann]]);
  socket().say(['presence', 'g', { ...none, joins: [ann] }]); // it was in the whole presence
  socket().say(['presence', 'g', { ...none, joins: [bob] }]);
  socket().say(['presence', 'g', { ...none, updates: [{ key: 'bob', metas: [2] }] }]);
  socket().fail();
  await task();
  socket().welcome({ resumed: false });
  socket().say(['refused', 0, 'g', 'session']);
  expect(seen).toEqual([
    [{ ...none, joins: [ann] }, 1],
    [{ ...none, joins: [bob] }, 2],
    [{ ...none, updates: [{ key: 'bob', metas: [2] }] }, 2],
    [{ ...none, leaves: [ann, { key: 'bob', metas: [2] }] }, 0],
  ]);
});

it('a change of a presence costs as much among many keys as among few, unless the whole is looked at each time', async () => {
  const set = vi.spyOn(Map.prototype, 'set');
  try {
    /** What a copy of a map and a change of it do: for ten changes among so many keys. */
    const workAmong = async (many: number, looksAtAll: boolean): Promise<number> => {
      connect();
      await task();
      socket().welcome();
      const entries = Array.from({ length: many }, (_, number) => ({ key: `k${number}`, metas: [0] }));
      socket().say(['joined', 1, 'g', 't', {}], ['present', 'g', entries]);
      const seen: unknown[] = [];
      const before = client.presence('g');
      client.on(
        'presence',
        (event) => void seen.push(looksAtAll ? event.all.get('k1') : event.diff.updates[0]),
      );
      const update = (count: number): void =>
        socket().say(['presence', 'g', { joins: [], updates: [{ key: 'k1', metas: [count] }], leaves: [] }]);
      update(1); // copies what the program has
      set.mockClear();
      for (let count = 2; count <= 11; count++) update(count);
      const calls = set.mock.calls.length;
      expect(seen.at(-1)).toEqual(looksAtAll ? [11] : { key: 'k1', metas: [11] });
      expect([before.get('k1'), client.presence('g').get('k1')]).toEqual([[0], [11]]);
      client.close();
      return calls;
    };
    expect(await workAmong(10_000, false)).toBe(await workAmong(10, false));
    expect(await workAmong(1000, true)).toBeGreaterThan(9000);
  } finally {
    set.mockRestore();
  }
});

it('a client whose join fails at the server is told, and asks again after delays that grow, until it is in', async () => {
  connect({ random: () => 1, minDelay: 500, maxDelay: 3000 });
  await task();
  socket().welcome();
  const told: unknown[] = [];
  for (const event of ['failed', 'joined', 'refused', 'resync'] as const)
    client.on(event, (value) => void told.push([event, value]));
  const answer = client.join('g').catch(({ code, message }) => void told.push([code, message]));
  const asked = (): number => socket().all('join').length;
  const fail = (): void => socket().say(['refused', asked(), 'g', 'failed']);
  for (const [index, ms] of [500, 1000, 2000, 3000, 3000].entries()) {
    fail();
    await vi.advanceTimersByTimeAsync(ms - 1);
    expect(asked()).toBe(index + 1);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked()).toBe(index + 2);
  }
  await answer;
  expect(told.slice(0, 2)).toEqual([
    ['failed', { room: 'g' }],
    ['SNOW_ERR_ROOM_FAILED', 'g: failed'],
  ]);
  socket().say(['joined', asked(), 'g', 't', {}]);
  expect(told.slice(-1)).toEqual([['joined', { room: 'g' }]]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked()).toBe(6);
});

it.each([
  ['left', (): unknown => client.leave('g').catch(() => {})],
  ['closed', (): unknown => client.close()],
])('a room whose join failed is not asked for any more once the client has %s', async (_what, end) => {
  connect({ random: () => 1 });
  await task();
  socket().welcome();
  client.join('g').catch(() => {});
  socket().say(['refused', 1, 'g', 'failed']);
  end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(socket().all('join')).toHaveLength(1);
});

it.each([
  ['session', 0],
  ['failed', 500],
])(
  'R16 a client that could not resume a room (%s) is told resync once it is in it again, not before',
  async (reason, ms) => {
    connect({ random: () => 1 });
    const told: unknown[] = [];
    await task();
    socket().welcome();
    client.join('g').catch(() => {});
    socket().say(['joined', 1, 'g', 't', {}]);
    socket().fail();
    await vi.advanceTimersByTimeAsync(500);
    for (const event of ['failed', 'joined', 'resync', 'message'] as const)
      client.on(event, (value) => void told.push([event, (value as { reason?: string }).reason]));
    socket().welcome();
    socket().say(['refused', 0, 'g', reason]);
    await vi.advanceTimersByTimeAsync(ms);
    expect(told).toEqual(reason === 'failed' ? [['failed', undefined]] : []);
    const [, ref] = socket().all('join')[0] ?? [];
    socket().say(['joined', ref, 'g', 't', {}], ['m', 'g', 'o', 1, 'new']);
    expect(told.slice(-3)).toEqual([
      ['joined', undefined],
      ['resync', 'window'],
      ['message', undefined],
    ]);
  },
);

it('a room that only the server joined, and that fails when the client comes back, is asked for again', async () => {
  connect({ random: () => 1 });
  const told: unknown[] = [];
  await task();
  socket().welcome();
  socket().say(['joined', 0, 'g', 't', {}]);
  socket().fail();
  await vi.advanceTimersByTimeAsync(500);
  for (const event of ['failed', 'joined', 'resync', 'refused'] as const)
    client.on(event, (value) => void told.push([event, value]));
  socket().welcome();
  socket().say(['refused', 0, 'g', 'failed']);
  expect([told, socket().all('join')]).toEqual([[['failed', { room: 'g' }]], []]);
  await vi.advanceTimersByTimeAsync(500);
  expect(socket().all('join')).toEqual([['join', 1, 'g']]);
  socket().say(['joined', 1, 'g', 't', {}]);
  expect(told.slice(1)).toEqual([
    ['joined', { room: 'g' }],
    ['resync', { room: 'g', reason: 'window' }],
  ]);
});

it('a room that the server has let the client out of is not asked for again, unless the program does', async () => {
  connect();
  await task();
  socket().welcome();
  for (const [index, room] of ['g', 'h'].entries()) {
    void client.join(room);
    socket().say(['joined', index + 1, room, 't', {}]);
  }
  socket().say(['left', 0, 'g']);
  client.leave('h').catch(() => {}); // it is never answered
  client.join('h').catch(() => {});
  socket().say(['left', 0, 'h']); // it was on its way
  expect(client.joined()).toEqual([]);
  socket().fail();
  await task();
  socket().welcome({ resumed: false });
  expect(socket().sent.filter(([tag]) => tag !== 'hello')).toEqual([
    ['leave', 3, 'h'],
    ['join', 4, 'h'],
  ]);
  client.join('g').catch(() => {});
  expect(socket().all('join')).toHaveLength(2);
});

it.each(['', '["m","g",', 'null', '["welcome"]', '["presence","g"]', '<html></html>'])(
  'what is not of the protocol, %o, ends the connection: the client resumes its session over another one',
  async (data) => {
    const uncaught = vi.fn();
    process.on('uncaughtException', uncaught);
    connect();
    await task();
    socket().welcome();
    socket().say(['joined', 0, 'g', 'ticket', { o: 1 }]);
    const first = socket();
    first.hear(data);
    expect([first.readyState, client.status]).toEqual([3, 'waiting']);
    first.say(['m', 'g', 'o', 2, 'of the connection that ended']);
    await task();
    socket().welcome();
    expect(socket().all('hello')).toEqual([['hello', 's', [['g', 'ticket', { o: 1 }]], false, 0]]);
    expect(client.status).toBe('open');
    process.off('uncaughtException', uncaught);
    expect(uncaught).not.toHaveBeenCalled();
  },
);
