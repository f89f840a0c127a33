// What a single receive may be given: a reference, a time limit, a signal.
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Down, type Self } from '../../../ts/actor/index.ts';
import { type Pid, Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

describe('a receive', () => {
  it.each<[string, unknown]>([
    ['a list', ['other', 1]],
    ['a list with a reference', ['other', new Ref(0, 1, 7)]],
    ['a reference', new Ref(0, 1, 7)],
    ['an object', { ref: 1 }],
  ])('B5 takes the reply to a reference, not %s that came before it', async (_what, other) => {
    const seen: unknown[] = [];
    kit.runtime.spawn(async (self: Self) => {
      const own = self.pid as Pid<unknown>;
      self.send(own, 'backlog');
      const ref = self.makeRef();
      for (const message of [other, ['reply', ref]]) self.send(own, message);
      seen.push(((await self.receive(ref)) as unknown[])[0]);
      for (let n = 0; n < 2; n++) seen.push(await self.receive());
    });
    await kit.settle();
    expect(seen).toEqual(['reply', 'backlog', other]);
  });

  it('A4 ends only the actor whose matcher throws when the turn comes too late', async () => {
    const probe = await kit.probe();
    let asked = 0;
    const { pid } = probe.self.spawnMonitor(async (self: Self) => {
      await self.receive(() => JSON.parse(`x${asked++}`) as boolean, { timeout: 10 });
    });
    await kit.settle();
    kit.runtime.send(pid as Pid<unknown>, 'x');
    kit.clock.step(10);
    const { reason } = await probe.expectMessage(Down);
    expect(reason).toMatchObject({ error: { name: 'SyntaxError' } });
    expect(asked).toBe(1);
  });
});

describe('a receive with a signal', () => {
  it('rejects with its reason, before it or during it, loses no message, and can be followed by another', async () => {
    const log: unknown[] = [];
    const abort = new AbortController();
    const note = (error: unknown): void => void log.push(error);
    const pid = kit.runtime.spawn(async (self: Self) => {
      const { signal } = abort;
      await self.receive('go', { signal }).catch(note);
      await self.receive('go', { signal }).catch(note);
      await self.receive('go', { signal, timeout: 0 }).catch(note);
      log.push(
        await self.receive('stay'),
        await self.receive('go', { signal: new AbortController().signal }),
      );
    });
    await kit.settle();
    kit.runtime.send(pid, 'stay');
    await kit.settle();
    expect(log).toEqual([]);
    abort.abort('enough');
    kit.runtime.send(pid, 'go');
    await kit.settle();
    expect(log).toEqual(['enough', 'enough', 'enough', 'stay', 'go']);
  });

  it('hears the signal also after other receives with it have ended, and its actor alone does', async () => {
    const log: unknown[] = [];
    const abort = new AbortController();
    for (const name of ['a', 'b']) {
      kit.runtime.spawn(async (self: Self) => {
        const { signal } = abort;
        await self.receive('never', { signal, timeout: 1 });
        await self.receive('never', { signal, timeout: name === 'a' ? 1 : 2 });
        await self.receive('never', { signal }).catch((reason: unknown) => log.push([name, reason]));
      });
    }
    await kit.advance(10);
    abort.abort('enough');
    await kit.settle();
    expect(log).toEqual([
      ['a', 'enough'],
      ['b', 'enough'],
    ]);
  });

  it.each(['kill', 'stop'])(
    'leaves neither a timer nor a listener when its actor ends by %s',
    async (reason) => {
      const { signal } = new AbortController();
      const pids = Array.from({ length: 20 }, () =>
        kit.runtime.spawn(async (self: Self) => {
          await self.receive('never', { signal, timeout: 60_000 });
        }),
      );
      await kit.settle();
      expect([kit.runtime.timers.size, getEventListeners(signal, 'abort').length]).toEqual([20, 1]);
      for (const pid of pids) kit.runtime.sendExit(pid as Pid<never>, reason);
      await kit.settle();
      expect([kit.runtime.timers.size, getEventListeners(signal, 'abort').length]).toEqual([0, 0]);
    },
  );
});
