// The replies to starts on another node, which is imitated (I2, I3).
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  Down,
  defineHandler,
  Exit,
  type RemotePort,
  type RemoteSpawn,
  type Self,
  SpawnStatus,
  start,
} from '../../../ts/actor/index.ts';
import { cellOf } from '../../../ts/kernel/index.ts';
import { Pid, type Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

const PEER = 256;
const NODE = 'there@h:1';
const child = new Pid(PEER, 9);
const spec = defineHandler('child', () => ({ onMessage() {} }));

let kit: TestRuntime;
let orders: RemoteSpawn[];
let unlinked: number[];
let signals: [local: number, reason: unknown][];
beforeEach(() => {
  kit = startTestRuntime();
  orders = [];
  unlinked = [];
  signals = [];
  const port: Partial<RemotePort> = {
    spawn: (order) => void orders.push(order),
    nodeOf: () => NODE,
    link: () => {},
    unlink: (_from, _to, id) => void unlinked.push(id),
    exit2: (_from, to, reason) => void signals.push([to.local, reason]),
  };
  kit.runtime.remote = { ...kit.runtime.remote, ...port };
});
afterEach(() => kit.stop());

/** Starts the child with a link, does `meanwhile` while its init runs, and gives what the starter got after the reply. */
async function outcome(
  status: SpawnStatus,
  meanwhile: (self: Self<unknown>) => void,
  timeout = Number.POSITIVE_INFINITY,
): Promise<unknown[]> {
  const starter = kit.runtime.spawn(async (self: Self<unknown>) => {
    self.trapExit(true);
    const started = start(self, spec, [], { link: true, node: NODE, timeout });
    await self.sleep(1);
    meanwhile(self);
    await started;
    await new Promise(() => {});
  }) as Pid;
  await kit.advance(1);
  const { request } = orders.at(-1) as RemoteSpawn;
  await kit.advance(1000);
  kit.runtime.spawns.replied(starter.local, request, status, child, 'why');
  // What the link tells, when there is one.
  kit.runtime.inbound.exit(child, starter.local, status === SpawnStatus.failed ? 'why' : 'killed');
  await kit.settle();
  return kit.mailbox(starter);
}

const why = new Exit(child, 'why');

it('an option that the other node would not get is refused', () => {
  for (const option of [{ label: 'x' }, { mailbox: { max: 1 } }, { trapExit: true }]) {
    const far = (): unknown => start(kit, spec, [], { node: NODE, ...option });
    expect(far).toThrow(expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }) as Error);
    expect(start(kit, spec, [], option)).toMatchObject({ ok: true });
  }
  expect(orders).toEqual([]);
});

it('N7 what is started there has a name of 1 to 255 bytes', async () => {
  const longest = `${'ä'.repeat(127)}x`;
  const far = async (name: string): Promise<unknown> => start(kit, { ...spec, name }, [], { node: NODE });
  for (const name of ['x', longest]) void far(name); // the node does not answer
  for (const name of ['', `${longest}y`])
    expect(await far(name), name).toEqual({ ok: false, reason: 'SNOW_ERR_NOT_SPAWNABLE' });
  expect(orders.map((order) => order.function)).toEqual(['x', longest]);
});

it('I2 a failed init is told once to a linked parent, also to one that has linked itself to the child', async () => {
  expect(await outcome(SpawnStatus.failed, () => {})).toEqual([why]);
  expect(await outcome(SpawnStatus.failed, (self) => self.link(child))).toEqual([why]);
  expect(kit.runtime.links.remoteCount).toBe(0);
});

it('I2 a failed init is not told to a parent that has unlinked itself', async () => {
  const unlink = (self: Self<unknown>): void => {
    self.link(child);
    self.unlink(child);
  };
  expect(await outcome(SpawnStatus.failed, unlink)).toEqual([]);
});

it.each([true, false])(
  'N4 the child of a starter that ends during the init is killed after it (link: %s)',
  async (link) => {
    const starter = kit.runtime.spawn(
      (self: Self) => start(self, spec, [], { link, node: NODE }) as Promise<never>,
    ) as Pid;
    await kit.settle();
    kit.runtime.sendExit(starter, 'gone');
    expect(signals).toEqual([]);
    kit.runtime.spawns.replied(
      starter.local,
      (orders[0] as RemoteSpawn).request,
      SpawnStatus.ok,
      child,
      null,
    );
    expect(signals).toEqual([[child.local, 'kill']]);
    expect(kit.runtime.links.remoteCount).toBe(0);
  },
);

it('A7 a failed init is not told to a starter that has ended', async () => {
  const { self } = await kit.probe(); // it traps exits
  const cell = cellOf(self.pid as Pid);
  void start(self, spec, [], { link: true, monitor: true, node: NODE });
  kit.runtime.sendExit(self.pid as Pid, 'kill');
  const { request } = orders[0] as RemoteSpawn;
  kit.runtime.spawns.replied(self.pid.local, request, SpawnStatus.failed, child, 'why');
  expect(cell).toMatchObject({ isDead: true, mailbox: null });
});

it('N6 a spawn that is given up leaves no monitor there, and another child runs on', async () => {
  const ended: string[] = [];
  kit.runtime.remote.demonitor = (_from, ref) => void ended.push(ref.key);
  const controller = new AbortController();
  const { self } = await kit.probe();
  const spawned = self.spawnOn(NODE, spec, [], { monitor: true, signal: controller.signal });
  controller.abort('enough');
  await expect(spawned).rejects.toBe('enough');
  const { request, monitor } = orders[0] as RemoteSpawn;
  kit.runtime.spawns.replied(self.pid.local, request, SpawnStatus.ok, child, null);
  expect(ended).toEqual([monitor?.key]);
  expect(signals).toEqual([]);
});

it('I3 no timer and no wait is left of a start, whatever became of it', async () => {
  for (const status of [SpawnStatus.ok, SpawnStatus.failed, SpawnStatus.ignored, SpawnStatus.timedOut])
    await outcome(status, () => {}, 60_000);
  await kit.advance(10_000); // the search for rings looks once more
  const { timers, spawns } = kit.runtime;
  expect([timers.size, spawns.size]).toEqual([0, 0]);
});

it('A7 no timer and no wait is left of a start whose starter has ended', async () => {
  for (const answers of [true, false]) {
    const { self, pid } = await kit.probe();
    void start(self, spec, [], { node: NODE, timeout: 60_000 });
    kit.runtime.sendExit(pid as Pid, 'kill');
    const { request } = orders.at(-1) as RemoteSpawn;
    if (answers) kit.runtime.spawns.replied(pid.local, request, SpawnStatus.ok, child, null);
    else kit.runtime.losses.begin(PEER, NODE);
    await kit.advance(10_000); // the search for rings looks once more
    const { timers, spawns } = kit.runtime;
    expect([timers.size, spawns.size]).toEqual([0, 0]);
  }
});

it('I3 an init that takes too long is not told, also not to a parent that has linked itself', async () => {
  expect(await outcome(SpawnStatus.timedOut, (self) => self.link(child))).toEqual([]);
  expect(await outcome(SpawnStatus.ok, (self) => self.link(child), 500)).toEqual([]);
  expect(unlinked).toHaveLength(2);
});

it.each([SpawnStatus.ok, SpawnStatus.failed])(
  'P7 a reply (%i) leaves nothing that the loss of the node would end',
  async (status) => {
    await outcome(status, () => {});
    expect(orders).toHaveLength(1);
    expect([...kit.runtime.spawns.takeNode(NODE)]).toEqual([]);
  },
);

it.each([
  ['the child', SpawnStatus.ok, undefined, { ok: true, pid: child, ref: undefined }],
  ['the reason', SpawnStatus.failed, 'why', { ok: false, reason: 'why' }],
  ['an init that wants no start', SpawnStatus.ignored, undefined, { ok: false, ignore: true }],
  ['an init that took too long', SpawnStatus.timedOut, undefined, { ok: false, reason: 'timeout' }],
  ['a spec that is unknown', SpawnStatus.unknownFunction, 'child', { ok: false, reason: 'unknown_function' }],
])('I1-I3 the result of a start tells %s', async (_what, status, detail, result) => {
  const { self } = await kit.probe();
  const started = start(self, spec, [], { node: NODE });
  const { request } = orders[0] as RemoteSpawn;
  kit.runtime.spawns.replied(self.pid.local, request, status, child, detail);
  expect(await started).toEqual(result);
});

it('I3 the result of a start without an answer tells so, or that the node is lost', async () => {
  const { self } = await kit.probe();
  const late = start(self, spec, [], { node: NODE, timeout: 100 });
  const lost = start(self, spec, [], { node: NODE });
  await kit.advance(100);
  expect(await late).toEqual({ ok: false, reason: 'timeout' });
  kit.runtime.losses.begin(PEER, NODE);
  expect(await lost).toEqual({ ok: false, reason: 'noconnection' });
});

it.each([
  ['fails', SpawnStatus.failed, child, ['why']],
  ['wants no start', SpawnStatus.ignored, child, ['normal']],
  ['takes too long', SpawnStatus.timedOut, child, ['killed']],
  ['is not begun', SpawnStatus.failed, new Pid(PEER, 0), []],
])('D1, I2 of a child whose init %s the result has the monitor if a Down comes', async (...of) => {
  const [, status, ended, reasons] = of;
  const asker = await kit.probe();
  const started = start(asker.self, spec, [], { node: NODE, monitor: true });
  const { request, monitor } = orders[0] as RemoteSpawn;
  // Its node tells it twice: the monitor there fires, and the reply says so.
  if (ended === child)
    kit.runtime.inbound.monitorExit({ nc: PEER, name: NODE }, asker.pid.local, monitor as Ref, 'why');
  kit.runtime.spawns.replied(asker.pid.local, request, status, ended, 'why');
  const { ref } = await started;
  expect(ref).toBe(reasons.length === 0 ? undefined : monitor);
  await kit.settle();
  expect(asker.messages).toEqual(reasons.map((reason) => new Down(monitor as Ref, child, reason)));
  expect(kit.runtime.deadLetters.total).toBe(0);
});

it.each<[string, string, (to: number, order: RemoteSpawn) => void]>([
  ['is lost', 'noconnection', () => void kit.runtime.losses.begin(PEER, NODE)],
  [
    'has started the child',
    'killed',
    (to, { request, monitor }) => {
      kit.runtime.spawns.replied(to, request, SpawnStatus.ok, child, null);
      expect(signals).toEqual([[child.local, 'kill']]);
      kit.runtime.inbound.monitorExit({ nc: PEER, name: NODE }, to, monitor as Ref, 'killed');
    },
  ],
  [
    'has killed the child',
    'killed',
    (to, { request }) => kit.runtime.spawns.replied(to, request, SpawnStatus.timedOut, child, null),
  ],
  [
    'has refused',
    'noproc',
    (to, { request }) => kit.runtime.spawns.replied(to, request, SpawnStatus.failed, new Pid(PEER, 0), null),
  ],
])('D1, I3 the monitor of a start that was given up fires once when its node %s', async (...of) => {
  const [, reason, answer] = of;
  const asker = await kit.probe();
  const started = start(asker.self, spec, [], { node: NODE, monitor: true, timeout: 100 });
  const order = orders[0] as RemoteSpawn;
  await kit.advance(100);
  expect(await started).toEqual({ ok: false, reason: 'timeout', ref: order.monitor });
  answer(asker.pid.local, order);
  await kit.settle();
  const from = { name: 'child', node: NODE };
  expect(asker.messages).toEqual([new Down(order.monitor as Ref, from, reason)]);
  expect([kit.runtime.monitors.remoteCount, kit.runtime.deadLetters.total]).toEqual([0, 0]);
});

it('D7 the monitor of a start that was given up can be taken back', async () => {
  kit.runtime.remote.demonitor = () => {};
  const asker = await kit.probe();
  const started = start(asker.self, spec, [], { node: NODE, monitor: true, timeout: 100 });
  await kit.advance(100);
  expect(asker.self.demonitor((await started).ref as Ref)).toBe(true);
  const { request } = orders[0] as RemoteSpawn;
  kit.runtime.spawns.replied(asker.pid.local, request, SpawnStatus.timedOut, child, null);
  await kit.settle();
  expect(asker.messages).toEqual([]);
});

it('T12 a reply for another actor than the one that asked is ignored, and counted', async () => {
  const { self } = await kit.probe();
  const other = await kit.probe();
  const spawned = self.spawnOn(NODE, spec, []);
  const { request } = orders[0] as RemoteSpawn;
  kit.runtime.spawns.replied(other.pid.local, request, SpawnStatus.ok, child, null);
  expect([kit.runtime.deadLetters.counts.unasked, kit.runtime.spawns.size]).toEqual([1, 1]);
  kit.runtime.spawns.replied(self.pid.local, request, SpawnStatus.ok, child, null);
  expect((await spawned).pid).toBe(child);
});

it('N4 a child that was spawned with a link ends with the reason of its parent, which ended before the reply', async () => {
  const ends: unknown[] = [];
  kit.runtime.remote.exit = (from, to, reason) => void ends.push([from.local, to.local, reason]);
  const parent = kit.runtime.spawn((self: Self) => void self.spawnOn(NODE, spec, [], { link: true }));
  const other = kit.runtime.spawn(async (self: Self) => {
    void self.spawnOn(NODE, spec, [], { link: true });
    await self.sleep(1);
    self.exit('why');
  });
  await kit.advance(1);
  for (const [index, { local }] of [parent, other].entries())
    kit.runtime.spawns.replied(
      local,
      (orders[index] as RemoteSpawn).request,
      SpawnStatus.ok,
      child,
      undefined,
    );
  expect(ends).toEqual([
    [parent.local, child.local, 'normal'],
    [other.local, child.local, 'why'],
  ]);
});

it('a spawn that has its reply no longer listens to its signal', async () => {
  const { self, pid } = await kit.probe();
  const { signal } = new AbortController();
  const spawned = self.spawnOn(NODE, spec, [], { signal });
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  const { request } = orders[0] as RemoteSpawn;
  kit.runtime.spawns.replied(pid.local, request, SpawnStatus.ok, child, undefined);
  expect((await spawned).pid).toBe(child);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});
