// Heartbeats of rooms between operating-system processes: a server whose event loop is blocked keeps its clients, and a client whose
// process stands still is ended, and resumes.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectRooms, type Status } from '../../../ts/client/index.ts';
import { Cluster, type ClusterNode } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { until } from '../../support/deadline.ts';
import { WebSocket } from '../../support/websocket.ts';

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
const block = (_bench: Workbench, ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};
const broadcast = (bench: Workbench, text: string): void => bench.box['rooms'].broadcast('g', text);
const ended = (bench: Workbench): string[] => bench.box['ended'];

/** Joins `g` in the process of a node. */
const join = async (bench: Workbench, url: string): Promise<void> => {
  const { joinChat } = (await bench.load('./room-server')) as typeof import('../../support/room-server.ts');
  bench.box['got'] = await joinChat(url);
};
const got = (bench: Workbench): string[] => bench.box['got'];

async function server(): Promise<{ node: ClusterNode; url: string }> {
  const [node] = (await cluster.nodes({ name: 'a' })) as [ClusterNode];
  return { node, url: await node.run(serve, INTERVAL_MS) };
}

it('a server that was blocked for many intervals reads before it ends connections: all clients stay', async () => {
  const { node, url } = await server();
  const statuses: Status[] = [];
  const texts: string[] = [];
  for (let number = 0; number < 20; number++) {
    const client = cluster.client(connectRooms<string, string>(url, { WebSocket: WebSocket as never }));
    client.on('message', ({ data }) => void texts.push(data));
    await client.join('g');
    client.on('status', (status) => void statuses.push(status));
  }
  // A plain client shows by its pings that the server looks at its connections.
  let pings = 0;
  const plain = new WebSocket(url);
  plain.on('ping', () => void pings++);
  await until('the server has looked at its connections', () => pings >= 2);
  await node.run(block, 8 * INTERVAL_MS);
  const before = pings;
  await node.run(broadcast, 'after');
  await until('it has looked at all of them three times more', () => pings >= before + 3);
  await until('each client has the broadcast', () => texts.length === 20);
  expect(await node.run(ended)).toEqual([]);
  expect(statuses).toEqual([]);
  plain.terminate();
});

it('a frozen client is ended, and gets what it missed when it continues', async () => {
  const { node, url } = await server();
  const [other] = (await cluster.nodes({ name: 'b' })) as [ClusterNode];
  await other.run(join, url);
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
