// In one terminal:   node dist/examples/two-node-hello/greeter.js
import { type Pid, type Self, startNode } from '../../ts/index.ts';

/** What the greeter takes: who asks, and a name. */
export interface Greet {
  readonly from: Pid<string>;
  readonly name: string;
}

const [port = '9000'] = process.argv.slice(2);
const node = await startNode({ name: `greeter@127.0.0.1:${port}`, cookie: 'hello-two-nodes-4711' });

const greeter = node.spawn(async (self: Self<Greet>) => {
  for (;;) {
    const { from, name } = await self.receive(
      (message): message is Greet => message instanceof Object && 'name' in message,
    );
    self.send(from, `Hello ${name}, this is ${node.name}`);
  }
});
node.register('greeter', greeter);
console.log(`${node.name} is listening; now start the visitor`);

node.on('nodeup', (peer) => console.log(`${peer} came`));
node.on('nodedown', (peer, cause) => console.log(`${peer} left: ${cause}`));
process.once('SIGINT', () => void node.stop());
