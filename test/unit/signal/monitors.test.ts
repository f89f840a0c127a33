// Section D of the rules: monitors.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Down, ExitReason, Self } from '../../../ts/actor/index.ts';
import { type Pid, Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { randomFrom } from '../../support/seed.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

/** An actor that waits, and ends with the reason it is sent. */
function mortal(name?: string): Pid<ExitReason> {
  return kit.runtime.spawnWith(name === undefined ? {} : { name }, async (self: Self) => {
    self.exit(await self.receive());
  });
}

/** An actor at rest that holds what it gets in its mailbox; `own` is its self. */
async function sleeper(): Promise<{ own: Self; downs: () => Down[] }> {
  let own: Self | undefined;
  const pid = kit.runtime.spawn(async (self: Self) => {
    own = self;
    await self.receive('never');
  });
  await kit.settle();
  return { own: own as Self, downs: () => kit.mailbox(pid) as Down[] };
}

describe('a monitor', () => {
  it('D1 is independent of all others', async () => {
    const probe = await kit.probe();
    const pid = mortal();
    const refs = Array.from({ length: 20 }, () => probe.watch(pid));
    expect(new Set(refs.map((ref) => ref.key)).size).toBe(20);
    kit.runtime.send(pid, 'bye');
    await kit.settle();
    const downs = probe.messages as Down[];
    expect(downs.map(({ ref }) => ref)).toEqual(refs);
    for (const { from, reason } of downs) expect([from, reason]).toEqual([pid, 'bye']);
  });

  it('D2 of a dead actor, or of a name no actor has, is a DOWN noproc', async () => {
    const probe = await kit.probe();
    const pid = mortal();
    kit.runtime.sendExit(pid, 'kill');
    await probe.expectDown(probe.watch(pid), 'noproc');
    await probe.expectDown(probe.watch(kit.runtime.pidOf(123_456_789)), 'noproc');
    await probe.expectDown(probe.watch('nobody'), 'noproc');
    await probe.expectDown(probe.self.monitor({ name: 'nobody', node: 'nonode@nohost' }), 'noproc');
    await probe.expectNoMessage(100);
  });

  it('D3 by name follows the actor found then, and its DOWN carries name and node', async () => {
    const probe = await kit.probe();
    const first = mortal('popular');
    const ref = probe.watch('popular');
    kit.runtime.unregister('popular');
    const second = mortal('popular');
    kit.runtime.send(second, 'second');
    await probe.expectNoMessage();
    kit.runtime.send(first, 'first');
    const down = await probe.expectDown(ref, 'first');
    expect(down.from).toEqual({ name: 'popular', node: 'nonode@nohost' });
  });

  it('D4 is over with its DOWN', async () => {
    const probe = await kit.probe();
    const pid = mortal();
    const ref = probe.watch(pid);
    kit.runtime.send(pid, 'bye');
    await probe.expectDown(ref, 'bye');
    expect(probe.self.demonitor(ref)).toBe(false);
    expect(probe.self.demonitor(ref, { flush: true })).toBe(false);
    await probe.expectNoMessage(100);
  });

  it('D5 taken down before the death is silent', async () => {
    const probe = await kit.probe();
    const pid = mortal();
    const [first, second] = [probe.watch(pid), probe.watch(pid)];
    expect(probe.self.demonitor(first)).toBe(true);
    kit.runtime.send(pid, 'bye');
    await probe.expectDown(second, 'bye');
    await probe.expectNoMessage(100);
  });

  it('D6 taken down after the DOWN came leaves it, unless flush is asked, which removes that one', async () => {
    const { own, downs } = await sleeper();
    const pid = mortal();
    const [first, second, third] = [own.monitor(pid), own.monitor(pid), own.monitor(pid)];
    kit.runtime.send(pid, 'bye');
    await kit.settle();
    expect(own.demonitor(first)).toBe(false);
    expect(downs().map(({ ref }) => ref)).toEqual([first, second, third]);
    expect(own.demonitor(second, { flush: true })).toBe(false);
    expect(downs().map(({ ref }) => ref)).toEqual([first, third]);
  });

  it('D7 says whether it was there: true and no DOWN, or false and a DOWN', async () => {
    const random = randomFrom();
    const { own, downs } = await sleeper();
    for (let round = 0; round < 100; round++) {
      const pids = Array.from({ length: 100 }, () => mortal());
      const refs = pids.map((pid) => own.monitor(pid));
      for (const pid of pids) if (random() < 0.5) kit.runtime.sendExit(pid, 'bye');
      const wereThere = refs.map((ref) => own.demonitor(ref));
      for (const pid of pids) kit.runtime.sendExit(pid, 'late');
      const told = new Set(downs().map(({ ref }) => ref.key));
      expect(refs.map((ref) => told.has(ref.key))).toEqual(wereThere.map((was) => !was));
      for (const ref of refs) own.demonitor(ref, { flush: true });
      expect(downs()).toEqual([]);
    }
  });

  it('D8 is not touched by others, and unknown references do nothing', async () => {
    const [owner, thief] = [await kit.probe(), await kit.probe()];
    const pid = mortal();
    const ref = owner.watch(pid);
    expect(thief.self.demonitor(ref)).toBe(false);
    expect(thief.self.demonitor(ref, { flush: true })).toBe(false);
    expect(owner.self.demonitor(owner.self.makeRef())).toBe(false);
    kit.runtime.send(pid, 'bye');
    await owner.expectDown(ref, 'bye');
    expect(owner.self.demonitor(ref)).toBe(false);
    expect(owner.self.demonitor(ref)).toBe(false);
    await thief.expectNoMessage();
  });

  it('D8 is not touched by a reference of another node, in Erlang an error', async () => {
    const owner = await kit.probe();
    const [first, second] = [mortal(), mortal()];
    const [fired, waiting] = [owner.watch(first), owner.watch(second)];
    kit.runtime.send(first, 'bye');
    await kit.settle();
    for (const { local, id } of [fired, waiting])
      for (const far of [new Ref(256, local, id), new Ref(256, local, id, 1)])
        for (const flush of [false, true]) expect(owner.self.demonitor(far, { flush })).toBe(false);
    await owner.expectDown(fired, 'bye');
    kit.runtime.send(second, 'bye');
    await owner.expectDown(waiting, 'bye');
  });

  it('D9 ends with its owner: nothing is left at the target of 10 000', async () => {
    const target = mortal();
    const cell = target.route as { extra: { watchers: { size: number } | null } };
    for (let n = 0; n < 10_000; n++) kit.runtime.spawn((self: Self) => void self.monitor(target));
    await kit.settle();
    expect(kit.runtime.size).toBe(1);
    expect(cell.extra.watchers?.size).toBe(0);
  });

  it('D13 of itself has no effect', async () => {
    const probe = await kit.probe();
    const ref = probe.watch(probe.pid);
    expect(probe.self.demonitor(ref)).toBe(false);
    await probe.expectNoMessage(100);
    const pid = kit.runtime.spawn((self: Self) => {
      self.monitor(self.pid);
      self.exit('bye');
    });
    probe.watch(pid);
    await probe.expectDown(pid, 'bye');
  });

  it('D6 leaves other messages with its reference when it is taken down with flush', async () => {
    const seen: unknown[] = [];
    kit.runtime.spawn(async (self: Self) => {
      const ref = self.monitor(self.runtime.pidOf(999_999), { alias: 'explicit' });
      await self.receive(ref);
      self.send(ref, ['reply', ref]);
      self.demonitor(ref, { flush: true });
      seen.push(await self.receive(ref, { timeout: 0 }));
    });
    await kit.settle();
    expect(seen).toEqual([['reply', expect.anything()]]);
  });

  it('D14 has no DOWN after demonitor with flush, wherever the death was', async () => {
    const random = randomFrom();
    const { own, downs } = await sleeper();
    const refs: Ref[] = [];
    for (let round = 0; round < 10_000; round++) {
      const pid = mortal();
      const ref = own.monitor(pid);
      const when = random();
      if (when < 0.3) kit.runtime.sendExit(pid, 'before');
      own.demonitor(ref, { flush: true });
      if (when > 0.6) kit.runtime.sendExit(pid, 'after');
      refs.push(ref);
    }
    await kit.settle();
    expect(downs()).toEqual([]);
    for (const ref of refs) expect(own.demonitor(ref)).toBe(false);
  });

  it('D14 can be taken down while the news of a death is on its way', async () => {
    const probe = await kit.probe();
    const refs: Ref[] = [];
    let wasThere: boolean | undefined;
    const pid = kit.runtime.spawn(async (self: Self) => {
      self.signal.addEventListener(
        'abort',
        () => (wasThere = refs.every((ref) => probe.self.demonitor(ref))),
      );
      await self.receive();
    });
    await kit.settle();
    refs.push(probe.watch(pid));
    kit.runtime.sendExit(pid, 'boom');
    await probe.expectNoMessage();
    expect(wasThere).toBe(true);
  });
});

describe('spawning with a monitor', () => {
  it('D15 gives one DOWN with the true reason, however soon the child ends', async () => {
    const probe = await kit.probe();
    const bodies: [(self: Self) => void, unknown][] = [
      [() => {}, 'normal'],
      [(self) => self.exit('at once'), 'at once'],
      [(self) => self.sendExit(self.pid, 'kill'), 'killed'],
    ];
    for (const [body, reason] of bodies) {
      const { pid, ref } = probe.self.spawnMonitor(body);
      const down = await probe.expectDown(ref, reason);
      expect(down.from).toBe(pid);
    }
    const { pid, ref } = probe.self.spawnMonitor(() => {});
    kit.runtime.sendExit(pid, 'before its first turn');
    await probe.expectDown(ref, 'before its first turn');
    await probe.expectNoMessage(100);
  });

  it('D15 works together with a link: the exit and the DOWN, once each', async () => {
    const probe = await kit.probe();
    const { pid, ref } = probe.self.spawnWith({ link: true, monitor: true }, (self: Self) =>
      self.exit('bye'),
    );
    await probe.expectExit(pid, 'bye');
    await probe.expectDown(ref, 'bye');
    await probe.expectNoMessage(100);
  });

  it('D15 leaves nothing when the name is taken', async () => {
    const probe = await kit.probe('taken');
    const spawn = (): unknown => probe.self.spawnWith({ link: true, monitor: true, name: 'taken' }, () => {});
    expect(spawn).toThrowError(expect.objectContaining({ code: 'SNOW_ERR_NAME_TAKEN' }));
    await probe.expectNoMessage(100);
    expect(kit.runtime.size).toBe(1);
  });

  it.each([
    ['given', (self: Self) => self.exit({ list: [1] })],
    [
      'thrown',
      () => {
        throw { list: [1] };
      },
    ],
    [
      'an error',
      () => {
        throw new RangeError('boom');
      },
    ],
  ])('B8 tells all the same reason (%s), which none can change for the others', async (_how, end) => {
    const [first, second] = [await kit.probe(), await kit.probe()];
    const pid = kit.runtime.spawn(async (self: Self) => {
      await self.receive();
      end(self);
    });
    for (const probe of [first, second]) {
      probe.watch(pid);
      probe.self.link(pid);
    }
    kit.runtime.send(pid, 'end');
    const { reason } = await first.expectDown(pid);
    const before = JSON.stringify(reason);
    const { list, nocatch, error } = reason as Record<string, { list: number[] }>;
    const part = error ?? nocatch?.list ?? list;
    expect(() => Object.assign(part as object, { 0: 'mine', message: 'mine' })).toThrow(TypeError);
    expect(JSON.stringify((await second.expectDown(pid)).reason)).toBe(before);
    expect(JSON.stringify((await second.expectExit(pid)).reason)).toBe(before);
  });
});
