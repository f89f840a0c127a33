// What other nodes ask to be started here: whatever it is, it is answered once and never throws (N7, I1-I3).
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Down,
  defineActor,
  defineHandler,
  IGNORE,
  type RemotePort,
  type Self,
  SpawnStatus,
} from '../../../ts/actor/index.ts';
import { cellOf } from '../../../ts/kernel/index.ts';
import { InboundSpawns } from '../../../ts/spawn/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

const PEER = 256;
const [LINK, MONITOR, START] = [1, 2, 4];
const from = new Pid(PEER, 7);

let kit: TestRuntime;
let replies: unknown[][];
beforeEach(() => {
  kit = startTestRuntime();
  replies = [];
  const port: Partial<RemotePort> = {
    spawnReply: (child, _to, request, status, detail) =>
      void replies.push([request.id, status, child === undefined ? 'nobody' : 'child', detail]),
  };
  kit.runtime.remote = { ...kit.runtime.remote, ...port };
  kit.runtime.expose(defineHandler('quick', () => ({ onMessage() {} })));
  kit.runtime.expose(defineHandler('endless', () => new Promise<never>(() => {})));
});
afterEach(() => kit.stop());

const ask = (id: number, name: string, flags: number, term: unknown): void =>
  kit.runtime.inboundSpawns.order({
    from,
    request: new Ref(PEER, 7, id),
    monitor: new Ref(PEER, 7, id),
    flags,
    function: name,
    term,
  });

it('N7 orders that make no sense are refused, and start no actor', async () => {
  const bad: [number, unknown][] = [
    [0, 'no list'],
    [START, null],
    [START, []],
    [START, ['no list', null, null]],
    [START, [[], 7, null]],
    [START, [[], undefined, null]],
    [START, [[], null, -1]],
    [START, [[], null, 1.5]],
    [START, [[], null, Number.POSITIVE_INFINITY]],
    [START, [[], null, 10n]],
    [START, [[], null]],
  ];
  for (const [index, [flags, term]] of bad.entries()) ask(index + 1, 'quick', flags, term);
  await kit.settle();
  expect(replies).toEqual(bad.map((_, index) => [index + 1, SpawnStatus.failed, 'nobody', 'bad_arguments']));
  replies.length = 0;
  ask(1, 'quick', START, [[], '', null]);
  ask(2, 'quick', START, [[], 'x'.repeat(256), null]);
  ask(3, 'constructor', START, [[], null, null]);
  expect(replies).toEqual([
    [1, SpawnStatus.failed, 'nobody', 'SNOW_ERR_BAD_NAME'],
    [2, SpawnStatus.failed, 'nobody', 'SNOW_ERR_BAD_NAME'],
    [3, SpawnStatus.unknownFunction, 'nobody', 'constructor'],
  ]);
  expect(kit.runtime.size).toBe(0);
});

it('I1, I3 a start is answered when its init is done, or killed when it takes too long', async () => {
  ask(1, 'quick', START, [[], 'clerk', null]);
  expect(replies).toEqual([]);
  await kit.settle();
  expect(replies).toEqual([[1, SpawnStatus.ok, 'child', undefined]]);
  ask(2, 'endless', START, [[], null, 100]);
  await kit.advance(99);
  expect(replies).toHaveLength(1);
  await kit.advance(1);
  expect(replies[1]).toEqual([2, SpawnStatus.timedOut, 'child', undefined]);
  expect(kit.runtime.size).toBe(1);
  expect(kit.runtime.names.whereis('clerk')).toBeDefined();
});

it('I3 no timer and no wait is left of a start that was answered, whatever the answer', async () => {
  const { runtime } = kit;
  runtime.expose(defineHandler('absent', async (): Promise<typeof IGNORE> => IGNORE));
  runtime.expose(defineHandler('broken', () => Promise.reject(new Error('no'))));
  const names = ['quick', 'absent', 'broken', 'endless'];
  const waiting = (): boolean[] =>
    names.map((_, id) => runtime.inboundSpawns.startedFor(new Ref(PEER, 7, id)) !== undefined);
  for (const [id, name] of names.entries()) ask(id, name, START, [[], null, 100]);
  expect(waiting()).toEqual([true, true, true, true]);
  await kit.settle();
  expect(waiting()).toEqual([false, false, false, true]);
  expect(runtime.timers.size).toBe(1);
  await kit.advance(100);
  const { ok, ignored, failed, timedOut } = SpawnStatus;
  expect(replies.map(([, status]) => status)).toEqual([ok, ignored, failed, timedOut]);
  expect(waiting()).toEqual([false, false, false, false]);
  expect(runtime.timers.size).toBe(0);
});

it('I3 a start with the reference of one that waits does not end the wait of the other', async () => {
  const { inboundSpawns } = kit.runtime;
  ask(1, 'endless', START, [[], null, 100]);
  ask(1, 'endless', START, [[], 'second', null]);
  await kit.advance(100);
  expect(replies).toEqual([[1, SpawnStatus.timedOut, 'child', undefined]]);
  expect(inboundSpawns.startedFor(new Ref(PEER, 7, 1))?.pid).toBe(kit.runtime.names.whereis('second'));
});

it('I2 the reply alone tells a linked starter of an init that failed; one that linked itself gets an exit signal', async () => {
  const exits: unknown[] = [];
  kit.runtime.remote.exit = (_from, to, reason) => void exits.push([to, reason]);
  let child!: Pid;
  const failing = defineActor(
    'failing',
    async (self: Self) => {
      child = self.pid as Pid;
      throw await self.receive();
    },
    { ack: true },
  );
  kit.runtime.expose(failing);
  const stranger = new Pid(PEER, 8);
  for (const [id, flags] of [START | 1, START, START | 1].entries()) {
    ask(id, 'failing', flags, [[], null, id === 2 ? 100 : null]);
    await kit.settle();
    kit.runtime.inbound.link(from, child.local);
    kit.runtime.inbound.link(stranger, child.local);
    if (id < 2) kit.runtime.inbound.deliver(child.local, 'why');
    await kit.advance(100);
  }
  expect(replies.map(([id, status]) => [id, status])).toEqual([
    [0, SpawnStatus.failed],
    [1, SpawnStatus.failed],
    [2, SpawnStatus.timedOut],
  ]);
  const reason = expect.objectContaining({ nocatch: 'why' });
  expect(exits).toEqual([
    [stranger, reason],
    [from, reason],
    [stranger, reason],
    [stranger, 'killed'],
  ]);
  expect(kit.runtime.links.remoteCount).toBe(0);
});

it('S3 whose starter is lost is killed by its node until the starter has said that it knows of the child', async () => {
  const { inboundSpawns, losses } = kit.runtime;
  const stubborn = defineActor('stubborn', async (self: Self) => {
    self.trapExit(true);
    for (;;) await self.receive();
  });
  kit.runtime.expose(stubborn);
  for (const [index, name] of ['quick', 'endless', 'stubborn', 'stubborn'].entries())
    ask(index + 1, name, START, [[], `child ${index}`, null]);
  await kit.settle();
  const whereis = (index: number): Pid => kit.runtime.names.whereis(`child ${index}`) as Pid;
  const living = (): boolean[] => [0, 1, 2, 3].map((index) => whereis(index) !== undefined);
  const [unheard, known] = [whereis(2), whereis(3)];
  losses.begin(PEER + 1, 'somebody@else:1');
  inboundSpawns.confirmed(new Pid(PEER, 8), unheard.local); // who did not start it
  inboundSpawns.confirmed(from, 12_345); // nobody
  inboundSpawns.confirmed(from, known.local);
  inboundSpawns.confirmed(from, known.local);
  expect(living()).toEqual([true, true, true, true]);
  losses.begin(PEER, 'peer@host:1');
  expect(living()).toEqual([false, false, false, true]);
});

it('S3 a child that is killed because its starter is lost ends with killed, and one that is known keeps no callback', async () => {
  const { runtime } = kit;
  for (const [id, name] of ['unheard', 'known'].entries()) ask(id, 'quick', START, [[], name, null]);
  await kit.settle();
  const [unheard, known] = ['unheard', 'known'].map((name) => runtime.names.whereis(name) as Pid) as [
    Pid,
    Pid,
  ];
  const probe = await kit.probe();
  const ref = probe.self.monitor(unheard);
  const callbacks = (pid: Pid): number => {
    const waiting = cellOf(pid)?.extra?.deathCallbacks ?? null;
    return waiting === null ? 0 : typeof waiting === 'function' ? 1 : waiting.size;
  };
  const before = callbacks(known);
  runtime.inboundSpawns.confirmed(from, known.local);
  expect(callbacks(known)).toBe(before - 1);
  runtime.losses.begin(PEER, 'peer@host:1');
  await probe.expectMessage(new Down(ref, unheard, 'killed'));
});

it('P6 the loss of a node looks at each child that waited then, and at none that came meanwhile', async () => {
  for (const id of [1, 2]) ask(id, 'quick', START, [[], null, null]);
  const steps = kit.runtime.inboundSpawns.nodeLost(PEER);
  expect(steps.next().done).toBe(false);
  ask(3, 'quick', START, [[], 'later', null]);
  expect(Array.from(steps)).toHaveLength(1);
  await kit.settle();
  expect(kit.runtime.size).toBe(1);
  expect(kit.runtime.names.whereis('later')).toBeDefined();
});

it.each([0, LINK, MONITOR, LINK | MONITOR])(
  'C15, D15 a spawn with the flags %i makes the link and the monitor that it asks for, and no other',
  async (flags) => {
    const told: string[] = [];
    let child: Pid | undefined;
    Object.assign(kit.runtime.remote, {
      spawnReply: (made: Pid) => void (child = made),
      exit: (_from: Pid, to: Pid, reason: unknown) => void told.push(`exit ${to} ${String(reason)}`),
      monitorExit: (_from: Pid, to: Pid, ref: Ref, reason: unknown) =>
        void told.push(`down ${to} ${ref.id} ${String(reason)}`),
    });
    ask(9, 'quick', flags, []);
    kit.runtime.sendExit(child as Pid, 'gone');
    await kit.settle();
    const wanted = [
      ...((flags & LINK) === 0 ? [] : [`exit ${from} gone`]),
      ...((flags & MONITOR) === 0 ? [] : [`down ${from} 9 gone`]),
    ];
    expect(told.sort()).toEqual(wanted.sort());
  },
);

it('I5 the parent of a child is the actor that ordered it', () => {
  ask(1, 'quick', 0, []);
  const [child] = [...kit.runtime.table];
  expect(child?.parent).toEqual(from);
});

it('I1 a start of a function without ack is answered at once', () => {
  kit.runtime.expose(defineActor('plain', async (self: Self) => void (await self.receive())));
  ask(1, 'plain', START, [[], null, null]);
  expect(replies).toEqual([[1, SpawnStatus.ok, 'child', undefined]]);
});

it('S7 a spawned child outlives the node of its parent without a link, a started one that is not confirmed does not', async () => {
  ask(1, 'quick', START, [[], 'started', null]);
  ask(2, 'quick', START, [[], 'confirmed', null]);
  ask(3, 'quick', 0, []);
  ask(4, 'quick', LINK, []);
  await kit.settle();
  kit.runtime.inboundSpawns.confirmed(from, kit.runtime.whereis('confirmed')?.local ?? 0);
  kit.runtime.losses.begin(PEER, 'peer@host:1');
  await kit.settle();
  expect(kit.runtime.registered()).toEqual(['confirmed']);
  expect(kit.runtime.size).toBe(2);
});

it('I2 the link of a child that has started tells its end', async () => {
  const exits: unknown[] = [];
  kit.runtime.remote.exit = (_from, to, reason) => void exits.push([to, reason]);
  ask(1, 'quick', START | LINK, [[], 'clerk', null]);
  await kit.settle();
  kit.runtime.sendExit(kit.runtime.whereis('clerk') as Pid, 'gone');
  await kit.settle();
  expect(exits).toEqual([[from, 'gone']]);
});

it('S3 nothing is kept of a child that ended before its starter said anything', async () => {
  ask(1, 'quick', START, [[], 'clerk', null]);
  await kit.settle();
  const child = kit.runtime.names.whereis('clerk') as Pid;
  kit.runtime.sendExit(child, 'kill');
  await kit.settle();
  kit.runtime.inboundSpawns.confirmed(from, child.local);
  kit.runtime.losses.begin(PEER, 'peer@host:1');
  expect(kit.runtime.size).toBe(0);
});

describe('P7 the living children of one peer are limited: one that ended makes room, other peers have their own', () => {
  const { ok, failed } = SpawnStatus;
  let children: Pid[];
  let order: (id: number, nc: number, ...args: unknown[]) => void;
  beforeEach(() => {
    const { runtime } = kit;
    const peers: Record<number, string> = { 256: 'one@h:1', 257: 'one@h:1', 300: 'two@h:1' };
    runtime.remote.nodeOf = (pid) => peers[pid.nc];
    const limits = { count: 3, memory: 10_000 };
    const spawns = new InboundSpawns(runtime, runtime.spawner, runtime.links, runtime.monitors, limits);
    children = [];
    runtime.remote.spawnReply = (child, _to, request, status, detail) => {
      if (child !== undefined) children.push(child);
      replies.push([request.id, status, detail]);
    };
    order = (id, nc, ...term) => {
      const ref = new Ref(nc, 7, id);
      const facts = { request: ref, monitor: ref, flags: 0, function: 'quick', term };
      spawns.order({ from: new Pid(nc, 7), ...facts });
    };
  });
  const end = (child: number): Promise<void> => {
    kit.runtime.sendExit(children[child] as Pid, 'kill');
    replies.length = 0;
    return kit.settle();
  };

  it('in number', async () => {
    for (const [id, nc] of [256, 256, 256, 256, 257, 300].entries()) order(id, nc);
    expect(replies).toEqual([
      [0, ok, undefined],
      [1, ok, undefined],
      [2, ok, undefined],
      [3, failed, 'overload'],
      [4, failed, 'overload'], // the same peer, started anew
      [5, ok, undefined],
    ]);
    await end(0);
    for (const id of [6, 7]) order(id, 256);
    expect(replies).toEqual([
      [6, ok, undefined],
      [7, failed, 'overload'],
    ]);
  });

  it('in the memory of their arguments; those of a single one may take more', async () => {
    order(0, 256, 'x'.repeat(20_000));
    order(1, 256);
    order(2, 300, new Uint8Array(6000));
    order(3, 300, [new Uint8Array(6000)]);
    expect(replies).toEqual([
      [0, ok, undefined],
      [1, failed, 'overload'],
      [2, ok, undefined],
      [3, failed, 'overload'],
    ]);
    await end(0);
    for (const id of [4, 5]) order(id, 256, 'x'.repeat(6000));
    expect(replies).toEqual([
      [4, ok, undefined],
      [5, failed, 'overload'],
    ]);
  });
});
