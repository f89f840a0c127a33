// Rules G7 and G8 inside one node: aliases.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AliasMode, Down, type Self } from '../../../ts/actor/index.ts';
import { cellOf } from '../../../ts/kernel/index.ts';
import type { Pid, Ref } from '../../../ts/term/index.ts';
import { type Probe, startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
let probe: Probe;
let target: Probe;
beforeEach(async () => {
  kit = startTestRuntime();
  probe = await kit.probe();
  target = await kit.probe();
});
afterEach(() => kit.stop());

const MODES: readonly AliasMode[] = ['explicit', 'demonitor', 'reply'];
const isActive = (alias: Ref): boolean => {
  const before = kit.runtime.deadLetters.counts.alias;
  kit.runtime.send(alias, 'probe');
  return kit.runtime.deadLetters.counts.alias === before;
};

describe('an alias', () => {
  it('G7 delivers while it is active; then it drops, and what is queued stays', async () => {
    const alias = probe.self.alias();
    kit.runtime.send(alias, 'first');
    kit.runtime.send(alias, 'second');
    expect(probe.self.unalias(alias)).toBe(true);
    expect(probe.self.unalias(alias)).toBe(false);
    kit.runtime.send(alias, 'third');
    await kit.settle();
    expect(probe.messages).toEqual(['first', 'second']);
    expect(kit.runtime.deadLetters.counts.alias).toBe(1);
  });

  it('G7 can be deactivated by its owner only', async () => {
    const alias = probe.self.alias();
    expect(target.self.unalias(alias)).toBe(false);
    expect(target.self.demonitor(alias)).toBe(false);
    expect(isActive(alias)).toBe(true);
  });

  it('G7 of mode reply takes one message', async () => {
    const alias = probe.self.alias('reply');
    for (const word of ['answer', 'echo', 'echo']) target.self.send(alias, word);
    await kit.settle();
    expect(probe.messages).toEqual(['answer']);
    expect(kit.runtime.aliases.size).toBe(0);
  });

  it('G7 leaves nothing on its owner when it has ended', async () => {
    const { self } = probe;
    self.unalias(self.alias());
    kit.runtime.send(self.alias('reply'), 'answer');
    self.demonitor(self.monitor(target.pid, { alias: 'demonitor' }));
    self.monitor(kit.runtime.pidOf(999_999_999), { alias: 'demonitor' });
    expect(cellOf(probe.pid as Pid)?.extra?.aliases?.size).toBe(0);
    expect(kit.runtime.aliases.size).toBe(0);
  });

  it('G7 may be sent to others, who send to it', async () => {
    const pid = kit.runtime.spawn(async (self: Self<Ref>) => {
      self.send((await self.receive()) as Ref, 'by alias');
    });
    probe.self.send(pid, probe.self.alias('reply'));
    await probe.expectMessage('by alias');
  });

  it('G7 keeps order with the other addresses of its owner (B2)', async () => {
    probe.self.register('me');
    const to = [probe.pid, 'me', { name: 'me', node: 'nonode@nohost' }, probe.self.alias()];
    for (let n = 0; n < 1000; n++) target.self.send(to[n % 4] as Pid<unknown>, n);
    await kit.settle();
    expect(probe.messages).toEqual(Array.from({ length: 1000 }, (_one, n) => n));
  });

  it('G7 ends with its owner', async () => {
    const alias = probe.self.alias();
    kit.runtime.sendExit(probe.pid, 'kill');
    expect(isActive(alias)).toBe(false);
    expect(kit.runtime.aliases.size).toBe(0);
  });
});

describe('a monitor with an alias', () => {
  it.each(MODES)('G7 of mode %s and its demonitor', (mode) => {
    const ref = probe.self.monitor(target.pid, { alias: mode });
    expect(probe.self.demonitor(ref)).toBe(true);
    expect(isActive(ref)).toBe(mode === 'explicit');
  });

  it.each(MODES)('G8 of mode %s and the DOWN', async (mode) => {
    const ref = probe.self.monitor(target.pid, { alias: mode });
    kit.runtime.sendExit(target.pid, 'kill');
    await probe.expectDown(target.pid, 'killed');
    expect(isActive(ref)).toBe(mode === 'explicit');
  });

  it.each(MODES)('G8 of mode %s and a target that is gone already', async (mode) => {
    kit.runtime.sendExit(target.pid, 'kill');
    for (const gone of [target.pid, 'nobody', { name: 'x', node: 'far@host' }]) {
      const ref = probe.self.monitor(gone, { alias: mode });
      const down = await probe.expectMessage(Down);
      expect(down.ref.equals(ref)).toBe(true);
      expect(isActive(ref)).toBe(mode === 'explicit');
    }
  });

  it.each(MODES)('G8 of mode %s and a monitor of itself, which is none (D13)', (mode) => {
    const ref = probe.self.monitor(probe.pid, { alias: mode });
    expect(isActive(ref)).toBe(mode === 'explicit');
    expect(probe.self.demonitor(ref)).toBe(false);
  });

  it('G7 of mode reply ends the monitor with the first message: no DOWN follows', async () => {
    const ref = probe.self.monitor(target.pid, { alias: 'reply' });
    target.self.send(ref, 'answer');
    kit.runtime.sendExit(target.pid, 'kill');
    await probe.expectMessage('answer');
    await probe.expectNoMessage(100);
    expect(probe.self.demonitor(ref)).toBe(false);
  });

  it('G7 of mode demonitor stays for more messages', async () => {
    const ref = probe.self.monitor(target.pid, { alias: 'demonitor' });
    for (const word of ['one', 'two']) target.self.send(ref, word);
    await kit.settle();
    expect(probe.messages).toEqual(['one', 'two']);
    expect(probe.self.demonitor(ref)).toBe(true);
    expect(kit.runtime.aliases.size).toBe(0);
  });
});
