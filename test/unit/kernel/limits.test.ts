// What a mailbox limit does, and where messages go that reach nobody.
import { describe, expect, it } from 'vitest';
import {
  Call,
  CallError,
  type DeadLetterReason,
  Down,
  type HandlerBody,
  type MailboxLimit,
  request,
  type Self,
} from '../../../ts/actor/index.ts';
import { cellOf } from '../../../ts/kernel/index.ts';
import { MailboxGate } from '../../../ts/kernel/mailbox-gate.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { kit, probe } from '../../support/kit.ts';

/** An actor that takes nothing before it is told 'go', and then passes everything on to the probe. */
async function hoarder(mailbox: MailboxLimit): Promise<Pid<unknown>> {
  const start = { mailbox, trapExit: true };
  const pid = kit.runtime.spawnWith(start, async (self: Self<unknown>) => {
    await self.receive((message) => message instanceof Down && message.reason === 'go');
    for (;;) {
      const message = await self.receive();
      if (typeof message !== 'object') self.send(probe.pid, message);
    }
  });
  await kit.settle();
  return pid;
}

/** Opens it: a system message passes every limit. */
async function open(pid: Pid<unknown>): Promise<void> {
  kit.runtime.deliverSystem(
    pid as Pid<never>,
    new (Down as never as new (...args: unknown[]) => Down)(null, null, 'go'),
  );
  await kit.settle();
}

const blocked = (pid: Pid<unknown>): number | undefined => cellOf(pid as Pid)?.extra?.gate?.blockedCount;

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_one, n) => from + n);

describe('a mailbox limit', () => {
  it('of drop-new, the default, keeps the first messages', async () => {
    for (const limit of [{ max: 10 }, { max: 10, policy: 'drop-new' }] as const) {
      const pid = await hoarder(limit);
      for (const n of numbers(25)) kit.runtime.send(pid, n);
      expect(kit.mailbox(pid as Pid<never>)).toEqual(numbers(10));
      await open(pid);
      expect(probe.messages).toEqual(numbers(10));
      probe.clear();
    }
    expect(kit.runtime.deadLetters.counts.dropped_new).toBe(30);
  });

  it('of drop-old keeps the last messages, in order', async () => {
    const pid = await hoarder({ max: 10, policy: 'drop-old' });
    for (const n of numbers(1000)) kit.runtime.send(pid, n);
    expect(kit.mailbox(pid as Pid<never>)).toEqual(numbers(10, 990));
    expect(kit.runtime.deadLetters.counts.dropped_old).toBe(990);
    await open(pid);
    expect(probe.messages).toEqual(numbers(10, 990));
  });

  it('of exit ends the actor, with a reason that says so, and reports it', async () => {
    const pid = await hoarder({ max: 10, policy: 'exit' });
    probe.watch(pid as Pid<never>);
    for (const n of numbers(11)) kit.runtime.send(pid, n);
    await probe.expectDown(pid as Pid<never>, { mailbox_full: 10 });
    expect(kit.logged('actor_crash').map(({ facts }) => facts['reason'])).toEqual([{ mailbox_full: 10 }]);
    expect(kit.runtime.deadLetters.counts).toMatchObject({ dropped_new: 1, unread: 10 });
  });

  it('of block makes sendWait wait, in turn, and drops plain sends', async () => {
    const pid = await hoarder({ max: 2, policy: 'block' });
    const sent: number[] = [];
    for (const n of numbers(6)) {
      kit.runtime.spawn(async (self: Self) => {
        await self.sendWait(pid, n);
        sent.push(n);
      });
    }
    await kit.settle();
    expect(sent).toEqual([0, 1]);
    kit.runtime.send(pid, 'dropped');
    await open(pid);
    expect(sent).toEqual(numbers(6));
    expect(probe.messages).toEqual(numbers(6));
    expect(kit.runtime.deadLetters.counts.dropped_new).toBe(1);
  });

  it('of block makes code outside of actors wait, too: what it sends arrives, in order', async () => {
    const pid = await hoarder({ max: 1, policy: 'block' });
    const sent: number[] = [];
    for (const n of numbers(5)) void kit.runtime.sendWait(pid, n).then(() => sent.push(n));
    await kit.settle();
    expect(sent).toEqual([0]);
    await open(pid);
    expect(sent).toEqual(numbers(5));
    expect(probe.messages).toEqual(numbers(5));
    expect(kit.runtime.deadLetters.total).toBe(0);
  });

  it('of block gives a place that becomes free to the sender that waits longest, not to one that comes just then', async () => {
    const got: unknown[] = [];
    const limit = { max: 1, policy: 'block' } as const;
    const pid: Pid<unknown> = kit.runtime.spawnWith({ mailbox: limit }, {
      kind: 'handler',
      name: 'slow',
      init: () => ({
        onMessage(message: unknown) {
          got.push(message);
          // Its own message has just left the mailbox, and the one that waits has not come in yet.
          if (message === 'first') void kit.runtime.sendWait(pid, 'late');
          if (message === 'first') kit.runtime.send(pid, 'plain');
        },
      }),
    } as never) as Pid<unknown>;
    for (const message of ['first', 'second', 'third']) void kit.runtime.sendWait(pid, message);
    await kit.settle();
    expect(got).toEqual(['first', 'second', 'third', 'late']);
    expect(kit.runtime.deadLetters.counts.dropped_new).toBe(1);
  });

  it('of block lets nobody pass a sender that has got a place and has not used it yet, however much room there is', async () => {
    const got: unknown[] = [];
    const pid: Pid<unknown> = kit.runtime.spawnWith({ mailbox: { max: 2, policy: 'block' } }, {
      kind: 'handler',
      name: 'slow',
      init: () => ({
        onMessage(message: unknown) {
          got.push(message);
          // The third message has its place since the first one left. Now the mailbox is empty.
          if (message === 'second') void kit.runtime.sendWait(pid, 'fourth');
        },
      }),
    } as never) as Pid<unknown>;
    for (const message of ['first', 'second', 'third']) void kit.runtime.sendWait(pid, message);
    await kit.settle();
    expect(got).toEqual(['first', 'second', 'third', 'fourth']);
  });

  it('of block passes a place on that a resumed sender does not use', async () => {
    const gate = new MailboxGate({ max: 1, policy: 'block' });
    gate.entered('x');
    const order: string[] = [];
    const waits = ['one', 'two', 'three'].map((name) =>
      gate.room(null).then(() => gate.use(() => void order.push(name))),
    );
    expect([gate.isFull, gate.blockedCount]).toEqual([true, 3]);
    gate.left('x');
    expect([gate.isFull, gate.blockedCount]).toEqual([true, 2]);
    await Promise.all(waits); // none of them puts a message in
    expect(order).toEqual(['one', 'two', 'three']);
    expect([gate.isFull, gate.blockedCount]).toEqual([false, 0]);
  });

  it.each(['name', 'address', 'alias'])('of block holds by %s too', async (how) => {
    const sent: number[] = [];
    const addresses: Record<string, unknown> = {
      name: 'slow',
      address: { name: 'slow', node: 'nonode@nohost' },
    };
    const limit = { max: 1, policy: 'block' } as const;
    const pid = kit.runtime.spawnWith({ mailbox: limit, name: 'slow' }, async (self: Self) => {
      addresses['alias'] = self.alias();
      await self.sleep(100);
      await self.receive();
      await self.receive();
    });
    await kit.settle();
    kit.runtime.spawn(async (self: Self) => {
      for (const n of [1, 2]) {
        await self.sendWait(addresses[how] as Pid<unknown>, n);
        sent.push(n);
      }
    });
    await kit.advance(50);
    expect(sent).toEqual([1]);
    await kit.advance(50);
    expect(sent).toEqual([1, 2]);
    expect(kit.runtime.isAlive(pid as Pid<never>)).toBe(false);
  });

  it('of block sends by a name to the actor that has it when there is room, and waits for room there', async () => {
    const [old, next] = [
      await hoarder({ max: 1, policy: 'block' }),
      await hoarder({ max: 1, policy: 'block' }),
    ];
    kit.runtime.register('inbox', old);
    for (const pid of [old, next]) kit.runtime.send(pid, 'first');
    const sent = kit.runtime.sendWait('inbox', 'second');
    kit.runtime.unregister('inbox');
    kit.runtime.register('inbox', next);
    await open(old); // there is room, but where the message does not belong any more
    await probe.expectMessage('first');
    await probe.expectNoMessage();
    expect(kit.mailbox(next)).toEqual(['first']);
    await open(next);
    await sent;
    await probe.expectMessage('first');
    await probe.expectMessage('second');
    expect(kit.runtime.deadLetters.total).toBe(0);
  });

  it('of block forgets senders that died: the room goes to those that still wait', async () => {
    const pid = await hoarder({ max: 1, policy: 'block' });
    kit.runtime.send(pid, 'first');
    const senders = numbers(4).map((n) => kit.runtime.spawn((self: Self) => self.sendWait(pid, n)));
    await kit.settle();
    expect(blocked(pid)).toBe(4);
    for (const dead of senders.slice(0, 3)) kit.runtime.sendExit(dead as Pid<never>, 'kill');
    expect(blocked(pid)).toBe(1); // they take no place of the senders of other nodes that may wait
    await open(pid);
    expect(probe.messages).toEqual(['first', 3]);
  });

  it('of block lets all senders continue when the actor dies', async () => {
    const pid = await hoarder({ max: 1, policy: 'block' });
    kit.runtime.send(pid, 'first');
    const sent: number[] = [];
    for (const n of numbers(3))
      kit.runtime.spawn((self: Self) => self.sendWait(pid, n).then(() => void sent.push(n)));
    await kit.settle();
    kit.runtime.sendExit(pid as Pid<never>, 'kill');
    await kit.settle();
    expect(sent).toEqual(numbers(3));
    expect(kit.runtime.deadLetters.counts.noproc).toBe(3);
  });

  it.each(['drop-new', 'drop-old', 'exit', 'block'] as const)(
    'of %s never touches what the runtime sends, nor counts it',
    async (policy) => {
      const pid = await hoarder({ max: 2, policy });
      const self = kit.runtime.spawn(async (own: Self) => {
        for (let round = 0; round < 100; round++) own.sendExit(pid as Pid<never>, 'noise');
        own.link(pid as Pid<never>);
        await own.receive('never');
      });
      await kit.settle();
      kit.runtime.sendExit(self as Pid<never>, 'noise');
      await kit.settle();
      expect(kit.mailbox(pid as Pid<never>)).toHaveLength(101);
      for (const n of [1, 2]) kit.runtime.send(pid, n);
      expect(kit.mailbox(pid as Pid<never>)).toHaveLength(103);
      await open(pid);
      expect(probe.messages).toEqual([1, 2]);
      expect(kit.runtime.deadLetters.total).toBe(0);
    },
  );

  it('answers calls with overload at once, and counts those that wait', async () => {
    for (const policy of ['drop-new', 'drop-old', 'exit', 'block'] as const) {
      const pid = (await hoarder({ max: 2, policy })) as Pid<never>;
      const waiting = request(probe.self, pid, 'ask').catch((error: CallError) => error.state);
      kit.runtime.send(pid as Pid<unknown>, 'fills it');
      const error = await request(probe.self, pid, 'ask').catch((thrown: CallError) => thrown);
      expect(error).toBeInstanceOf(CallError);
      expect(error).toMatchObject({ state: 'overload', code: 'SNOW_ERR_CALL_OVERLOAD', elapsed: 0 });
      expect(kit.mailbox(pid)[0]).toBeInstanceOf(Call);
      kit.runtime.sendExit(pid, 'kill');
      expect(await waiting).toBe('exit');
    }
  });

  it('of drop-old drops no call: its caller waits for it', async () => {
    const pid = await hoarder({ max: 2, policy: 'drop-old' });
    for (const tag of ['one', 'two']) void request(probe.self, pid as Pid<never>, tag).catch(() => {});
    kit.runtime.send(pid, 'no room');
    expect(kit.mailbox(pid as Pid<never>).map((call) => (call as Call).tag)).toEqual(['one', 'two']);
    expect(kit.runtime.deadLetters.counts).toMatchObject({ dropped_new: 1, dropped_old: 0 });
  });

  it('has room again for each reply that was taken by its reference', async () => {
    const replies: unknown[] = [];
    kit.runtime.spawnWith({ mailbox: { max: 3 } }, async (self: Self) => {
      self.send(self.pid as Pid<unknown>, 'backlog');
      for (let n = 0; n < 10; n++) {
        const ref = self.makeRef();
        self.send(self.pid as Pid<unknown>, { ref, n });
        const reply = (await self.receive(ref)) as { n: number };
        replies.push(reply.n);
      }
    });
    await kit.settle();
    expect(replies).toEqual(numbers(10));
    expect(kit.runtime.deadLetters.counts.dropped_new).toBe(0);
  });

  it('holds for handlers, and gives room back as they go on', async () => {
    const seen: unknown[] = [];
    const body: HandlerBody<number> = {
      onMessage: async (message, self) => {
        seen.push(message);
        await self.sleep(10);
      },
    };
    const spec = { kind: 'handler', name: 'slow', init: () => body } as const;
    const pid = kit.runtime.spawnWith({ mailbox: { max: 3 } }, spec) as Pid<number>;
    await kit.settle();
    for (const n of numbers(10)) kit.runtime.send(pid, n);
    await kit.advance(100);
    expect(seen).toEqual(numbers(3));
    for (const n of numbers(3, 50)) kit.runtime.send(pid, n);
    await kit.advance(100);
    expect(seen).toEqual([...numbers(3), ...numbers(3, 50)]);
  });

  it.each([{ max: 0 }, { max: -1 }, { max: Number.NaN }, { max: 1.5 }, { max: 1, policy: 'maybe' }])(
    'of %o is refused, and starts nothing',
    (mailbox) => {
      const { size } = kit.runtime;
      expect(() => kit.runtime.spawnWith({ mailbox: mailbox as MailboxLimit, name: 'x' }, () => {})).toThrow(
        expect.objectContaining({ code: 'SNOW_ERR_BAD_OPTION' }),
      );
      expect([kit.runtime.size, kit.runtime.whereis('x')]).toEqual([size, undefined]);
    },
  );
});

describe('messages that reach no actor', () => {
  it.each([
    ['drop-old', { dropped_old: 1, unread: 1, noproc: 1 }],
    ['exit', { dropped_new: 1, unread: 2, noproc: 0 }],
  ] as const)('are counted, each once, when a listener ends the actor: %s', async (policy, counts) => {
    const { runtime } = kit;
    const pid = await hoarder({ max: 2, policy });
    const stop = runtime.deadLetters.subscribe(() => runtime.sendExit(pid as Pid<never>, 'kill'));
    for (const n of numbers(3)) runtime.send(pid, n);
    stop();
    expect(runtime.deadLetters.counts).toMatchObject(counts);
    expect(kit.logged('actor_crash')).toEqual([]); // it has not ended for its full mailbox
  });

  it('are counted by reason, and can be heard of, without their content', async () => {
    const heard: [DeadLetterReason, string, number][] = [];
    const { deadLetters } = kit.runtime;
    const stop = deadLetters.subscribe((reason, target, count) => heard.push([reason, target, count]));
    deadLetters.subscribe(() => {
      throw new Error('a listener that fails');
    });
    const dead = kit.runtime.spawn(() => {});
    await kit.settle();
    kit.runtime.send(dead as Pid<unknown>, 'secret');
    kit.runtime.send({ name: 'nobody', node: 'nonode@nohost' }, 'secret');
    const alias = probe.self.alias();
    probe.self.unalias(alias);
    kit.runtime.send(alias, 'secret');
    const reader = kit.runtime.spawn(() => new Promise(() => {}));
    for (const n of numbers(3)) kit.runtime.send(reader as Pid<unknown>, n);
    kit.runtime.sendExit(reader as Pid<never>, 'kill');
    kit.runtime.send({ name: 'x', node: 'far@host' }, 'secret');
    stop();
    kit.runtime.send(dead as Pid<unknown>, 'secret');
    expect(heard).toEqual([
      ['noproc', String(dead), 1],
      ['no_name', 'nobody', 1],
      ['alias', String(alias), 1],
      ['unread', String(reader), 3],
      ['noconnection', expect.anything(), 1],
    ]);
    expect(deadLetters.counts).toMatchObject({ noproc: 2, no_name: 1, alias: 1, unread: 3, noconnection: 1 });
    expect(deadLetters.total).toBe(8);
  });
});
