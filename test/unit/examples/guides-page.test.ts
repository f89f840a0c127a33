// Runs the programs of docs/guides: the job queue, resources, and the service that is deployed.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startHealthServer } from '../../../ts/health/index.ts';
import * as snowmesh from '../../../ts/index.ts';
import { optionsFrom } from '../../../ts/node/index.ts';
import { startTestRuntime, type TestRuntime } from '../../../ts/testing/index.ts';
import { until } from '../../support/deadline.ts';
import { GUIDES, programsOf, runGuide, textOf } from './guide-programs.ts';

/** The programs of all guides: those below, those of guides-http and guides-migrate, and those of test/package and test/next. */
const PROGRAMS = [
  'cores: cores',
  'deploy: service',
  'dev-servers: singleton',
  'dev-servers: page',
  'dev-servers: nextConfig',
  'dev-servers: instrumentation',
  'dev-servers: nextPage',
  'global: documents',
  'global: standby',
  'http: work',
  'http: express',
  'http: fastify',
  'job-queue: jobs',
  'migrate-actors: counter',
  'migrate-actors: owned',
  'migrate-bullmq: mail',
  'migrate-moleculer: services',
  'pm2: pm2',
  'pm2: ecosystem',
  'resources: sockets',
];

const markdown = textOf('deploy');

let kit: TestRuntime;
beforeEach(() => {
  kit = startTestRuntime();
});
afterEach(() => kit.stop());

it('has no program that no test runs', () => {
  const found = GUIDES.flatMap((guide) => [...programsOf(guide).keys()].map((name) => `${guide}: ${name}`));
  expect(found).toEqual(PROGRAMS);
});

interface Job {
  readonly id: string;
  readonly failures: number;
}

describe('the job queue', () => {
  type Work = (job: Job, signal: AbortSignal) => unknown;
  let rows: Map<string, Job>;
  let failed: Job[];
  let started: string[];
  let stops: (() => Promise<unknown>)[];
  let isBroken: boolean;
  beforeEach(() => {
    rows = new Map();
    [failed, started, stops, isBroken] = [[], [], [], false];
  });

  async function startQueue(work: Work): Promise<(id: string) => Promise<string>> {
    const store = {
      save: async (job: Job) => {
        if (isBroken) throw new Error('the database is away');
        rows.set(job.id, { ...job });
      },
      remove: async (id: string) => rows.delete(id),
      giveUp: async (job: Job) => {
        failed.push(job);
        rows.delete(job.id);
      },
      unfinished: async () => [...rows.values()].map((job) => ({ ...job })),
    };
    const stopOnSignals = ({ before }: { before(): Promise<unknown> }): unknown => stops.push(before);
    const { jobs } = await runGuide<{ jobs: unknown }>(
      'job-queue',
      ['jobs'],
      {
        store,
        run: (job: Job, signal: AbortSignal) => {
          started.push(job.id);
          return work(job, signal);
        },
        startNode: () => Object.assign(kit, { stopOnSignals }),
      },
      'jobs',
    );
    const call = snowmesh.call as (...args: unknown[]) => Promise<string>;
    return (id) => call(kit, jobs, 'add', id, null);
  }

  /** A job that lasts until it is told to end. */
  function held(): { readonly work: Work; readonly ends: (() => void)[]; readonly signals: AbortSignal[] } {
    const ends: (() => void)[] = [];
    const signals: AbortSignal[] = [];
    const work: Work = (_job, signal) => {
      signals.push(signal);
      return new Promise<void>((resolve) => ends.push(resolve));
    };
    return { work, ends, signals };
  }

  it('does four jobs at once, and forgets those that are done', async () => {
    const { work, ends } = held();
    const add = await startQueue(work);
    for (const id of 'abcdef') expect(await add(id)).toBe('accepted');
    await kit.settle();
    expect(started.join('')).toBe('abcd');
    ends[0]?.();
    await kit.settle();
    expect(started.join('')).toBe('abcde');
    expect([...rows.keys()].join('')).toBe('bcdef');
  });

  it('tries a job again after growing pauses, and gives it up at the fifth failure', async () => {
    const add = await startQueue(() => {
      throw new Error('no');
    });
    await add('a');
    await kit.settle();
    for (const [index, pause] of [1000, 2000, 4000, 8000].entries()) {
      expect([started.length, rows.get('a')?.failures]).toEqual([index + 1, index + 1]);
      await kit.advance(pause - 1);
      expect(started).toHaveLength(index + 1);
      await kit.advance(1);
    }
    expect(started).toHaveLength(5);
    expect([rows.size, failed]).toEqual([0, [{ id: 'a', data: null, failures: 5 }]]);
  });

  it('drains: takes no job, waits for those that run, and keeps those that wait', async () => {
    const { work, ends } = held();
    const add = await startQueue(work);
    for (const id of 'abcde') await add(id);
    let isDrained = false;
    const drained = stops[0]?.().then((answer) => {
      isDrained = true;
      return answer;
    });
    await kit.settle();
    expect(await add('f')).toBe('draining');
    for (const end of ends.slice(0, 3)) end();
    await kit.settle();
    expect(isDrained).toBe(false);
    ends[3]?.();
    expect(await drained).toBe('drained');
    expect([...rows.keys()]).toEqual(['e']);
    expect(started.join('')).toBe('abcd');
  });

  it('runs what is unfinished when it starts', async () => {
    rows.set('left', { id: 'left', failures: 0 });
    await startQueue(() => {});
    await kit.settle();
    expect([started, rows.size]).toEqual([['left'], 0]);
  });

  it('a store that fails ends the jobs that run; they run again after the restart', async () => {
    const { work, signals } = held();
    const add = await startQueue(work);
    await add('a');
    await kit.settle();
    isBroken = true;
    await expect(add('b')).rejects.toThrow();
    isBroken = false;
    await kit.settle();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    await kit.advance(1000); // the pause before the restart, with its jitter
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(started).toEqual(['a', 'a']);
  });
});

describe('the resource', () => {
  let server: Server;
  let client: Socket;
  let pids: snowmesh.Pid[];
  beforeEach(async () => {
    pids = [];
    const spawn = (code: snowmesh.ActorFn): unknown => pids.push(kit.runtime.spawn(code as never));
    await runGuide('resources', ['sockets'], {
      startNode: () => ({ spawn }),
      createServer: (accept: (socket: Socket) => void) => {
        server = createServer(accept);
        return { listen: () => server.listen(0, '127.0.0.1') };
      },
    });
    await once(server, 'listening');
    client = dial((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => {});
    client.write('hello');
    expect(String((await once(client, 'data'))[0])).toBe('hello');
  });
  afterEach(async () => {
    client.destroy();
    server.close();
    await once(server, 'close');
  });

  it.each(['kill', 'shutdown', 'some reason'])('is closed when its actor ends by %s', async (reason) => {
    const closed = once(client, 'close');
    kit.runtime.sendExit(pids[0] as snowmesh.Pid, reason);
    await closed;
  });

  it('ends its actor when it closes by itself', async () => {
    const probe = await kit.probe();
    probe.watch(pids[0] as snowmesh.Pid);
    client.destroy();
    await until('the actor has ended', () => !kit.runtime.isAlive(pids[0] as snowmesh.Pid));
    await probe.expectDown(pids[0] as snowmesh.Pid, 'shutdown');
  });
});

describe('what runs when an actor ends', () => {
  it.each([
    ['a message that makes it return', 'finally signal onExit'],
    ['shutdown', 'signal onExit'],
    ['kill', 'signal onExit'],
  ])('%s: %s', async (how, wanted) => {
    const ran: string[] = [];
    const pid = kit.runtime.spawn(async (self) => {
      self.onExit(() => ran.push('onExit'));
      self.signal.addEventListener('abort', () => ran.push('signal'));
      try {
        await self.receive();
      } finally {
        ran.push('finally');
      }
    });
    await kit.settle();
    if (how.startsWith('a message')) kit.runtime.send(pid as never, 'end');
    else kit.runtime.sendExit(pid, how);
    await kit.settle();
    expect(ran.join(' ')).toBe(wanted);
  });

  it.each([
    ['shutdown', true, ['terminate']],
    ['shutdown', false, []],
    ['kill', true, []],
  ])('%s from the parent, trapping exits: %s: %j', async (reason, trapping, wanted) => {
    const ran: string[] = [];
    const log = snowmesh.defineServer({
      name: 'log',
      init: (self) => void self.trapExit(trapping),
      terminate: () => void ran.push('terminate'),
    });
    const parent = kit.runtime.spawn(async (self: snowmesh.Self<string>) => {
      const pid = self.spawnLink(log);
      await self.receive();
      self.sendExit(pid, reason);
      await self.receive('never');
    });
    await kit.settle();
    kit.runtime.send(parent, 'end');
    await kit.settle();
    expect(ran).toEqual(wanted);
  });
});

describe('the service', () => {
  /** What a text block of the page says for each match of a pattern. */
  const all = (pattern: RegExp): string[][] => [...markdown.matchAll(pattern)].map(([, ...found]) => found);
  const yaml = /```yaml\n([\s\S]*?)```/.exec(markdown)?.[1] ?? '';
  const unit = /```text\n(\[Service\][\s\S]*?)```/.exec(markdown)?.[1] ?? '';
  const environmentOf = (pairs: readonly string[][]): Record<string, string> =>
    Object.fromEntries(pairs.map(([name = '', value = '']) => [name, value]));

  it('stops within the time that Kubernetes and systemd grant', async () => {
    const stops: { timeout: number }[] = [];
    const ports: unknown[] = [];
    await runGuide('deploy', ['service'], {
      startNode: { fromEnv: async () => ({ stopOnSignals: (options: never) => stops.push(options) }) },
      startHealthServer: async (_node: unknown, { port }: { port: number }) => ports.push(port),
    });
    expect(stops).toHaveLength(1);
    const needed = (stops[0]?.timeout ?? 0) / 1000 + 5;
    const granted = all(/(?:terminationGracePeriodSeconds: |TimeoutStopSec=|--stop-timeout )(\d+)/g).flat();
    expect(granted).toHaveLength(3);
    for (const seconds of granted) expect(Number(seconds)).toBeGreaterThan(needed);
    expect(all(/port: (8\d+) }, timeoutSeconds/g).flat()).toEqual([String(ports[0]), String(ports[0])]);
  });

  it('takes from a pod, and from a unit, the options of a node', () => {
    const env = environmentOf(
      [...yaml.matchAll(/name: (SNOWMESH_\w+), value: '(.*)'/g)].map(([, ...pair]) => pair),
    );
    const pod = { ...env, SNOWMESH_NAME: env['SNOWMESH_NAME']?.replace('$(POD)', 'shop-0') };
    const [mount = ''] = /mountPath: ([^,]+)/.exec(yaml)?.slice(1) ?? [];
    const options = optionsFrom(pod, {});
    expect(options).toMatchObject({
      name: 'shop@shop-0.shop.default.svc.cluster.local:9000',
      listen: { host: '0.0.0.0', port: 9000 },
      cookieFile: `${mount}/cookie`,
      discovery: expect.anything(),
    });
    const lines = [...unit.matchAll(/^Environment=(SNOWMESH_\w+)=(.*)$/gm)].map(([, ...pair]) => pair);
    expect(optionsFrom(environmentOf(lines), {})).toMatchObject({
      name: 'shop%i@127.0.0.1:0',
      cookieFile: '%d/cookie',
      discovery: expect.anything(),
    });
  });

  it('answers the probes of the pod', async () => {
    const node = await snowmesh.startNode();
    const server = await startHealthServer(node, { port: 0, host: '127.0.0.1' });
    try {
      const paths = [...yaml.matchAll(/path: (\/\w+)/g)].map(([, path = '']) => path);
      expect(paths).toHaveLength(2);
      for (const path of paths)
        expect((await fetch(`http://127.0.0.1:${server.port}${path}`)).status, path).toBe(200);
    } finally {
      await server.close();
      await node.stop();
    }
  });
});
