// 2 000 real clients of a server process that is killed and started again: all of them resume, with what they missed.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectRooms, type RoomClient } from '../../ts/client/index.ts';
import { Cluster, type ClusterNode } from '../support/cluster.ts';
import type { Workbench } from '../support/cluster-node.ts';
import { until } from '../support/deadline.ts';
import { reservePort } from '../support/ports.ts';
import { WebSocket } from '../support/websocket.ts';

const CLIENTS = 2000;
/** Deadline of what takes 2 000 connections. Unit: ms. */
const LONG_MS = 60_000;

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

const serve = async (bench: Workbench, port: number): Promise<string> => {
  const { serveRooms } = (await bench.load('./room-server')) as typeof import('../support/room-server.ts');
  const { rooms, url } = await serveRooms(bench.node, {}, undefined, port);
  bench.box['rooms'] = rooms;
  return url;
};
const connect = (bench: Workbench, peer: string): Promise<unknown> => bench.node.connect(peer);
const broadcast = (bench: Workbench, text: string): void => bench.box['rooms'].broadcast('g', text);
const stats = (bench: Workbench): { resumed: number; resyncs: number } => bench.box['rooms'].stats();

it(`${CLIENTS} clients resume after their server process was killed and started again`, async () => {
  const [first, peer] = (await cluster.nodes({ name: 'a', mesh: 'full' }, { name: 'b', mesh: 'full' })) as [
    ClusterNode,
    ClusterNode,
  ];
  const url = await first.run(serve, await reservePort());
  await peer.run(serve, 0);
  await first.run(connect, peer.name);

  let attempts = 0;
  class Counted extends WebSocket {
    constructor(target: string, protocols: string) {
      super(target, protocols);
      attempts++;
    }
  }
  const clients: RoomClient<string, string>[] = [];
  const got: string[][] = [];
  const resyncs: unknown[] = [];
  for (let number = 0; number < CLIENTS; number++) {
    const client = cluster.client(connectRooms<string, string>(url, { WebSocket: Counted as never }));
    const mine: string[] = [];
    client.on('message', ({ data }) => void mine.push(data));
    client.on('resync', (what) => void resyncs.push(what));
    clients.push(client);
    got.push(mine);
    // A hundred at a time: a storm at the start is not what this is about.
    if (number % 100 === 99) await Promise.all(clients.slice(-100).map((each) => each.join('g')));
  }
  const all = (count: number): Promise<unknown> =>
    until(`${count} messages for each`, () => got.every((each) => each.length >= count), LONG_MS);
  await first.run(broadcast, 'one');
  await peer.run(broadcast, 'two');
  await all(2);
  expect(attempts).toBe(CLIENTS);

  await first.kill();
  await until('all have noticed', () => clients.every(({ status }) => status !== 'open'), LONG_MS);
  await peer.run(broadcast, 'three');
  const [again] = (await cluster.nodes({ name: 'a', mesh: 'full' })) as [ClusterNode];
  await again.run(connect, peer.name);
  await again.run(serve, Number(new URL(url).port));
  await until('all are back', () => clients.every(({ status }) => status === 'open'), LONG_MS);
  await peer.run(broadcast, 'four');
  await again.run(broadcast, 'five');
  await all(5);

  for (const each of got) expect([...each].sort()).toEqual(['five', 'four', 'one', 'three', 'two']);
  for (const each of got)
    expect(each.filter((text) => text !== 'one' && text !== 'five')).toEqual(['two', 'three', 'four']);
  expect(resyncs).toEqual([]);
  const counters = await again.run(stats);
  expect(counters.resyncs).toBe(0);
  // A client whose new socket was cut off meanwhile has resumed twice.
  expect(counters.resumed).toBeGreaterThanOrEqual(CLIENTS);
});
