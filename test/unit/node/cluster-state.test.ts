// What the cluster part of a node says of itself, and whom it does not dial.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NodeDown, NodeUp } from '../../../ts/actor/index.ts';
import type { Cluster } from '../../../ts/node/cluster.ts';
import type { TestRuntime } from '../../../ts/testing/index.ts';
import { ConnectStatus, FrameTag } from '../../../ts/wire/index.ts';
import { openScripted } from './scripted-cluster.ts';
import { Body, ScriptedNative } from './scripted-native.ts';

const OWN = 'a@127.0.0.1:4000';
const PEER = 'b@127.0.0.1:4001';
const OTHER = 'c@127.0.0.1:4002';
const NC = 0x101;
const OTHER_NC = 0x102;
/** Bits of a session's flags. */
const DIALLED = 1;
const HIDDEN = 2;
/** The cause of the end of a session. */
const DISCONNECT = 2;

let kit: TestRuntime;
let native: ScriptedNative;
let cluster: Cluster;
beforeEach(() => {
  ({ kit, native, cluster } = openScripted(OWN, { mesh: 'full' }));
});
afterEach(() => kit.stop());

it('has the facts of each session, and its traffic while it lasts', () => {
  native.up(3, NC, PEER, 9n, HIDDEN);
  native.up(4, OTHER_NC, OTHER, 9n, DIALLED);
  const facts = [
    { node: PEER, connection: 1, hidden: true, dialled: false, stalled: false, waiting: 0 },
    { node: OTHER, connection: 2, hidden: false, dialled: true, stalled: false, waiting: 0 },
  ];
  expect(cluster.peerStats()).toEqual(facts);
  const traffic = { framesIn: 1, framesOut: 5, bytesIn: 2, bytesOut: 3, silentMs: 4 };
  expect(cluster.sessionCounters()).toEqual(facts.map((fact) => ({ ...fact, ...traffic })));
  const sessionStats = (_handle: number, session: number): object | null =>
    session === 3 ? null : { ...traffic, framesIn: 9 };
  Object.assign(native, { sessionStats });
  const none = { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0, silentMs: 0 };
  expect(cluster.sessionCounters()).toEqual([
    { ...facts[0], ...none }, // it has just ended, and JavaScript has not heard of it
    { ...facts[1], ...traffic, framesIn: 9 },
  ]);
  expect(cluster.incarnation).toBe(77n);
});

it('has the port that the system chose in the name of a node that asked for any', () => {
  const any = openScripted('a@127.0.0.1:0');
  any.kit.stop();
  expect([any.cluster.name, any.cluster.port, cluster.name]).toEqual(['a@127.0.0.1:4711', 4711, OWN]);
});

it('L2 tells of hidden nodes those who want to hear of them', async () => {
  const subscriber = (withHidden: boolean): unknown[] => {
    const told: unknown[] = [];
    const pid = kit.runtime.spawnHandler(() => ({
      onMessage: ({ constructor, node }: NodeUp | NodeDown) => void told.push([constructor.name, node]),
    }));
    cluster.subscribe(pid, withHidden);
    return told;
  };
  const [all, visible] = [subscriber(true), subscriber(false)];
  native.up(3, NC, PEER, 9n, HIDDEN);
  native.up(4, OTHER_NC, OTHER, 9n, DIALLED);
  native.down(3, DISCONNECT);
  await kit.settle();
  expect(all).toEqual([
    ['NodeUp', PEER],
    ['NodeUp', OTHER],
    ['NodeDown', PEER],
  ]);
  expect(visible).toEqual([['NodeUp', OTHER]]);
});

it('V5 keeps the process alive until it is told not to', () => {
  const told: string[] = [];
  const watched = new ScriptedNative();
  watched.ref = () => void told.push('ref');
  watched.unref = () => void told.push('unref');
  const other = openScripted(OWN, { native: watched });
  other.cluster.unref();
  other.cluster.ref();
  other.kit.stop();
  expect(told).toEqual(['ref', 'unref', 'ref']);
});

it('L17 connects to no node without a port, and to none at all with autoConnect never', async () => {
  expect(await cluster.connect('b@127.0.0.1:0')).toBe(false);
  const never = openScripted(OWN, { autoConnect: 'never' });
  expect(await never.cluster.connect(PEER)).toBe(false);
  never.kit.stop();
  expect([native.dials, never.native.dials]).toEqual([[], []]);
});

it('is not open from its close on', async () => {
  expect(cluster.isOpen).toBe(true);
  const closed = cluster.close();
  expect(cluster.isOpen).toBe(false);
  await closed;
  expect(cluster.isOpen).toBe(false);
});

it('L2 tells a discovery of this node only if that is not hidden', async () => {
  const told: unknown[] = [];
  const discovery = { start: (_listener: unknown, own: unknown) => void told.push(own), stop() {} };
  await cluster.follow(discovery);
  const open = { name: OWN, listenHost: '127.0.0.1', listenPort: 4000, cookie: 'x', hidden: true };
  const hidden = openScripted(OWN, { open });
  await hidden.cluster.follow(discovery);
  hidden.kit.stop();
  expect(told).toEqual([{ name: 'a', host: '127.0.0.1', port: 4000 }, undefined]);
});

describe('a node that another one lists', () => {
  const list = async (): Promise<void> => {
    native.emit(FrameTag.PEER_LIST, 4, new Body().u16(1).name(PEER));
    await kit.advance(60_000);
  };

  it('L1 is dialled', async () => {
    native.up(4, OTHER_NC, OTHER);
    await list();
    expect(native.dials.map(({ name }) => name)).toEqual([PEER]);
  });

  it.each([
    ['a hidden node lists it', 'full', HIDDEN],
    ['this node is in no mesh', 'explicit', 0],
  ] as const)('L1, L2 is not dialled when %s', async (_what, mesh, flags) => {
    kit.stop();
    ({ kit, native, cluster } = openScripted(OWN, { mesh }));
    native.up(4, OTHER_NC, OTHER, 9n, flags);
    await list();
    expect(native.dials).toEqual([]);
  });

  it.each([
    ['it was disconnected here', () => void cluster.disconnect(PEER)],
    ['it broke the protocol of a channel', () => breakRule()],
  ])('is not dialled if %s, until connect', async (_what, end) => {
    native.up(3, NC, PEER);
    native.up(4, OTHER_NC, OTHER);
    end();
    expect(native.hangups).toEqual([3]);
    native.down(3, DISCONNECT);
    await list();
    expect(native.dials).toEqual([]);
    const connected = cluster.connect(PEER);
    native.dialled(1, ConnectStatus.REFUSED);
    expect(await connected).toBe(false);
    await list();
    expect(native.dials.length).toBeGreaterThan(1);
  });

  const breakRule = (): void => {
    const channel = cluster.channel('test', { up() {}, message() {}, down() {} });
    channel.end(channel.peer(PEER)!, 'it votes twice');
  };
});
