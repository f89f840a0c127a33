// Actors that wait for each other in a ring (G4): the call that closes it fails at once, however the others began.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Call,
  type CallError,
  defineActor,
  defineHandler,
  type RemotePort,
  ReplyStatus,
  type Self,
  start,
} from '../../../ts/actor/index.ts';
import {
  call,
  callWith,
  cast,
  defineServer,
  type From,
  noReply,
  replyTo,
} from '../../../ts/behaviour/index.ts';
import { MAX_RING, MAX_STEPS } from '../../../ts/call/wait-graph.ts';
import { childSpec, defineSupervisor, startChild, whichChildren } from '../../../ts/supervisor/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';

const PEER = 256;
const FOR_EVER = Number.POSITIVE_INFINITY;

let kit: TestRuntime;
let outcomes: unknown[];
beforeEach(() => {
  kit = startTestRuntime();
  outcomes = [];
});
afterEach(() => kit.stop());

/** Asks the others, by name or PID, one after the other when it gets a cast, and notes what came of it. */
const asker = defineServer({
  name: 'asker',
  init: () => ({}),
  calls: {
    ask: ({ self }, to: string) => ask(self, to),
    hello: () => 'hello',
  },
  casts: {
    ask: async ({ self }, ...to: (string | Pid)[]) => {
      for (const one of to) await ask(self, one);
    },
    pass: async ({ self }, to: string, further: string) => {
      outcomes.push([self.label, await callWith(self, {}, to, 'ask', further)]);
    },
  },
});

async function ask(self: Self, to: string | Pid): Promise<unknown> {
  const answer = await call(self, to, 'hello').catch((error: CallError) => error.state);
  outcomes.push([
    String(self.runtime.registered().find((name) => self.whereis(name)?.equals(self.pid))),
    answer,
  ]);
  return answer;
}

async function actors(...names: string[]): Promise<void> {
  for (const name of names) await asker.startWith(kit, { name });
}

describe('a ring of calls', () => {
  it('G4 is found although both began with a cast', async () => {
    await actors('p', 'q');
    cast(kit, 'p', 'ask', 'q');
    cast(kit, 'q', 'ask', 'p');
    await kit.settle();
    expect(outcomes).toEqual([
      ['q', 'cycle'],
      ['p', 'hello'],
    ]);
  });

  it('G4 is none through a handler that started an actor and can take messages again', async () => {
    const quick = defineHandler('quick', () => ({ onMessage() {} }));
    const pid = kit.runtime.spawn(
      defineHandler('busy', (self: Self) => ({
        onMessage(message: unknown) {
          if (message instanceof Call) return void replyTo(self, message, 'here');
          void start(self, quick, []);
          void call(self, 'p', 'ask', self.pid as never); // it does not wait for the answer
        },
      })),
    );
    await actors('p');
    kit.runtime.send(pid, 'go');
    await kit.settle();
    expect(outcomes).toEqual([['p', 'here']]);
  });

  it('G4 of 64 is found by the call that closes it', async () => {
    const names = Array.from({ length: MAX_RING }, (_, index) => `p${index}`);
    await actors(...names);
    for (const [index, name] of names.entries())
      cast(kit, name, 'ask', names[(index + 1) % MAX_RING] as string);
    await kit.settle();
    expect(outcomes).toHaveLength(MAX_RING);
    expect(outcomes[0]).toEqual(['p63', 'cycle']);
    expect(outcomes.slice(1).every((outcome) => (outcome as unknown[])[1] === 'hello')).toBe(true);
  });

  it('G4 is no ring where one is waited for that waits for nobody', async () => {
    await actors('p', 'q', 'r');
    cast(kit, 'p', 'ask', 'q');
    cast(kit, 'r', 'ask', 'p', 'q');
    await kit.settle();
    expect(outcomes.map((outcome) => (outcome as unknown[])[1])).toEqual(['hello', 'hello', 'hello']);
  });

  it('G4 is no ring where a server does not await its call: it can still answer', async () => {
    const busy = defineServer({
      name: 'busy',
      init: () => ({}),
      calls: { hello: () => 'hello' },
      casts: { ask: ({ self }, to: string) => void ask(self, to) },
    });
    const relay = defineServer({
      name: 'relay',
      init: () => ({}),
      calls: { hello: ({ self }) => call<string>(self, 'p', 'hello') },
    });
    await busy.startWith(kit, { name: 'p' });
    await relay.startWith(kit, { name: 'q' });
    cast(kit, 'p', 'ask', 'q');
    await kit.settle();
    expect(outcomes).toEqual([['p', 'hello']]);
  });

  it('G4 is no ring where one of them answers later: it can still do so', async () => {
    const later = defineServer({
      name: 'later',
      init: () => ({ asked: undefined as From | undefined }),
      calls: {
        hello: ({ state, from }) => {
          state.asked = from;
          return noReply<string>();
        },
      },
      casts: {
        ask: ({ self }, to: string) => void ask(self, to),
        answer: ({ state }) => void state.asked?.reply('late'),
      },
    });
    const relay = defineServer({
      name: 'relay',
      init: () => ({}),
      calls: { hello: ({ self }) => call<string>(self, 'p', 'hello') },
    });
    await actors('p');
    await later.startWith(kit, { name: 'later' });
    await relay.startWith(kit, { name: 'relay' });
    cast(kit, 'p', 'ask', 'later');
    cast(kit, 'later', 'ask', 'relay'); // which asks p
    await kit.settle();
    expect(outcomes).toEqual([]);
    cast(kit, 'later', 'answer');
    await kit.settle();
    expect(outcomes).toEqual([
      ['p', 'late'],
      ['later', 'hello'],
    ]);
  });

  it.each([
    [MAX_STEPS, 'cycle'],
    [MAX_STEPS + 1, 'timeout'],
  ])('G4 is found behind %i other waits: %s', async (count, state) => {
    const silent = kit.runtime.spawn(() => new Promise(() => {})) as Pid<never>;
    const closing = kit.runtime.spawn(async (self: Self) => {
      await self.receive('go');
      outcomes = [await ask(self, 'many')];
    });
    kit.runtime.spawnWith({ name: 'many' }, async (self: Self) => {
      const others = Array.from({ length: count }, () => silent);
      await Promise.all(
        [closing as Pid<never>, ...others].map((to) => callWith(self, { timeout: FOR_EVER }, to, 'hello')),
      );
    });
    await kit.settle();
    kit.runtime.send<unknown>(closing, 'go');
    await kit.advance(10_000);
    expect(outcomes).toEqual([state]);
  });

  it('G4 names the ring', async () => {
    await actors('p', 'q');
    let error: CallError | undefined;
    const closing = kit.runtime.spawn(async (self: Self) => {
      await self.receive('go');
      error = await call(self, 'p', 'hello').then(
        () => undefined,
        (failure) => failure,
      );
    });
    kit.runtime.register('closing', closing);
    cast(kit, 'p', 'ask', 'closing');
    await kit.settle();
    kit.runtime.send<unknown>(closing, 'go');
    await kit.settle();
    expect(error).toMatchObject({ state: 'cycle', reason: [closing] });
  });

  it('G4 over nodes: a call from there is refused when its caller is waited for', async () => {
    await actors('p');
    const answers: unknown[] = [];
    const port: Partial<RemotePort> = {
      call: () => {},
      reply: (_from, ref, status) => void answers.push([ref.id, status]),
    };
    kit.runtime.remote = { ...kit.runtime.remote, ...port };
    const q = new Pid(PEER, 7);
    const other = new Pid(PEER, 8);
    cast(kit, 'p', 'ask', q);
    await kit.settle();
    const p = kit.runtime.whereis('p') as Pid;
    kit.runtime.inbound.call(other, new Ref(PEER, 8, 1), 1000, p.local, ['hello', [], [other]]);
    kit.runtime.inbound.call(q, new Ref(PEER, 7, 2), 1000, p.local, ['hello', [], [q]]);
    await kit.settle();
    expect(answers).toEqual([[2, ReplyStatus.cycle]]);
  });

  it('G4 over nodes: of a chain of any length only its last actors are kept and named', async () => {
    await actors('p');
    const answers: unknown[][] = [];
    const chains: (readonly Pid[])[] = [];
    const port: Partial<RemotePort> = {
      call: () => {},
      reply: (_from, _ref, status, value) => void answers.push([status, value]),
    };
    kit.runtime.remote = { ...kit.runtime.remote, ...port };
    const chain = Array.from({ length: 1000 }, (_, n) => new Pid(PEER, n + 1));
    const caller = chain.at(-1) as Pid;
    cast(kit, 'p', 'ask', caller);
    const reader = kit.runtime.spawn(
      async (self: Self) => void chains.push((await self.receive(Call)).chain),
    );
    await kit.settle();
    const p = kit.runtime.whereis('p') as Pid;
    for (const [id, { local }] of [p, reader as Pid].entries())
      kit.runtime.inbound.call(caller, new Ref(PEER, 7, id), 1000, local, ['hello', [], chain]);
    await kit.settle();
    expect(answers[0]).toEqual([ReplyStatus.cycle, chain.slice(-MAX_RING)]);
    expect(chains).toEqual([chain.slice(-MAX_RING)]);
  });

  it('G4 is no ring when the first call was given up: its caller waits for something else now', async () => {
    const slow = defineServer({ name: 'slow', init: (self) => self.sleep(1000) });
    const first = defineServer({
      name: 'first',
      init: () => ({}),
      calls: { hello: () => 'hello' },
      casts: {
        begin: async ({ self }) => {
          const given = callWith(self, { timeout: 10 }, 'second', 'later', 'first');
          await given.catch((error: CallError) => outcomes.push(error.state));
          await start(self, slow, []);
        },
      },
    });
    const second = defineServer({
      name: 'second',
      init: () => ({}),
      calls: {
        later: async ({ self }, to: string) => {
          await self.sleep(100);
          outcomes.push(await callWith(self, { timeout: 60_000 }, to, 'hello').catch(({ state }) => state));
        },
      },
    });
    await second.startWith(kit, { name: 'second' });
    await first.startWith(kit, { name: 'first' });
    cast(kit, 'first', 'begin');
    await kit.advance(500);
    expect(outcomes).toEqual(['timeout']);
    await kit.advance(1000);
    expect(outcomes).toEqual(['timeout', 'hello']);
  });

  it('G4 over nodes: one that waits, through others here, for the caller there', async () => {
    await actors('p', 'q');
    const answers: unknown[] = [];
    const port: Partial<RemotePort> = {
      call: () => {},
      reply: (_from, ref, status) => void answers.push([ref.id, status]),
    };
    kit.runtime.remote = { ...kit.runtime.remote, ...port };
    const far = new Pid(PEER, 7);
    cast(kit, 'q', 'ask', far);
    cast(kit, 'p', 'ask', 'q');
    await kit.settle();
    const p = kit.runtime.whereis('p') as Pid;
    kit.runtime.inbound.call(far, new Ref(PEER, 7, 1), 1000, p.local, ['hello', [], [far]]);
    await kit.settle();
    expect(answers).toEqual([[1, ReplyStatus.cycle]]);
  });
});

describe('a ring with a start in it', () => {
  it('J1, G4 a child that asks its own supervisor during its init fails at once', async () => {
    const sibling = defineHandler('sibling', () => ({ onMessage() {} }));
    for (const question of [
      (self: Self) => startChild(self, self.parent, childSpec('y', sibling)),
      (self: Self) => whichChildren(self, self.parent),
    ]) {
      const eager = defineServer({ name: 'eager', init: async (self) => question(self) });
      const top = defineSupervisor({ name: 'top', children: [childSpec('x', eager)] });
      const failed = top.start(kit).catch((error) => error);
      await kit.settle();
      expect(await failed).toMatchObject({
        code: 'SNOW_ERR_START',
        details: {
          reason: {
            shutdown: { failedToStartChild: 'x', reason: { error: { code: 'SNOW_ERR_CALL_CYCLE' } } },
          },
        },
      });
    }
  });

  it('G4 an init may ask its supervisor once it runs', async () => {
    const sibling = defineHandler('sibling', () => ({ onMessage() {} }));
    let added: unknown;
    const polite = defineActor('polite', async (self: Self) => {
      added = await startChild(self, self.parent, childSpec('y', sibling));
      await self.receive();
    });
    const top = defineSupervisor({ name: 'top', children: [childSpec('x', polite)] });
    await top.start(kit);
    await kit.settle();
    expect(added).toMatchObject({ ok: true });
  });

  it('G4 a ring of call, start and call is found', async () => {
    const worker = defineServer({
      name: 'worker',
      init: async (self) => ({ answer: await call(self, 'first', 'hello') }),
    });
    const second = defineServer({
      name: 'second',
      init: () => ({}),
      calls: {
        make: async ({ self }) => {
          const made = await start(self, worker, []);
          return made.ok ? 'made' : (made as { reason?: unknown }).reason;
        },
      },
    });
    const first = defineServer({
      name: 'first',
      init: () => ({}),
      calls: {
        hello: () => 'hello',
        make: async ({ self }): Promise<unknown> => callWith(self, { timeout: 60_000 }, 'second', 'make'),
      },
    });
    await first.startWith(kit, { name: 'first' });
    await second.startWith(kit, { name: 'second' });
    const made = call(kit, 'first', 'make');
    await kit.settle();
    expect(await made).toMatchObject({ error: { code: 'SNOW_ERR_CALL_CYCLE' } });
  });

  it('G4 a start on another node whose init asks the starter', async () => {
    const answers: unknown[] = [];
    const port: Partial<RemotePort> = {
      spawn: () => {},
      reply: (_from, ref, status) => void answers.push([ref.id, status]),
    };
    kit.runtime.remote = { ...kit.runtime.remote, ...port };
    const spec = defineHandler('there', () => ({ onMessage() {} }));
    const starter = kit.runtime.spawn(async (self: Self) => {
      await start(self, spec, [], { node: 'far@host:1' });
    });
    await kit.settle();
    const child = new Pid(PEER, 9);
    kit.runtime.inbound.call(child, new Ref(PEER, 9, 1), 1000, starter.local, [
      'hello',
      [],
      [starter, child],
    ]);
    await kit.settle();
    expect(answers).toEqual([[1, ReplyStatus.cycle]]);
  });

  it('G4 a start on another node that was given up is no wait: its init may ask the starter', async () => {
    const answers: unknown[] = [];
    const port: Partial<RemotePort> = {
      spawn: () => {},
      reply: (_from, ref, status, value) => void answers.push([ref.id, status, value]),
    };
    kit.runtime.remote = { ...kit.runtime.remote, ...port };
    const spec = defineHandler('there', () => ({ onMessage() {} }));
    const starter = kit.runtime.spawn(async (self: Self) => {
      outcomes.push(await start(self, spec, [], { node: 'far@host:1', timeout: 10 }));
      await self.sleep(100);
      self.runtime.replies.succeed(await self.receive(Call), 'hello');
    });
    await kit.advance(10);
    expect(outcomes).toEqual([{ ok: false, reason: 'timeout' }]);
    const child = new Pid(PEER, 9);
    const chain = [starter, child];
    kit.runtime.inbound.call(child, new Ref(PEER, 9, 1), 1000, starter.local, ['hello', [], chain]);
    await kit.advance(100);
    expect(answers).toEqual([[1, ReplyStatus.ok, 'hello']]);
  });

  it('G4 the call of an init says that its starter waits', async () => {
    const chains: unknown[] = [];
    const port: Partial<RemotePort> = {
      call: (_from, _ref, _ms, _to, [, , chain]) => void chains.push(chain),
    };
    kit.runtime.remote = { ...kit.runtime.remote, ...port };
    const there = new Pid(PEER, 9);
    const inits: Pid[] = [];
    const curious = defineServer({
      name: 'curious',
      init: async (self) => {
        inits.push(self.pid as Pid);
        await call(self, there, 'hello');
      },
    });
    const starter = kit.runtime.spawn(async (self: Self) => void (await start(self, curious, [])));
    await kit.settle();
    expect(chains).toEqual([[starter, inits[0]]]);
  });
});
