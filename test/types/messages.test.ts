// What the types of sending, receiving, calling, timers, limits and registries accept and refuse. The type checker is
// the judge; nothing here runs but the assertions about types, which do nothing.

import { describe, expectTypeOf, it } from 'vitest';
import { request } from '../../ts/actor/index.ts';
import {
  type AliasMode,
  Call,
  type CallError,
  type CallState,
  Down,
  DuplicateRegistry,
  Exit,
  type HandlerBody,
  type MailboxLimit,
  type Match,
  type Node,
  NodeDown,
  type Pid,
  type Received,
  type Ref,
  type RegistryEntry,
  type Runtime,
  type Self,
  type SpawnOptions,
  SystemMessage,
  TIMEOUT,
  Timeout,
  type TimerRef,
} from '../../ts/index.ts';

interface Add {
  readonly type: 'add';
  readonly amount: number;
}
interface Drop {
  readonly type: 'drop';
}
type Message = Add | Drop;

const unreached = (_body: (self: Self<Message>, other: Pid<Add>, runtime: Runtime) => unknown): void => {};

describe('what is sent', () => {
  it('has to be what the target takes, by every way there is', () => {
    unreached((self, other, runtime) => {
      const add: Add = { type: 'add', amount: 1 };
      self.send(other, add);
      void self.sendWait(other, add);
      self.sendAfter(10, other, add);
      self.sendInterval(10, other, add);
      runtime.send(other, add);
      // @ts-expect-error: the target takes no drop
      self.send(other, { type: 'drop' });
      // @ts-expect-error: the same for a send that waits
      void self.sendWait(other, { type: 'drop' });
      // @ts-expect-error: the same for a timer
      self.sendAfter(10, other, { type: 'drop' });
      // @ts-expect-error: the same for an interval
      self.sendInterval(10, other, { type: 'drop' });
      // @ts-expect-error: the same from outside of actors
      runtime.send(other, { type: 'drop' });
      // @ts-expect-error: a field is missing
      self.send(other, { type: 'add' });
      // @ts-expect-error: a message is needed
      self.send(other);
    });
  });

  it('may be anything to a name or an alias, of which no type is known', () => {
    unreached((self, _other) => {
      self.send('name', 1);
      self.send({ name: 'name', node: 'a@host' }, { any: 'thing' });
      self.send(self.alias(), [1, 2]);
      // @ts-expect-error: an address has a node
      self.send({ name: 'name' }, 1);
      // @ts-expect-error: a number is no address
      self.send(5, 1);
    });
  });
});

describe('what is received', () => {
  it('is a message of the actor, or one of the runtime', () => {
    unreached(async (self) => {
      const message = await self.receive();
      expectTypeOf(message).toEqualTypeOf<Received<Message>>();
      // @ts-expect-error: not every message has an amount
      void message.amount;
      if (message instanceof Down) expectTypeOf(message.ref).toEqualTypeOf<Ref>();
      else if (message instanceof Exit) expectTypeOf(message.from).toEqualTypeOf<Pid>();
      else if (message instanceof Call) expectTypeOf(message.args).toEqualTypeOf<readonly unknown[]>();
      else if (message instanceof NodeDown) expectTypeOf(message.node).toEqualTypeOf<string>();
      else if (message instanceof Timeout) expectTypeOf(message.ref).toEqualTypeOf<TimerRef>();
      else if ('amount' in message) expectTypeOf(message.amount).toEqualTypeOf<number>();
    });
  });

  it('is of the actor when it is none of the runtime', () => {
    unreached(async (self) => {
      const message = await self.receive();
      if (!(message instanceof SystemMessage)) expectTypeOf(message).toEqualTypeOf<Message>();
    });
  });

  it('is of the tag that was asked for', () => {
    unreached(async (self) => {
      expectTypeOf(await self.receive('add')).toEqualTypeOf<Add>();
      expectTypeOf(await self.receive('drop', { timeout: 5 })).toEqualTypeOf<Drop | typeof TIMEOUT>();
      expectTypeOf(await self.receive('add' as string)).toEqualTypeOf<Message>();
      expectTypeOf(await self.receive('other')).toEqualTypeOf<unknown>();
      type Many = readonly ['set', number] | readonly ['get' | 'has', string] | 'stop' | number;
      const many = self as Self<unknown> as Self<Many>;
      expectTypeOf(await many.receive('set')).toEqualTypeOf<readonly ['set', number]>();
      expectTypeOf(await many.receive('get')).toEqualTypeOf<readonly ['get' | 'has', string]>();
      expectTypeOf(await many.receive('stop')).toEqualTypeOf<'stop'>();
      expectTypeOf(await (self as Self<unknown>).receive('any')).toEqualTypeOf<unknown>();
    });
  });

  it('is one that can have the fields of the pattern that was asked for', () => {
    unreached(async (self, other) => {
      expectTypeOf(await self.receive({ type: 'add' })).toEqualTypeOf<Add>();
      expectTypeOf(await self.receive({ type: 'add', amount: 5 })).toEqualTypeOf<Add>();
      expectTypeOf(await self.receive({ type: 'drop' }, { timeout: 5 })).toEqualTypeOf<
        Drop | typeof TIMEOUT
      >();
      const { signal } = new AbortController();
      expectTypeOf(await self.receive({ type: 'add' }, { signal })).toEqualTypeOf<Add>();
      expectTypeOf(await self.receive({ type: 'add' as string })).toEqualTypeOf<Message>();
      expectTypeOf(await self.receive({ type: 'other' })).toEqualTypeOf<unknown>();
      expectTypeOf(await self.receive({ type: 'add', amount: 'five' })).toEqualTypeOf<unknown>();
      type Page = { readonly type: 'page' | 'end'; readonly ref: Ref; readonly n?: number };
      type Note = { readonly from: Pid; readonly text: string };
      const many = self as Self<unknown> as Self<Page | Note | readonly ['page', Ref] | 'page'>;
      expectTypeOf(await many.receive({ ref: self.makeRef() })).toEqualTypeOf<Page>();
      expectTypeOf(await many.receive({ type: 'end', n: 3 as number })).toEqualTypeOf<Page>();
      expectTypeOf(await many.receive({ from: other })).toEqualTypeOf<Note>();
      expectTypeOf(await (self as Self<unknown>).receive({ type: 'any' })).toEqualTypeOf<unknown>();
      expectTypeOf(await self.receive([Down, { type: 'add' }])).toEqualTypeOf<Down | Add>();
      expectTypeOf(await self.receive(['add', 'drop'])).toEqualTypeOf<Add | Drop>();
      expectTypeOf(await self.receive(['drop', [Down]], { timeout: 5 })).toEqualTypeOf<
        Drop | Down | typeof TIMEOUT
      >();
      expectTypeOf(await self.receive([self.makeRef(), 'add'])).toEqualTypeOf<unknown>();
      expectTypeOf(await self.receive({ type: 'add', timeout: 5 })).toEqualTypeOf<unknown>();
      expectTypeOf(await self.receive({} as Match<Add>)).toEqualTypeOf<Add>();
      expectTypeOf(await self.receive((one) => one === 5)).toEqualTypeOf<unknown>();
      expectTypeOf(await self.receive<Add>((one) => one.amount === 5)).toEqualTypeOf<Add>();
      // @ts-expect-error: the values of a pattern are plain
      await self.receive({ type: 'add', amount: [5] });
      // @ts-expect-error: a field without a value is left out
      await self.receive({ type: 'add', amount: undefined });
    });
  });

  it('may be TIMEOUT wherever a time is given, and nowhere else', () => {
    unreached(async (self) => {
      const waited = await self.receive(undefined, { timeout: 5 });
      expectTypeOf(waited).toEqualTypeOf<Received<Message> | typeof TIMEOUT>();
      if (waited === TIMEOUT) return;
      expectTypeOf(waited).toEqualTypeOf<Received<Message>>();
      const { signal } = new AbortController();
      expectTypeOf(await self.receive(Down, { signal })).toEqualTypeOf<Down>();
      expectTypeOf(await self.receive(Down, { signal, timeout: 1 })).toEqualTypeOf<Down | typeof TIMEOUT>();
      expectTypeOf(await self.receive([Down, Exit])).toEqualTypeOf<Down | Exit>();
      expectTypeOf(await self.receive([Down, [Exit]], { timeout: 1 })).toEqualTypeOf<
        Down | Exit | typeof TIMEOUT
      >();
      expectTypeOf(await self.receive([Down, 'a tag'])).toEqualTypeOf<unknown>();
      // @ts-expect-error: a time is a number
      await self.receive(Down, { timeout: '5' });
      // @ts-expect-error: nothing can be matched by a number
      await self.receive(5);
      // @ts-expect-error: the first argument is the match
      await self.receive({ timeout: 5 });
      // @ts-expect-error: with a signal, too
      await self.receive({ timeout: 5, signal });
      // @ts-expect-error: in the second place as well
      await self.receive({ timeout: 5 }, { timeout: 5 });
      // @ts-expect-error: no such option
      await self.receive(Down, { within: 5 });
    });
  });
});

describe('a call', () => {
  it('takes a tag and a list, and answers with what was asked for', () => {
    unreached(async (self, other) => {
      expectTypeOf(await request(self, other, 'ask')).toEqualTypeOf<unknown>();
      expectTypeOf(await request<number>(self, 'name', 'ask', [1])).toEqualTypeOf<number>();
      // @ts-expect-error: the arguments are a list
      await request(self, other, 'ask', 1);
      // @ts-expect-error: a tag is a string
      await request(self, other, 1);
      // @ts-expect-error: no such option
      await request(self, other, 'ask', [], { deadline: 1 });
      // @ts-expect-error: nobody can be called by a number
      await request(self, 1, 'ask');
    });
  });

  it('fails with an error whose state is one of a few words', () => {
    unreached((_self, _other, _runtime) => {
      const failed = (error: CallError): void => {
        expectTypeOf(error.state).toEqualTypeOf<CallState>();
        expectTypeOf(error.elapsed).toEqualTypeOf<number>();
        // @ts-expect-error: no such state
        if (error.state === 'time_out') return;
        // @ts-expect-error: the facts of a failure stay as they are
        error.state = 'timeout';
      };
      void failed;
    });
  });
});

describe('spawning with options', () => {
  it('knows limits, policies and modes', () => {
    expectTypeOf<{ max: 5; policy: 'drop-old' }>().toExtend<MailboxLimit>();
    expectTypeOf<{ max: 5; policy: 'drop' }>().not.toExtend<MailboxLimit>();
    expectTypeOf<{ policy: 'block' }>().not.toExtend<MailboxLimit>();
    expectTypeOf<{ name: 5 }>().not.toExtend<SpawnOptions>();
    expectTypeOf<AliasMode>().toEqualTypeOf<'explicit' | 'demonitor' | 'reply'>();
  });

  it('asks for the arguments of the actor as ever', () => {
    unreached((self, _other) => {
      const body = async (own: Self<Add>, start: number): Promise<void> => {
        void own;
        void start;
        await own.receive();
      };
      expectTypeOf(self.spawnWith({ link: true }, body, 1)).toEqualTypeOf<Pid<Add>>();
      // @ts-expect-error: a start is needed
      self.spawnWith({ link: true }, body);
      // @ts-expect-error: the start is a number
      self.spawnWith({ link: true }, body, 'one');
      // @ts-expect-error: no such option
      self.spawnWith({ linked: true }, body, 1);
      // @ts-expect-error: an actor takes its self first
      self.spawn((text: string) => void text);
    });
  });

  it('has handlers that take what their PID says', () => {
    unreached((self) => {
      const pid = self.spawnHandler((_own: Self<Add>, _start: number): HandlerBody<Add> => {
        return { onMessage: (message) => void expectTypeOf(message).toEqualTypeOf<Add>() };
      }, 1);
      expectTypeOf(pid).toEqualTypeOf<Pid<Add>>();
      // @ts-expect-error: a handler has onMessage
      self.spawnHandler(() => ({ onMail: () => {} }));
    });
  });
});

describe('a registry of duplicate keys', () => {
  it('types keys, values and who may register', () => {
    const use = (node: Node, pid: Pid<Message>, narrow: Pid<Drop>): void => {
      const topics = new DuplicateRegistry<'news' | 'sport', { level: number }, Add>(node);
      topics.register('news', pid, { level: 1 });
      expectTypeOf(topics.lookup('news')).toEqualTypeOf<RegistryEntry<{ level: number }, Add>[]>();
      topics.dispatch('sport', ({ pid: one, value }) => {
        expectTypeOf(one).toEqualTypeOf<Pid<Add>>();
        expectTypeOf(value.level).toEqualTypeOf<number>();
      });
      // @ts-expect-error: no such key
      topics.register('weather', pid, { level: 1 });
      // @ts-expect-error: a value is needed
      topics.register('news', pid);
      // @ts-expect-error: who registers has to take what is dispatched
      topics.register('news', narrow, { level: 1 });
      const plain = new DuplicateRegistry(node);
      plain.register('any', pid as Pid<unknown>);
      // @ts-expect-error: an object is no key
      void new DuplicateRegistry<{ key: string }>(node);
    };
    void use;
  });
});
