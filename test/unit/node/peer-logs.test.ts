// Log lines that peers and strangers cause: the first of a kind is written at once, the others as one line in ten seconds.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LOG_PAUSE_MS } from '../../../ts/kernel/throttled-log.ts';
import type { Cluster } from '../../../ts/node/cluster.ts';
import { Pid } from '../../../ts/term/index.ts';
import type { TestRuntime } from '../../../ts/testing/index.ts';
import { ConnectStatus, DownCause, FrameTag, NativeEvent } from '../../../ts/wire/index.ts';
import { openScripted } from './scripted-cluster.ts';
import { Body, type ScriptedNative } from './scripted-native.ts';

const PEER = 'x@127.0.0.1:4001';
const NC = 0x101;
const TIMES = 30;

let kit: TestRuntime;
let native: ScriptedNative;
let cluster: Cluster;
beforeEach(() => {
  ({ kit, native, cluster } = openScripted('me@127.0.0.1:4000', { mesh: 'full' }));
});
afterEach(async () => {
  kit.stop();
  await cluster.close();
});

const refused = (address: string): Body =>
  new Body().name(PEER).name(address).name('a wrong proof').u8(ConnectStatus.AUTH).u32(0);

it.each<[string, string, () => Promise<void> | void]>([
  [
    'a list of nodes where others answer',
    'could not connect',
    async () => {
      native.up(1, NC, PEER);
      const list = new Body().u16(TIMES);
      for (let number = 0; number < TIMES; number++) list.name(`n${number}@127.0.0.1:4002`);
      native.emit(FrameTag.PEER_LIST, 1, list);
      for (let answered = 0; answered < TIMES; answered++) {
        await kit.settle();
        native.dialled(native.dials[answered]!.request, ConnectStatus.WRONG_NAME);
      }
    },
  ],
  [
    'sessions that break the protocol',
    'a peer broke the protocol',
    () => {
      for (let time = 0; time < TIMES; time++) {
        native.up(1, NC, PEER);
        native.down(1, DownCause.PROTOCOL);
      }
    },
  ],
  [
    'proofs that are wrong',
    'refused a peer',
    () => {
      for (let time = 0; time < TIMES; time++) native.emit(NativeEvent.REFUSED, 0, refused('10.0.0.7'));
    },
  ],
])('%s are one line now, and one later with their number', async (_what, text, cause) => {
  const lines = (): unknown[] =>
    kit.logs.filter(({ message }) => message === text).map(({ level, facts }) => [level, facts['count']]);
  await cause();
  await kit.settle();
  const [[level]] = lines() as [[string]];
  expect(lines()).toEqual([[level, undefined]]);
  await kit.advance(LOG_PAUSE_MS);
  expect(lines()).toEqual([
    [level, undefined],
    [level, TIMES - 1],
  ]);
});

it.each([
  ['10.0.0.7', { address: '10.0.0.7' }],
  ['', {}],
])('a refused peer is logged with its address: %j', (address, facts) => {
  native.emit(NativeEvent.REFUSED, 0, refused(address));
  const [line] = kit.logs.filter(({ message }) => message === 'refused a peer');
  expect(line?.facts).toEqual({
    event: 'peer_refused',
    node: PEER,
    why: 'cookie',
    reason: 'a wrong proof',
    ...facts,
  });
});

describe('what happens to a peer is logged', () => {
  const lines = (event: string): unknown[] =>
    kit.logs
      .filter(({ facts }) => facts['event'] === event)
      .map(({ level, facts }) => [level, facts['node'], facts['cause'] ?? facts['ageMs'], facts['detail']]);
  const HIDDEN = 3; // and dialled

  it.each<[keyof typeof DownCause, string, string]>([
    ['CLOSED', 'warn', 'the connection was lost'],
    ['TIMEOUT', 'warn', 'no answer came in time'],
    ['REPLACED', 'warn', 'it was restarted, or had lost the connection'],
    ['OVERFLOW', 'warn', 'it did not read its messages: more was waiting for it than outbox.limit allows'],
    ['GOODBYE', 'info', 'it has stopped'],
    ['DISCONNECT', 'info', 'it was disconnected'],
  ])('its end by %s at level %s', async (cause, level, detail) => {
    native.up(1, NC, PEER);
    native.down(1, DownCause[cause]);
    await kit.settle();
    expect(lines('peer_up')).toEqual([['info', PEER, undefined, undefined]]);
    expect(lines('peer_down')).toEqual([[level, PEER, cause.toLowerCase(), detail]]);
  });

  it('its end by PROTOCOL as an error, with what was wrong, and nothing else', async () => {
    native.up(1, NC, PEER);
    native.down(1, DownCause.PROTOCOL);
    await kit.settle();
    expect(lines('peer_down')).toEqual([['error', PEER, 'protocol', '']]);
  });

  it('a blocked event loop as a warning, and its end', () => {
    const loop = (stalled: 0 | 1): unknown =>
      native.emit(NativeEvent.PEER_LOOP, 1, new Body().u8(stalled).u32(7000));
    native.up(1, NC, PEER);
    loop(1);
    loop(0);
    expect(lines('peer_stalled')).toEqual([['warn', PEER, 7000, undefined]]);
    expect(lines('peer_recovered')).toEqual([['info', PEER, 7000, undefined]]);
  });

  it('a broken protocol of each peer, whatever another one does', async () => {
    for (let time = 0; time < TIMES; time++) {
      native.up(1, NC, PEER);
      native.down(1, DownCause.PROTOCOL);
      await kit.settle();
    }
    native.up(2, NC + 1, 'y@127.0.0.1:4002');
    native.down(2, DownCause.PROTOCOL);
    await kit.settle();
    expect(lines('peer_down').map((line) => (line as unknown[])[1])).toEqual([PEER, 'y@127.0.0.1:4002']);
  });

  it('a refusal for each reason: strangers cannot hide that a name is taken', () => {
    const refused = (why: number): unknown =>
      native.emit(NativeEvent.REFUSED, 0, new Body().name(PEER).name('').name('').u8(why).u32(0));
    for (let time = 0; time < TIMES; time++) refused(ConnectStatus.AUTH);
    refused(ConnectStatus.NAME_TAKEN);
    expect(lines('peer_refused').map((line) => (line as unknown[])[0])).toEqual(['warn', 'error']);
  });

  it('a hidden peer, as a tool is, warns of nothing', async () => {
    native.up(1, NC, PEER, undefined, HIDDEN);
    native.down(1, DownCause.CLOSED);
    await kit.settle();
    expect(lines('peer_down')).toEqual([['info', PEER, 'closed', 'the connection was lost']]);
  });

  it('one that comes and goes in one line in ten seconds, which hides no other peer', async () => {
    for (let time = 0; time < TIMES; time++) {
      native.up(1, NC, PEER);
      native.down(1, DownCause.CLOSED);
      await kit.settle();
    }
    native.up(2, NC + 1, 'y@127.0.0.1:4002');
    native.down(2, DownCause.CLOSED);
    await kit.settle();
    expect(lines('peer_down')).toEqual([
      ['warn', PEER, 'closed', 'the connection was lost'],
      ['warn', 'y@127.0.0.1:4002', 'closed', 'the connection was lost'],
    ]);
    await kit.advance(LOG_PAUSE_MS);
    expect(kit.logs.findLast(({ facts }) => facts['event'] === 'peer_down')).toMatchObject({
      facts: { node: PEER, count: TIMES - 1 },
    });
  });
});

describe('an event of the node tells of', () => {
  let events: unknown[][];
  beforeEach(() => {
    events = [];
    cluster.announce((event, ...facts) => void events.push([event, ...facts]));
  });

  it('a blocked event loop of a peer, and its end', () => {
    native.up(1, NC, PEER);
    for (const stalled of [1, 0]) native.emit(NativeEvent.PEER_LOOP, 1, new Body().u8(stalled).u32(7000));
    expect(events.slice(1)).toEqual([
      ['stalled', PEER, 7000],
      ['recovered', PEER],
    ]);
  });

  it('P1 an outbox above its high-water mark, and below it again', () => {
    native.up(1, NC, PEER);
    native.pending = 2 ** 21;
    cluster.remote.send(null, new Pid(NC, 1), 'hello');
    cluster.remote.flush();
    native.emit(NativeEvent.WRITABLE, 1, new Body().u32(0));
    expect(events.slice(1)).toEqual([
      ['busy', PEER, 2 ** 21],
      ['drain', PEER],
    ]);
  });

  it('a refusal, with who claims to be refused', () => {
    native.emit(NativeEvent.REFUSED, 0, refused('10.0.0.7'));
    expect(events).toEqual([['refused', PEER, 'a wrong proof', 'cookie']]);
  });
});

it.each<[keyof typeof ConnectStatus, unknown[][]]>([
  ['REFUSED', [['debug', 'dial_failed']]],
  ['TIMEOUT', [['debug', 'dial_failed']]],
  ['AUTH', [['warn', 'dial_failed']]],
  [
    'DNS',
    [
      ['warn', 'dns_failed'],
      ['debug', 'dial_failed'],
    ],
  ],
  [
    'NAME_TAKEN',
    [
      ['error', 'name_taken'],
      ['warn', 'dial_failed'],
    ],
  ],
])('a dial that ends with %s is logged, and remembered', async (status, lines) => {
  const dial = cluster.connect(PEER);
  native.dialled(1, ConnectStatus[status], 'as it said');
  expect(await dial).toBe(false);
  expect(kit.logs.map(({ level, facts }) => [level, facts['event']])).toEqual(lines);
  expect(cluster.reachability.failure(PEER)?.detail).toContain('as it said');
});

it('K5 another node with the name of this one is an error, and the peer is dialled again', async () => {
  native.up(1, NC, PEER);
  native.down(1, DownCause.DISPLACED);
  const [line] = kit.logs.filter(({ level }) => level === 'error');
  expect(line?.facts).toEqual({ event: 'peer_down', node: PEER, cause: 'displaced' });
  await kit.advance(60_000);
  expect(native.dials.length).toBeGreaterThan(0);
});
