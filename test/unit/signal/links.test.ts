// Section C of the rules: links.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Exit, type Self } from '../../../ts/actor/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { type Probe, startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

/** An actor that does what it is told: each message is a function of another map, here a word and its arguments. */
const orders: Record<string, (self: Self, ...args: never[]) => void> = {
  link: (self, pid: Pid) => self.link(pid),
  unlink: (self, pid: Pid) => self.unlink(pid),
  monitor: (self, pid: Pid) => void self.monitor(pid),
  trap: (self, on: boolean) => self.trapExit(on),
  exit: (self, reason: unknown) => self.exit(reason),
  crash: () => {
    throw new Error('crash');
  },
};

function puppet(trapExit = false): Pid<unknown> {
  return kit.runtime.spawnWith({ trapExit, label: 'puppet' }, async (self: Self) => {
    for (;;) {
      const message = await self.receive();
      if (Array.isArray(message)) orders[message[0]]?.(self, ...(message.slice(1) as never[]));
    }
  });
}

async function tell(pid: Pid<unknown>, ...order: [word: string, ...args: unknown[]]): Promise<void> {
  kit.runtime.send(pid, order);
  await kit.settle();
}

const linksOf = (pid: Pid): unknown[] => {
  const cell = pid.route as { extra?: { links?: Iterable<{ partner: Pid }> | null } | null } | undefined;
  return [...(cell?.extra?.links ?? [])].map(({ partner }) => partner);
};

/** A probe, which traps exits, and somebody linked to it. */
async function pair(): Promise<{ probe: Probe; other: Pid<unknown> }> {
  const probe = await kit.probe();
  const other = puppet();
  probe.self.link(other);
  return { probe, other };
}

describe('a link', () => {
  it('C3, D1 of actors that end together tells those who live of each end once', async () => {
    const probe = await kit.probe();
    const [a, b, c] = [puppet(), puppet(), puppet()] as const;
    await tell(a, 'link', b);
    await tell(a, 'link', c);
    await tell(b, 'link', c);
    await tell(c, 'monitor', b); // fires when its owner has ended, and is not announced yet
    for (const pid of [a, b, c]) probe.watch(pid);
    await tell(a, 'exit', 'bye');
    for (const pid of [a, b, c]) await probe.expectDown(pid, 'bye');
    await probe.expectNoMessage(100);
    expect(kit.runtime.size).toBe(1);
  });

  it('C1 exists once per pair, from whichever end it is made', async () => {
    const { probe, other } = await pair();
    probe.self.link(other);
    await tell(other, 'link', probe.pid);
    expect(linksOf(probe.pid)).toEqual([other]);
    await tell(other, 'exit', 'bye');
    await probe.expectExit(other, 'bye');
    await probe.expectNoMessage(100);
    expect(linksOf(probe.pid)).toEqual([]);
  });

  it('C2 to itself has no effect', async () => {
    const probe = await kit.probe();
    probe.self.link(probe.pid);
    expect(linksOf(probe.pid)).toEqual([]);
    const narcissus = puppet();
    probe.watch(narcissus);
    await tell(narcissus, 'link', narcissus);
    await tell(narcissus, 'exit', 'bye');
    await probe.expectDown(narcissus, 'bye');
  });

  it.each([1, 2, 9, 10])('C3 hands the reason on unchanged through a chain of %i', async (length) => {
    for (const reason of ['boom', 'kill', 'shutdown', { shutdown: ['x'] }, { error: { deep: [1, 2n] } }]) {
      const probe = await kit.probe();
      const chain = Array.from({ length }, () => puppet());
      for (let n = 1; n < length; n++) await tell(chain[n] as Pid<unknown>, 'link', chain[n - 1]);
      const last = chain.at(-1) as Pid<unknown>;
      probe.self.link(last);
      await tell(chain[0] as Pid<unknown>, 'exit', reason);
      await probe.expectExit(last, reason);
    }
  });

  it('C4 leaves a partner alone when the other ends normally; one that traps gets the exit', async () => {
    const { probe, other } = await pair();
    const deaf = puppet();
    await tell(deaf, 'link', other);
    await tell(other, 'exit', 'normal');
    await probe.expectExit(other, 'normal');
    expect(kit.runtime.isAlive(deaf)).toBe(true);
    expect(kit.mailbox(deaf)).toEqual([]);
    expect(linksOf(deaf)).toEqual([]);
  });

  it.each([['boom'], ['shutdown'], [{ shutdown: 1 }], [undefined], [null], [0], [''], ['killed']])(
    'C5 takes a partner along when the other ends with %o',
    async (reason) => {
      const probe = await kit.probe();
      const [first, second] = [puppet(), puppet()];
      probe.watch(second);
      await tell(second, 'link', first);
      probe.self.sendExit(first, reason);
      await probe.expectDown(second, reason);
    },
  );

  it('C5 takes a partner along when the other crashes', async () => {
    const probe = await kit.probe();
    const [first, second] = [puppet(), puppet()];
    probe.watch(second);
    await tell(second, 'link', first);
    await tell(first, 'crash');
    const { reason } = await probe.expectDown(second);
    expect(reason).toMatchObject({ error: { message: 'crash' } });
  });

  it('C6 carries the reason kill of one that ends itself with it, which can be trapped', async () => {
    const { probe, other } = await pair();
    const deaf = puppet();
    probe.watch(deaf);
    await tell(deaf, 'link', other);
    await tell(other, 'exit', 'kill');
    await probe.expectExit(other, 'kill');
    await probe.expectDown(deaf, 'kill');
    expect(kit.runtime.isAlive(probe.pid)).toBe(true);
  });

  it('C7 carries killed when a kill ended the other', async () => {
    const { probe, other } = await pair();
    kit.runtime.sendExit(other, 'kill');
    await probe.expectExit(other, 'killed');
  });

  it('C8 to a dead actor is an exit noproc, and no link remains', async () => {
    const dead = puppet();
    kit.runtime.sendExit(dead, 'kill');
    const probe = await kit.probe();
    probe.self.link(dead);
    await probe.expectExit(dead, 'noproc');
    expect(linksOf(probe.pid)).toEqual([]);
    const deaf = puppet();
    probe.watch(deaf);
    await tell(deaf, 'link', dead);
    await probe.expectDown(deaf, 'noproc');
  });

  it('C12 never counts after unlink; an exit that came before stays', async () => {
    const { probe, other } = await pair();
    probe.self.unlink(other);
    expect(linksOf(probe.pid)).toEqual([]);
    expect(linksOf(other)).toEqual([]);
    await tell(other, 'exit', 'boom');
    await probe.expectNoMessage();

    const kept: unknown[] = [];
    const third = puppet();
    const slow = kit.runtime.spawnWith({ trapExit: true }, async (self: Self) => {
      self.link(third);
      await self.receive('go');
      self.unlink(third);
      kept.push(await self.receive(Exit, { timeout: 0 }));
    });
    await kit.settle();
    await tell(third, 'exit', 'boom');
    kit.runtime.send(slow, 'go');
    await kit.settle();
    expect(kept).toMatchObject([{ reason: 'boom' }]);
  });

  it('C12 holds while the news of a death is on its way', async () => {
    const probe = await kit.probe();
    const links = async (act: (other: Pid) => void): Promise<Pid> => {
      const other = kit.runtime.spawn(async (self: Self) => {
        // Runs when the actor is dead, and before its partners are told.
        self.signal.addEventListener('abort', () => act(self.pid));
        await self.receive();
      });
      await kit.settle();
      probe.self.link(other);
      kit.runtime.sendExit(other, 'boom');
      return other;
    };
    await links((other) => probe.self.unlink(other));
    await probe.expectNoMessage();
    const again = await links((other) => probe.self.link(other));
    await probe.expectExit(again, 'boom');
    await probe.expectNoMessage();
  });

  it('C12 can be taken down from the other end', async () => {
    const { probe, other } = await pair();
    await tell(other, 'unlink', probe.pid);
    await tell(other, 'exit', 'boom');
    await probe.expectNoMessage();
  });

  it('C12 unlinks one of many, and those never linked', async () => {
    const probe = await kit.probe();
    const others = Array.from({ length: 30 }, () => puppet());
    for (const other of others) probe.self.link(other);
    for (let n = 0; n < 30; n += 2) probe.self.unlink(others[n] as Pid);
    probe.self.unlink(puppet());
    probe.self.unlink(probe.pid);
    for (const other of others) kit.runtime.sendExit(other, 'boom');
    await kit.settle();
    expect(probe.messages.map((message) => (message as Exit).from)).toEqual(
      others.filter((_other, n) => n % 2 === 1),
    );
  });

  it('C14 made again after unlink and death is noproc, never the old reason, 1000 times', async () => {
    const probe = await kit.probe();
    for (let round = 0; round < 1000; round++) {
      const other = puppet();
      probe.self.link(other);
      probe.self.unlink(other);
      kit.runtime.sendExit(other, 'old reason');
      probe.self.link(other);
    }
    await kit.settle();
    expect(probe.messages).toHaveLength(1000);
    for (const message of probe.messages) expect((message as Exit).reason).toBe('noproc');
  });
});

describe('spawning with a link', () => {
  it('C15 tells of a child that ends at once', async () => {
    const probe = await kit.probe();
    const child = probe.self.spawnLink((self: Self) => self.exit('at once'));
    const handler = probe.self.spawnWith({ link: true }, {
      kind: 'handler',
      name: 'failing',
      init: () => {
        throw new Error('init');
      },
    } as const);
    await probe.expectExit(child, 'at once');
    expect((await probe.expectExit(handler)).reason).toMatchObject({ error: { message: 'init' } });
  });

  it('C15 leaves no orphan of 10 000 parents that end at once', async () => {
    let born = 0;
    for (let n = 0; n < 10_000; n++) {
      kit.runtime.spawn((self: Self) => {
        self.spawnLink(async (child: Self) => {
          born++;
          await child.receive();
        });
        self.exit('gone');
      });
    }
    await kit.settle();
    expect(kit.runtime.size).toBe(0);
    expect(born).toBe(0); // the exit came before their first turn
  });
});

describe('trapping exits', () => {
  it('C16 is for the actor that asked, and for what comes from then on', async () => {
    const probe = await kit.probe();
    const [calm, nervous] = [puppet(true), puppet()];
    probe.watch(calm);
    probe.watch(nervous);
    kit.runtime.sendExit(calm, 'boom');
    kit.runtime.sendExit(nervous, 'boom');
    await probe.expectDown(nervous, 'boom');
    expect(kit.runtime.isAlive(calm)).toBe(true);
    await tell(calm, 'trap', false);
    kit.runtime.sendExit(calm, 'bang');
    await probe.expectDown(calm, 'bang');
  });

  it('C16 does not bring back a normal end of before', async () => {
    const seen: unknown[] = [];
    const other = puppet();
    const pid = kit.runtime.spawn(async (self: Self) => {
      self.link(other);
      await self.receive('go');
      expect(self.trapExit(true)).toBe(false);
      expect(self.trapExit(true)).toBe(true);
      for (;;) seen.push(await self.receive());
    });
    await kit.settle();
    await tell(other, 'exit', 'normal');
    kit.runtime.send(pid, 'go');
    await kit.settle();
    expect(seen).toEqual([]);
    kit.runtime.sendExit(pid, 'now');
    await kit.settle();
    expect(seen).toMatchObject([{ reason: 'now' }]);
  });
});
