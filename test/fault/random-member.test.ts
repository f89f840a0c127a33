// A member that sends legal frames with hostile contents, in any order and twice: to actors that act on what they get.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectRooms } from '../../ts/client/index.ts';
import * as snow from '../../ts/index.ts';
import { createRooms } from '../../ts/rooms/index.ts';
import { COOKIE } from '../support/cluster.ts';
import { until } from '../support/deadline.ts';
import { RandomMember } from '../support/random-member.ts';
import { randomFrom, runs } from '../support/seed.ts';
import { WebSocket } from '../support/websocket.ts';

const FRAMES_PER_TURN = 50;
const OWN = 'x@127.0.0.1:1';

let victim: snow.Node;
let honest: snow.Node;
/** Lines that say that code of this node has failed. */
let failed: object[];

beforeEach(async () => {
  failed = [];
  const note = (facts: object): void => {
    if (/failed|crash/.test(String((facts as { event?: unknown }).event))) failed.push(facts);
  };
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  victim = await snow.startNode({
    name: 'victim@127.0.0.1:0',
    cookie: COOKIE,
    logger: { ...quiet, warn: note, error: note },
  });
  honest = await snow.startNode({ name: 'honest@127.0.0.1:0', cookie: COOKIE, logger: quiet });
  await honest.connect(victim.name);
});
afterEach(async () => {
  await victim.stop();
  await honest.stop();
});

const server = snow.defineServer({ name: 'server', init: () => 0, calls: { get: () => 'got' } });
const worker = snow.defineActor('worker', async (self: snow.Self<unknown>) => {
  while ((await self.receive()) !== 'end') {}
});

/** Acts on each PID that it gets, in one of many ways. */
function meddler(random: () => number) {
  const ways: ((self: snow.Self<unknown>, pid: snow.Pid<unknown>) => unknown)[] = [
    (self, pid) => self.link(pid),
    (self, pid) => self.unlink(pid),
    (self, pid) => self.monitor(pid),
    (self, pid) => self.demonitor(self.monitor(pid)),
    (self, pid) => self.send(pid, [self.pid, self.makeRef()]),
    (self, pid) => self.sendExit(pid, 'x'),
    (self, pid) => snow.callWith(self, { timeout: 30 }, pid as never, 'get' as never),
    (self) => self.spawnOn(OWN, worker, [], { link: true }),
    (self) => snow.start(self, worker, [], { node: OWN, timeout: 30 }),
    (self, pid) => snow.stop(self, pid, 'normal', { timeout: 30 }),
  ];
  return async (self: snow.Self<unknown>): Promise<void> => {
    self.trapExit(true);
    for (;;) {
      const pid = await self.receive();
      if (!(pid instanceof snow.Pid)) continue;
      const way = ways[Math.floor(random() * ways.length)] as (typeof ways)[number];
      void (async () => way(self, pid))().catch(() => {}); // it is told what went wrong
    }
  };
}

it('fails nothing, leaves nothing, and other members are served', {
  timeout: runs(120) * 1000,
}, async () => {
  const random = randomFrom();
  const http = createServer().listen(0, '127.0.0.1');
  await once(http, 'listening');
  const rooms = createRooms(victim, { join: () => true });
  rooms.attach(http);
  const { port } = http.address() as AddressInfo;
  const client = connectRooms(`ws://127.0.0.1:${port}/rooms`, { WebSocket: WebSocket as never });
  await client.join('g');
  const names = snow.startGlobalNames(victim);
  const groups = snow.startGroups(victim);
  victim.expose(worker);
  const meddlers: snow.Pid<unknown>[] = [];
  const keepAlive = (): void => {
    for (let at = 0; at < 4; at++) {
      if (meddlers[at] !== undefined && victim.isAlive(meddlers[at] as snow.Pid<never>)) continue;
      meddlers[at] = victim.spawn(meddler(random));
      victim.register(`actor${at}`, meddlers[at] as snow.Pid<never>);
    }
  };
  keepAlive();
  const member = await RandomMember.join({
    random,
    port: Number(victim.name.split(':')[1]),
    cookie: COOKIE,
    own: OWN,
    node: victim.name,
    names: ['actor0', 'actor1', 'actor2', 'actor3', 'worker', 'g', 'x'],
    locals: () => meddlers.map(({ local }) => local),
    third: { name: honest.name, incarnation: 5n },
  });
  for (let turn = 0; turn < runs(200); turn++) {
    for (let count = 0; count < FRAMES_PER_TURN; count++) member.send();
    await member.settle();
    keepAlive();
  }
  await member.leave();
  await until('the end of the session', () => !victim.nodes().includes(OWN));
  const ofMember = (): unknown[] => [
    victim.links.remoteCount,
    victim.monitors.remoteCount,
    victim.monitors.watcherCount,
    groups
      .which()
      .flatMap((group) => groups.members(group))
      .filter((pid) => pid.nc !== 0).length,
    names.names().filter((name) => victim.nodeOf(names.whereis(name) as snow.Pid) === OWN).length,
    ['g', 'x'].map((room) => rooms.presence(room).size),
  ];
  await until('nothing of the member is left', () => JSON.stringify(ofMember()) === '[0,0,0,0,0,[0,0]]');
  await snow.start(victim, server, [], { name: 'last' });
  expect(await snow.call(honest, { name: 'last', node: victim.name }, 'get' as never)).toBe('got');
  expect(failed).toEqual([]);
  client.close();
  rooms.close();
  http.close();
});
