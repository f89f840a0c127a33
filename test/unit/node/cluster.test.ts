// A node over a native core that a test plays: what is told in which order, and what becomes of those who wait.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Self } from '../../../ts/actor/index.ts';
import { startGlobalNames } from '../../../ts/global/index.ts';
import { startGroups } from '../../../ts/groups/index.ts';
import { Cluster } from '../../../ts/node/cluster.ts';
import type { ChannelListener } from '../../../ts/node/index.ts';
import { parseNodeName } from '../../../ts/node/node-name.ts';
import type { AutoConnect, MeshMode } from '../../../ts/node/options.ts';
import { createRooms } from '../../../ts/rooms/index.ts';
import { Pid, TermDecoder } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { ConnectStatus, DialReason, FrameTag } from '../../../ts/wire/index.ts';
import { Body, ScriptedNative } from './scripted-native.ts';

const OWN = 'a@127.0.0.1:4000';
const PEER = 'b@127.0.0.1:4001';
const NC = 0x101;
const LIMITS = { highWater: 1000, limit: 5000, waiting: 4000, maxMessage: 2 ** 24 };
/** Bits of a session's flags. */
const HIDDEN = 2;
/** Causes of the end of a session. */
const CLOSED = 0;
const DISCONNECT = 2;
/** More links and monitors than fire at once. */
const MANY = 3000;

interface Setup {
  readonly autoConnect?: AutoConnect;
  readonly mesh?: MeshMode;
  readonly hidden?: boolean;
}

let kit: TestRuntime;
let native: ScriptedNative;
beforeEach(() => {
  kit = startTestRuntime();
  native = new ScriptedNative();
});
afterEach(() => kit.stop());

function open({ autoConnect = 'use', mesh = 'full', hidden = false }: Setup = {}): Cluster {
  const name = parseNodeName(OWN);
  const options = { name: OWN, listenHost: '127.0.0.1', listenPort: 4000, cookie: 'x', hidden };
  const { runtime } = kit;
  const cluster = new Cluster({ native, name, open: options, runtime, limits: LIMITS, autoConnect, mesh });
  native.slotEvent(NC, PEER);
  return cluster;
}

/** A discovery that found the peer, once and for all. */
const FOUND = { start: ({ found }: { found(names: readonly string[]): void }) => found([PEER]), stop() {} };

describe('a peer that a discovery found', () => {
  it.each([
    ['L1 by a node of a mesh', {}, 0],
    ['L1 by a node that connects nobody else', { mesh: 'explicit' }, 0],
    ['L2 by a hidden node', { hidden: true }, 0],
    ['L2 though it is hidden', {}, HIDDEN],
  ] as const)('is dialled again when it is lost: %s', async (_what, setup: Setup, flags: number) => {
    const cluster = open(setup);
    await cluster.follow(FOUND);
    await kit.settle();
    expect(native.dials).toHaveLength(1);
    native.up(3, NC, PEER, BigInt(NC), flags);
    native.dialled(1, ConnectStatus.UP);
    await kit.advance(60_000);
    native.down(3, CLOSED);
    await kit.advance(1000);
    expect(native.dials).toHaveLength(2);
  });
});

describe('the loss of a node with more links and monitors than fire at once', () => {
  /** An actor with very many links to the peer that hears of nodes; and what it was told, told again once. */
  async function keeper(cluster: Cluster) {
    const told: string[] = [];
    const pid = kit.runtime.spawnHandler((self: Self<unknown>) => {
      self.trapExit(true);
      for (let local = 1; local <= MANY; local++) self.link(new Pid(NC, local));
      return { onMessage: (message) => void told.push((message as object).constructor.name) };
    });
    cluster.monitors.subscribe(pid, false);
    await kit.settle();
    return () => [told.filter((what) => what === 'Exit').length, told.filter((what) => what !== 'Exit')];
  }

  it('L4, L5 is told of before a new session, however soon that comes', async () => {
    const cluster = open();
    native.up(3, NC, PEER);
    const told = await keeper(cluster);
    const ups: string[] = [];
    cluster.announce((event, ..._facts) => void ups.push(event));
    for (let flap = 0; flap < 3; flap++) {
      native.down(3, CLOSED);
      native.up(3, NC + flap, PEER);
    }
    await kit.settle();
    expect(told()).toEqual([MANY, ['NodeDown', 'NodeUp', 'NodeDown', 'NodeUp', 'NodeDown', 'NodeUp']]);
    expect(ups).toEqual(['nodedown', 'nodeup', 'nodedown', 'nodeup', 'nodedown', 'nodeup']);
    expect(cluster.nodes('visible')).toEqual([PEER]);
  });

  it('L9 ends a disconnect that is waited for, when all have heard of it', async () => {
    const cluster = open();
    native.up(3, NC, PEER);
    const told = await keeper(cluster);
    const isGone = cluster.disconnect(PEER);
    native.down(3, DISCONNECT);
    expect(await isGone).toBe(true);
    await kit.settle();
    expect(told()).toEqual([MANY, ['NodeDown']]);
    expect(await cluster.disconnect(PEER)).toBe(false);
  });

  it('L6, L8 is not reported to a caller that asks in the middle of it', async () => {
    const cluster = open({ mesh: 'explicit', autoConnect: 'never' });
    const pid = kit.runtime.spawnHandler(() => ({ onMessage() {} }));
    for (const ask of [() => cluster.watch(pid, PEER), () => cluster.subscribe(pid, false)]) {
      native.up(3, NC, PEER);
      const told: unknown[] = [];
      const keeper = kit.runtime.spawnHandler((self: Self<unknown>) => {
        for (let at = 1; at <= MANY; at++) self.monitor(new Pid(NC, at));
        return { onMessage: (message) => void told.push(message) };
      });
      await kit.settle();
      native.down(3, CLOSED);
      ask();
      const heard = kit.runtime.mailboxOf(keeper).length + told.length;
      expect([heard, kit.runtime.mailboxOf(pid)]).toEqual([MANY, []]);
      await kit.settle();
      kit.runtime.sendExit(keeper, 'kill');
    }
  });

  it('V6 is over when the node stops in the middle of it', async () => {
    const cluster = open();
    native.up(3, NC, PEER);
    const told = await keeper(cluster);
    const isGone = cluster.disconnect(PEER);
    native.down(3, CLOSED);
    await cluster.close();
    expect(await isGone).toBe(true);
    await kit.settle();
    expect(told()).toEqual([MANY, ['NodeDown']]);
  });
});

it('V6 a discovery that never stops does not keep the node from stopping', async () => {
  const cluster = open();
  await cluster.follow({ start: () => {}, stop: () => new Promise<never>(() => {}) });
  let isClosed = false;
  void cluster.close().then(() => (isClosed = true));
  await kit.advance(4900);
  expect(isClosed).toBe(false);
  await kit.advance(200);
  expect(isClosed).toBe(true);
  expect(kit.logs.map(({ message }) => message)).toEqual(['a discovery could not be stopped']);
});

describe('ready', () => {
  it.each([1000, Number.POSITIVE_INFINITY])('V6 ends when the node stops (timeout %d)', async (timeout) => {
    const cluster = open();
    const waits = [cluster.ready({ timeout }), cluster.ready({ peers: [PEER], timeout })];
    await cluster.close();
    for (const wait of waits) await expect(wait).rejects.toMatchObject({ code: 'SNOW_ERR_STOPPED' });
  });
});

describe('code that runs at the moment of an event', () => {
  /** Runs `act` once, when that event is published. */
  function during(cluster: Cluster, event: string, act: () => void): void {
    let isDone = false;
    cluster.announce((name, ..._facts) => {
      if (name !== event || isDone) return;
      isDone = true;
      act();
    });
  }

  it('a connect made when a dial fails is a dial of its own, and its session loses nothing', async () => {
    const cluster = open();
    let second: Promise<boolean> | undefined;
    during(cluster, 'unreachable', () => (second = cluster.connect(PEER)));
    const first = cluster.connect(PEER);
    native.dialled(1, ConnectStatus.REFUSED);
    expect(await first).toBe(false);
    expect(native.dials.map(({ request }) => request)).toEqual([1, 2]);
    native.up(3, NC, PEER);
    const pid = kit.runtime.spawnHandler(() => ({ onMessage() {} }));
    cluster.watch(pid, PEER);
    native.dialled(2, ConnectStatus.UP);
    expect(await second).toBe(true);
    expect(cluster.reachability.whyDown(PEER)).toBeUndefined();
    await kit.settle();
    expect(kit.runtime.mailboxOf(pid)).toEqual([]);
  });

  it.each([
    ['a session ends', 'nodedown', () => native.down(3, CLOSED)],
    ['a dial fails', 'unreachable', () => native.dialled(1, ConnectStatus.REFUSED)],
  ])('L6 a watch made when %s dials, and fires', async (_what, event, end) => {
    const cluster = open({ mesh: 'explicit' });
    const told: unknown[] = [];
    const pid = kit.runtime.spawnHandler(() => ({ onMessage: (message) => void told.push(message) }));
    during(cluster, event, () => cluster.watch(pid, PEER));
    if (event === 'nodedown') native.up(3, NC, PEER);
    else void cluster.connect(PEER);
    const dials = native.dials.length;
    end();
    expect(native.dials).toHaveLength(dials + 1);
    native.dialled(dials + 1, ConnectStatus.REFUSED);
    await kit.settle();
    expect(told).toMatchObject([{ node: PEER }]);
  });
});

describe('watching a node', () => {
  it('L6 waits for the dial that is under way, also when use dials no node', async () => {
    const cluster = open({ autoConnect: 'explicit' });
    const probe = await kit.probe();
    const isUp = cluster.connect(PEER);
    cluster.watch(probe.pid, PEER);
    native.up(3, NC, PEER);
    native.dialled(1, ConnectStatus.UP);
    expect(await isUp).toBe(true);
    await kit.settle();
    await probe.expectNoMessage();
    native.down(3, CLOSED);
    expect(await probe.expectMessage()).toMatchObject({ node: PEER, cause: 'closed' });
    cluster.watch(probe.pid, PEER);
    expect(await probe.expectMessage()).toMatchObject({ node: PEER, cause: 'unreachable' });
  });
});

describe('what is started twice on a node', () => {
  const host = (cluster: Cluster) => ({
    name: OWN,
    isListening: true,
    isStopping: false,
    isHidden: false,
    runtime: kit.runtime,
    disconnect: (node: string) => cluster.disconnect(node),
    channel: (name: string, listener: ChannelListener) => cluster.channel(name, listener),
  });
  /** What left on a channel since the last call. */
  const left = (channel: string): unknown[] => {
    kit.runtime.remote.flush();
    return native.sent
      .splice(0)
      .filter(({ tag }) => tag === FrameTag.SYSTEM)
      .map(({ body }) => new TermDecoder().decode(body, 2 + channel.length));
  };

  const twice = expect.objectContaining({ code: 'SNOW_ERR_ALREADY_STARTED' });

  it('R1 groups: the second is refused, unless it has another scope or the first is closed', async () => {
    const cluster = open();
    native.up(3, NC, PEER);
    const [one, two] = [await kit.probe(), await kit.probe()];
    const first = startGroups(host(cluster));
    first.join('g', one.pid);
    expect(() => startGroups(host(cluster))).toThrow(twice);
    const scoped = startGroups(host(cluster), { scope: 'other' });
    expect(() => startGroups(host(cluster), { scope: 'other' })).toThrow(twice);
    expect(first.members('g')).toEqual([one.pid]);
    first.close();
    expect(() => first.join('g', one.pid)).toThrow(expect.objectContaining({ code: 'SNOW_ERR_NOT_ALIVE' }));
    const second = startGroups(host(cluster));
    second.join('g', two.pid);
    left('groups');
    first.close();
    first.broadcast('g', 'nobody');
    await kit.settle();
    expect(left('groups')).toEqual([]);
    expect(first.members('g')).toEqual([]);
    expect(second.members('g')).toEqual([two.pid]);
    expect(scoped.members('g')).toEqual([]);
  });

  it('Q1 global names: the second are refused, unless the first are closed', async () => {
    const cluster = open();
    native.up(3, NC, PEER);
    const { pid } = await kit.probe();
    const first = startGlobalNames(host(cluster));
    const claim = first.register('x', pid);
    expect(() => startGlobalNames(host(cluster))).toThrow(twice);
    first.close();
    await expect(claim).rejects.toMatchObject({ code: 'SNOW_ERR_NOT_ALIVE' });
    const second = startGlobalNames(host(cluster));
    await expect(first.register('y', pid)).rejects.toMatchObject({ code: 'SNOW_ERR_NOT_ALIVE' });
    left('global');
    first.close();
    expect(left('global')).toEqual([]);
    const anew = second.register('x', pid);
    await kit.advance(10_000);
    expect(await anew).toBe(true);
  });

  it('rooms: the second are refused, unless the first are closed', () => {
    const cluster = open();
    const first = createRooms(host(cluster));
    expect(() => createRooms(host(cluster))).toThrow(twice);
    first.close();
    createRooms(host(cluster)).close();
  });
});

describe('what is asked of a node before it is dialled', () => {
  it('C13, L6 fails alone: what is asked after that waits for the dial', async () => {
    const cluster = open({ autoConnect: 'explicit' });
    const told: unknown[] = [];
    const [first, second] = [new Pid(NC, 1), new Pid(NC, 2)];
    const named = { name: 'n', node: PEER };
    const pid = kit.runtime.spawnHandler((self: Self<unknown>) => {
      self.trapExit(true);
      self.link(first);
      self.monitor(named);
      cluster.watch(self.pid, PEER);
      void cluster.connect(PEER);
      self.link(second);
      self.monitor(second);
      self.monitor(named);
      cluster.watch(self.pid, PEER);
      return { onMessage: (message) => void told.push(message) };
    });
    await kit.settle();
    const lost = [
      { from: first, reason: 'noconnection' },
      { from: named, reason: 'noconnection' },
      { node: PEER, cause: 'unreachable' },
    ];
    expect(told).toMatchObject(lost);
    native.up(3, NC, PEER);
    native.dialled(1, ConnectStatus.UP);
    await kit.settle();
    expect(told).toMatchObject(lost);
    const { links, monitors } = kit.runtime;
    expect([links.remoteCount, monitors.remoteCount, cluster.monitors.size]).toEqual([1, 2, 1]);
    const asked = native.sent.filter(({ tag }) => tag === FrameTag.LINK || tag === FrameTag.MONITOR);
    expect(asked).toHaveLength(3);
    native.down(3, CLOSED);
    await kit.settle();
    expect(told.slice(lost.length)).toMatchObject([
      { from: second, reason: 'noconnection' },
      { from: second, reason: 'noconnection' },
      { from: named, reason: 'noconnection' },
      { node: PEER, cause: 'closed' },
    ]);
    expect(kit.runtime.isAlive(pid)).toBe(true);
  });
});

describe('a peer that connects', () => {
  const VISIBLE = 'c@127.0.0.1:4002';
  const SECRET = 'h@127.0.0.1:4003';

  /** The peer connects as the third, after a visible and a hidden one. Returns the names that it is told. */
  function connectThird(cluster: Cluster, flags: number): string[] {
    native.up(4, 0x201, VISIBLE, 1n, 0);
    native.up(5, 0x301, SECRET, 1n, HIDDEN);
    native.up(3, NC, PEER, BigInt(NC), flags);
    cluster.remote.flush();
    const lists = native.sent.filter(({ session, tag }) => session === 3 && tag === FrameTag.PEER_LIST);
    return lists.map(({ body }) => body.subarray(4).toString());
  }

  it.each([
    ['L1 by a node of a mesh', {}, 0, [VISIBLE]],
    ['L2 not if it is hidden', {}, HIDDEN, []],
    ['L2 not by a hidden node', { hidden: true }, 0, []],
    ['L1 not by a node that is in no mesh', { mesh: 'explicit' }, 0, []],
    ['L17 not by a node that dials nobody', { autoConnect: 'never' }, 0, []],
  ] as const)('is told the visible peers: %s', (_what, setup: Setup, flags: number, names) => {
    const cluster = open(setup);
    expect(connectThird(cluster, flags)).toEqual(names);
    const [visible, hidden] = flags === HIDDEN ? [[VISIBLE], [SECRET, PEER]] : [[VISIBLE, PEER], [SECRET]];
    expect(cluster.nodes('visible')).toEqual(visible);
    expect(cluster.nodes('hidden')).toEqual(hidden);
    expect(cluster.nodes('all')).toEqual([VISIBLE, SECRET, PEER]);
  });

  it('L6 is out of reach no longer, and whoever waits for it is woken before its first message', async () => {
    const cluster = open();
    const failed = cluster.connect(PEER);
    native.dialled(1, ConnectStatus.REFUSED);
    expect(await failed).toBe(false);
    expect(cluster.reachability.failure(PEER)).toMatchObject({ why: 'refused' });
    let woken = 0;
    kit.runtime.arrivals.on(PEER, () => woken++);
    native.up(3, NC, PEER);
    expect([woken, cluster.reachability.failure(PEER)]).toEqual([1, undefined]);
  });

  it('T14 is dialled for the reason that named it, and asked for when it is used', async () => {
    const cluster = open();
    native.up(3, NC, PEER);
    native.emit(FrameTag.PEER_LIST, 3, new Body().u16(1).name(VISIBLE));
    await cluster.follow({ start: ({ found }) => found([SECRET]), stop() {} });
    native.down(3, CLOSED);
    await kit.advance(1000);
    const reasons = (): unknown[] => native.dials.map(({ name, reason }) => [name, reason]);
    const told = [
      [VISIBLE, DialReason.HINTED],
      [SECRET, DialReason.ASKED],
      [PEER, DialReason.LOST],
    ];
    expect(reasons()).toEqual(told);
    void cluster.connect(VISIBLE);
    kit.runtime.send({ name: 'worker', node: PEER }, 'text');
    const asked = [
      [VISIBLE, DialReason.ASKED],
      [PEER, DialReason.ASKED],
    ];
    expect(reasons()).toEqual([...told, ...asked]);
  });

  it.each(['closed', 'after the node began to stop'])('is dialled again or not: %s', async (when) => {
    const cluster = open();
    native.up(3, NC, PEER);
    if (when !== 'closed') cluster.beginClose();
    native.down(3, CLOSED);
    await kit.advance(60_000);
    expect(native.dials.length > 0).toBe(when === 'closed');
  });
});
