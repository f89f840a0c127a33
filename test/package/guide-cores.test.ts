// Runs docs/guides/cores.md with the installed package: several processes on one port, and what happens to the others when one ends.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defineServer, type From, noReply } from '../../ts/behaviour/index.ts';
import { connectRooms, type RoomClient } from '../../ts/client/index.ts';
import { type Groups, startGroups } from '../../ts/groups/index.ts';
import { type Child, killChildren } from '../support/child.ts';
import { until } from '../support/deadline.ts';
import { WebSocket } from '../support/websocket.ts';
import { programsOf } from '../unit/examples/guide-programs.ts';
import {
  accepts,
  adapted,
  addPackages,
  answer,
  ask,
  gone,
  MS,
  type Ports,
  reservePorts,
  startWatcher,
  type Watcher,
} from './guide-apps.ts';
import { type Installed, packAndInstall } from './installed.ts';

interface Answer {
  readonly worker: string;
  readonly counts: readonly number[];
}

let installed: Installed;
let ports: Ports;
let program: Child;
let watchers: Watcher[];
beforeAll(() => {
  installed = packAndInstall();
  addPackages(installed.folder, 'ws');
}, 300_000);
beforeEach(async () => {
  watchers = [];
  ports = await reservePorts();
});
afterEach(async () => {
  for (const { node } of watchers) await node.stop();
  await killChildren();
});
afterAll(() => installed?.remove());

/** Starts a program whose workers tell their process. */
function start(text: string): void {
  writeFileSync(
    join(installed.folder, 'cores.mjs'),
    `${adapted(text, ports)}\nif (cluster.isWorker) console.log('worker', process.env.NUMBER, process.pid);\n`,
  );
  program = installed.node(['cores.mjs']);
}

async function watch(): Promise<Watcher & { groups: Groups }> {
  const watcher = await startWatcher(ports);
  watchers.push(watcher);
  return { ...watcher, groups: startGroups(watcher.node) };
}

/** The process of the worker with this number that was started last. */
function processOf(number: number): number {
  const lines = [...program.stdout().matchAll(new RegExp(`^worker ${number} (\\d+)$`, 'gm'))];
  return Number(lines.at(-1)?.[1]);
}

/** Kills a worker, and waits until it is there again, in another process. */
async function replace(number: number, { seen, sees }: Watcher): Promise<void> {
  const old = processOf(number);
  const ups = seen.filter((line) => line === `up web${number}`).length;
  process.kill(old, 'SIGKILL');
  await sees(new RegExp(`^down web${number} closed$`));
  await sees(new RegExp(`^up web${number}$`), ups + 1);
  await until('it runs', () => processOf(number) !== old, MS);
}

/** Asks until both workers have answered with the counts of both. */
async function bothAnswer(): Promise<Answer[]> {
  const answers = new Map<string, Answer>();
  await answer('both workers know each other', ports.http, (text) => {
    const given = JSON.parse(text) as Answer;
    if (given.counts.length === 2) answers.set(given.worker, given);
    return answers.size === 2;
  });
  return [...answers.values()];
}

describe('cores', () => {
  beforeEach(() => start(programsOf('cores').get('cores') ?? ''));

  it('the workers answer on one port, listen as nodes on others, and know what all have counted', async () => {
    const answers = await bothAnswer();
    const names = answers.map(({ worker }) => worker).sort();
    expect(names.map((name) => name.replace(/:\d+$/, ''))).toEqual(['web1@127.0.0.1', 'web2@127.0.0.1']);
    const own = new Set(names.map((name) => Number(name.split(':').at(-1))));
    expect([own.size, own.has(ports.http)]).toEqual([2, false]);
  });

  it('SIGTERM: all workers answer the requests they have, and leave in order', async () => {
    await bothAnswer();
    const watcher = await watch();
    await watcher.sees(/^up web/, 2);
    // A counter that answers late holds up every request: each asks all counters.
    const asked: From[] = [];
    const late = defineServer({
      name: 'late',
      init: (self) => watcher.groups.join('counters', self.pid),
      calls: {
        read: ({ from }) => {
          asked.push(from);
          return noReply<number>();
        },
      },
    });
    await late.start(watcher.node);
    // Connections are handed to the workers in turn, and both have to know the new counter.
    const requests: Promise<string | undefined>[] = [];
    const askers = (): number => new Set(asked.map(({ ref }) => ref.nc)).size;
    while (askers() < 2) {
      const before = asked.length;
      requests.push(ask(ports.http));
      await until(
        'it is answered, or waits',
        async () => asked.length > before || (await settled(requests.at(-1) as Promise<unknown>)),
        MS,
      );
    }
    program.kill('SIGTERM');
    await until('no worker listens', async () => !(await accepts(ports.http)), MS);
    for (const from of asked) from.reply(7);
    const counts = (await Promise.all(requests)).map((text) => (JSON.parse(text ?? '{}') as Answer).counts);
    expect(counts.filter((each) => !(each?.length >= 2))).toEqual([]);
    expect((await program.exit(MS)).code, program.stderr()).toBe(0);
    await watcher.sees(/^down web[12] goodbye$/, 2);
  });

  it('a worker that leaves answers all requests, also those that a slow primary process passes to it meanwhile', async () => {
    await killChildren();
    const slow = `const atOnce = () => setImmediate(atOnce) && Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);`;
    start(`${programsOf('cores').get('cores')}\n${slow}\nif (cluster.isPrimary) atOnce();`);
    await bothAnswer();
    const watcher = await watch();
    await watcher.sees(/^up web/, 2);
    const lost: number[] = [];
    let isOver = false;
    const load = Array.from({ length: 8 }, async (_, number) => {
      while (!isOver) if ((await ask(ports.http)) === undefined) lost.push(number);
    });
    process.kill(processOf(1), 'SIGTERM');
    await watcher.sees(/^down web1 goodbye$/);
    isOver = true;
    await Promise.all(load);
    expect(lost).toEqual([]);
  });

  it('a worker that is killed leaves the groups, and is started again under its name; the port mapper moves', async () => {
    await bothAnswer();
    const watcher = await watch();
    await until('both are members', () => watcher.groups.members('counters').length === 2, MS);
    const sizes = new Set<number>();
    watcher.node.on('nodedown', () => sizes.add(watcher.groups.members('counters').length));
    // One of the two has the port mapper, so it ends once.
    for (const number of [1, 2]) {
      await replace(number, watcher);
      await until('both are members again', () => watcher.groups.members('counters').length === 2, MS);
      await bothAnswer();
    }
    expect([...sizes]).toEqual([1]);
    const newcomer = await watch(); // it finds them through the port mapper
    await newcomer.sees(/^up web[12]$/, 2);
  });

  it('SIGTERM ends all, also while a worker waits to be started again', async () => {
    await bothAnswer();
    const watcher = await watch();
    await watcher.sees(/^up web/, 2);
    process.kill(processOf(1), 'SIGKILL');
    await watcher.sees(/^down web1 closed$/);
    program.kill('SIGTERM');
    expect((await program.exit(MS)).code, program.stderr()).toBe(0);
    expect(watcher.seen.filter((line) => line === 'up web1')).toHaveLength(1);
  });

  it('the workers end when the primary process is killed', async () => {
    await bothAnswer();
    const watcher = await watch();
    await watcher.sees(/^up web/, 2);
    const workers = [1, 2].map(processOf);
    program.kill('SIGKILL');
    await Promise.all(workers.map(gone));
    await watcher.sees(/^down web[12] closed$/, 2);
  });
});

/** Whether the promise has settled by now. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

/** Rooms in the workers of one program. */
const ROOMS = `
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { portmapDiscovery, startNode } from 'snowmesh';
import { createRooms } from 'snowmesh/rooms';

if (cluster.isPrimary) for (const NUMBER of [1, 2]) cluster.fork({ NUMBER });
else {
  const node = await startNode({
    name: 'web' + process.env.NUMBER + '@127.0.0.1:0',
    cookie: process.env.COOKIE,
    discovery: portmapDiscovery({ embed: true, port: 4370 }),
  });
  await node.ready({ peers: 1, timeout: 30_000 });
  const rooms = createRooms(node, {
    join: () => true,
    open: (connection) => connection.send(process.env.NUMBER),
    message: (connection, data) => connection.broadcast('all', data),
  });
  const server = createServer((request, response) => response.end('there'));
  rooms.attach(server);
  server.listen(3000);
}
`;

interface Guest {
  readonly client: RoomClient;
  /** The numbers of the workers that took its connections. */
  readonly workers: string[];
  readonly got: unknown[];
  readonly resyncs: string[];
}

describe('rooms in several workers', () => {
  const guests: Guest[] = [];
  afterEach(() => {
    for (const { client } of guests.splice(0)) client.close();
  });

  async function enter(): Promise<Guest> {
    const client = connectRooms(`ws://127.0.0.1:${ports.http}/rooms`, {
      WebSocket: WebSocket as never,
      minDelay: 20,
    });
    const guest: Guest = { client, workers: [], got: [], resyncs: [] };
    guests.push(guest);
    client.on('direct', (number) => void guest.workers.push(String(number)));
    client.on('message', ({ data }) => void guest.got.push(data));
    client.on('resync', ({ room }) => void guest.resyncs.push(String(room)));
    await client.join('all');
    await until('its worker is known', () => guest.workers.length === 1, MS);
    return guest;
  }
  const at = (number: string): Guest | undefined => guests.find(({ workers }) => workers[0] === number);

  it('reach the clients of both; a client goes on at the other worker, and has missed nothing', async () => {
    start(ROOMS);
    await program.line(/^worker 2/, MS);
    await answer('a worker listens', ports.http, (text) => text === 'there');
    await until(
      'both have a client',
      async () => {
        await enter();
        return at('1') !== undefined && at('2') !== undefined;
      },
      MS,
    );
    at('1')?.client.send('to all');
    for (const { got } of guests) await until('it comes', () => got.length === 1, MS);
    const moved = at('1') as Guest;
    process.kill(processOf(1), 'SIGKILL');
    at('2')?.client.send('meanwhile');
    await until('it comes', () => moved.got.length === 2, MS);
    expect([moved.workers, moved.got, moved.resyncs]).toEqual([['1', '2'], ['to all', 'meanwhile'], []]);
  });
});
