// Rooms of three operating-system processes, with clients that connect to them over WebSockets from this one.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectRooms } from '../../../ts/client/index.ts';
import { Cluster, type ClusterNode } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { until } from '../../support/deadline.ts';
import { roomsKnown } from '../../support/room-server.ts';
import { WebSocket } from '../../support/websocket.ts';

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

/** Starts a chat. Gives the URL. */
const serve = async (bench: Workbench): Promise<string> => {
  const { serveRooms } = (await bench.load('./room-server')) as typeof import('../../support/room-server.ts');
  const { rooms, url } = await serveRooms(bench.node);
  bench.box['rooms'] = rooms;
  return url;
};
const broadcast = (bench: Workbench, from: string, count: number): void => {
  for (let number = 0; number < count; number++) bench.box['rooms'].broadcast('g', `${from} ${number}`);
};
const members = (bench: Workbench): { local: number; all: number } => bench.box['rooms'].members('g');

interface Chat {
  readonly nodes: ClusterNode[];
  readonly urls: string[];
}

async function chat(): Promise<Chat> {
  const nodes = await cluster.nodes(
    { name: 'a', mesh: 'full' },
    { name: 'b', mesh: 'full' },
    { name: 'c', mesh: 'full' },
  );
  const urls: string[] = [];
  for (const node of nodes) urls.push(await node.run(serve));
  for (const [index, node] of nodes.entries())
    for (const peer of nodes.slice(index + 1))
      await node.run((bench, name) => bench.node.connect(name), peer.name);
  await roomsKnown(nodes, urls);
  return { nodes, urls };
}

/** A client in `g`, and all it has had. */
async function member(urls: readonly string[]) {
  const client = cluster.client(
    connectRooms<string, string>(urls, { WebSocket: WebSocket as never, minDelay: 50 }),
  );
  const got: string[] = [];
  const resyncs: unknown[] = [];
  client.on('message', ({ data }) => void got.push(data));
  client.on('resync', (what) => void resyncs.push(what));
  await client.join('g');
  return {
    client,
    got,
    resyncs,
    has: (count: number) => until(`${count} messages`, () => got.length >= count),
  };
}

it('R6, R7 a broadcast reaches each client of each node once, in order of its node', async () => {
  const { nodes, urls } = await chat();
  const all = await Promise.all([0, 1, 2, 0, 1, 2].map((index) => member([urls[index] as string])));
  await Promise.all(nodes.map((node, index) => node.run(broadcast, `${index}`, 200)));
  for (const { has, got } of all) {
    await has(600);
    expect(new Set(got).size).toBe(600);
    for (const from of ['0', '1', '2'])
      expect(got.filter((text) => text.startsWith(from))).toEqual(
        Array.from({ length: 200 }, (_, number) => `${from} ${number}`),
      );
  }
  await until('counts have come', async () => (await nodes[2]!.run(members)).all === 6);
});

it('R15 a message after a first join on another node is never lost', async () => {
  const { nodes, urls } = await chat();
  for (let round = 0; round < 5; round++) {
    const { client, has, got } = await member([urls[0] as string]);
    await nodes[1]!.run(broadcast, `${round}`, 1);
    await has(1);
    expect(got[0]).toBe(`${round} 0`);
    await client.leave('g');
  }
});

it('R16 clients of a killed node continue on other nodes: nothing is lost, repeated or out of order', async () => {
  const { nodes, urls } = await chat();
  const moving = await member([urls[0] as string, urls[1] as string]);
  const staying = await member([urls[2] as string]);
  let sent = 0;
  const say = (): void => {
    moving.client.send(`m ${sent}`);
    staying.client.send(`s ${sent++}`);
  };
  for (let number = 0; number < 20; number++) say();
  for (const { has } of [moving, staying]) await has(2 * sent);
  // What it acknowledged and had not sent on would be lost with it.
  nodes[0]!.freeze();
  for (let number = 0; number < 20; number++) say();
  await nodes[0]!.kill();
  for (let number = 0; number < 20; number++) say();
  await until('the client has moved', () => moving.client.status === 'open');
  for (let number = 0; number < 20; number++) say();
  for (const { has, got, resyncs } of [moving, staying]) {
    await has(2 * sent);
    for (const who of ['m', 's'])
      expect(got.filter((text) => text.startsWith(who))).toEqual(
        Array.from({ length: sent }, (_, number) => `${who} ${number}`),
      );
    expect(resyncs).toEqual([]);
  }
});

it('R18 messages of a killed node that only one node has reach the clients of the other', async () => {
  const { node: a, proxy } = await cluster.behindProxy({ name: 'a' });
  const [b, c] = (await cluster.nodes({ name: 'b' }, { name: 'c' })) as [ClusterNode, ClusterNode];
  const urls: string[] = [];
  for (const node of [a, b, c]) urls.push(await node.run(serve));
  // Only the connection from c to a goes through the proxy.
  await cluster.ring([a, b, c]);
  await roomsKnown([a, b, c], urls);
  const [onB, onC] = await Promise.all([member([urls[1] as string]), member([urls[2] as string])]);
  await a.run(broadcast, 'both', 1);
  for (const { has } of [onB, onC]) await has(1);
  proxy.freeze();
  await a.run(broadcast, 'b', 3);
  await onB.has(4);
  expect(onC.got).toEqual(['both 0']);
  await a.kill();
  proxy.cut();
  await onC.has(4);
  expect([onC.got, onC.resyncs]).toEqual([['both 0', 'b 0', 'b 1', 'b 2'], []]);
});

it('a node that is frozen for a while loses no client and no message', async () => {
  const { nodes, urls } = await chat();
  const { got, has, client } = await member([urls[0] as string]);
  nodes[0]!.freeze();
  await nodes[1]!.run(broadcast, 'b', 50);
  nodes[0]!.thaw();
  await has(50);
  expect(got).toEqual(Array.from({ length: 50 }, (_, number) => `b ${number}`));
  expect(client.status).toBe('open');
});

it('R16 clients of a draining node resume on other nodes without loss', async () => {
  const { nodes, urls } = await chat();
  const all = await Promise.all(
    Array.from({ length: 10 }, () => member([urls[0] as string, urls[1] as string])),
  );
  const drained = nodes[0]!.run((bench) =>
    bench.box['rooms'].drain({ over: 300 }).then(() => bench.node.stop()),
  );
  for (let number = 0; number < 20; number++) await nodes[2]!.run(broadcast, `${number}`, 5);
  await drained;
  await until('all have moved', async () => (await nodes[1]!.run(members)).local === 10);
  await nodes[2]!.run(broadcast, 'last', 1);
  for (const { has, got, resyncs } of all) {
    await has(101);
    expect(new Set(got).size).toBe(101);
    expect([got.length, got.at(-1), resyncs]).toEqual([101, 'last 0', []]);
  }
});
