// What `console.log` prints.
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  Call,
  call,
  defineServer,
  type Node,
  replyTo,
  type Self,
  silentLogger,
  startNode,
  Timeout,
} from '../../../ts/index.ts';
import { sourcesOf, VERSION } from '../../../ts/introspect/index.ts';
import { createRooms } from '../../../ts/rooms/index.ts';
import { startTestRuntime } from '../../../ts/testing/index.ts';

let node: Node;
beforeEach(async () => void (node = await startNode({ logger: silentLogger })));
afterEach(() => node.stop());

it('a node is printed in six lines', async () => {
  const pid = node.spawnHandler(() => ({ onMessage() {} }));
  for (let number = 0; number < 6; number++) node.register(`name ${number}`, pid as never);
  node.send({ name: 'nobody', node: node.name }, 1);
  const session = {
    connection: 1,
    dialled: true,
    waiting: 0,
    framesIn: 0,
    framesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    silentMs: 0,
  };
  sourcesOf(node).sessions = () => [
    { ...session, node: 'a@h:1', hidden: false, stalled: true },
    { ...session, node: 'b@h:1', hidden: true, stalled: false },
  ];
  expect(inspect(node)).toBe(
    [
      'Node nonode@nohost {',
      '  actors: 1, of them supervisors: 0',
      '  local names: name 0, name 1, name 2, name 3 and 2 more',
      '  peers: a@h:1 (stalled), b@h:1 (hidden)',
      '  lost messages: no_name 1',
      '}',
    ].join('\n'),
  );
  expect(inspect({ one: { two: { three: { node } } } }, { depth: 2 })).toContain('[Object]');
  expect(inspect({ node }, { depth: 0 })).toContain('[Node nonode@nohost]');
  await node.stop();
  expect(inspect(node)).toContain('actors: 0, of them supervisors: 0, stopped');
});

it('an actor is printed in one line, also when it is dead', async () => {
  const self = await new Promise<Self>((resolve) => {
    node.spawn(async function clerk(own) {
      resolve(own);
      await own.receive((message) => message === 'never');
    });
  });
  node.send(self.pid, 1 as never);
  expect(inspect(self)).toBe(`Self { ${self.pid}, label: 'clerk', parent: <0.0>, mailbox: 1 }`);
  node.sendExit(self.pid, 'kill');
  expect(inspect(self)).toContain('dead }');
});

it('a call and a timer are printed without the runtime', async () => {
  const received: unknown[] = [];
  const server = node.spawn(async (self) => {
    received.push(await self.receive(Call));
    received.push(self.startTimer(0, self.pid, 'tick'), await self.receive(Timeout));
    for (const each of received) if (each instanceof Call) replyTo(self, each, 'done');
  });
  await call(node, server as never, 'add', 1);
  const [asked, timer, timeout] = received;
  expect(inspect(asked)).toMatch(
    /^Call \{\s+from: undefined,\s+tag: 'add',\s+args: \[ 1 \],\s+deadline: [\d.]+,\s+chain: \[\]\s+\}$/,
  );
  expect(inspect(timer)).toBe('TimerRef { isActive: false }');
  expect(inspect(timeout)).toBe("Timeout { ref: TimerRef { isActive: false }, message: 'tick' }");
  expect(JSON.parse(JSON.stringify({ asked, timeout }))).toEqual({
    asked: { tag: 'add', args: [1], deadline: expect.any(Number), chain: [] },
    timeout: { ref: { isActive: false }, message: 'tick' },
  });
});

it('a log of JSON lines gets what a node, an actor and lost messages are, not all that they hold', async () => {
  const self = await new Promise<Self>((resolve) => void node.spawn(resolve));
  const { deadLetters } = node;
  deadLetters.count('noproc', 'x');
  expect(JSON.parse(JSON.stringify({ node, self, deadLetters }))).toEqual({
    node: 'nonode@nohost',
    self: String(self.pid),
    deadLetters: { ...deadLetters.counts, noproc: 1 },
  });
  expect(inspect(deadLetters)).toMatch(/^DeadLetters \{\s+noproc: 1,/);
  let context: unknown;
  const server = defineServer({
    name: 'server',
    init: () => ({ count: 1 }),
    calls: { see: (given) => void (context = given) },
  });
  await call(node, await server.start(node), 'see');
  expect(JSON.parse(JSON.stringify(context))).toMatchObject({
    state: { count: 1 },
    self: expect.stringMatching(/^<0\.\d+>$/) as string,
  });
});

it('a runtime and rooms are printed in few lines', () => {
  const kit = startTestRuntime();
  expect(inspect(kit.runtime)).toBe('Runtime { actors: 0, names: 0 }');
  expect(JSON.stringify(kit.runtime)).toBe('{"actors":0,"names":0}');
  kit.stop();
  const rooms = createRooms(node);
  expect(inspect(rooms)).toMatch(/^Rooms \{\n {2}connections: 0,\n {2}rooms: 0,/);
});

it('a node tells the version of its package', () => {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  expect(VERSION).toBe((JSON.parse(text) as { version: string }).version);
});
