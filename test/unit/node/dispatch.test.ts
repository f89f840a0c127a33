// Frames of peers, and the signals that the actor layer gets.
import { describe, expect, it } from 'vitest';
import type { Runtime } from '../../../ts/actor/index.ts';
import { FrameDispatch, MAX_PEER_LINKS, MAX_PEER_MONITORS } from '../../../ts/node/dispatch.ts';
import { EntryReader } from '../../../ts/node/session/entry-reader.ts';
import type { Session } from '../../../ts/node/session/session.ts';
import { TRACE_CHANNEL } from '../../../ts/node/session/trace-prefix.ts';
import { MAX_TRACE_BYTES } from '../../../ts/node/trace-headers.ts';
import { Pid, RefCipher } from '../../../ts/term/index.ts';
import { FOR_EVER, FrameTag } from '../../../ts/wire/index.ts';
import { Body } from './scripted-native.ts';

const NC = 0x101;
const ME = 7n;
const THEIRS = (BigInt(NC) << 40n) | 5n;
/** Its term is read by the session, which gives this instead. */
const TERM = 'a term';
/** Frames without a meaning. */
const UNUSED = ['GLOBAL_REGISTER', 'GLOBAL_UNREGISTER', 'GLOBAL_SYNC'];

const from = (): Body => new Body().u64(THEIRS);
const pair = (): Body => from().u64(ME);
const ref = (body: Body, owner = ME): Body => body.u64(owner).u64(9n);

/** A legal body of every frame, and what is called for it. */
const FRAMES: Record<keyof typeof FrameTag, readonly [body: Body, called: string]> = {
  SEND: [new Body().u64(ME), 'deliver'],
  REG_SEND: [new Body().name('n'), 'deliverNamed'],
  ALIAS_SEND: [ref(new Body()), 'deliverAlias'],
  LINK: [pair(), 'link'],
  UNLINK: [pair().u64(1n), 'unlink'],
  UNLINK_ACK: [pair().u64(1n), 'unlinkAck'],
  EXIT: [pair(), 'exit'],
  EXIT2: [pair(), 'exit2'],
  SPAWN_ACK: [pair(), 'confirmed'],
  MONITOR: [ref(from(), THEIRS).u8(0).u64(ME), 'monitor'],
  DEMONITOR: [ref(from(), THEIRS), 'unwatchedBy'],
  MONITOR_EXIT: [ref(new Body().u64(ME)), 'monitorExit'],
  SPAWN: [ref(ref(from(), THEIRS).u8(0), THEIRS).name('f'), 'order'],
  SPAWN_REPLY: [ref(new Body().u64(ME)).u8(0).u64(THEIRS), 'replied'],
  CALL: [ref(from(), THEIRS).u32(10).u64(ME), 'call'],
  REG_CALL: [ref(from(), THEIRS).u32(10).name('n'), 'callNamed'],
  REPLY: [ref(new Body()).u8(0), 'answered'],
  SHAPE: [new Body().u16(1).u16(0), 'defineShape'],
  PEER_LIST: [new Body().u16(0), 'peersListed'],
  SYSTEM: [new Body().name('groups'), 'message'],
  ROOM_BROADCAST: [new Body().name('lobby').u32(0), 'room'],
  GLOBAL_REGISTER: [new Body(), ''],
  GLOBAL_UNREGISTER: [new Body(), ''],
  GLOBAL_SYNC: [new Body(), ''],
};

interface Situation {
  /** How many links and monitors the peer has. */
  readonly links?: number;
  readonly monitors?: number;
  /** null: nothing is traced. */
  readonly tracing?: null;
  readonly term?: () => unknown;
  /** Gets the arguments of each call. */
  readonly seen?: (...values: unknown[]) => void;
}

/** What is called for one frame. */
function handle(tag: number, body: Body, situation: Situation = {}): string[] {
  const { tracing = {}, term = () => TERM, seen } = situation;
  const called: string[] = [];
  const recorder = (known: object = {}): never =>
    new Proxy(known, {
      get: (target: Record<string, unknown>, name: string) =>
        name in target ? target[name] : (...values: unknown[]) => (seen?.(...values), called.push(name)),
    }) as never;
  const dispatch = new FrameDispatch({
    runtime: recorder({
      tracing,
      ...Object.fromEntries(
        [
          'inbound',
          'sender',
          'links',
          'monitors',
          'calls',
          'spawns',
          'inboundSpawns',
          'deadLetters',
          'remote',
        ].map((room) => [room, recorder({ countOf: () => situation[room as 'links'] ?? 0 })]),
      ),
    }) as Runtime,
    channels: recorder(),
    pid: (nc, local) => new Pid(nc, local),
    refs: new RefCipher(),
    peersListed: () => called.push('peersListed'),
    exceeded: () => called.push('exceeded'),
  });
  const session = recorder({ identity: { nc: NC }, trace: null, term }) as Session;
  const bytes = body.done();
  dispatch.frame(session, tag, new EntryReader(bytes).reset(bytes, 0, bytes.length));
  return called;
}

it.each(Object.entries(FRAMES))('every frame has its handler: %s', (name, [body, called]) => {
  const tag = FrameTag[name as keyof typeof FrameTag];
  expect(handle(tag, body)).toEqual(UNUSED.includes(name) ? [] : [called]);
});

/** What is called for a frame that an actor of an earlier incarnation of this node should get; nothing for all others. */
const FOREIGN: Partial<Record<keyof typeof FrameTag, string>> = {
  SEND: 'count',
  ALIAS_SEND: 'count',
  MONITOR: 'monitorExit',
  CALL: 'reply',
};

it.each(Object.keys(FRAMES) as (keyof typeof FrameTag)[])(
  'M4 %s of an earlier incarnation reaches nothing of this one',
  (name) => {
    const bytes = FRAMES[name][0].done();
    const at = Buffer.from(bytes).indexOf(new Body().u64(ME).done());
    if (at < 0) return; // it is to no actor
    bytes.set(new Body().u64((BigInt(NC + 1) << 40n) | ME).done(), at);
    expect(handle(FrameTag[name], new Body().bytes(bytes))).toEqual([FOREIGN[name] ?? []].flat());
  },
);

it('M4 all 40 bits of a local id are of this node, and no more', () => {
  const called = [2n ** 40n - 1n, 2n ** 40n].map((to) => handle(FrameTag.SEND, new Body().u64(to)));
  expect(called).toEqual([['deliver'], ['count']]);
});

describe.each(['LINK', 'MONITOR', 'SPAWN'] as const)('P7 %s', (name) => {
  it.each([
    ['links', MAX_PEER_LINKS],
    ['monitors', MAX_PEER_MONITORS],
  ] as const)('beyond the %s that a peer may have ends its session', (which, limit) => {
    const [body, called] = FRAMES[name];
    expect(handle(FrameTag[name], body, { [which]: limit - 1 })).toEqual([called]);
    expect(handle(FrameTag[name], body, { [which]: limit })).toEqual(['exceeded']);
  });
});

it.each([
  [0, 0],
  [FOR_EVER - 1, FOR_EVER - 1],
  [FOR_EVER, Number.POSITIVE_INFINITY],
])('a call with the time limit %d has %d ms', (sent, limit) => {
  const limits: unknown[] = [];
  const seen = (_from: unknown, _ref: unknown, ms: unknown): void => void limits.push(ms);
  for (const [tag, rest] of [
    [FrameTag.CALL, new Body().u64(ME)],
    [FrameTag.REG_CALL, new Body().name('n')],
  ] as const)
    handle(tag, ref(from(), THEIRS).u32(sent).bytes(rest.done()), { seen });
  expect(limits).toEqual([limit, limit]);
});

it.each<[string, number, Situation, number]>([
  ['that is as long as it may be is decoded', MAX_TRACE_BYTES, {}, 1],
  ['that is longer is not', MAX_TRACE_BYTES + 1, {}, 0],
  ['is not when nothing is traced', MAX_TRACE_BYTES, { tracing: null }, 0],
])('a trace context %s', (_what, length, situation, decoded) => {
  let terms = 0;
  const body = new Body().name(TRACE_CHANNEL).bytes(new Uint8Array(length));
  expect(handle(FrameTag.SYSTEM, body, { ...situation, term: () => terms++ })).toEqual([]);
  expect(terms).toBe(decoded);
});

it('no two frames have one tag', () => {
  const tags = Object.values(FrameTag);
  expect(new Set(tags).size).toBe(tags.length);
});

it('a tag without a handler is reported, not lost', () => {
  expect(() => handle(0x3e, new Body())).toThrow('unknown tag 62');
});
