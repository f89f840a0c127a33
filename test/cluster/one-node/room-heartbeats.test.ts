// Heartbeats of rooms between operating-system processes: a server whose event loop is blocked keeps its clients, and a client whose
// process stands still is ended, and resumes.
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Cluster, type ClusterNode } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { until } from '../../support/deadline.ts';
import { Tap } from '../../support/websocket.ts';

const INTERVAL_MS = 400;
let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

/** Starts a chat, and notes which connections end and why. Gives the URL. */
const serve = async (bench: Workbench, intervalMs: number): Promise<string> => {
  const { serveRooms } = (await bench.load('./room-server')) as typeof import('../../support/room-server.ts');
  const { rooms, url } = await serveRooms(bench.node, { heartbeat: { intervalMs } });
  bench.box['rooms'] = rooms;
  bench.box['ended'] = [];
  rooms.on('close', (_connection, why) => void bench.box['ended'].push(why.reason));
  return url;
};
const blockBetweenLooks = async (bench: Workbench, folder: string, ms: number): Promise<void> => {
  const support = (await bench.load('./room-server')) as typeof import('../../support/room-server.ts');
  support.blockBetweenLooks(bench.box['rooms'], folder, ms);
};
const broadcast = (bench: Workbench, text: string): void => bench.box['rooms'].broadcast('g', text);
const ended = (bench: Workbench): string[] => bench.box['ended'];

/** Joins `g` in the process of a node. */
const joinIn = async (bench: Workbench, url: string): Promise<void> => {
  const { joinChat } = (await bench.load('./room-server')) as typeof import('../../support/room-server.ts');
  bench.box['got'] = await joinChat(url);
};
const got = (bench: Workbench): string[] => bench.box['got'];

async function server(intervalMs = INTERVAL_MS): Promise<{ node: ClusterNode; url: string }> {
  const [node] = (await cluster.nodes({ name: 'a' })) as [ClusterNode];
  return { node, url: await node.run(serve, intervalMs) };
}

it('a server that was blocked reads what a client has answered before it ends its connection', async () => {
  const intervalMs = 2400;
  const { node, url } = await server(intervalMs);
  const folder = await mkdtemp(join(tmpdir(), 'snowmesh-'));
  try {
    // The heartbeat looks at connections one after the other, in the order in which they came, a sixteenth of the interval apart.
    const first = (await Tap.open(url)).socket;
    const second = (await Tap.open(url, [], { autoPong: false })).socket;
    await node.run(blockBetweenLooks, folder, intervalMs / 10);
    let pings = 0;
    // The second ping is answered while the server is blocked, all others at once. It is sent after the first one was answered.
    second.on('ping', () => ++pings !== 2 && second.pong('', true, () => {}));
    await until('the server is blocked', () => existsSync(join(folder, 'blocked')));
    const before = pings;
    await new Promise<void>((done) => second.pong('', true, done));
    await writeFile(join(folder, 'answered'), '');
    await until(
      'it looks at the second client',
      async () => pings > before || (await node.run(ended)).length > 0,
    );
    expect(await node.run(ended)).toEqual([]);
    for (const socket of [first, second]) socket.terminate();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it('a frozen client is ended, and gets what it missed when it continues', async () => {
  const { node, url } = await server();
  const [other] = (await cluster.nodes({ name: 'b' })) as [ClusterNode];
  await other.run(joinIn, url);
  await node.run(broadcast, 'before');
  await until('it is a member', async () => (await other.run(got)).includes('before'));
  other.freeze();
  await until('the server ends it', async () => (await node.run(ended)).length > 0);
  expect(await node.run(ended)).toEqual(['no answer to a ping']);
  await node.run(broadcast, 'meanwhile');
  other.thaw();
  await until('it has what it missed', async () => (await other.run(got)).includes('meanwhile'));
  await node.run(broadcast, 'after');
  await until('it is back', async () => (await other.run(got)).includes('after'));
  expect(await other.run(got)).toEqual(['before', 'meanwhile', 'after']);
});
