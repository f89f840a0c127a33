// A node whose event loop stands still until a worker thread has seen that by the native counters. Prints what the worker saw.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { nativeCounters, startNode } from '../../../ts/index.ts';

/** A loop that stands still for so long is seen. Unit: ms. */
const SEEN_MS = 300;

interface Shared {
  readonly id: number;
  readonly flags: Int32Array;
}

if (isMainThread) {
  const options = { cookie: 'a cookie of sixteen bytes or more', tickMs: 100 };
  const node = await startNode({ name: 'a@127.0.0.1:0', ...options });
  const peer = await startNode({ name: 'b@127.0.0.1:0', ...options });
  await node.connect(peer.name);
  const shared: Shared = {
    id: node.stats().native?.id ?? -1,
    flags: new Int32Array(new SharedArrayBuffer(4)),
  };
  const worker = start(shared);
  await once(worker, 'message');
  const seen = once(worker, 'message');
  Atomics.wait(shared.flags, 0, 0); // the event loop stands still
  console.log(JSON.stringify((await seen)[0]));
  await Promise.all([node.stop(), peer.stop()]);
  console.log(JSON.stringify({ stopped: nativeCounters(shared.id) ?? null }));
  await worker.terminate();
} else {
  const { id, flags } = workerData as Shared;
  let counters = nativeCounters(id);
  parentPort?.postMessage('ready');
  while (counters !== undefined && counters.loopAgeMs < SEEN_MS) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    counters = nativeCounters(id);
  }
  parentPort?.postMessage({
    seen: counters !== undefined,
    age: counters?.loopAgeMs,
    sessions: counters?.sessions,
  });
  Atomics.store(flags, 0, 1);
  Atomics.notify(flags, 0);
}

/** Uncompiled, tsx must be registered in the worker anew. */
function start(data: Shared): Worker {
  const file = import.meta.url;
  if (!file.endsWith('.ts')) return new Worker(new URL(file), { workerData: data });
  const tsx = import.meta.resolve('tsx/esm/api');
  const code = `import('${tsx}').then((tsx) => { tsx.register(); return import('${file}'); })`;
  return new Worker(code, { workerData: data, eval: true, execArgv: [] });
}
