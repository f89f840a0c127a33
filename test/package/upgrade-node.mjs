// One node of a cluster whose members run two versions (rolling-upgrade.test.ts). Arguments: its name, the cookie, nodes to connect to. It
// answers each line of standard input with a line.
import { deepStrictEqual } from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { call, defineServer, startGlobalNames, startGroups, startNode } from 'snowmesh';

const [name, cookie, ...peers] = process.argv.slice(2);
const counter = defineServer({
  name: 'counter',
  init: () => ({ count: 0 }),
  calls: { add: ({ state }, by) => (state.count += by), echo: (_context, value) => value },
});

const node = await startNode({ name, cookie, mesh: 'explicit' });
const names = startGlobalNames(node);
const groups = startGroups(node);
node.register('counter', await counter.start(node));
const member = node.spawn(async (self) => {
  for (;;) console.log(`got ${await self.receive()}`);
});
groups.join('all', member);
for (const peer of peers) if (!(await node.connect(peer))) throw new Error(`no connection to ${peer}`);
console.log(`up ${node.name}`);

const VALUES = [
  ['text', 'größe', 1n << 80n, -0, 2 ** 40, null, undefined, true],
  { map: new Map([['key', new Set([1, 2])]]), date: new Date(0), bytes: new Uint8Array([1, 2, 3]) },
  { name: member, long: 'x'.repeat(300_000), nested: [[[{ deep: [] }]]] },
];

const commands = {
  /** Calls the peer's server, and gets back what it sends. */
  async check(peer) {
    const server = { name: 'counter', node: peer };
    const count = await call(node, server, 'add', 2);
    for (const value of VALUES) deepStrictEqual(await call(node, server, 'echo', value), value);
    return `checked ${count}`;
  },
  async claim(title) {
    return `claimed ${await names.register(title, member)}`;
  },
  async find(title) {
    await names.sync();
    const owner = names.whereis(title);
    return `found ${owner === undefined ? 'nothing' : node.nodeOf(owner)}`;
  },
  async broadcast(text) {
    groups.broadcast('all', text);
    return `sent to ${groups.members('all').length}`;
  },
  /** Answers when the peer is lost. */
  watch: (peer) =>
    new Promise((resolve) => {
      node.spawn(async (self) => {
        self.monitor({ name: 'counter', node: peer });
        console.log(`watching ${peer}`);
        const { reason } = await self.receive();
        resolve(`lost ${peer} ${reason}`);
      });
    }),
  async stop() {
    await node.stop();
    process.exit(0);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [command, argument] = line.split(' ');
  // Not awaited: a watch answers later.
  void commands[command](argument).then(console.log, (error) =>
    console.log(`failed ${command}: ${error.message}`),
  );
}
