// Runs both sides of docs/guides/migrate-moleculer.md and migrate-bullmq.md: moleculer and BullMQ themselves, and what the pages show
// instead. Both do the same, or differ as the pages say.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as snowmesh from '../../ts/index.ts';
import { startTestRuntime, type TestRuntime } from '../../ts/testing/index.ts';
import { killChildren, watch } from '../support/child.ts';
import { deferred, until } from '../support/deadline.ts';
import { RedisServer, whyNoRedis } from '../support/redis.ts';
import { beforesOf, runGuide, runText } from '../unit/examples/guide-programs.ts';
import { installOtherSystems, type OtherSystems } from './other-systems.ts';

const MS = 60_000;
const { call, childSpec, defineServer, defineSupervisor } = snowmesh;

let systems: OtherSystems;
let kit: TestRuntime;
beforeAll(() => {
  systems = installOtherSystems('services');
}, 600_000);
beforeEach((context) => {
  if (systems.missing !== undefined) context.skip(systems.missing);
  kit = startTestRuntime();
});
afterEach(() => kit?.stop());
afterAll(() => systems?.remove());

const before = (guide: string, name: string): string => beforesOf(guide).get(name) ?? '';

/** Counts how many run at the same time, until they are let go. */
class Gate {
  begun = 0;
  readonly #open = deferred();
  pass = (): Promise<void> => {
    this.begun += 1;
    return this.#open.promise;
  };
  open = (): void => this.#open.resolve();
}

describe('moleculer', () => {
  interface Context {
    readonly params: never;
    readonly nodeID: string;
  }
  interface Broker {
    start(): Promise<void>;
    stop(): Promise<void>;
    createService(schema: object): unknown;
    call(action: string, params?: unknown): Promise<unknown>;
    emit(event: string, data?: unknown): Promise<unknown>;
    broadcast(event: string, data?: unknown): Promise<unknown>;
    waitForServices(names: string, ms?: number): Promise<unknown>;
  }
  type BrokerClass = new (options: object) => Broker;
  let brokers: Broker[];
  let ServiceBroker: BrokerClass;
  beforeEach(() => {
    brokers = [];
    const Their = systems.load<{ ServiceBroker: BrokerClass }>('moleculer').ServiceBroker;
    /** Within this process, and quiet. */
    ServiceBroker = class extends Their {
      constructor(options: object) {
        super({ ...options, transporter: 'Fake', logger: false });
        brokers.push(this);
      }
    };
  });
  afterEach(async () => {
    for (const broker of brokers) await broker.stop();
  });

  async function startBroker(nodeID: string, service: object): Promise<Broker> {
    const broker = new ServiceBroker({ nodeID });
    broker.createService(service);
    await broker.start();
    return broker;
  }

  it('both programs answer, and their event reaches the other service', async () => {
    const save = (name: string): unknown => ({ name, id: 1 });
    const run = async <T>(side: (around: object) => Promise<T>): Promise<[T, unknown]> => {
      const welcomed = deferred<unknown>();
      const result = await side({ save, welcome: welcomed.resolve });
      return [result, await welcomed.promise];
    };
    const theirs = await run((around) =>
      runText<{ user: unknown }>(
        before('migrate-moleculer', 'services'),
        { ServiceBroker, ...around },
        'user',
      ),
    );
    const ours = await run((around) =>
      runGuide<{ node: snowmesh.Node; user: unknown }>(
        'migrate-moleculer',
        ['services'],
        { options: {}, ...around },
        'node, user',
      ),
    );
    await ours[0].node.stop();
    const user = { name: 'ann', id: 1 };
    expect([theirs[0].user, theirs[1]]).toEqual([user, user]);
    expect([ours[0].user, ours[1]]).toEqual([user, user]);
  });

  it('runs actions at the same time; a server handles one after the other', async () => {
    const [their, our] = [new Gate(), new Gate()];
    const broker = await startBroker('a', { name: 'slow', actions: { work: their.pass } });
    const theirs = [broker.call('slow.work'), broker.call('slow.work')];
    await until('both run', () => their.begun === 2, MS);
    their.open();
    await Promise.all(theirs);
    const pid = await defineServer({ name: 'slow', init: () => ({}), calls: { work: our.pass } }).start(kit);
    const ours = [call(kit, pid, 'work'), call(kit, pid, 'work')];
    await kit.settle();
    expect(our.begun).toBe(1);
    our.open();
    await Promise.all(ours);
    expect(our.begun).toBe(2);
  });

  it('a service goes on with its state after an action that throws; a server is started anew', async () => {
    let count = 0;
    const fail = (): never => {
      throw new Error('no');
    };
    const broker = await startBroker('a', { name: 'count', actions: { next: () => ++count, fail } });
    await broker.call('count.next');
    await expect(broker.call('count.fail')).rejects.toThrow('no');
    expect(await broker.call('count.next')).toBe(2);
    const server = defineServer({
      name: 'count',
      init: () => ({ count: 0 }),
      calls: { next: ({ state }) => ++state.count, fail },
    });
    await defineSupervisor({ name: 'app', children: [childSpec('count', server, { name: 'count' })] }).start(
      kit,
    );
    const ours = server.named('count');
    await call(kit, ours, 'next');
    const failed = await call(kit, ours, 'fail').catch((error: snowmesh.CallError) => error);
    expect(failed).toBeInstanceOf(snowmesh.CallError);
    expect((failed as snowmesh.CallError).reason).toMatchObject({ error: { message: 'no' } });
    await kit.settle();
    expect(await call(kit, ours, 'next')).toBe(1);
  });

  it('calls go round the nodes that have a service, as those of the page do', async () => {
    const service = { name: 'who', actions: { am: ({ nodeID }: Context) => nodeID } };
    const caller = new ServiceBroker({ nodeID: 'caller' });
    await caller.start();
    // `nodeID` of a context is the caller's, so each service tells its own.
    for (const nodeID of ['a', 'b']) await startBroker(nodeID, { ...service, actions: { am: () => nodeID } });
    await until('both are known', async () => {
      const seen = new Set<unknown>();
      await caller.waitForServices('who', MS);
      for (let count = 0; count < 2; count++) seen.add(await caller.call('who.am'));
      return seen.size === 2;
    });
    const theirs = [];
    for (let count = 0; count < 4; count++) theirs.push(await caller.call('who.am'));
    const { node, groups, callService } = await runGuide<{
      node: snowmesh.Node;
      groups: snowmesh.Groups;
      callService(...args: unknown[]): Promise<unknown>;
    }>(
      'migrate-moleculer',
      ['services'],
      { options: {}, save: () => null, welcome: () => {} },
      'node, groups, callService',
    );
    try {
      for (const nodeID of ['a', 'b'])
        await defineServer({
          name: nodeID,
          init: (self) => groups.join('who', self.pid),
          calls: { am: () => nodeID },
        }).start(node);
      const ours = [];
      for (let count = 0; count < 4; count++) ours.push(await callService('who', 'am'));
      for (const each of [theirs, ours]) expect(each.toSorted()).toEqual(['a', 'a', 'b', 'b']);
    } finally {
      await node.stop();
    }
  });

  it('`broadcast` reaches every listener, `emit` one of each group', async () => {
    const got: string[] = [];
    const caller = new ServiceBroker({ nodeID: 'caller' });
    await caller.start();
    for (const nodeID of ['a', 'b'])
      await startBroker(nodeID, {
        name: 'mail',
        events: { 'user.created': (_context: Context) => void got.push(nodeID) },
      });
    await caller.waitForServices('mail', MS);
    await until('a broadcast reaches both', async () => {
      got.length = 0;
      await caller.broadcast('user.created');
      return got.length === 2;
    });
    got.length = 0;
    for (let count = 0; count < 2; count++) await caller.emit('user.created');
    await until('both came', () => got.length === 2, MS);
    expect(got.toSorted()).toEqual(['a', 'b']); // one after the other
  });

  it('passes what is local as it is; here messages are copied also within a node', async () => {
    const given = { list: [1] };
    const broker = await startBroker('a', {
      name: 'same',
      actions: { ask: ({ params }: Context) => params === given },
    });
    expect(await broker.call('same.ask', given)).toBe(true);
    let got: unknown;
    const pid = await defineServer({
      name: 'same',
      init: () => ({}),
      calls: { ask: (_context, message: object) => void (got = message) },
    }).start(kit);
    await call(kit, pid, 'ask', given);
    expect(got).toEqual(given);
    expect(got).not.toBe(given);
  });
});

describe.skipIf(whyNoRedis !== undefined)('BullMQ', () => {
  interface Job {
    readonly id: string;
    readonly data: { readonly to: string };
    waitUntilFinished(events: Closeable): Promise<unknown>;
  }
  interface Closeable {
    close(force?: boolean): Promise<void>;
    waitUntilReady(): Promise<unknown>;
    on(event: string, listener: (...args: never[]) => void): void;
  }
  interface Queue extends Closeable {
    add(name: string, data: unknown, options?: object): Promise<Job>;
    getJobCounts(): Promise<Record<string, number>>;
  }
  type Class<T> = new (...args: unknown[]) => T;
  interface BullMQ {
    readonly Queue: Class<Queue>;
    readonly Worker: Class<Closeable>;
    readonly QueueEvents: Class<Closeable>;
  }
  const PROMPT = before('migrate-bullmq', 'mail').replace('delay: 1000', 'delay: 1').replace('5000', '1');
  let redis: RedisServer;
  let opened: Closeable[];
  let bullmq: BullMQ;
  let connection: object;
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  beforeEach(() => {
    opened = [];
    connection = { host: '127.0.0.1', port: redis.port };
    const theirs = systems.load<BullMQ>('bullmq');
    const kept = <T extends Closeable>(Their: Class<T>): Class<T> =>
      class extends (Their as Class<Closeable>) {
        constructor(...args: unknown[]) {
          super(...args);
          this.on('error', () => {});
          opened.push(this);
        }
      } as unknown as Class<T>;
    // By default it reads what happens after it has begun to read, which is later than it is ready: a job that ends meanwhile is missed.
    class EventsOfAll extends kept(theirs.QueueEvents) {
      constructor(name: unknown, options: unknown) {
        super(name, { ...(options as object), lastEventId: '0' });
      }
    }
    bullmq = { Queue: kept(theirs.Queue), Worker: kept(theirs.Worker), QueueEvents: EventsOfAll };
  });
  afterEach(async () => {
    await killChildren();
    for (const each of opened) await each.close(true);
    await redis.kill();
    await redis.again(); // empty
  });
  afterAll(() => redis?.stop());

  interface Theirs {
    readonly queue: Queue;
    readonly result: Promise<unknown>;
  }
  const runTheirs = (deliver: (data: { to: string }) => unknown): Promise<Theirs> =>
    runText<Theirs>(
      PROMPT,
      { ...bullmq, connection, deliver },
      'queue, result: result.catch((error) => error)',
    );

  it('does the job, and tells its result', async () => {
    expect(PROMPT).not.toContain('1000');
    const { result } = await runTheirs(({ to }) => `sent to ${to}`);
    expect(await result).toBe('sent to ann@example.org'); // as in test/unit/examples/guides-migrate.test.ts
  });

  it('tries three times, then the job has failed', async () => {
    let tries = 0;
    const { result } = await runTheirs(() => {
      tries += 1;
      throw new Error('no');
    });
    expect(await result).toMatchObject({ message: 'no' });
    expect(tries).toBe(3);
  });

  it('does four at once', async () => {
    const gate = new Gate();
    const { queue } = await runTheirs(gate.pass);
    for (const to of ['b', 'c', 'd', 'e']) await queue.add('welcome', { to });
    await until('four run', () => gate.begun === 4, MS);
    await until('one waits', async () => (await queue.getJobCounts())['waiting'] === 1, MS);
    expect(gate.begun).toBe(4);
    gate.open();
    await until('the fifth runs', () => gate.begun === 5, MS);
  });

  it('takes a job with the `jobId` of another one as that one', async () => {
    const queue = new bullmq.Queue('once', { connection });
    const jobs = [await queue.add('a', {}, { jobId: 'x' }), await queue.add('a', {}, { jobId: 'x' })];
    expect(jobs.map(({ id }) => id)).toEqual(['x', 'x']);
    expect((await queue.getJobCounts())['waiting']).toBe(1);
  });

  it('runs a job again whose worker was killed; here its end is known at once, and it runs as often as it is tried', async () => {
    const queue = new bullmq.Queue('stalled', { connection });
    const events = new bullmq.QueueEvents('stalled', { connection });
    await events.waitUntilReady();
    const job = await queue.add('a', { to: 'ann' }, { attempts: 1 });
    const file = join(systems.folder, 'worker.cjs');
    const options = { connection, lockDuration: 500, stalledInterval: 200 };
    writeFileSync(
      file,
      `const { Worker } = require('bullmq');
      new Worker('stalled', () => new Promise(() => console.log('it runs')), ${JSON.stringify(options)});`,
    );
    const worker = watch(spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] }));
    await worker.line('it runs', MS);
    worker.kill('SIGKILL');
    const next = new bullmq.Worker('stalled', () => Promise.resolve('again'), options);
    await next.waitUntilReady();
    expect(await job.waitUntilFinished(events)).toBe('again'); // with one attempt

    const probe = await kit.probe();
    let runs = 0;
    const ours = kit.runtime.spawn(async (self: snowmesh.Self) => {
      runs += 1;
      await self.receive();
    });
    probe.watch(ours);
    await kit.settle();
    kit.runtime.sendExit(ours, 'kill');
    await probe.expectDown(ours, 'killed');
    expect(runs).toBe(1);
  });
});
