// Rule I8, and what a crash report holds: written once, with the facts, never with what was in a message.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Call, type HandlerBody, request, type Self, stop } from '../../../ts/actor/index.ts';
import { consoleLogger, guarded, silentLogger } from '../../../ts/kernel/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

const SECRET = 'the secret payload';
const crashes = (): readonly Readonly<Record<string, unknown>>[] =>
  kit.logged('actor_crash').map(({ facts }) => facts);

describe('a crash report', () => {
  it('I8 has actor, name, reason, tag of the last message and ancestors, once', async () => {
    const line: Pid[] = [];
    const nest = (depth: number) => (self: Self) => {
      line.unshift(self.pid as Pid<never>);
      if (depth === 0) throw new TypeError('deep down');
      self.spawn(nest(depth - 1));
      return new Promise<void>(() => {});
    };
    kit.runtime.spawn(nest(4));
    await kit.settle();
    expect(crashes()).toHaveLength(1);
    expect(crashes()[0]).toMatchObject({
      event: 'actor_crash',
      actor: String(line[0]),
      reason: { error: { name: 'TypeError', message: 'deep down' } },
      lastMessage: undefined,
      ancestors: [...line.slice(1).map(String), '<0.0>'],
    });
    expect(kit.logs).toHaveLength(1);
    expect(kit.logs[0]).toMatchObject({ level: 'error' });
  });

  it('I8 has ancestors that are dead by now, where they were written down', async () => {
    const line: Pid[] = [];
    const nest = (depth: number) => async (self: Self) => {
      line.unshift(self.pid as Pid<never>);
      if (depth > 0) self.spawnWith({ label: `level ${depth - 1}` }, nest(depth - 1));
      await self.sleep(depth === 0 ? 100 : 10);
      if (depth === 0) throw new Error('orphan');
    };
    kit.runtime.spawn(nest(3));
    await kit.advance(100);
    expect(crashes()[0]).toMatchObject({
      name: 'level 0',
      ancestors: [...line.slice(1).map(String), '<0.0>'],
    });
  });

  it.each([
    ['an array', ['login', SECRET], 'login'],
    ['an object', { type: 'login', password: SECRET }, 'login'],
    ['a string', SECRET, undefined],
    ['bytes', new TextEncoder().encode(SECRET), undefined],
    ['an array without a tag', [[SECRET]], undefined],
  ])('I8 has the tag of %s, and nothing of the payload', async (_what, message, tag) => {
    const bodies = [
      kit.runtime.spawn(async (self: Self<unknown>) => {
        await self.receive();
        throw new Error('crash');
      }),
      kit.runtime.spawn(async (self: Self<unknown>) => {
        await self.receive();
        await self.sleep(1);
        throw new Error('crash');
      }),
      kit.runtime.spawnHandler(
        (_self: Self<unknown>): HandlerBody => ({
          onMessage: () => {
            throw new Error('crash');
          },
        }),
      ),
      kit.runtime.spawnHandler(
        (_self: Self<unknown>): HandlerBody => ({
          onMessage: () => Promise.reject(new Error('crash')),
        }),
      ),
    ];
    for (const pid of bodies) kit.runtime.send(pid as Pid<unknown>, message);
    await kit.advance(1);
    expect(crashes().map((facts) => facts['lastMessage'])).toEqual([tag, tag, tag, tag]);
    expect(JSON.stringify(kit.logs)).not.toContain(SECRET);
  });

  it('I8 has the tag of a call, and the kind of a system message', async () => {
    const body: HandlerBody = {
      onMessage: () => {
        throw new Error('crash');
      },
    };
    const start = (): Pid<never> => kit.runtime.spawnHandler(() => body) as Pid<never>;
    await request(kit.runtime, start(), 'login', [SECRET]).catch(() => {});
    const reader = kit.runtime.spawn(async (self: Self) => {
      await self.receive(Call);
      throw new Error('crash');
    });
    await request(kit.runtime, reader as Pid<never>, 'logout', [SECRET]).catch(() => {});
    const probe = await kit.probe();
    probe.self.startTimer(1, start(), SECRET);
    await kit.advance(1);
    expect(crashes().map((facts) => facts['lastMessage'])).toEqual(['login', 'logout', 'Timeout']);
    expect(JSON.stringify(kit.logs)).not.toContain(SECRET);
  });

  it('I8 still has the tag of the last message after a receive that timed out', async () => {
    const pid = kit.runtime.spawn(async (self: Self) => {
      await self.receive();
      await self.receive('more', { timeout: 10 });
      throw new Error('crash');
    });
    await kit.settle();
    kit.runtime.send(pid as Pid<unknown>, ['work', SECRET]);
    await kit.advance(10);
    expect(crashes().map((facts) => facts['lastMessage'])).toEqual(['work']);
  });

  it('I8 is written for an exit with any reason but a clean one, once, and for no signal of others', async () => {
    for (const reason of ['normal', 'shutdown', { shutdown: 'why' }, 'oops', { of: 'mine' }]) {
      kit.runtime.spawn((self: Self) => self.exit(reason));
      const body: HandlerBody = { onMessage: (_message, self) => self.exit(reason) };
      kit.runtime.send(
        kit.runtime.spawnHandler(() => body),
        'go',
      );
    }
    await kit.settle();
    const oops = { of: 'mine' };
    expect(crashes().map((facts) => facts['reason'])).toEqual(['oops', 'oops', oops, oops]);
    const victim = kit.runtime.spawn(() => new Promise<never>(() => {}));
    kit.runtime.sendExit(victim as Pid<never>, 'not its fault');
    const asked = kit.runtime.spawn((self: Self) => self.receive('never').then(() => {}));
    await stop(kit.runtime, asked as Pid<never>, 'shutdown');
    await kit.settle();
    expect(crashes()).toHaveLength(4);
    const told = kit.runtime.spawnHandler((): HandlerBody => ({ onMessage() {} })) as Pid<never>;
    await stop(kit.runtime, told, 'told to');
    expect(crashes().slice(4)).toMatchObject([{ actor: String(told), reason: 'told to' }]);
  });

  it('I8 of a linked group names the one that crashed', async () => {
    const top = await kit.probe();
    const middle = top.self.spawnLink(async (self: Self) => {
      for (let index = 0; index < 10; index++) self.spawnLink(() => new Promise<never>(() => {}));
      self.spawnWith({ link: true, label: 'culprit' }, () => {
        throw new Error('mine');
      });
      await self.receive('never');
    });
    await top.expectExit(middle as Pid<never>);
    expect(crashes().map((facts) => facts['name'])).toEqual(['culprit']);
    expect(kit.runtime.size).toBe(1);
  });
});

describe('the facts of a log line', () => {
  it.each([
    ['are not prepared', 'a level that logs nothing', consoleLogger, 0],
    ['are not prepared', 'a logger that logs nothing', silentLogger, 0],
    ['are prepared', 'any other logger', { ...silentLogger, info() {} }, 1],
  ])('%s for %s', (_what, _whom, logger, expected) => {
    let reads = 0;
    const reason = {
      get why() {
        return ++reads;
      },
    };
    guarded(logger).info({ event: 'child_ended', reason }, 'child ended');
    expect(reads).toBe(expected);
  });
});
