// Two nodes in one process that connect, use what they have, and disconnect, again and again; with the argument `restart` the second is
// a new one each time. It counts the objects of its heap after the rounds that its other arguments name, and prints what there is more
// of after the second.
import {
  callWith,
  defineActor,
  defineServer,
  type Node,
  NodeDown,
  type Self,
  startGlobalNames,
  startGroups,
  startNode,
} from '../../../ts/index.ts';
import { createRooms } from '../../../ts/rooms/index.ts';
import { DEADLINE_MS, deferred, until } from '../../support/deadline.ts';
import { grownSince, heapObjects } from '../../support/heap-objects.ts';
import { FakeSocket } from '../../unit/rooms/fake-socket.ts';

const [mode = '', ...rounds] = process.argv.slice(2);
const [first = 0, last = 0] = rounds.map(Number);

const child = defineActor('child', async (self: Self<unknown>) => void (await self.receive()));
const echo = defineServer({
  name: 'echo',
  init: () => 0,
  calls: { echo: (_context, value: unknown) => value },
});
/** It answers no call. */
const silent = defineActor('silent', async (self: Self<unknown>) => {
  for (;;) await self.receive();
});

/** It forgets what it is sent. */
class DeafSocket extends FakeSocket {
  override send(): void {}
}

class Side {
  readonly node: Node;
  readonly names: ReturnType<typeof startGlobalNames>;
  readonly groups: ReturnType<typeof startGroups>;
  readonly rooms: ReturnType<typeof createRooms>;

  constructor(node: Node) {
    this.node = node;
    this.names = startGlobalNames(node);
    this.groups = startGroups(node);
    // Of other starts a room keeps messages, up to a limit: here it keeps none.
    this.rooms = createRooms(node, { resume: { windowMs: 0 } });
    node.expose(child);
  }

  static async start(name: string): Promise<Side> {
    const cookie = 'a cookie of thirty-two letters..';
    const side = new Side(await startNode({ name, cookie, autoConnect: 'explicit', mesh: 'explicit' }));
    const { node, names, groups, rooms } = side;
    // What stays over all connections.
    const pid = await echo.start(node);
    node.register('echo', pid);
    node.register('silent', node.spawn(silent));
    groups.join('stays', pid);
    await names.register(`stays at ${node.name}`, pid);
    await rooms.accept(new DeafSocket(), { key: node.name }).join('stays');
    return side;
  }

  /** Makes links, monitors, calls and spawns with the other node: some end by themselves, some with the connection. Resolves to their end. */
  use(other: Side): { readonly done: Promise<void>; readonly ended: Promise<void> } {
    const { node, names, groups, rooms } = this;
    const there = other.node.name;
    const far = { name: 'echo', node: there };
    const done = deferred();
    const ended = deferred();
    node.spawn(async (self: Self<unknown>) => {
      self.onExit((reason) => {
        ended.resolve();
        done.reject(reason); // it crashed, unless it was done
      });
      self.trapExit(true);
      node.monitorNode(self, there);
      self.monitor(far);
      self.demonitor(self.monitor(far));
      await self.spawnOn(there, child, [], { link: true });
      const { pid: started } = await self.spawnOn(there, child, [], { monitor: true });
      self.monitor(started);
      self.send(started, 'end');
      await callWith(self, { timeout: DEADLINE_MS }, far, 'echo', self.alias());
      void callWith(self, { timeout: 1e9 }, { name: 'silent', node: there }, 'ask').catch(() => {});
      await self.sendWait({ name: 'silent', node: there }, 'hello');
      groups.join('comes and goes', self);
      groups.monitor('stays', self);
      groups.broadcast('comes and goes', 'hello');
      await names.register(`comes and goes at ${node.name}`, self.pid);
      rooms.broadcast('stays', 'hello');
      await node.introspect(there, { timeout: DEADLINE_MS }).sessions();
      done.resolve();
      await self.receive(NodeDown);
    });
    return { done: done.promise, ended: ended.promise };
  }
}

const a = await Side.start('a@127.0.0.1:0');
let b = await Side.start('b@127.0.0.1:0');
/** The node that was stopped last, until the garbage collection has taken it. */
let stopped = new WeakRef<Node>(b.node);

async function round(number: number): Promise<void> {
  await a.node.connect(b.node.name);
  await until('both are connected', () => a.node.nodes().length + b.node.nodes().length === 2);
  const uses = [a.use(b), b.use(a)];
  await Promise.all(uses.map(({ done }) => done));
  if (mode === 'restart') {
    await b.node.stop();
    stopped = new WeakRef(b.node);
    b = await Side.start('b@127.0.0.1:0');
  } else {
    const [by, from] = number % 2 === 0 ? [a, b] : [b, a];
    await by.node.disconnect(from.node.name);
  }
  await Promise.all(uses.map(({ ended }) => ended));
  await until('both are alone', () => a.node.nodes().length + b.node.nodes().length === 0);
}

/** A stopped node is held until the event loop has closed its sockets. */
async function settle(): Promise<void> {
  if (mode !== 'restart') return;
  await until('the stopped node is collected', () => {
    globalThis.gc?.();
    return stopped.deref() === undefined;
  });
}

let before: Map<string, number> | undefined;
for (let number = 1; number <= last; number++) {
  await round(number);
  if (number !== first) continue;
  await settle();
  await heapObjects(); // whatever counting itself leaves behind is there now
  before = await heapObjects();
}
await settle();
console.log(JSON.stringify(await grownSince(before ?? new Map())));
await Promise.all([a.node.stop(), b.node.stop()]);
