// Clients that join, leave, send and connect while their node is drained: each of it is done once, on that node or on the next one.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectRooms } from '../../../ts/client/index.ts';
import { Cluster, type ClusterNode } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { until } from '../../support/deadline.ts';
import { roomsKnown } from '../../support/room-server.ts';
import { WebSocket } from '../../support/websocket.ts';

const CLIENTS = 8;
const ROUNDS = 20;

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

/** Starts a chat whose node notes what its clients have sent, and tells the room of it. */
const serve = async (bench: Workbench): Promise<string> => {
  const { serveRooms } = (await bench.load('./room-server')) as typeof import('../../support/room-server.ts');
  const handled: unknown[] = [];
  const { rooms, url } = await serveRooms(bench.node, {
    message: (connection, data) => {
      handled.push(data);
      connection.broadcast('g', data);
    },
  });
  Object.assign(bench.box, { rooms, handled });
  return url;
};
const broadcast = (bench: Workbench, room: string, text: string): void =>
  bench.box['rooms'].broadcast(room, text);
const handled = (bench: Workbench): string[] => bench.box['handled'];
const members = (bench: Workbench, room: string): { local: number; all: number } =>
  bench.box['rooms'].members(room);

it('R16, R19 joins, leaves and messages during a drain are done once, and a client that comes to it goes on', async () => {
  const nodes = await cluster.nodes(
    { name: 'a', mesh: 'full' },
    { name: 'b', mesh: 'full' },
    { name: 'c', mesh: 'full' },
  );
  const urls = await Promise.all(nodes.map((node) => node.run(serve)));
  const [a, b, c] = nodes as [ClusterNode, ClusterNode, ClusterNode];
  await cluster.ring(nodes);
  await roomsKnown(nodes, urls);

  const open = (first: string, second: string) => {
    const client = cluster.client(
      connectRooms<string, string>([first, second], { WebSocket: WebSocket as never, minDelay: 50 }),
    );
    const got: string[] = [];
    const wrong: unknown[] = [];
    client.on('message', ({ room, data }) => void got.push(`${room} ${data}`));
    for (const event of ['resync', 'refused', 'failed', 'denied', 'lost'] as const)
      client.on(event, (value) => void wrong.push([event, value]));
    return { client, got, wrong };
  };
  const [urlA = '', urlB = ''] = urls;
  const all = Array.from({ length: CLIENTS }, () => open(urlA, urlB));
  await Promise.all(all.map(({ client }) => client.join('g')));

  const drained = a.run((bench) => bench.box['rooms'].drain({ over: 400 }));
  const sent: string[] = [];
  const requests: Promise<void>[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, { client }] of all.entries()) {
      const text = `${index} of ${round}`;
      sent.push(text);
      client.send(text);
      requests.push(client.join(`room ${round}`));
      if (round % 2 === 1) requests.push(client.leave(`room ${round - 1}`));
    }
    await c.run(broadcast, 'g', `round ${round}`);
  }
  const late = open(urlA, urlB); // the node answers it with 503
  requests.push(late.client.join('g'));
  await Promise.all(requests);
  await drained;
  await until('all have moved', async () => (await b.run(members, 'g')).local === CLIENTS + 1);
  const texts = [...sent, ...Array.from({ length: ROUNDS }, (_, round) => `round ${round}`)];
  for (const { client, got } of all) {
    await until('it has all', () => got.length >= texts.length && client.queued === 0);
    expect([...got].sort()).toEqual(texts.map((text) => `g ${text}`).sort());
  }
  const done = (await Promise.all([a, b].map((node) => node.run(handled)))).flat();
  expect([...done].sort()).toEqual([...sent].sort());
  for (const [index] of all.entries())
    expect(all[0]?.got.filter((text) => text.startsWith(`g ${index} of`))).toEqual(
      Array.from({ length: ROUNDS }, (_, round) => `g ${index} of ${round}`),
    );
  // Each is in the rooms that it joined last, and gets what is sent there.
  const joined = ['g', ...Array.from({ length: ROUNDS / 2 }, (_, number) => `room ${2 * number + 1}`)];
  for (const { client } of all) expect([...client.joined()].sort()).toEqual([...joined].sort());
  for (const room of ['room 0', 'room 1']) await c.run(broadcast, room, 'last');
  await c.run(broadcast, 'g', 'end');
  for (const { got } of [...all, late]) await until('it has the end', () => got.at(-1) === 'g end');
  for (const { got } of all) expect(got.filter((text) => text.startsWith('room'))).toEqual(['room 1 last']);
  expect([...all, late].map(({ wrong }) => wrong)).toEqual(Array.from({ length: CLIENTS + 1 }, () => []));
});
