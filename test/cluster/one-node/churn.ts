// A node whose actors, supervisors, rooms and options come and go, again and again. It counts the objects of its heap, its open files and
// its signal handlers after the rounds that its arguments name, and prints what there is more of after the second.
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import {
  call,
  callWith,
  childSpec,
  DuplicateRegistry,
  defineDynamicSupervisor,
  defineServer,
  defineSupervisor,
  type Pid,
  type Self,
  silentLogger,
  startChild,
  startGlobalNames,
  startGroups,
  startNode,
  stop,
  terminateChild,
} from '../../../ts/index.ts';
import { createRooms } from '../../../ts/rooms/index.ts';
import { hasSignals } from '../../support/child.ts';
import { deferred, turns, until } from '../../support/deadline.ts';
import { grownSince, heapObjects } from '../../support/heap-objects.ts';
import { FakeClient } from '../../unit/rooms/fake-socket.ts';

const [first = 0, last = 0] = process.argv.slice(2).map(Number);
const cookie = 'a cookie of thirty-two letters..';
const node = await startNode({ name: 'a@127.0.0.1:0', cookie, logger: silentLogger });
const names = startGlobalNames(node);
const groups = startGroups(node);
const rooms = createRooms(node, { resume: { windowMs: 0 }, join: () => true });
const registry = new DuplicateRegistry(node);
/** It outlives all that use it. */
const { signal } = new AbortController();

const silent = defineServer({
  name: 'silent',
  init: () => 0,
  calls: { echo: (_context, value: number) => value },
  casts: {
    crash: () => {
      throw new Error('as asked');
    },
  },
});
const server = await silent.start(node);
const family = defineSupervisor({
  name: 'family',
  strategy: 'one_for_all',
  intensity: 1000,
  children: ['one', 'other'].map((id) => childSpec(id, silent, { name: id })),
});
const many = await defineDynamicSupervisor({ name: 'many', intensity: 1000, period: 1 }).start(node);
const stays = await new Promise<Self<unknown>>((found) => {
  node.spawn(async (self: Self<unknown>) => {
    self.trapExit(true);
    found(self);
    for (;;) await self.receive();
  });
});

function ended(pid: Pid<never>): Promise<unknown> {
  return new Promise((resolve) => node.onDeath(pid, resolve));
}

async function actors(number: number): Promise<void> {
  const done = deferred();
  node.spawn(async (self: Self<unknown>) => {
    self.onExit(() => done.resolve());
    self.register(`name ${number}`);
    await names.register(`global ${number}`, self.pid);
    groups.join(`group ${number}`, self);
    groups.monitor(`other group ${number}`, self);
    registry.register(`key ${number}`, self.pid);
    self.link(stays.pid);
    self.monitor(stays.pid);
    stays.monitor(self.pid);
    stays.send(self.alias(), number);
    stays.cancelTimer(stays.sendAfter(1e6, self.pid, 'late'));
    self.sendInterval(1e6, self.pid, 'later');
    await self.receive(undefined, { signal });
    await self.receive('never', { timeout: 1, signal });
    await callWith(self, { signal }, server, 'echo', number);
    await call(self, `nobody ${number}`, 'ask').catch(() => {});
    void callWith(self, { timeout: 1e9, signal }, stays.pid, 'ask').catch(() => {});
    throw new Error('ends it');
  });
  await done.promise;
}

async function supervisors(number: number): Promise<void> {
  const top = await family.start(node);
  const one = node.whereis('one') as Pid<never>;
  const end = ended(node.whereis('other') as Pid<never>);
  node.sendExit(one, 'kill');
  await end;
  await until(
    'both are back',
    () => node.whereis('one') !== undefined && node.whereis('other') !== undefined,
  );
  await stop(node, top, 'shutdown');
  const started = await startChild(node, many, childSpec(`child ${number}`, silent));
  if (!started.ok) throw new Error('it does not start', { cause: started.error });
  await terminateChild(node, many, started.pid as Pid<never>);
}

async function clients(number: number): Promise<void> {
  const off = rooms.presence('stays').onDiff(() => {});
  const both = [new FakeClient(), new FakeClient()];
  const connections = both.map((socket, at) => rooms.accept(socket, { key: `user ${number} ${at}` }));
  for (const socket of both) {
    socket.hello();
    socket.tell(['join', 1, 'stays']);
    socket.tell(['join', 2, `room ${number}`]);
  }
  await until('both are in', () => rooms.members(`room ${number}`).local === 2);
  // What a client sends is remembered for a while, by its session: here the server speaks for it.
  for (const connection of connections) {
    connection.track('stays', { number });
    connection.broadcast('stays', number);
  }
  rooms.broadcast(`nobody is in ${number}`, 'hello');
  rooms.sendTo(`nobody ${number}`, 'hello');
  await turns(3);
  both[0]?.drop();
  connections[1]?.close();
  off();
  rooms.attach(createServer(), { path: `/${number}` })();
  await until('both are gone', () => rooms.stats().connections === 0);
}

async function nodes(): Promise<void> {
  node.stopOnSignals();
  node.stopOnSignals()();
  node.deadLetters.subscribe(() => {})();
  await node.ready({ peers: 2, timeout: 1, signal }).catch(() => {});
  await node.introspect().processes();
  const other = await startNode({ logger: silentLogger });
  other.spawn(async (self: Self<unknown>) => self.sleep(1e6));
  startGroups(other).close();
  createRooms(other);
  await other.stop();
}

let before: Map<string, number> | undefined;
let around: number[] = [];
const outside = (): number[] => [
  hasSignals ? readdirSync('/dev/fd').length : 0,
  process.listenerCount('SIGTERM'),
];
async function settle(): Promise<void> {
  await until('all actors have ended', () => node.size === atFirst);
  for (let pass = 0; pass < 5; pass++) {
    await turns();
    globalThis.gc?.();
  }
}

await turns(3);
const atFirst = node.size;
for (let number = 1; number <= last; number++) {
  await Promise.all([actors(number), supervisors(number), clients(number), nodes()]);
  if (number % 10 === 0) globalThis.gc?.(); // the tables of weak maps grow with what was not collected, and do not shrink
  if (number !== first) continue;
  await settle();
  await heapObjects(); // whatever counting itself leaves behind is there now
  before = await heapObjects();
  around = outside();
}
await settle();
const [files = 0, handlers = 0] = outside().map((now, at) => now - (around[at] as number));
console.log(JSON.stringify({ ...(await grownSince(before ?? new Map())), files, handlers }));
process.exit(0);
