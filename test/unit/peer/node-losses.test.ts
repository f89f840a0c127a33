// The loss of a node with more links and monitors than fire at once: each fires once, in order, while actors and the event loop go on.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Down, defineActor, defineHandler, Exit, type Self } from '../../../ts/actor/index.ts';
import { cellOf } from '../../../ts/kernel/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

const PEER = 256;
const NAME = 'peer@host:1';
const COUNT = 5000;

let kit: TestRuntime;
let linked: [from: Pid, to: Pid][];
beforeEach(() => {
  kit = startTestRuntime();
  linked = [];
  kit.runtime.remote = {
    ...kit.runtime.remote,
    link: (from, to) => void linked.push([from, to]),
    monitor: () => {},
    spawn: () => {},
  };
});
afterEach(() => kit.stop());

const far = (local: number): Pid => new Pid(PEER, local + 1);

/** An actor that traps exits, tied to COUNT actors of the peer by `tie`, and what it was told since. */
async function keeper(tie: (self: Self<unknown>, to: Pid) => unknown) {
  const told: unknown[] = [];
  let own: Self<unknown> | undefined;
  const pid = kit.runtime.spawnHandler((self: Self<unknown>) => {
    self.trapExit(true);
    for (let at = 0; at < COUNT; at++) tie(self, far(at));
    own = self;
    return { onMessage: (message) => void told.push(message) };
  });
  await kit.settle();
  const self = own as unknown as Self<unknown>;
  return { pid, self, told };
}

const lose = (): { readonly isOver: () => boolean; over: Promise<void> } => {
  let isOver = false;
  const loss = kit.runtime.losses.begin(PEER, NAME);
  const over = new Promise<void>((resolve) =>
    loss.whenOver(() => {
      isOver = true;
      resolve();
    }),
  );
  return { isOver: () => isOver, over };
};

it('P6, L7 the event loop turns while very many links are lost; the last has fired before the loss is over', async () => {
  const { told } = await keeper((self, to) => self.link(to));
  const loss = lose();
  let turns = 0;
  while (!loss.isOver()) {
    await nextTurn();
    turns += 1;
    if (!loss.isOver()) expect(told.length).toBeLessThan(COUNT);
  }
  expect(turns).toBeGreaterThan(2);
  await kit.settle();
  expect(told.map((message) => (message as Exit).from.local)).toEqual(
    Array.from({ length: COUNT }, (_, at) => at + 1),
  );
  expect(told.every((message) => message instanceof Exit && message.reason === 'noconnection')).toBe(true);
});

it('D7 monitors fire once, and those taken back meanwhile do not', async () => {
  const refs: Ref[] = [];
  const { self, told } = await keeper((me, to) => refs.push(me.monitor(to)));
  const loss = lose();
  const kept = refs.filter((_, at) => at % 2 === 0 || at < 1024);
  for (const ref of refs.slice(1024).filter((_, at) => at % 2 === 1)) expect(self.demonitor(ref)).toBe(true);
  await loss.over;
  await kit.settle();
  expect(told.map((message) => (message as Down).ref.id)).toEqual(kept.map((ref) => ref.id));
  expect(self.demonitor(refs[0] as Ref)).toBe(false);
});

it('L4 what is made while links and monitors are being lost belongs to the next session', async () => {
  const { self, told } = await keeper((me, to) => me.link(to));
  const loss = lose();
  const ref = self.monitor(far(COUNT));
  await loss.over;
  await kit.settle();
  expect(told.some((message) => message instanceof Down)).toBe(false);
  expect(told.length).toBe(COUNT);
  kit.runtime.losses.begin(PEER, NAME);
  await kit.settle();
  expect((told.at(-1) as Down).ref).toBe(ref);
});

it('C1, C12 a link about to be lost that is taken down and made again is a new one', async () => {
  const { self, told } = await keeper((me, to) => me.link(to));
  const last = far(COUNT - 1);
  const loss = lose();
  linked = [];
  self.unlink(last);
  self.link(last);
  await loss.over;
  await kit.settle();
  expect(told.length).toBe(COUNT - 1);
  expect(linked).toEqual([[self.pid, last]]);
  kit.runtime.inbound.exit(last, self.pid.local, 'later');
  await kit.settle();
  expect((told.at(-1) as Exit).reason).toBe('later');
});

it('C11, A7 an actor that ends because it links anew while its link is being lost does not link', async () => {
  await keeper((me, to) => me.link(to));
  const last = far(COUNT);
  let self: Self | undefined;
  const pid = kit.runtime.spawn((own: Self) => {
    self = own;
    own.link(last);
    return new Promise(() => {});
  });
  await kit.settle();
  const loss = lose();
  expect(kit.runtime.isAlive(pid as Pid)).toBe(true);
  linked = [];
  self?.link(last);
  expect(kit.runtime.isAlive(pid as Pid)).toBe(false);
  await loss.over;
  expect(linked).toEqual([]);
  expect(kit.runtime.links.remoteCount).toBe(0);
});

it('L4 a new session waits for nothing: what is left fires before it', async () => {
  const { told } = await keeper((self, to) => self.monitor(to));
  const loss = lose();
  expect(loss.isOver()).toBe(false);
  kit.runtime.losses.endAll();
  expect(loss.isOver()).toBe(true);
  await kit.settle();
  expect(told.length).toBe(COUNT);
});

it('L7 nodes are lost one after the other, and a dead owner hears nothing', async () => {
  const { pid, told } = await keeper((self, to) => self.monitor(to));
  const order: string[] = [];
  kit.runtime.losses.begin(PEER, NAME).whenOver(() => order.push('first'));
  kit.runtime.losses.begin(PEER + 1, 'other@host:1').whenOver(() => order.push('second'));
  expect(order).toEqual([]);
  kit.runtime.sendExit(pid, 'kill');
  kit.runtime.losses.endAll();
  await kit.settle();
  expect(order).toEqual(['first', 'second']);
  expect(told).toEqual([]);
});

it('L4 somebody who links anew while his own link is being lost stops nothing', async () => {
  const { self, told } = await keeper((me, to) => me.link(to));
  const last = far(COUNT);
  kit.runtime.spawnHandler((dying: Self<unknown>) => {
    dying.link(far(0));
    dying.signal.addEventListener('abort', () => self.link(last));
    return { onMessage() {} };
  });
  await kit.settle();
  for (let at = COUNT; at < 2 * COUNT; at++) self.link(far(at));
  await kit.settle();
  await lose().over;
  await kit.settle();
  expect(told.length).toBe(2 * COUNT);
  expect(kit.runtime.losses.isUnderWay).toBe(false);
  expect(kit.logs.filter(({ facts }) => facts['event'] === 'callback_failed')).toEqual([]);
});

it('P6 monitors, calls and starts that the lost node made are dropped in steps', async () => {
  const many = 30_000;
  const { inbound, inboundCalls, inboundSpawns, monitors } = kit.runtime;
  kit.runtime.remote = { ...kit.runtime.remote, reply: () => {}, spawnReply: () => {} };
  kit.runtime.expose(defineHandler('child', () => ({ onMessage() {} })));
  const asked = await keeper(() => {});
  const watched = await keeper(() => {});
  for (let at = 0; at < many; at++) {
    inbound.call(far(0), new Ref(PEER, 1, at), 1e9, asked.pid.local, ['ask', [], []]);
    inbound.monitor(far(0), new Ref(PEER, 1, many + at), watched.pid.local);
  }
  for (let at = 0; at < COUNT; at++) {
    const request = new Ref(PEER, 1, 2 * many + at);
    const start = { from: far(0), request, monitor: request, flags: 4, function: 'child' };
    inboundSpawns.order({ ...start, term: [[], null, null] });
  }
  // Of another node; they stay.
  inbound.call(new Pid(PEER + 1, 1), new Ref(PEER + 1, 1, 1), 1e9, asked.pid.local, ['ask', [], []]);
  inbound.monitor(new Pid(PEER + 1, 1), new Ref(PEER + 1, 1, 2), watched.pid.local);
  await kit.settle();
  const left = (): number =>
    kit.runtime.size + inboundCalls.size + (cellOf(watched.pid)?.extra?.watchers?.size ?? 0);
  const before = left();
  const loss = lose();
  const dropped = [before - left()];
  while (!loss.isOver()) {
    const last = left();
    await nextTurn();
    dropped.push(last - left());
  }
  expect(Math.max(...dropped)).toBeLessThanOrEqual(1024);
  expect(before - left()).toBe(2 * many + COUNT);
  expect([inboundCalls.size, monitors.watcherCount]).toEqual([1, 1]);
});

it('P6 spawns without a reply fail in steps as well, each once', async () => {
  const there = defineActor('there', async () => {});
  let failed = 0;
  await keeper((self) => void self.spawnOn(NAME, there, []).catch(() => failed++));
  const loss = lose();
  expect(loss.isOver()).toBe(false);
  await loss.over;
  await kit.settle();
  expect(failed).toBe(COUNT);
  expect(kit.runtime.spawns.size).toBe(0);
});

it('L7 a loss of few links and monitors is over at once, and what waits for its end is called once', async () => {
  const { runtime } = kit;
  const got: unknown[] = [];
  const pid = runtime.spawnHandler((self: Self<unknown>) => {
    self.trapExit(true);
    self.link(far(1));
    return { onMessage: (message) => void got.push(message) };
  });
  await kit.settle();
  let ends = 0;
  runtime.losses.begin(PEER, NAME).whenOver(() => ends++);
  expect([ends, runtime.losses.isUnderWay, cellOf(pid)?.links().size]).toEqual([1, false, 0]);
  runtime.losses.endAll();
  await kit.settle();
  expect([ends, got]).toEqual([1, [new Exit(far(1), 'noconnection')]]);
});

it('L7 code that runs while links and monitors fire ends no loss', async () => {
  const { told } = await keeper((self, to) => self.link(to));
  const ended: string[] = [];
  kit.runtime.spawn((self: Self) => {
    self.onExit(() => {
      kit.runtime.losses.endAll();
      ended.push('callback');
    });
    self.link(far(COUNT));
    return new Promise(() => {});
  });
  await kit.settle();
  const loss = lose();
  void loss.over.then(() => ended.push('loss'));
  await loss.over;
  await kit.settle();
  expect(ended).toEqual(['callback', 'loss']);
  expect(told).toHaveLength(COUNT);
  expect(kit.logs).toEqual([]);
});

it('L7 code that learns of the end of a loss may end others, and lose further nodes', async () => {
  const { pid, told } = await keeper((self, to) => {
    for (const nc of [0, 1, 2]) self.link(new Pid(PEER + nc, to.local));
  });
  const over: number[] = [];
  const first = kit.runtime.losses.begin(PEER, NAME);
  kit.runtime.losses.begin(PEER + 1, 'other@host:1').whenOver(() => over.push(1));
  first.whenOver(() => {
    over.push(0);
    kit.runtime.losses.endAll();
    kit.runtime.losses.begin(PEER + 2, 'third@host:1').whenOver(() => over.push(2));
  });
  while (kit.runtime.losses.isUnderWay) await nextTurn();
  await kit.settle();
  expect(over).toEqual([0, 1, 2]);
  expect(told).toHaveLength(3 * COUNT);
  expect([kit.runtime.losses.isUnderWay, cellOf(pid)?.links().size]).toEqual([false, 0]);
});

it('P6 one step runs in a turn of the event loop, however many nodes are lost', async () => {
  const { runtime } = kit;
  const { told } = await keeper((self, to) => {
    for (const nc of [0, 1, 2]) self.link(new Pid(PEER + nc, to.local));
  });
  for (const nc of [0, 1, 2]) runtime.losses.begin(PEER + nc, `node${nc}@host:1`);
  let turns = 0;
  for (; runtime.losses.isUnderWay; turns++) await nextTurn();
  await kit.settle();
  expect(told).toHaveLength(3 * COUNT);
  expect(turns).toBeGreaterThan((3 * COUNT) / 1024 - 2);
});
