import { describe, expect, it } from 'vitest';
import { type CallRequest, ReplyStatus, type Runtime } from '../../../ts/actor/index.ts';
import { Cluster } from '../../../ts/node/cluster.ts';
import { parseNodeName } from '../../../ts/node/node-name.ts';
import type { AutoConnect } from '../../../ts/node/options.ts';
import type { Remote } from '../../../ts/node/remote.ts';
import { Identity } from '../../../ts/node/session/identities.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { ConnectStatus, FrameTag } from '../../../ts/wire/index.ts';
import { Body, ScriptedNative } from './scripted-native.ts';

const OWN = 'a@127.0.0.1:4000';
const PEER = 'b@127.0.0.1:4001';
const NC = 0x101;
const LIMITS = { highWater: 1000, limit: 5000, waiting: 4000, maxMessage: 2 ** 24 };
const ME = new Pid(0, 7);
const REF = new Ref(0, 7, 1);

/** Records what the actor layer is told. */
function open(autoConnect: AutoConnect = 'use') {
  const native = new ScriptedNative();
  const heard: unknown[][] = [];
  const dead: unknown[][] = [];
  const recorder = (known: Record<string, unknown> = {}): never =>
    new Proxy(known, {
      get: (_, method: string) =>
        known[method] ??
        ((...args: unknown[]) => {
          heard.push([method, ...args.map(shown)]);
          return { whenOver: (next: () => void) => next() };
        }),
    }) as never;
  const silent = { error() {}, warn() {}, info() {}, debug() {} };
  const runtime = {
    inbound: recorder(),
    sender: recorder(),
    monitors: recorder({ countOf: () => 0 }),
    links: recorder({ countOf: () => 0 }),
    calls: recorder(),
    spawns: recorder(),
    inboundSpawns: recorder(),
    losses: recorder({ endAll: () => {} }),
    rings: recorder(),
    arrivals: { up: () => {} },
    guard: (action: () => void) => action(),
    logger: silent,
    deadLetters: { count: (reason: string, _target: unknown, count = 1) => dead.push([reason, count]) },
    runSlice: () => false,
    pidOf: (local: number) => new Pid(0, local),
    deliverSystem: () => {},
    onDeath: () => () => {},
    makeRef: () => REF,
    now: () => 0,
    after: (ms: number, action: () => void) => {
      if (ms === 0) queueMicrotask(action);
      return () => {};
    },
  } as unknown as Runtime;
  const name = parseNodeName(OWN);
  const options = { name: OWN, listenHost: '127.0.0.1', listenPort: 4000, cookie: 'x' };
  const cluster = new Cluster({ native, name, open: options, runtime, limits: LIMITS, autoConnect });
  const { remote } = cluster as { remote: Remote };
  native.slotEvent(NC, PEER);
  return { native, cluster, remote, heard, dead };
}

/** Identities by name, PIDs and references as text. */
function shown(arg: unknown): unknown {
  if (arg instanceof Identity) return arg.name;
  return arg instanceof Pid || arg instanceof Ref ? String(arg) : arg;
}

/** A PID as the decoder makes them. */
const theirs = (nc = NC, local = 5): Pid => new Pid(nc, local);
const tags = (native: ScriptedNative): number[] =>
  native.sent.map(({ tag }) => tag).filter((tag) => tag < 0x30 || tag > 0x31);

describe('signals to a connected node', () => {
  it('leave with the tag of the wire', () => {
    const { native, remote } = open();
    native.up(3, NC, PEER);
    remote.send(ME, theirs(), 1);
    remote.sendNamed(ME, 'n', PEER, 1);
    remote.sendAlias(ME, new Ref(NC, 5, 9), 1);
    remote.link(ME, theirs());
    remote.unlink(ME, theirs(), 4);
    remote.unlinkAck(ME, theirs(), 4);
    remote.exit(ME, theirs(), 'r');
    remote.exit2(null, theirs(), 'r');
    remote.monitor(ME, REF, theirs());
    remote.monitor(ME, REF, { name: 'n', node: PEER });
    remote.demonitor(ME, REF, theirs());
    remote.demonitor(ME, REF, { name: 'n', node: PEER });
    remote.monitorExit(ME, theirs(), new Ref(NC, 5, 9), 'r');
    remote.call(ME, REF, Number.POSITIVE_INFINITY, theirs(), ['t', [], []]);
    remote.call(null, REF, 50, { name: 'n', node: PEER }, ['t', [], []]);
    remote.reply(ME, new Ref(NC, 5, 9), 0, 1);
    remote.spawnAck(ME, theirs());
    remote.probe(NC, ['call', REF, REF, 1, [ME], null]);
    remote.probe(PEER, ['call', REF, REF, 1, [ME], null]);
    remote.flush();
    expect(tags(native)).toEqual([
      0x10, 0x11, 0x38, 0x13, 0x14, 0x33, 0x15, 0x34, 0x16, 0x16, 0x17, 0x17, 0x18, 0x35, 0x36, 0x37, 0x3a,
      0x3f, 0x3f,
    ]);
  });

  it('leave with the fields of the wire', () => {
    const { native, remote } = open();
    native.up(3, NC, PEER);
    const asked = new Ref(NC, 5, 9);
    const named = { name: 'n', node: PEER };
    const request: CallRequest = ['t', [], []];
    remote.monitor(ME, REF, theirs());
    remote.flush();
    /** The id of REF as the peer knows it. */
    const id = native.sent.at(-1)!.body.readBigUInt64LE(16);
    const [me, them] = [7n, (BigInt(NC) << 40n) | 5n];
    const zero = new Uint8Array([2, 0x40]);
    const none = new Uint8Array([2, 0x24, 0]);
    const order = { from: ME, request: REF, node: PEER, function: 'f', args: [] };
    /** Each call, and the beginning of the frame that it sends. */
    const signals: [() => void, number, Body][] = [
      [() => remote.send(ME, theirs(), 0), 0x10, new Body().u64(them).bytes(zero)],
      [() => remote.sendNamed(ME, 'n', PEER, 0), 0x11, new Body().name('n').bytes(zero)],
      [() => remote.sendAlias(ME, asked, 0), 0x38, new Body().u64(them).u64(9n).bytes(zero)],
      [() => remote.link(ME, theirs()), 0x13, new Body().u64(me).u64(them)],
      [() => remote.unlink(ME, theirs(), 4), 0x14, new Body().u64(me).u64(them).u64(4n)],
      [() => remote.unlinkAck(ME, theirs(), 4), 0x33, new Body().u64(me).u64(them).u64(4n)],
      [() => remote.exit(ME, theirs(), 0), 0x15, new Body().u64(me).u64(them).bytes(zero)],
      [() => remote.exit2(ME, theirs(), 0), 0x34, new Body().u64(me).u64(them).bytes(zero)],
      [() => remote.exit2(null, theirs(), 0), 0x34, new Body().u64(0n).u64(them).bytes(zero)],
      [() => remote.monitor(ME, REF, theirs()), 0x16, new Body().u64(me).u64(me).u64(id).u8(0).u64(them)],
      [() => remote.monitor(ME, REF, named), 0x16, new Body().u64(me).u64(me).u64(id).u8(1).name('n')],
      [() => remote.demonitor(ME, REF, theirs()), 0x17, new Body().u64(me).u64(me).u64(id)],
      [
        () => remote.monitorExit(ME, theirs(), asked, 0),
        0x18,
        new Body().u64(them).u64(them).u64(9n).bytes(zero),
      ],
      [
        () => remote.spawnReply(new Pid(0, 8), theirs(), asked, 2, 0),
        0x1a,
        new Body().u64(them).u64(them).u64(9n).u8(2).u64(8n).bytes(zero),
      ],
      [
        () => remote.spawnReply(undefined, theirs(), asked, 3, 0),
        0x1a,
        new Body().u64(them).u64(them).u64(9n).u8(3).u64(0n).bytes(zero),
      ],
      [() => remote.spawnAck(ME, theirs()), 0x3a, new Body().u64(me).u64(them)],
      [
        () => remote.call(ME, REF, 49.5, theirs(), request),
        0x35,
        new Body().u64(me).u64(me).u64(id).u32(50).u64(them),
      ],
      [
        () => remote.call(null, REF, Number.POSITIVE_INFINITY, named, request),
        0x36,
        new Body().u64(0n).u64(me).u64(id).u32(0xffff_ffff).name('n'),
      ],
      [
        () => remote.spawn({ ...order, link: true, monitor: undefined, start: undefined }),
        0x19,
        new Body().u64(me).u64(me).u64(id).u8(1).u64(me).u64(id).name('f').bytes(none),
      ],
      [
        () => remote.spawn({ ...order, link: false, monitor: asked, start: undefined }),
        0x19,
        new Body().u64(me).u64(me).u64(id).u8(2).u64(them).u64(9n).name('f').bytes(none),
      ],
      [
        () => remote.spawn({ ...order, link: true, monitor: asked, start: { name: undefined, timeout: 5 } }),
        0x19,
        new Body().u64(me).u64(me).u64(id).u8(7).u64(them).u64(9n).name('f'),
      ],
      [() => remote.reply(ME, asked, 1, 0), 0x37, new Body().u64(them).u64(9n).u8(1).bytes(zero)],
    ];
    for (const [send, tag, begin] of signals) {
      native.sent.length = 0;
      send();
      remote.flush();
      const [frame] = native.sent;
      expect([frame?.tag, frame?.body.subarray(0, begin.done().length).toString('hex')]).toEqual([
        tag,
        begin.done().toString('hex'),
      ]);
    }
  });

  it('come back as calls of the actor layer', () => {
    const { native, remote, heard } = open();
    native.up(3, NC, PEER);
    remote.monitor(ME, REF, theirs());
    remote.flush();
    /** The id of REF as the peer knows it. */
    const id = native.sent.at(-1)!.body.readBigUInt64LE(16);
    const me = 7n;
    const them = (BigInt(NC) << 40n) | 5n;
    const term = new Uint8Array([2, 0x40]);
    native.emit(0x10, 3, new Body().u64(me).bytes(term));
    native.emit(0x11, 3, new Body().name('n').bytes(term));
    native.emit(0x13, 3, new Body().u64(them).u64(me));
    native.emit(0x14, 3, new Body().u64(them).u64(me).u64(9n));
    native.emit(0x33, 3, new Body().u64(them).u64(me).u64(9n));
    native.emit(0x15, 3, new Body().u64(them).u64(me).bytes(term));
    native.emit(0x34, 3, new Body().u64(them).u64(me).bytes(term));
    native.emit(0x16, 3, new Body().u64(them).u64(them).u64(1n).u8(0).u64(me));
    native.emit(0x16, 3, new Body().u64(them).u64(them).u64(1n).u8(1).name('n'));
    native.emit(0x17, 3, new Body().u64(them).u64(them).u64(1n));
    native.emit(0x18, 3, new Body().u64(me).u64(me).u64(id).bytes(term));
    native.emit(0x35, 3, new Body().u64(them).u64(them).u64(1n).u32(0xffff_ffff).u64(me).bytes(term));
    native.emit(0x36, 3, new Body().u64(them).u64(them).u64(1n).u32(50).name('n').bytes(term));
    native.emit(0x37, 3, new Body().u64(me).u64(id).u8(0).bytes(term));
    native.emit(0x38, 3, new Body().u64(me).u64(id).bytes(term));
    native.emit(0x3a, 3, new Body().u64(them).u64(me));
    native.emit(0x3f, 3, new Body().name('waits').bytes(term));
    const [pid, ref] = ['<1.5.1>', '#Ref<1.1.5.1>'];
    expect(heard).toEqual([
      ['deliver', 7, 0],
      ['deliverNamed', 'n', 0],
      ['link', pid, 7],
      ['unlink', pid, 7, 9],
      ['unlinkAck', pid, 7, 9],
      ['exit', pid, 7, 0],
      ['exit2', pid, 7, 0],
      ['monitor', pid, ref, 7],
      ['monitorNamed', pid, ref, 'n'],
      ['unwatchedBy', pid, ref],
      ['monitorExit', PEER, 7, '#Ref<0.7.1>', 0],
      ['call', pid, ref, Number.POSITIVE_INFINITY, 7, 0, 2],
      ['callNamed', pid, ref, 50, 'n', 0, 2],
      ['answered', PEER, '#Ref<0.7.1>', 0, 0],
      ['deliverAlias', '#Ref<0.7.1>', 0],
      ['confirmed', pid, 7],
      ['arrived', NC, 0],
    ]);
  });

  it('M4 find no actor when they are for an earlier incarnation of this node', () => {
    const { native, heard, dead } = open();
    native.up(3, NC, PEER);
    native.slotEvent(0x201, OWN, 1n);
    const earlier = (0x201n << 40n) | 7n;
    const them = (BigInt(NC) << 40n) | 5n;
    const term = new Uint8Array([2, 0x40]);
    native.emit(0x10, 3, new Body().u64(earlier).bytes(term));
    native.emit(0x13, 3, new Body().u64(them).u64(earlier));
    native.emit(0x34, 3, new Body().u64(them).u64(earlier).bytes(term));
    native.emit(0x16, 3, new Body().u64(them).u64(them).u64(1n).u8(0).u64(earlier));
    native.emit(0x35, 3, new Body().u64(them).u64(them).u64(1n).u32(50).u64(earlier).bytes(term));
    expect(heard).toEqual([]);
    expect(dead).toEqual([['noproc', 1]]);
    expect(tags(native)).toEqual([0x18, 0x37]);
  });
});

it('M4 a PID from an earlier start of this node has its name, although it leads to no actor', () => {
  const { native, remote } = open();
  expect(remote.nodeOf(new Pid(0x201, 7))).toBeUndefined();
  native.slotEvent(0x201, OWN, 1n);
  expect(remote.nodeOf(new Pid(0x201, 7))).toBe(OWN);
});

describe('signals to a node that is not connected', () => {
  it('M2 dial it once, and go out when it is there', () => {
    const { native, remote } = open();
    remote.send(ME, theirs(), 1);
    remote.sendNamed(ME, 'n', 'b@127.0.0.1:4001', 2);
    remote.monitor(ME, REF, theirs());
    expect(native.dials.length).toBe(1);
    native.up(3, NC, PEER);
    expect(tags(native)).toEqual([0x10, 0x11, 0x16]);
  });

  it('D11 are answered with noconnection when the dial fails', () => {
    const { native, remote, heard, dead } = open();
    remote.monitor(ME, REF, theirs());
    remote.sendNamed(ME, 'n', PEER, 2);
    native.dialled(1, ConnectStatus.REFUSED);
    expect(heard).toEqual([
      ['begin', -1, PEER],
      ['begin', NC, PEER],
    ]);
    expect(dead).toEqual([['noconnection', 1]]);
  });

  it('D12, C10 are answered with noproc when another incarnation is there, at once or when it comes', async () => {
    const { native, remote, heard, dead } = open();
    remote.link(ME, theirs());
    native.up(3, NC + 1, PEER);
    expect(heard).toEqual([['noPartner', '<1.5.1>', 7]]);
    remote.link(ME, theirs());
    remote.monitor(ME, REF, theirs());
    remote.call(ME, REF, 10, theirs(), ['t', [], []]);
    remote.send(ME, theirs(), 1);
    expect(heard.length).toBe(1);
    await Promise.resolve();
    expect(heard.slice(1)).toEqual([
      ['noPartner', '<1.5.1>', 7],
      ['monitorExit', null, 7, '#Ref<0.7.1>', 'noproc'],
      ['answered', null, '#Ref<0.7.1>', 2, undefined],
    ]);
    expect(dead).toEqual([['noproc', 1]]);
  });

  it('M4 a PID of an earlier incarnation of this node is dead, and no node is dialled for it', async () => {
    const { native, remote, heard } = open();
    native.slotEvent(0x201, OWN, 1n);
    remote.monitor(ME, REF, theirs(0x201));
    await Promise.resolve();
    expect(heard).toEqual([['monitorExit', null, 7, '#Ref<0.7.1>', 'noproc']]);
    expect(native.dials).toEqual([]);
  });

  it('L17 dial no node when the policy says so', async () => {
    const { native, remote, cluster, heard, dead } = open('explicit');
    remote.send(ME, theirs(), 1);
    remote.monitor(ME, REF, { name: 'n', node: PEER });
    await Promise.resolve();
    expect(native.dials).toEqual([]);
    expect(dead).toEqual([['noconnection', 1]]);
    expect(heard).toEqual([['begin', -1, PEER]]);
    const connecting = cluster.connect(PEER);
    expect(native.dials.length).toBe(1);
    remote.send(ME, theirs(), 2);
    native.up(3, NC, PEER);
    native.dialled(1, ConnectStatus.UP);
    expect(await connecting).toBe(true);
    expect(tags(native)).toEqual([0x10]);
  });

  it('L17 connect once, and not again when that connection is lost, until `connect`', async () => {
    const { native, remote, cluster, dead } = open('once');
    remote.send(ME, theirs(), 1);
    expect(native.dials.length).toBe(1);
    native.dialled(1, ConnectStatus.REFUSED); // was never up: using it tries again
    remote.send(ME, theirs(), 2);
    expect(native.dials.length).toBe(2);
    native.up(3, NC, PEER);
    native.dialled(2, ConnectStatus.UP);
    native.down(3, 0);
    remote.send(ME, theirs(), 3);
    cluster.watch(ME, PEER);
    cluster.mesh.found([PEER]);
    await Promise.resolve();
    expect(native.dials.length).toBe(2);
    expect(dead).toEqual([
      ['noconnection', 1],
      ['noconnection', 1],
    ]);
    native.up(4, NC, PEER); // they connected
    remote.send(ME, theirs(), 4);
    native.down(4, 0);
    void cluster.connect(PEER);
    expect(native.dials.length).toBe(3);
  });

  it('L17 bring no connection by watching when only connect may', () => {
    const { native, cluster } = open('explicit');
    cluster.watch(ME, PEER);
    expect(native.dials).toEqual([]);
  });

  it('K3, M1 are lost without an error when the name is no name, but an unsendable message throws even then', () => {
    const { native, remote, dead } = open();
    remote.sendNamed(ME, 'n', 'no such name', 1);
    expect(dead).toEqual([['noconnection', 1]]);
    expect(native.dials).toEqual([]);
    const sends = [
      () => remote.sendNamed(ME, 'n', 'no such name', () => 1),
      () => remote.sendNamed(ME, '', PEER, () => 1),
      () => remote.sendAlias(ME, new Ref(0x909, 5, 9), () => 1),
      () => remote.sendInSlices(ME, { name: 'n', node: 'no such name' }, () => 1),
      () => remote.call(ME, REF, 10, { name: 'n', node: 'no such name' }, ['t', [() => 1], []]),
      () => remote.callInSlices(ME, REF, { name: 'n', node: 'no such name' }, ['t', [() => 1], []]),
    ];
    for (const send of sends) expect(send).toThrow(expect.objectContaining({ code: 'SNOW_ERR_UNSENDABLE' }));
  });

  it('are counted when too much waits for the peer, but system signals pass', () => {
    const { native, remote, dead, heard } = open();
    native.up(3, NC, PEER);
    native.pending = 6000;
    remote.send(ME, theirs(), 1);
    remote.flush();
    remote.send(ME, theirs(), 2);
    remote.sendNamed(ME, 'n', PEER, 2);
    remote.call(ME, REF, 10, theirs(), ['t', [], []]);
    remote.monitorExit(ME, theirs(), REF, 'r');
    remote.flush();
    expect(tags(native)).toEqual([0x10, 0x18]);
    expect(dead).toEqual([
      ['remote_full', 1],
      ['remote_full', 1],
    ]);
    expect(heard).toEqual([]);
  });

  it('P7, P8 answers, reasons and spawn arguments of a user size count, too: each fails alone', () => {
    const { native, remote } = open();
    native.up(3, NC, PEER);
    native.pending = 6000;
    remote.send(ME, theirs(), 1);
    remote.flush();
    native.sent.length = 0;
    const [long, short] = ['x'.repeat(4096), 'x'.repeat(4000)];
    const spawn = {
      from: ME,
      request: REF,
      node: PEER,
      link: false,
      monitor: undefined,
      function: 'f',
    } as const;
    expect(() => remote.spawn({ ...spawn, args: [long], start: undefined })).toThrow(
      expect.objectContaining({
        code: 'SNOW_ERR_SPAWN',
        details: { node: PEER, name: 'f', reason: 'overload' },
      }),
    );
    const asked = new Ref(NC, 5, 9);
    remote.reply(ME, asked, ReplyStatus.ok, long);
    remote.exit(ME, theirs(), long);
    remote.exit2(ME, theirs(), long);
    remote.monitorExit(ME, theirs(), asked, long);
    remote.spawnReply(ME, theirs(), asked, 2, long);
    remote.flush();
    const sent = native.sent.filter(({ tag }) => tag !== FrameTag.SHAPE);
    expect(sent.map(({ tag }) => tag)).toEqual([
      FrameTag.REPLY,
      FrameTag.EXIT,
      FrameTag.EXIT2,
      FrameTag.MONITOR_EXIT,
      FrameTag.SPAWN_REPLY,
    ]);
    expect(sent[0]?.body.readUInt8(16)).toBe(ReplyStatus.overload);
    expect(sent.every(({ body }) => body.length < 100)).toBe(true);
    // What is short passes whole.
    remote.reply(ME, asked, ReplyStatus.ok, short);
    remote.spawn({ ...spawn, args: [short], start: undefined });
    remote.flush();
    expect(native.sent.slice(-2).map(({ tag }) => tag)).toEqual([FrameTag.REPLY, FrameTag.SPAWN]);
    expect(native.sent.at(-2)?.body.readUInt8(16)).toBe(ReplyStatus.ok);
  });

  it('K7 our own name is connected, needs no dial, and has one canonical form', async () => {
    const { native, remote, cluster } = open();
    expect(await cluster.connect(OWN)).toBe(true);
    expect(native.dials).toEqual([]);
    expect(remote.isSelf(OWN)).toBe(true);
    expect(remote.isSelf('b@h')).toBe(false);
    expect(remote.canonical('b@h')).toBe('b@h:9000');
    expect(remote.canonical('?')).toBe('?');
  });
});

describe('the end of a session', () => {
  it('O1, L5 tells the actor layer before the nodedown', () => {
    const { native, cluster, heard } = open();
    const news: unknown[] = [];
    cluster.announce((event, ...[node]) => void news.push(event, node, heard.length));
    native.up(3, NC, PEER);
    native.down(3, 1);
    expect(heard).toEqual([['begin', NC, PEER]]);
    expect(news).toEqual(['nodeup', PEER, 0, 'nodedown', PEER, 1]);
  });

  it('ends a disconnect', async () => {
    const { native, cluster } = open();
    native.up(3, NC, PEER);
    const first = cluster.disconnect(PEER);
    const second = cluster.disconnect(PEER);
    expect(native.hangups).toEqual([3]);
    native.down(3, 2);
    expect(await Promise.all([first, second])).toEqual([true, true]);
    expect(await cluster.disconnect(PEER)).toBe(false);
  });
});
