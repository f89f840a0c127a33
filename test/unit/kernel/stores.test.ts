// AsyncLocalStorage: an actor's code runs in the stores of its spawn, never in those of the code that made the scheduler run.
import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Call,
  defineActor,
  type HandlerBody,
  Runtime,
  type Self,
  silentLogger,
} from '../../../ts/actor/index.ts';
import { call, replyTo } from '../../../ts/behaviour/index.ts';
import { startNode } from '../../../ts/index.ts';
import { LocalNames } from '../../../ts/registry/index.ts';
import type { Pid } from '../../../ts/term/index.ts';
import { startChild } from '../../support/child.ts';
import { turns } from '../../support/deadline.ts';

const als = new AsyncLocalStorage<string>();
const store = (): string => als.getStore() ?? 'none';

let runtime: Runtime;
beforeEach(() => {
  runtime = new Runtime({ names: new LocalNames(), logger: silentLogger });
});
afterEach(() => runtime.stop());

/** Answers with the stores it ran in before and after an await. */
const asynchronous = (self: Self<Call>): HandlerBody<Call> => ({
  async onMessage(message) {
    const before = store();
    await Promise.resolve();
    const early = store();
    await nextTurn();
    replyTo(self, message, [before, early, store()]);
  },
});

const synchronous = (self: Self<Call>): HandlerBody<Call> => ({
  onMessage: (message) => void (message instanceof Call && replyTo(self, message, store())),
});

/** Awaits its messages; `receive` looks for them by user code. */
async function loop(self: Self<Call>, seen: string[] = []): Promise<void> {
  for (;;) {
    const message = await self.receive((one: unknown): one is Call => {
      seen.push(store());
      return one instanceof Call;
    });
    replyTo(self, message, store());
  }
}

/** Alice and bob call at the same time, and again; all that they got. */
async function callers(pid: Pid<never>): Promise<unknown[]> {
  const ask = (): Promise<unknown> => call<unknown>(runtime, pid, 'who');
  await turns(); // nothing runs any more: alice wakes the scheduler
  const answers = [als.run('alice', ask)];
  await turns();
  answers.push(als.run('bob', ask), als.run('carol', ask));
  return Promise.all(answers);
}

describe.each(['none', 'owner'])('an actor that was spawned in the store "%s"', (own) => {
  const spawned = <T>(make: () => T): T => (own === 'none' ? make() : als.run(own, make));

  it('handles each call in that store', async () => {
    const pid = spawned(() => runtime.spawnHandler(synchronous));
    expect(await callers(pid as never)).toEqual([own, own, own]);
  });

  it('is in that store after an await, too', async () => {
    const pid = spawned(() => runtime.spawnHandler(asynchronous));
    const each = [own, own, own];
    expect(await callers(pid as never)).toEqual([each, each, each]);
  });

  it('awaits its messages in that store, and so do its predicates', async () => {
    const seen: string[] = [];
    const pid = spawned(() => runtime.spawn(loop, seen));
    expect(await callers(pid as never)).toEqual([own, own, own]);
    expect(new Set(seen)).toEqual(new Set([own]));
  });

  it('has its first turn in that store when others made the scheduler run', async () => {
    const other = runtime.spawnHandler(synchronous);
    await turns();
    als.run('alice', () => runtime.send(other as Pid<unknown>, 'wake'));
    const first = await new Promise((resolve) => {
      spawned(() => runtime.spawn(async () => resolve(store())));
    });
    expect(first).toBe(own);
  });

  it('spawns children that are in that store', async () => {
    const child = await new Promise<Pid>((resolve) => {
      const pid = spawned(() =>
        runtime.spawnHandler((self: Self) => ({
          onMessage: () => resolve(self.spawnHandler(synchronous) as Pid<never>),
        })),
      );
      als.run('alice', () => runtime.send(pid as Pid<unknown>, 'spawn'));
    });
    expect(await callers(child as never)).toEqual([own, own, own]);
  });

  it('sees that store in onTerminate', async () => {
    const ended = await new Promise((resolve) => {
      const pid = spawned(() =>
        runtime.spawnHandler((self: Self) => ({
          onMessage: () => self.exit('done'),
          onTerminate: () => resolve(store()),
        })),
      );
      setImmediate(() => als.run('alice', () => runtime.send(pid as Pid<unknown>, 'end')));
    });
    expect(ended).toBe(own);
  });

  it('has its timers call back in that store, whoever armed the alarm of the runtime', async () => {
    als.run('alice', () => runtime.spawn((self: Self) => self.sleep(5)));
    const seen: string[] = [];
    const late = await new Promise((resolve) => {
      spawned(() =>
        runtime.spawn(async (self: Self) => {
          self.after(10, () => seen.push(store()));
          als.run('inner', () => self.after(11, () => seen.push(store())));
          await self.receive((): boolean => seen.push(store()) === 0, { timeout: 15 });
          resolve(store());
        }),
      );
    });
    expect(seen).toEqual([own, 'inner']);
    expect(late).toBe(own);
  });

  it('has the listeners of its abort signal called in that store', async () => {
    const heard = new Promise((resolve) => {
      const pid = spawned(() =>
        runtime.spawn(async (self: Self) => {
          self.signal.addEventListener('abort', () => resolve(store()));
          await self.receive();
        }),
      );
      setImmediate(() => als.run('alice', () => runtime.sendExit(pid, 'kill')));
    });
    expect(await heard).toBe(own);
  });
});

describe('the store of one user', () => {
  it('is not seen when the budget of the event loop was spent in it', async () => {
    const seen = new Set<string>();
    const pid = runtime.spawnHandler(
      (self: Self<number>): HandlerBody<number> => ({
        onMessage(left) {
          seen.add(store());
          if (left === 0) self.exit('normal');
          self.send(self.pid as Pid<unknown>, left - 1);
        },
      }),
    );
    const ref = new Promise((resolve) => void runtime.onDeath(pid, resolve));
    await turns();
    als.run('alice', () => runtime.send(pid as Pid<unknown>, 50_000));
    await ref;
    expect(seen).toEqual(new Set(['none']));
  });

  it('is that of `onDeath` callbacks registered in it, and of no others', async () => {
    const pid = runtime.spawn(async (self: Self) => void (await self.receive()));
    const seen: string[] = [];
    runtime.onDeath(pid, () => seen.push(store()));
    als.run('bob', () => runtime.onDeath(pid, () => seen.push(store())));
    als.run('alice', () => runtime.sendExit(pid, 'kill'));
    expect(seen).toEqual(['none', 'bob']);
  });

  it('entered with `enterWith` in a handler reaches no later slice', async () => {
    const pid = runtime.spawnHandler((): HandlerBody => ({ onMessage: () => als.enterWith('mallory') }));
    const other = runtime.spawnHandler(synchronous);
    runtime.send(pid as Pid<unknown>, 'enter');
    await turns();
    expect(await callers(other as never)).toEqual(['none', 'none', 'none']);
  });
});

describe('calls and spawns of another node', () => {
  it('run in the store of the local spawn, or in none', async () => {
    const cookie = 'stores-of-two-nodes-in-one-process';
    const local = await startNode({ name: 'local@127.0.0.1:0', cookie, logger: silentLogger });
    const far = await startNode({ name: 'far@127.0.0.1:0', cookie, logger: silentLogger });
    const node = local.name as string;
    const asked = defineActor('stores.asked', async (self: Self, to: Pid<unknown>) => self.send(to, store()));
    local.expose(asked);
    als.run('owner', () => local.register('owned', local.spawnHandler(asynchronous)));
    local.register('free', local.spawnHandler(synchronous));
    // A user of the called node, whose messages make its scheduler run all the time.
    const user = als.run('bob', () => setInterval(() => local.send('free', 'wake'), 1));
    try {
      await far.connect(node);
      const ask = (name: string): Promise<unknown> => call<unknown>(far, { node, name }, 'who');
      const both = (name: string): Promise<unknown> =>
        Promise.all([als.run('alice', () => ask(name)), ask(name)]);
      const own = ['owner', 'owner', 'owner'];
      expect(await both('owned')).toEqual([own, own]);
      expect(await both('free')).toEqual(['none', 'none']);
      const spawned = await new Promise((resolve) => {
        als.run('alice', () =>
          far.spawn(async (self: Self) => {
            await self.spawnOn(node, asked, [self.pid]);
            resolve(await self.receive());
          }),
        );
      });
      expect(spawned).toBe('none');
    } finally {
      clearInterval(user);
      await Promise.all([local.stop(), far.stop()]);
    }
  });
});

describe('the first store that a process uses', () => {
  it('is not seen by the receivers of what is sent in it', async () => {
    const child = startChild(new URL('first-store-child.ts', import.meta.url));
    expect(await child.exit(), child.stderr()).toEqual({ code: 0, signal: null });
    expect(child.stdout().trim()).toBe('none none none');
  });
});

describe('the store in which the package was loaded', () => {
  it('is not seen by code that has no store', async () => {
    const child = startChild(new URL('store-child.ts', import.meta.url));
    expect(await child.exit()).toEqual({ code: 0, signal: null });
    expect(child.stdout().trim()).toBe('none none none none');
  });
});
