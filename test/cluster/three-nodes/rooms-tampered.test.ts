// Clients that come back to another process with tokens, tickets and positions that are not theirs.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Cursor, type ServerMessage, SUBPROTOCOL } from '../../../ts/client/index.ts';
import { Cluster } from '../../support/cluster.ts';
import type { Workbench } from '../../support/cluster-node.ts';
import { until } from '../../support/deadline.ts';
import { Tap } from '../../support/websocket.ts';

let cluster: Cluster;
beforeEach(() => void (cluster = new Cluster()));
afterEach(() => cluster.stop());

const serve = async (bench: Workbench): Promise<string> => {
  const { serveRooms } = (await bench.load('./room-server')) as typeof import('../../support/room-server.ts');
  return (await serveRooms(bench.node)).url;
};

/** A client by hand: says hello, and what follows. */
async function speak(url: string, ...messages: readonly unknown[]) {
  const tap = await Tap.open(url, [SUBPROTOCOL]);
  for (const message of messages) tap.socket.send(JSON.stringify(message));
  const hear = <T extends ServerMessage[0]>(tag: T) =>
    until(`${tag} or the end`, () => {
      const heard = tap.got.map((text) => JSON.parse(String(text)) as ServerMessage);
      return heard.find(
        (each): each is Extract<ServerMessage, readonly [T, ...unknown[]]> => each[0] === tag,
      );
    });
  return { tap, hear };
}

it('each wrong token, ticket and position gets a clear answer, and nobody else loses anything', async () => {
  const [a, b] = await cluster.nodes({ name: 'a', mesh: 'full' }, { name: 'b', mesh: 'full' });
  const [urlA, urlB] = [await a!.run(serve), await b!.run(serve)];
  await a!.run((bench, name) => bench.node.connect(name), b!.name);
  const hello = ['hello', null, [], false, 0];
  const other = await speak(urlB, hello, ['join', 1, 'g']);
  await other.hear('joined');
  const first = await speak(urlA, hello, ['join', 1, 'g']);
  const [, { session }] = await first.hear('welcome');
  const [, , , ticket, cursor] = await first.hear('joined');
  first.tap.socket.terminate();
  const [id, body, mac] = session.split('.') as [string, string, string];
  const forged = Buffer.from(JSON.stringify(['session', 'x'.repeat(20), 0, null])).toString('base64url');
  const again = (token: string, room = 'g', proof = ticket, seen: unknown = cursor) =>
    speak(urlB, ['hello', token, [[room, proof, seen as Cursor]], false, 0]);

  for (const token of [
    '',
    `${id}.${body}.${mac.slice(0, -4)}`,
    `${id}.${body}.${Buffer.alloc(32).toString('base64url')}`,
    `${id}.${forged}.${mac}`,
    `another.${body}.${mac}`,
    `${session}.more`,
    ticket,
    'x'.repeat(50_000),
  ]) {
    const { hear, tap } = await again(token);
    expect((await hear('welcome'))[1].resumed, token).toBe(false);
    expect(await hear('refused'), token).toEqual(['refused', 0, 'g', 'session']);
    tap.socket.terminate();
  }
  const huge = await again('x'.repeat(70_000));
  expect((await huge.tap.end()).code).toBe(1009);

  let token = session;
  const [origin = ''] = Object.keys(cursor);
  for (const [room, proof, seen] of [
    ['other', ticket, cursor],
    ['g', session, cursor],
    ['g', ticket, { [origin]: -1 }],
    ['g', ticket, { [origin]: Number.NaN }],
    ['g', ticket, { [origin]: 2 ** 60 }],
    ['g', ticket, []],
  ] as const) {
    const { hear, tap } = await again(token, room, proof, seen);
    const [, welcome] = await hear('welcome');
    expect(welcome.resumed).toBe(true);
    expect(await hear('refused')).toEqual(['refused', 0, room, 'ticket']);
    token = welcome.session;
    tap.socket.terminate();
  }
  const good = await again(token);
  expect((await good.hear('joined')).slice(0, 3)).toEqual(['joined', 0, 'g']);
  good.tap.socket.send(JSON.stringify(['send', 1, 'hello']));
  expect((await good.hear('m'))[4]).toBe('hello');
  expect((await other.hear('m'))[4]).toBe('hello');
});
