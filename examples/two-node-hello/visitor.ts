// In another terminal, after the greeter:   node dist/examples/two-node-hello/visitor.js
import { Down, type Self, startNode, TIMEOUT } from '../../ts/index.ts';
import type { Greet } from './greeter.ts';

const [greeter = 'greeter@127.0.0.1:9000', name = 'Joe'] = process.argv.slice(2);
await using node = await startNode({ name: 'visitor@127.0.0.1:0', cookie: 'hello-two-nodes-4711' });

const ended = new Promise<void>((done) => {
  node.spawn(async (self: Self<string>) => {
    // The monitor tells when there is no greeter, or no node; the message goes to a name on that node.
    self.monitor({ name: 'greeter', node: greeter });
    self.send<Greet>({ name: 'greeter', node: greeter }, { from: self.pid, name });
    const answer = await self.receive(undefined, { timeout: 5000 });
    if (answer === TIMEOUT) console.log('no answer within 5 s');
    else if (answer instanceof Down) console.log(`there is no greeter: ${answer.reason}`);
    else console.log(answer);
    done();
  });
});
await ended;
