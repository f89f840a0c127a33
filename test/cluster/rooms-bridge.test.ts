// Two clusters of two processes each that share nothing but a Redis server, and clients over WebSockets.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectRooms, type RoomClient } from '../../ts/client/index.ts';
import { Cluster, type ClusterNode } from '../support/cluster.ts';
import type { Workbench } from '../support/cluster-node.ts';
import { until } from '../support/deadline.ts';
import { RedisServer, whyNoRedis } from '../support/redis.ts';
import { WebSocket } from '../support/websocket.ts';

let redis: RedisServer;
let clusters: Cluster[];
let clients: RoomClient[];

interface Side {
  readonly nodes: ClusterNode[];
  readonly urls: string[];
}

const serve = async (bench: Workbench, url: string, cluster: string): Promise<string> => {
  const { serveRooms } = (await bench.load('./room-server')) as typeof import('../support/room-server.ts');
  const served = await serveRooms(bench.node, {}, { url, cluster });
  bench.box['rooms'] = served.rooms;
  return served.url;
};
const stats = (bench: Workbench) => bench.box['rooms'].stats().bridge as { isUp: boolean; failed: number };
const broadcast = (bench: Workbench, from: string, first: number, count: number): void => {
  for (let number = first; number < first + count; number++)
    bench.box['rooms'].broadcast('g', `${from} ${number}`);
};

async function side(name: string): Promise<Side> {
  const cluster = new Cluster();
  clusters.push(cluster);
  const nodes = await cluster.nodes({ name: `${name}1`, mesh: 'full' }, { name: `${name}2`, mesh: 'full' });
  const urls: string[] = [];
  for (const node of nodes) urls.push(await node.run(serve, redis.url, name));
  await nodes[0]?.run((bench, peer) => bench.node.connect(peer), nodes[1]?.name ?? '');
  await allAre(nodes, true);
  return { nodes, urls };
}

const allAre = (nodes: readonly ClusterNode[], isUp: boolean): Promise<unknown> =>
  until('the bridge is as it should be', async () => {
    for (const node of nodes) if ((await node.run(stats)).isUp !== isUp) return false;
    return true;
  });

async function member(urls: readonly string[]) {
  const client = connectRooms<string, string>(urls, { WebSocket: WebSocket as never, minDelay: 50 });
  clients.push(client as never);
  /** All but the probes, of which some are on their way when all have had one. */
  const got: string[] = [];
  const probes: string[] = [];
  const resyncs: unknown[] = [];
  client.on('message', ({ data }) => void (data.startsWith('probe') ? probes : got).push(data));
  client.on('resync', (what) => void resyncs.push(what));
  await client.join('g');
  return {
    got,
    probes,
    resyncs,
    has: (count: number) => until(`${count} messages`, () => got.length >= count),
  };
}

describe.skipIf(whyNoRedis !== undefined)(
  `rooms over Redis${whyNoRedis === undefined ? '' : `: ${whyNoRedis}`}`,
  () => {
    beforeEach(async () => {
      clusters = [];
      clients = [];
      redis = await RedisServer.start();
    });
    afterEach(async () => {
      for (const client of clients) client.close();
      for (const cluster of clusters) await cluster.stop();
      await redis.stop();
    });

    it('R17 get each message once in every cluster, in order of its node; a killed node changes nothing', async () => {
      const [eu, us] = [await side('eu'), await side('us')];
      const all: Awaited<ReturnType<typeof member>>[] = [];
      for (const url of [...eu.urls, ...us.urls]) all.push(await member([url]));
      const moving = await member([us.urls[0] as string, us.urls[1] as string]);
      // Who subscribes does so a moment later: until then nothing of others comes.
      await until('all hear each other', async () => {
        await eu.nodes[0]?.run(broadcast, 'probe', 0, 1);
        return [...all, moving].every(({ probes }) => probes.length > 0);
      });
      const sources = [...eu.nodes, ...us.nodes.slice(1)];
      await Promise.all(sources.map((node, index) => node.run(broadcast, `${index}`, 0, 100)));
      for (const { has } of [...all, moving]) await has(300);
      await us.nodes[0]?.kill();
      await Promise.all(sources.map((node, index) => node.run(broadcast, `${index}`, 100, 100)));
      for (const { has, got, resyncs } of [...all.filter((_, index) => index !== 2), moving]) {
        await has(600);
        for (const index of sources.keys())
          expect(got.filter((text) => text.startsWith(`${index} `))).toEqual(
            Array.from({ length: 200 }, (_, number) => `${index} ${number}`),
          );
        expect(got).toHaveLength(600);
        expect(resyncs).toEqual([]);
      }
    });

    it('R17 work in each cluster while Redis is down, and are connected again when it is back: then members are told resync', async () => {
      const [eu, us] = [await side('eu'), await side('us')];
      const [here, there] = [await member([eu.urls[0] as string]), await member([us.urls[1] as string])];
      await until('they hear each other', async () => {
        await eu.nodes[1]?.run(broadcast, 'probe', 0, 1);
        return there.probes.length > 0;
      });
      await redis.kill();
      await allAre([...eu.nodes, ...us.nodes], false);
      await eu.nodes[1]?.run(broadcast, 'alone', 0, 50);
      await here.has(50);
      expect(there.got).toEqual([]);
      expect((await eu.nodes[1]?.run(stats))?.failed).toBeGreaterThanOrEqual(50);
      await redis.again();
      await allAre([...eu.nodes, ...us.nodes], true);
      await until('members are told', () => here.resyncs.length > 0 && there.resyncs.length > 0);
      await eu.nodes[1]?.run(broadcast, 'again', 0, 10);
      await us.nodes[0]?.run(broadcast, 'answer', 0, 10);
      for (const { got } of [here, there])
        for (const from of ['again', 'answer'])
          await until(`${from} has come`, () => got.filter((text) => text.startsWith(from)).length === 10);
    });
  },
);
