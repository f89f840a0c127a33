// Nodes that are restarted one after the other, as by a deploy. Each client has a room of its own, which nobody else is in.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectRooms } from '../../../ts/client/index.ts';
import { Cluster, type ClusterNode } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { until } from '../../support/deadline.ts';
import { roomsKnown } from '../../support/room-server.ts';
import { WebSocket } from '../../support/websocket.ts';

const CLIENTS = 40;

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

const serve = async (bench: Workbench): Promise<string> => {
  const { serveUsers } = (await bench.load('./room-server')) as typeof import('../../support/room-server.ts');
  const { rooms, url } = await serveUsers(bench.node);
  Object.assign(bench.box, { rooms });
  return url;
};
const send = (bench: Workbench, number: number, text: string): void => {
  bench.box['rooms'].broadcast(`room ${number}`, text);
  bench.box['rooms'].sendTo(`user${number}`, text);
};
const local = (bench: Workbench, number: number): number =>
  bench.box['rooms'].members(`room ${number}`).local;
const restart = (bench: Workbench): Promise<void> =>
  bench.box['rooms'].drain({ over: 100 }).then(() => bench.node.stop());

it('R16 clients of quiet rooms move from node to node without a resync, and miss nothing', async () => {
  const nodes = await cluster.nodes(
    { name: 'a', mesh: 'full' },
    { name: 'b', mesh: 'full' },
    { name: 'c', mesh: 'full' },
  );
  const [a, b, c] = nodes as [ClusterNode, ClusterNode, ClusterNode];
  const [urlA, urlB, urlC] = (await Promise.all(nodes.map((node) => node.run(serve)))) as [
    string,
    string,
    string,
  ];
  await cluster.ring(nodes);
  await roomsKnown(nodes, [urlA, urlB, urlC]);

  const got: string[][] = [];
  const wrong: unknown[] = [];
  for (let number = 0; number < CLIENTS; number++) {
    const texts: string[] = [];
    const urls = [urlA, urlB, urlC].map((url) => `${url}?user${number}`);
    const client = cluster.client(
      connectRooms<string, string>(urls, { WebSocket: WebSocket as never, minDelay: 50 }),
    );
    client.on('message', ({ data }) => void texts.push(`room ${data}`));
    client.on('direct', (data) => void texts.push(`direct ${data}`));
    for (const event of ['resync', 'refused', 'failed', 'denied', 'lost'] as const)
      client.on(event, (value) => void wrong.push([event, value]));
    await client.join(`room ${number}`);
    got.push(texts);
  }
  const areAt = async (node: ClusterNode): Promise<boolean> => {
    const counts = await Promise.all(got.map((_, number) => node.run(local, number)));
    return counts.every((count) => count === 1);
  };
  const numbers = [...got.keys()];
  // Only one client of two is sent something: the rooms of the others stay without a message.
  const talked = numbers.filter((number) => number % 2 === 0);
  expect(await areAt(a)).toBe(true);
  for (const number of talked) await a.run(send, number, 'from a');
  await a.run(restart);
  await until('they are on the second node', () => areAt(b));
  for (const number of talked) await b.run(send, number, 'from b');
  await b.run(restart);
  await until('they are on the third node', () => areAt(c));
  for (const number of numbers) await c.run(send, number, 'from c');
  for (const [number, texts] of got.entries()) {
    const from = number % 2 === 0 ? ['a', 'b', 'c'] : ['c'];
    await until('it has all', () => texts.length >= 2 * from.length);
    expect(texts.toSorted()).toEqual(
      ['direct', 'room'].flatMap((how) => from.map((node) => `${how} from ${node}`)),
    );
  }
  expect(wrong).toEqual([]);
});
