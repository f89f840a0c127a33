// What the types of servers, state machines and child specs accept and refuse. The type checker is the judge
// (`npm run check:types`); nothing here runs but the assertions about types, which do nothing.
import { describe, expectTypeOf, it } from 'vitest';
import {
  call,
  cast,
  childSpec,
  defineActor,
  defineServer,
  defineStateMachine,
  defineSupervisor,
  ignore,
  type MachineStart,
  multiCall,
  type Node,
  noReply,
  type Pid,
  type RefFor,
  restartChild,
  type Self,
  start,
  startChild,
  startGlobalNames,
  startGroups,
  stop,
} from '../../ts/index.ts';

const store = defineServer({
  name: 'store',
  init: (_self, size: number) => (size > 3 ? ignore() : { map: new Map<string, number>(), size }),
  calls: {
    get: ({ state }, key: string) => state.map.get(key),
    put({ state }, key: string, value: number) {
      state.map.set(key, value);
      return 'ok' as const;
    },
    slow: async ({ state }, flag: boolean) => flag && state.size > 1,
    later: (_context, n: number) => noReply<typeof n>(),
    maybe: (_context, n: number) => (n > 0 ? n : noReply<number>()),
  },
  casts: {
    drop: ({ state }, key: string) => void state.map.delete(key),
  },
  info: ({ state }, message: { readonly type: 'sweep' }) => void state.map.delete(message.type),
});

const account = defineStateMachine({
  name: 'account',
  init: (_self, owner: string): MachineStart<'open' | 'frozen', { owner: string; sum: number }> => ({
    state: 'open',
    data: { owner, sum: 0 },
  }),
  states: {
    open: {
      calls: {
        deposit: ({ data }, n: number) => (data.sum += n),
        // @ts-expect-error there is no such state
        wrong: ({ goto }) => goto('gone'),
      },
    },
    frozen: {
      timeout: 1000,
      onTimeout: ({ goto }) => goto('open'),
      calls: { deposit: ({ postpone }, _n: number) => postpone() },
      casts: { thaw: ({ goto }) => goto('open') },
    },
  },
  any: { calls: { balance: ({ data }) => data.sum } },
});

const unreached = (_body: (self: Self<string>) => unknown): void => {};

describe('a server', () => {
  it('has its protocol from its handlers', () => {
    unreached(async (self) => {
      const pid = await store.start(self, 3);
      expectTypeOf(pid).toEqualTypeOf<RefFor<typeof store>>();
      expectTypeOf(await call(self, pid, 'get', 'x')).toEqualTypeOf<number | undefined>();
      expectTypeOf(await call(self, pid, 'put', 'x', 1)).toEqualTypeOf<'ok'>();
      expectTypeOf(await call(self, pid, 'slow', true)).toEqualTypeOf<boolean>();
      expectTypeOf(await call(self, pid, 'later', 1)).toEqualTypeOf<number>();
      expectTypeOf(await call(self, pid, 'maybe', 1)).toEqualTypeOf<number>();
      const many = await multiCall(self, [pid, store.at('store', 'b@host:1')], 'get', ['x']);
      expectTypeOf(many.replies[0]?.value).toEqualTypeOf<number | undefined>();
      cast(self, pid, 'drop', 'x');
      self.send(pid, { type: 'sweep' });
    });
  });

  it('refuses what it does not handle', () => {
    unreached(async (self) => {
      const pid = await store.start(self, 3);
      // @ts-expect-error the key is a string
      await call(self, pid, 'get', 1);
      // @ts-expect-error there is no such call
      await call(self, pid, 'nope');
      // @ts-expect-error a call is no cast
      cast(self, pid, 'get', 'x');
      // @ts-expect-error no such message
      self.send(pid, { type: 'unknown' });
      // @ts-expect-error the size is a number
      await store.start(self, 'x');
      // @ts-expect-error also by name
      await call(self, store.named('store'), 'put', 'x', 'y');
    });
  });

  it('is called without a protocol where none is known', () => {
    unreached(async (self) => {
      expectTypeOf(await call<string>(self, 'by name', 'anything', 1, 2)).toEqualTypeOf<string>();
      expectTypeOf(await call(self, self.pid, 'anything')).toEqualTypeOf<unknown>();
    });
  });
});

describe('a state machine', () => {
  it('has the calls of all its states', () => {
    unreached(async (self) => {
      const pid = await account.startLink(self, 'Ada');
      expectTypeOf(await call(self, pid, 'deposit', 3)).toEqualTypeOf<number>();
      expectTypeOf(await call(self, pid, 'balance')).toEqualTypeOf<number>();
      cast(self, pid, 'thaw');
      // @ts-expect-error cents are numbers
      await call(self, pid, 'deposit', 'x');
    });
  });

  it('has handlers for each of its states', () => {
    defineStateMachine({
      name: 'incomplete',
      init: (): MachineStart<'a' | 'b', null> => ({ state: 'a', data: null }),
      // @ts-expect-error b is missing
      states: { a: {} },
    });
  });
});

describe('a child spec', () => {
  it('checks the arguments of what it starts', () => {
    const echo = defineActor('echo', async (_self: Self<string>, _n: number) => {});
    const inner = defineSupervisor({ name: 'inner', children: (_self, _n: number) => [] });
    childSpec('store', store, { args: [3] });
    childSpec('account', account, { args: ['Ada'], restart: 'transient' });
    childSpec('echo', echo, { args: [1] });
    childSpec('function', async (_self: Self) => {});
    childSpec('inner', inner, { args: [1] });
    // @ts-expect-error a number is wanted
    childSpec('store', store, { args: ['x'] });
    // @ts-expect-error arguments are missing
    childSpec('store', store);
  });
});

describe('what finds a server', () => {
  it('knows its calls: a global name', () => {
    unreached(async (self) => {
      const names = startGlobalNames(self.runtime as Node);
      const pid = names.whereis(store, 'stock');
      expectTypeOf(pid).toEqualTypeOf<RefFor<typeof store> | undefined>();
      if (pid !== undefined) expectTypeOf(await call(self, pid, 'put', 'a', 1)).toEqualTypeOf<'ok'>();
      expectTypeOf(names.whereis<string>('clock')).toEqualTypeOf<Pid<string> | undefined>();
      // @ts-expect-error a definition alone names nobody
      names.whereis(store);
    });
  });

  it('knows its calls, if told: a started child', () => {
    unreached(async (self) => {
      const started = await startChild<RefFor<typeof store>>(
        self,
        'stores',
        childSpec('1', store, { args: [1] }),
      );
      if (started.ok && started.pid !== undefined)
        expectTypeOf(await call(self, started.pid, 'put', 'a', 1)).toEqualTypeOf<'ok'>();
      const restarted = await restartChild<RefFor<typeof store>>(self, 'stores', '1');
      if (restarted.ok) expectTypeOf(restarted.pid).toEqualTypeOf<RefFor<typeof store> | undefined>();
      const untyped = await startChild(self, 'stores', [1]);
      if (untyped.ok) expectTypeOf(untyped.pid).toEqualTypeOf<Pid | undefined>();
    });
  });

  it('knows what members take: a group', () => {
    unreached(async (self) => {
      const room = startGroups(self.runtime as Node).of<{ readonly text: string }>('room');
      expectTypeOf(room.members()).toEqualTypeOf<Pid<{ readonly text: string }>[]>();
      room.broadcast({ text: 'hello' }, self);
      room.join(self.spawn(async (own: Self<{ readonly text: string }>) => void (await own.receive())));
      const server = self as unknown as Self;
      room.join([server, server.pid]);
      room.join(server);
      room.leave(self as unknown as Self<{ readonly text: string }>);
      // @ts-expect-error it takes numbers
      room.join(self as unknown as Self<number>);
      // @ts-expect-error its members take texts
      room.broadcast({ number: 1 });
      // @ts-expect-error it takes numbers
      room.join(self.spawn(async (own: Self<number>) => void (await own.receive())));
    });
  });
});

describe('start and stop', () => {
  it('take any actor, a node, its runtime, and what has one', () => {
    unreached(async (self) => {
      const numbers = self as unknown as Self<number>;
      const closed = self as unknown as Self<never>;
      const node = self.runtime as Node;
      for (const caller of [self, numbers, closed, node, node.runtime, { runtime: self.runtime }]) {
        const pid = await store.start(caller, 3);
        await start(caller, store, [3]);
        await stop(caller, pid);
        await stop(caller, 'stock');
      }
    });
  });
});
