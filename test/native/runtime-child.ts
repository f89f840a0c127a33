// A program of the tests of other runtimes: `runtime-child.ts <cookie> <peer> <end>` starts a node, lets it exchange
// messages with the peer, and ends the way the last word says.
import process from 'node:process';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type Pid, startNode } from '../../ts/index.ts';

const ends: Record<string, (node: Awaited<ReturnType<typeof startNode>>) => unknown> = {
  'a natural exit': (node) => node.unref(),
  'an uncaught error': () =>
    setTimeout(() => {
      throw new Error('thrown on purpose');
    }),
  'a rejected promise': () => void Promise.reject(new Error('thrown on purpose')),
  'process.exit': () => process.exit(3),
  'a stop': (node) => node.stop(),
  'a signal': () => console.log('waits for a signal'),
  'the end of a worker': () => parentPort?.postMessage('now'),
};

const [cookie = '', peer = '', end = ''] = isMainThread ? process.argv.slice(2) : workerData;

if (isMainThread && end === 'the end of a worker') {
  const worker = new Worker(new URL(import.meta.url), { workerData: [cookie, peer, end] });
  await new Promise((resolve) => worker.once('message', resolve));
  await worker.terminate();
  console.log('the worker has ended');
} else {
  const node = await startNode({ name: 'other@127.0.0.1:0', cookie });
  const inner = await startNode({ name: 'inner@127.0.0.1:0', cookie, mesh: 'explicit' });
  const pid = node.spawn(async (self) => {
    for (;;) {
      const { from, value } = (await self.receive()) as { from: Pid<object>; value: unknown };
      self.send(from, { from: self.pid, value });
    }
  });
  node.register('echo', pid);
  await new Promise<void>((done) => {
    inner.spawn(async (self) => {
      self.send({ name: 'echo', node: node.name }, { from: self.pid, value: 'within one process' });
      const { value } = (await self.receive()) as { value: unknown };
      console.log('received', value);
      done();
    });
  });
  inner.unref();
  await node.connect(peer);
  console.log('up', node.name);
  // The peer says when it is done: what comes next is the end.
  await new Promise<void>((done) => {
    node.spawn(async (self) => {
      self.register('done');
      await self.receive();
      done();
    });
  });
  ends[end]?.(node);
}
