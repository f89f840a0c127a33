// Runs both sides of docs/guides/migrate-actors.md: nact and XState themselves, and what the page shows instead. Both do the same.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import * as snowmesh from '../../ts/index.ts';
import { startTestRuntime, type TestRuntime } from '../../ts/testing/index.ts';
import { deferred } from '../support/deadline.ts';
import { beforesOf, runGuide, runText } from '../unit/examples/guide-programs.ts';
import { installOtherSystems, type OtherSystems } from './other-systems.ts';

type Any = Record<string, never>;

let systems: OtherSystems;
let kit: TestRuntime;
beforeAll(() => {
  systems = installOtherSystems('actors');
}, 600_000);
beforeEach((context) => {
  if (systems.missing !== undefined) context.skip(systems.missing);
  kit = startTestRuntime();
});
afterEach(() => kit?.stop());
afterAll(() => systems?.remove());

const before = (guide: string, name: string): string => beforesOf(guide).get(name) ?? '';
const { call, childSpec, defineServer, defineSupervisor, defineStateMachine } = snowmesh;

/** A server that counts, can be asked to fail, and is `resume`d after that, as nact says. */
const counter = (fail: () => void) =>
  defineServer({
    name: 'counter',
    init: () => ({ count: 0 }),
    casts: { add: ({ state }, by: number) => void (state.count += by), fail },
    calls: { read: ({ state }) => state.count },
  });
const failing = (): never => {
  throw new Error('no');
};

describe('nact', () => {
  interface Message {
    readonly type: string;
    readonly by?: number;
    readonly sender?: never;
  }
  interface Context extends Any {
    readonly self: never;
  }
  interface Nact {
    start(): never;
    spawn(parent: never, code: (...args: never[]) => unknown, name: string, options?: object): never;
    dispatch(actor: never, message: unknown): void;
    query(actor: never, message: (sender: never) => unknown, ms: number): Promise<unknown>;
    stop(actor: never): void;
  }
  let nact: Nact;
  let system: never;
  beforeEach(() => {
    nact = systems.load('nact');
    system = nact.start();
    vi.spyOn(console, 'log').mockReturnValue(); // it prints each crash
  });
  afterEach(() => {
    vi.restoreAllMocks();
    if (system !== undefined) nact.stop(system);
  });

  const count = (state: { count: number } | undefined, message: Message): { count: number } => {
    const own = state ?? { count: 0 };
    if (message.type === 'fail') throw new Error('no');
    if (message.type === 'add') return { count: own.count + (message.by ?? 0) };
    nact.dispatch(message.sender as never, own.count);
    return own;
  };
  const read = (actor: never): Promise<unknown> =>
    nact.query(actor, (sender) => ({ type: 'read', sender }), 10_000);

  it('both programs count, and answer', async () => {
    const theirs = await runText<{ system: never; count: number }>(
      before('migrate-actors', 'counter'),
      { ...nact },
      'system, count',
    );
    nact.stop(theirs.system);
    const { node, count: ours } = await runGuide<{ node: snowmesh.Node; count: number }>(
      'migrate-actors',
      ['counter'],
      {},
      'node, count',
    );
    await node.stop();
    expect([theirs.count, ours]).toEqual([2, 2]);
  });

  it('resume: the actor keeps its state, as with `try` in the handler', async () => {
    const onCrash = (_message: unknown, _error: unknown, context: Any): unknown => context['resume'];
    const theirs = nact.spawn(system, count as never, 'counter', { onCrash });
    nact.dispatch(theirs, { type: 'add', by: 2 });
    nact.dispatch(theirs, { type: 'fail' });
    expect(await read(theirs)).toBe(2);
    const ours = await counter(() => {
      try {
        failing();
      } catch {
        // It goes on.
      }
    }).start(kit);
    snowmesh.cast(kit, ours, 'add', 2);
    snowmesh.cast(kit, ours, 'fail');
    expect(await call(kit, ours, 'read')).toBe(2);
  });

  it('reset: the actor goes on with its first state, as with `permanent`', async () => {
    const onCrash = (_message: unknown, _error: unknown, context: Any): unknown => context['reset'];
    const theirs = nact.spawn(system, count as never, 'counter', { onCrash });
    nact.dispatch(theirs, { type: 'add', by: 2 });
    nact.dispatch(theirs, { type: 'fail' });
    expect(await read(theirs)).toBe(0);
    const server = counter(failing);
    const children = [childSpec('counter', server, { name: 'counter', restart: 'permanent' })];
    await defineSupervisor({ name: 'app', children }).start(kit);
    const ours = server.named('counter');
    snowmesh.cast(kit, ours, 'add', 2);
    snowmesh.cast(kit, ours, 'fail');
    await kit.settle();
    expect(await call(kit, ours, 'read')).toBe(0);
  });

  it('stop, the default: the actor ends, as with `temporary`', async () => {
    const ended = deferred();
    const theirs = nact.spawn(system, count as never, 'counter', { afterStop: ended.resolve });
    nact.dispatch(theirs, { type: 'fail' });
    await ended.promise;
    const server = counter(failing);
    const children = [childSpec('counter', server, { name: 'counter', restart: 'temporary' })];
    await defineSupervisor({ name: 'app', children }).start(kit);
    snowmesh.cast(kit, server.named('counter'), 'fail');
    await kit.settle();
    await expect(call(kit, server.named('counter'), 'read')).rejects.toMatchObject({ state: 'noproc' });
  });

  it('escalate: the parent has to decide, as a supervisor that gives up', async () => {
    const asked = deferred<string>();
    const parent = nact.spawn(
      system,
      ((_state: unknown, _message: Message, context: Context) => {
        const onCrash = (_m: unknown, _e: unknown, own: Any): unknown => own['escalate'];
        nact.dispatch(nact.spawn(context.self, count as never, 'child', { onCrash }), { type: 'fail' });
      }) as never,
      'parent',
      {
        onCrash: (_message: unknown, error: Error, context: Any) => {
          asked.resolve(error.message);
          return context['stop'];
        },
      },
    );
    nact.dispatch(parent, { type: 'go' });
    expect(await asked.promise).toBe('no');
    const probe = await kit.probe();
    const server = counter(failing);
    const children = [childSpec('counter', server, { name: 'counter' })];
    const app = await defineSupervisor({ name: 'app', children, intensity: 0 }).start(kit);
    probe.watch(app);
    snowmesh.cast(kit, server.named('counter'), 'fail');
    await probe.expectDown(app, 'shutdown');
  });

  it('children stop with their parent, as those that are linked', async () => {
    const spawned = deferred<never>();
    const parent = nact.spawn(
      system,
      ((_state: unknown, _message: Message, context: Context) =>
        spawned.resolve(nact.spawn(context.self, count as never, 'child'))) as never,
      'parent',
    );
    nact.dispatch(parent, { type: 'go' });
    const theirs = await spawned.promise;
    expect(await read(theirs)).toBe(0);
    nact.stop(parent);
    await expect(read(theirs)).rejects.toThrow('stopped');
    const probe = await kit.probe();
    const forever = async (self: snowmesh.Self): Promise<unknown> => self.receive();
    let child: snowmesh.Pid | undefined;
    const ours = kit.runtime.spawn(async (self: snowmesh.Self) => {
      child = self.spawnLink(forever as never);
      await self.receive();
    });
    await kit.settle();
    probe.watch(child as snowmesh.Pid);
    kit.runtime.sendExit(ours, 'shutdown');
    await probe.expectDown(child as snowmesh.Pid, 'shutdown');
  });

  it('query and a call end when their time is over', async () => {
    const deaf = nact.spawn(system, ((state: unknown) => state) as never, 'deaf');
    await expect(nact.query(deaf, () => ({}), 1)).rejects.toThrow();
    const ours = await defineServer({
      name: 'deaf',
      init: () => ({}),
      calls: { ask: () => snowmesh.noReply<number>() },
    }).start(kit);
    const asked = snowmesh.callWith(kit, { timeout: 250 }, ours, 'ask');
    const refused = expect(asked).rejects.toMatchObject({ state: 'timeout' });
    await kit.advance(250);
    await refused;
  });

  it('shutdownAfter ends an actor without messages, as `onTimeout` with `stop`', async () => {
    const ended = deferred();
    nact.spawn(system, count as never, 'idle', { shutdownAfter: 1, afterStop: ended.resolve });
    await ended.promise;
    const idle = defineServer({
      name: 'idle',
      init: () => ({}),
      timeout: 1000,
      onTimeout: (context) => context.stop(),
    });
    const probe = await kit.probe();
    const ours = await idle.start(kit);
    probe.watch(ours);
    await kit.advance(1000);
    await probe.expectDown(ours, 'normal');
  });

  it('stores with spawnPersistent, which has no counterpart', () => {
    expect(typeof (nact as unknown as Any)['spawnPersistent']).toBe('function');
    expect(typeof (nact as unknown as Any)['spawnStateless']).toBe('function');
  });
});

describe('XState', () => {
  interface Actor {
    start(): Actor;
    send(event: unknown): void;
    getSnapshot(): { readonly value: string; readonly status: string };
    getPersistedSnapshot(): unknown;
  }
  interface XState {
    createActor(machine: unknown, options?: object): Actor;
    createMachine(options: object): unknown;
    fromPromise(code: () => Promise<unknown>): unknown;
    waitFor(actor: Actor, predicate: (snapshot: { readonly value: string }) => boolean): Promise<unknown>;
    readonly SimulatedClock: new () => { increment(ms: number): void };
  }
  let xstate: XState;
  let machine: unknown;
  beforeEach(() => {
    xstate = systems.load('xstate');
    machine = xstate.createMachine({
      initial: 'red',
      states: { red: { on: { NEXT: 'green' } }, green: { on: { NEXT: 'red' } } },
    });
  });

  it('a machine alone and one that an actor owns go the same way; the latter stops with its actor', async () => {
    const theirs = await runText<{ value: string }>(
      before('migrate-actors', 'owned'),
      { ...xstate, machine },
      'value',
    );
    const made: Actor[] = [];
    const createActor = (given: unknown): Actor => {
      const actor = xstate.createActor(given);
      made.push(actor);
      return actor;
    };
    const { node, value } = await runGuide<{ node: snowmesh.Node; value: string }>(
      'migrate-actors',
      ['owned'],
      { createActor, machine },
      'node, value',
    );
    expect([theirs.value, value]).toEqual(['green', 'green']);
    expect(made[0]?.getSnapshot().status).toBe('active');
    await node.stop();
    expect(made[0]?.getSnapshot().status).toBe('stopped');
  });

  it('`after` and the timeout of a state', async () => {
    const clock = new xstate.SimulatedClock();
    const timed = { initial: 'open', states: { open: { after: { 1000: 'shut' } }, shut: {} } };
    const theirs = xstate.createActor(xstate.createMachine(timed), { clock }).start();
    type Start = snowmesh.MachineStart<'open' | 'shut', null>;
    const door = defineStateMachine({
      name: 'door',
      init: (): Start => ({ state: 'open', data: null }),
      states: { open: { timeout: 1000, onTimeout: ({ goto }) => goto('shut') }, shut: {} },
      any: { calls: { state: ({ state }) => state } },
    });
    const ours = await door.start(kit);
    const both = async (): Promise<unknown[]> => [theirs.getSnapshot().value, await call(kit, ours, 'state')];
    clock.increment(999);
    await kit.advance(999);
    expect(await both()).toEqual(['open', 'open']);
    clock.increment(1);
    await kit.advance(1);
    expect(await both()).toEqual(['shut', 'shut']);
  });

  it('an error in what was invoked is seen: `onError`, and a Down', async () => {
    const invoking = xstate.createMachine({
      initial: 'busy',
      states: {
        busy: { invoke: { src: xstate.fromPromise(async () => failing()), onError: 'failed' } },
        failed: {},
      },
    });
    await xstate.waitFor(xstate.createActor(invoking).start(), ({ value }) => value === 'failed');
    const probe = await kit.probe();
    const ours = kit.runtime.spawn(async (self: snowmesh.Self) => {
      await self.receive();
      failing();
    });
    probe.watch(ours);
    kit.runtime.send(ours as never, 'go');
    expect((await probe.expectDown(ours)).reason).toMatchObject({ error: { message: 'no' } });
  });

  it('a persisted snapshot can be kept as text, and gone on with', () => {
    const actor = xstate.createActor(machine).start();
    actor.send({ type: 'NEXT' });
    const snapshot = JSON.parse(JSON.stringify(actor.getPersistedSnapshot())) as unknown;
    expect(xstate.createActor(machine, { snapshot }).start().getSnapshot().value).toBe('green');
  });
});
