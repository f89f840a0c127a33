// Rule A7, where JavaScript code cannot be stopped: timers, listeners and promises that outlive their actor.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  defineHandler,
  type ReceiveOptions,
  request,
  type Self,
  start,
  stop,
} from '../../../ts/actor/index.ts';
import { call, cast, task } from '../../../ts/behaviour/index.ts';
import { type Cell, inBudget, settleInBudget } from '../../../ts/kernel/index.ts';
import type { Ref } from '../../../ts/term/index.ts';
import { type Probe, startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { killChildren, startChild } from '../../support/child.ts';

let kit: TestRuntime;
let probe: Probe<string>;
beforeEach(async () => {
  kit = startTestRuntime();
  probe = await kit.probe<string>();
});
afterEach(() => kit.stop());
afterEach(killChildren);

/** The `self` of an actor that has ended. */
async function ghost(): Promise<Self> {
  let self!: Self;
  const pid = kit.runtime.spawn(async (own: Self) => {
    self = own;
    await own.receive();
  });
  await kit.settle();
  kit.runtime.sendExit(pid, 'kill');
  return self;
}

describe('a receive whose predicate ends its own actor', () => {
  describe.each([1, 2])('with %i messages', (count) => {
    it.each([
      ['no limit', {}],
      ['no time', { timeout: 0 }],
      ['a timeout', { timeout: 10 }],
      ['a signal', {}],
    ])('A7 neither returns nor throws, with %s', async (how, options) => {
      for (const answer of [true, false]) {
        const went: unknown[] = [];
        const aborter = new AbortController();
        const given: ReceiveOptions = how === 'a signal' ? { signal: aborter.signal } : options;
        const pid = kit.runtime.spawn(async (self: Self<number>) => {
          const takes = (): boolean => {
            kit.runtime.sendExit(self.pid, 'kill');
            return answer;
          };
          try {
            went.push(await self.receive(takes, given));
          } catch (error) {
            went.push(error);
          }
        });
        for (let n = 0; n < count; n++) kit.runtime.send(pid, n);
        await kit.settle();
        aborter.abort();
        await kit.advance(100);
        expect(kit.runtime.isAlive(pid)).toBe(false);
        expect([went, kit.logs]).toEqual([[], []]);
      }
    });
  });
});

describe('the self of a dead actor', () => {
  it('A7 sends nothing, and does not throw: its messages are dead letters', async () => {
    const self = await ghost();
    const alias = probe.self.alias();
    for (const to of [probe.pid, alias, 'nobody']) self.send(to, 'boo');
    cast(self, probe.pid, 'boo');
    self.sendExit(probe.pid, 'boo');
    self.link(probe.pid);
    self.unlink(probe.pid);
    self.sendAfter(1, probe.pid, 'boo');
    self.startTimer(1, probe.pid as never, 'boo');
    const tick = self.sendInterval(1, probe.pid, 'boo');
    self.after(1, () => probe.self.send(probe.pid, 'boo'));
    await probe.expectNoMessage(1000);
    expect(self.readTimer(tick)).toBe(false);
    expect(self.cancelTimer(tick)).toBe(false);
    expect(kit.runtime.deadLetters.counts).toMatchObject({ dead_sender: 4, noproc: 0, no_name: 0 });
  });

  it('A7 cancels no timer that it left behind', async () => {
    let self!: Self;
    const pid = kit.runtime.spawn(async (own: Self) => void (await (self = own).receive()));
    await kit.settle();
    const timer = self.sendAfter(10, probe.pid, 'in time');
    kit.runtime.sendExit(pid, 'kill');
    expect(self.cancelTimer(timer)).toBe(false);
    await kit.advance(10);
    await probe.expectMessage('in time');
  });

  it('A7 makes nothing: no actor, a monitor without a DOWN, no alias, no name', async () => {
    const self = await ghost();
    const ran: string[] = [];
    const body = (): void => void ran.push('ran');
    const pids = [
      self.spawn(body),
      self.spawnLink(body),
      self.spawnMonitor(body).pid,
      self.spawnHandler(() => ({ onMessage() {} })),
      self.spawnWith({ name: 'ghost’s' }, body),
      task(self, body).pid,
    ];
    expect(new Set(pids.map(String)).size).toBe(pids.length);
    for (const pid of pids) expect(kit.runtime.isAlive(pid)).toBe(false);
    const refs: Ref[] = [
      self.monitor(probe.pid),
      self.monitor(probe.pid, { alias: 'explicit' }),
      self.alias(),
    ];
    for (const ref of refs) {
      expect(self.demonitor(ref, { flush: true })).toBe(false);
      expect(self.unalias(ref)).toBe(false);
    }
    self.register('own');
    self.register('other', probe.pid);
    probe.self.register('probe');
    expect(self.unregister('probe')).toBe(false);
    self.initAck();
    expect(self.trapExit(true)).toBe(false);
    await kit.settle();
    expect(ran).toEqual([]);
    expect(kit.runtime.registered()).toEqual(['probe']);
    expect(kit.runtime.aliases.size).toBe(0);
    expect(kit.runtime.size).toBe(1);
  });

  it('A7 never gets what it awaits', async () => {
    const self = await ghost();
    const made: string[] = [];
    const spec = defineHandler('made', () => {
      made.push('made');
      return { onMessage() {} };
    });
    const ways = [
      () => self.receive(),
      () => self.receive(undefined, { timeout: 0 }),
      () => self.sleep(1),
      () => self.sendWait(probe.pid, 'boo'),
      () => request(self, probe.pid as never, 'boo'),
      () => call(self, probe.pid, 'boo'),
      () => self.spawnOn('far@away:1', spec, []),
      () => start(self, spec, []) as Promise<unknown>,
      () => start(self, spec, [], { link: true }) as Promise<unknown>,
      () => start(self, spec, [], { node: 'far@away:1' }) as Promise<unknown>,
      () => stop(self, probe.pid),
      () => task(self, () => 1).await(self),
    ];
    let over = 0;
    const sent: string[] = [];
    for (const what of ['spawn', 'call', 'sendNamed'] as const)
      kit.runtime.remote[what] = () => void sent.push(what);
    for (const way of ways) void way().finally(() => over++);
    await kit.advance(10_000);
    expect(over).toBe(0);
    expect([made, sent, probe.messages]).toEqual([[], [], []]);
    expect(kit.runtime.isAlive(probe.pid)).toBe(true);
  });

  it('A12 has a signal that has fired', async () => {
    const { signal } = await ghost();
    expect([signal.aborted, signal.reason]).toEqual([true, 'noproc']);
  });

  it('A6 leaves its code by exit also then', async () => {
    const self = await ghost();
    expect(() => self.exit('again')).toThrow(/runtime.sendExit/);
    expect(() => self.initIgnore()).toThrow(expect.objectContaining({ code: 'SNOW_ERR_ACTOR_DEAD' }));
  });
});

describe('a send that waits', () => {
  it('A7 settles no sendWait of a sender that has died', async () => {
    const heard: string[] = [];
    for (const fails of [false, true]) {
      let settle!: () => void;
      kit.runtime.remote.callInSlices = () =>
        new Promise((resolve, reject) => {
          settle = () => (fails ? reject(new Error('detached')) : resolve());
        });
      const sender = kit.runtime.spawn(async (self: Self) => {
        await self.sendWait({ name: 'inbox', node: 'far@127.0.0.1:4001' }, 'x').then(
          () => heard.push('it went'),
          () => heard.push('it failed'),
        );
      });
      await kit.settle();
      kit.runtime.sendExit(sender, 'kill');
      settle();
      await kit.settle();
    }
    expect(heard).toEqual([]);
  });
});

describe('callbacks that outlive their actor', () => {
  it('A4, V2 end neither the OS process nor any other actor', async () => {
    const child = startChild(new URL('ghost-child.ts', import.meta.url));
    expect(await child.exit()).toEqual({ code: 0, signal: null });
    expect(child.stdout().trim()).toBe('alive');
    expect(child.stderr()).toBe('');
  });
});

describe('a handler that continues after `self.exit`', () => {
  it('A6 A7 has no effect any more, as if it were dead', async () => {
    const outcomes: unknown[] = [];
    const partner = kit.runtime.spawn(async (self: Self) => void (await self.receive('never')));
    const pid = kit.runtime.spawnHandler((self: Self<string>) => ({
      onMessage() {
        self.link(partner);
        const watch = self.monitor(probe.pid);
        try {
          self.exit('die');
        } catch {}
        self.link(probe.pid);
        self.unlink(partner);
        outcomes.push(self.demonitor(watch));
        self.send(probe.pid, 'sent');
        cast(self, probe.pid, 'cast');
        self.register('x');
        self.sendExit(probe.pid, 'kill');
        self.after(1, () => void outcomes.push('fired'));
        self.sendAfter(1, probe.pid, 'late');
        outcomes.push(kit.runtime.isAlive(self.spawn(() => void outcomes.push('ran'))));
        void request(self, probe.pid, 'ask').then(outcomes.push, outcomes.push);
      },
      onTerminate: () => self.send(probe.pid, 'last words'),
    }));
    const ref = probe.watch(pid);
    kit.runtime.send(pid, 'go');
    await probe.expectMessage('last words');
    await probe.expectDown(ref, 'die');
    await probe.expectNoMessage(6000);
    expect(outcomes).toEqual([false, false]);
    expect(kit.runtime.isAlive(partner)).toBe(false);
    expect(kit.runtime.registered()).toEqual([]);
  });

  it('A6 A7 asynchronously, too', async () => {
    const pid = kit.runtime.spawnHandler((self: Self<string>) => ({
      async onMessage() {
        await Promise.resolve();
        try {
          self.exit('die');
        } catch {}
        self.send(probe.pid, 'sent');
      },
    }));
    const ref = probe.watch(pid);
    kit.runtime.send(pid, 'go');
    await probe.expectDown(ref, 'die');
    await probe.expectNoMessage(100);
  });
});

it.each([true, false])('A7 settles no promise of an actor that died before its turn: %s', async (isDead) => {
  const kernel = { scheduler: { spend: () => false } } as never;
  const settled: string[] = [];
  settleInBudget(kernel, { isDead } as Cell, () => settled.push('a call'));
  void inBudget(kernel, { isDead } as Cell, Promise.resolve()).then(() => settled.push('another'));
  expect(settled).toEqual([]); // the budget is spent
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
  expect(settled).toEqual(isDead ? [] : ['a call', 'another']);
});
