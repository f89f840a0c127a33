// What the types of the public API accept and refuse. The type checker is the judge (`npm run check:types`);
// nothing here runs but the assertions about types, which do nothing.
import { describe, expectTypeOf, it } from 'vitest';
import {
  type ActorSpec,
  call,
  type Dest,
  Down,
  defineActor,
  Exit,
  multiCall,
  type Node,
  type Pid,
  type Ref,
  type Self,
  start,
  startChild,
  stop,
  type TIMEOUT,
  task,
  taskUnder,
  whichChildren,
} from '../../ts/index.ts';

interface Add {
  readonly type: 'add';
  readonly amount: number;
}
interface Get {
  readonly type: 'get';
  readonly reply: Pid<number>;
}

async function counter(self: Self<Add | Get>, start: number, label: string): Promise<void> {
  expectTypeOf(self.pid).toEqualTypeOf<Pid<Add | Get>>();
  const message = await self.receive();
  if (message instanceof Exit) return;
  void label;
  void start;
}

const unreached = (_body: (self: Self<string>) => unknown): void => {};

describe('a PID', () => {
  it('says what may be sent to its actor', () => {
    unreached((self) => {
      const pid = self.spawn(counter, 1, 'one');
      expectTypeOf(pid).toEqualTypeOf<Pid<Add | Get>>();
      self.send(pid, { type: 'add', amount: 1 });
      // @ts-expect-error: no such message
      self.send(pid, { type: 'drop' });
      // @ts-expect-error: an amount is a number
      self.send(pid, { type: 'add', amount: '1' });
    });
  });

  it('that takes more can stand for one that takes less, not the other way round', () => {
    expectTypeOf<Pid<Add | Get>>().toExtend<Pid<Add>>();
    expectTypeOf<Pid<Add>>().not.toExtend<Pid<Add | Get>>();
  });

  it('is one of the destinations, beside names and aliases', () => {
    expectTypeOf<Pid<string>>().toExtend<Dest<string>>();
    expectTypeOf<'name'>().toExtend<Dest<string>>();
    expectTypeOf<{ name: string; node: string }>().toExtend<Dest<string>>();
    expectTypeOf<Ref>().toExtend<Dest<string>>();
  });
});

describe('spawn', () => {
  it('asks for the arguments of the actor function', () => {
    unreached((self) => {
      // @ts-expect-error: the label is missing
      self.spawn(counter, 1);
      // @ts-expect-error: the start is a number
      self.spawn(counter, 'one', 'one');
      expectTypeOf(self.spawnMonitor(counter, 1, 'one')).toEqualTypeOf<{ pid: Pid<Add | Get>; ref: Ref }>();
    });
  });

  it('knows a defined actor as well as the function', () => {
    const spec = defineActor('counter', counter);
    expectTypeOf(spec).toExtend<ActorSpec<Add | Get, [start: number, label: string]>>();
    unreached((self) => {
      expectTypeOf(self.spawnLink(spec, 1, 'one')).toEqualTypeOf<Pid<Add | Get>>();
      // @ts-expect-error: arguments of a remote spawn are checked too
      void self.spawnOn('a@host', spec, ['one', 1]);
    });
  });
});

describe('receive', () => {
  it('gives messages of the actor and system messages', () => {
    unreached(async (self) => {
      const message = await self.receive();
      if (typeof message !== 'string') {
        expectTypeOf(message).not.toBeAny();
        // @ts-expect-error: a system message is no string
        message.toUpperCase();
      }
    });
  });

  it('takes the type from a guard or a class, and tells of its timeout', () => {
    unreached(async (self) => {
      const isAdd = (message: unknown): message is Add => message !== null;
      expectTypeOf(await self.receive(isAdd)).toEqualTypeOf<Add>();
      expectTypeOf(await self.receive(Down)).toEqualTypeOf<Down>();
      expectTypeOf(await self.receive(Exit, { timeout: 5 })).toEqualTypeOf<Exit | typeof TIMEOUT>();
      expectTypeOf(self.exit('normal')).toEqualTypeOf<never>();
    });
  });
});

describe('a `self` that says what it receives', () => {
  it('is taken wherever an actor acts, whatever it receives', () => {
    const unreachedTyped = (_body: (self: Self<Add>, node: Node) => unknown): void => {};
    unreachedTyped(async (self, node) => {
      const sum = task(self, () => 5);
      expectTypeOf(await sum.await(self)).toEqualTypeOf<number>();
      await sum.yield(self);
      await sum.shutdown(self);
      const under = await taskUnder(self, 'tasks', (own) => own.label);
      expectTypeOf(await under.await(self)).toEqualTypeOf<string>();
      expectTypeOf(node.monitorNodes(self)).toEqualTypeOf<Ref>();
      expectTypeOf(node.monitorNode(self, 'b@host')).toEqualTypeOf<Ref>();
      node.monitorNode(self.pid, 'b@host');
      await start(self, counter, [1, 'one']);
      await stop(self, self.pid);
      await call(self, 'name', 'tag');
      await multiCall(self, ['name'], 'tag', []);
      await startChild(self, 'name', []);
      await whichChildren(self, 'name');
    });
  });
});
