// Section F of the rules: local names.
import { describe, expect, it } from 'vitest';
import { Down, Exit, type HandlerBody, type Self } from '../../../ts/actor/index.ts';
import type { SnowmeshError } from '../../../ts/errors/index.ts';
import { Pid } from '../../../ts/term/index.ts';
import { startTestRuntime } from '../../../ts/testing/index.ts';
import { kit, probe } from '../../support/kit.ts';

const actor = (): Pid<never> =>
  kit.runtime.spawn((self: Self) => self.receive('stop').then(() => {})) as Pid<never>;
const thrown = (act: () => unknown): SnowmeshError => {
  try {
    act();
  } catch (error) {
    return error as SnowmeshError;
  }
  throw new Error('it should have thrown');
};

describe('a local name', () => {
  it('F1 belongs to one living actor of this node', () => {
    const [first, second, dead] = [actor(), actor(), actor()];
    kit.runtime.sendExit(dead, 'kill');
    kit.runtime.register('name', first);
    expect(kit.runtime.whereis('name')).toBe(first);
    for (const pid of [first, second]) {
      expect(thrown(() => kit.runtime.register('name', pid))).toMatchObject({
        code: 'SNOW_ERR_NAME_TAKEN',
        details: { name: 'name', holder: first },
      });
    }
    for (const pid of [dead, new Pid(70_000, first.local)]) {
      expect(thrown(() => kit.runtime.register('other', pid))).toMatchObject({ code: 'SNOW_ERR_NOT_LOCAL' });
    }
    const stranger = startTestRuntime();
    const foreign = stranger.runtime.spawn(() => new Promise<never>(() => {})) as Pid<never>;
    expect(thrown(() => kit.runtime.register('other', foreign))).toMatchObject({
      code: 'SNOW_ERR_NOT_LOCAL',
    });
    stranger.stop();
    expect(kit.runtime.registered()).toEqual(['name']);
  });

  it('F1 is given to actors only', () => {
    for (const bad of [undefined, null, 'name', 5, {}]) {
      expect(thrown(() => kit.runtime.register('name', bad as never))).toMatchObject({
        code: 'SNOW_ERR_NOT_LOCAL',
      });
    }
    expect(kit.runtime.registered()).toEqual([]);
  });

  it('F1 that is taken lets no second actor start', () => {
    probe.self.register('name');
    const { size } = kit.runtime;
    let hasRun = false;
    const error = thrown(() => kit.runtime.spawnWith({ name: 'name' }, () => void (hasRun = true)));
    expect(error).toMatchObject({ code: 'SNOW_ERR_NAME_TAKEN', details: { holder: probe.pid } });
    expect([kit.runtime.size, hasRun]).toEqual([size, false]);
  });

  it('F2 may be one of several of its actor, and all go with it', () => {
    const pid = actor();
    for (const name of ['one', 'two', 'three']) kit.runtime.register(name, pid);
    expect(kit.runtime.unregister('two')).toBe(true);
    expect(kit.runtime.registered()).toEqual(['one', 'three']);
    kit.runtime.sendExit(pid, 'kill');
    expect(kit.runtime.registered()).toEqual([]);
  });

  it.each([
    ['empty', ''],
    ['reserved', 'undefined'],
    ['too long', 'ä'.repeat(128)],
    ['no text', '\ud800'],
    ['a number', 5],
    ['undefined', undefined],
    ['null', null],
    ['an object', {}],
  ])('F3 is refused when it is %s', (_why, name) => {
    expect(thrown(() => kit.runtime.register(name as string, probe.pid))).toMatchObject({
      code: 'SNOW_ERR_BAD_NAME',
    });
    expect(kit.runtime.registered()).toEqual([]);
    if (name === undefined) return;
    const { size } = kit.runtime;
    expect(thrown(() => kit.runtime.spawnWith({ name: name as string }, () => {}))).toMatchObject({
      code: 'SNOW_ERR_BAD_NAME',
    });
    expect(kit.runtime.size).toBe(size);
  });

  it('F3 may have 255 bytes, and names that objects have', () => {
    for (const name of ['x'.repeat(255), '__proto__', 'constructor', 'toString', ' ']) {
      expect(kit.runtime.whereis(name)).toBeUndefined();
      kit.runtime.register(name, probe.pid);
      expect(kit.runtime.whereis(name)).toBe(probe.pid);
    }
  });

  it('F4 that nobody has is an error at the sender; with a node it is silent, also with the own one', async () => {
    for (const send of [
      () => kit.runtime.send('nobody', 1),
      () => probe.self.send('nobody', 1),
      () => probe.self.send('', 1),
    ]) {
      expect(thrown(send)).toMatchObject({ code: 'SNOW_ERR_NAME_UNKNOWN' });
    }
    await expect(probe.self.sendWait('nobody', 1)).rejects.toMatchObject({ code: 'SNOW_ERR_NAME_UNKNOWN' });
    kit.runtime.send({ name: 'nobody', node: 'nonode@nohost' }, 1);
    probe.self.send({ name: 'nobody', node: 'nonode@nohost' }, 1);
    probe.self.send({ name: 'nobody', node: 'far@host' }, 1);
    expect(kit.runtime.deadLetters.counts).toMatchObject({ no_name: 2, noconnection: 1 });
    probe.self.register('me');
    probe.self.send('me', 'by name');
    probe.self.send({ name: 'me', node: 'nonode@nohost' }, 'by address');
    await probe.expectMessage('by name');
    await probe.expectMessage('by address');
  });

  it('F5 is free before anybody is told of messages that its holder has not read', async () => {
    const holders: unknown[] = [];
    const holder = kit.runtime.spawnWith({ name: 'the name' }, async (self: Self) => {
      await self.receive('never');
    });
    kit.runtime.send(holder, 'unread');
    await kit.settle();
    const unsubscribe = kit.runtime.deadLetters.subscribe((reason) => {
      holders.push(reason, kit.runtime.whereis('the name'));
    });
    kit.runtime.sendExit(holder, 'kill');
    await kit.settle();
    unsubscribe();
    expect(holders).toEqual(['unread', undefined]);
  });

  it('F5 is free before anybody sees the DOWN or EXIT of its holder, 1000 times', async () => {
    const failures: unknown[] = [];
    let rounds = 0;
    const watcher = kit.runtime.spawnHandler((self: Self): HandlerBody => {
      self.trapExit(true);
      const next = (): void => {
        if (++rounds > 1000) return;
        const both = { link: true, monitor: true, name: 'the name' } as const;
        const { pid } = self.spawnWith(both, async (own: Self) => own.exit(await own.receive()));
        self.send(pid, rounds % 2 === 0 ? 'normal' : 'shutdown');
      };
      return {
        onMessage(message) {
          if (message instanceof Down || message instanceof Exit) {
            try {
              self.register('the name');
              self.unregister('the name');
            } catch (error) {
              failures.push(error);
            }
          }
          if (!(message instanceof Exit)) next();
        },
      };
    });
    kit.runtime.send(watcher, 'go');
    await kit.settle();
    expect([rounds, failures]).toEqual([1001, []]);
  });

  it('F6 that was given up leads nowhere; its actor lives on', async () => {
    probe.self.register('name');
    expect(probe.self.unregister('name')).toBe(true);
    expect(probe.self.unregister('name')).toBe(false);
    expect(thrown(() => kit.runtime.send('name', 1))).toMatchObject({ code: 'SNOW_ERR_NAME_UNKNOWN' });
    kit.runtime.send({ name: 'name', node: 'nonode@nohost' }, 1);
    await probe.expectNoMessage();
    expect(kit.runtime.isAlive(probe.pid as Pid<never>)).toBe(true);
    const next = actor();
    kit.runtime.register('name', next);
    kit.runtime.sendExit(probe.pid as Pid<never>, 'kill');
    expect(kit.runtime.whereis('name')).toBe(next);
  });

  it('F7 goes to exactly one of 100 who race for it; the others learn who has it', async () => {
    const winners: Pid<never>[] = [];
    const holders: unknown[] = [];
    for (let racer = 0; racer < 100; racer++) {
      kit.runtime.spawn(async (self: Self) => {
        await self.sleep(racer % 3);
        try {
          self.register('prize');
          winners.push(self.pid as Pid<never>);
        } catch (error) {
          holders.push((error as SnowmeshError).details?.['holder']);
        }
        await self.receive('stop');
      });
    }
    await kit.advance(10);
    expect(winners).toHaveLength(1);
    expect(holders).toEqual(Array.from({ length: 99 }, () => winners[0]));
  });

  it('leaves nothing of 10 000 actors that had one', async () => {
    for (let index = 0; index < 10_000; index++) kit.runtime.spawnWith({ name: `name ${index}` }, () => {});
    expect(kit.runtime.registered()).toHaveLength(10_000);
    await kit.settle();
    expect(kit.runtime.registered()).toEqual([]);
    const { byActor } = kit.runtime.names as unknown as { byActor: Map<number, unknown> };
    expect(byActor.size).toBe(0);
  });
});
