// A process of the boundary tests: `child.ts <scenario>` prints what happened and ends the way the scenario says.
// With two nodes in it, all on one event loop: what matters here is how things end.

import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { loadNative } from '../../bindings/index.ts';
import { NativeEvent } from '../../ts/wire/index.ts';
import { until } from '../support/deadline.ts';
import { localOn, RawLane, RawNode, type RawOptions, type RawPeer, SEND, sendFrame } from './raw-node.ts';

const scenarios: Record<string, (reader: 'loop' | 'thread') => unknown> = {
  /** Nothing holds the process: two connected nodes, and the end of the program. */
  'normal end': async (reader) => {
    await pair(reader);
  },
  /** A flood is under way when the program ends by itself. */
  'end in a flood': async (reader) => {
    const { a, b, toA } = await pair(reader);
    a.onEntry = () => false;
    for (let round = 0; round < 50; round++) b.flush(toA.session, ...numbers(toA, 1000));
  },
  'exit in a batch': async (reader) => {
    const { a, b, toA } = await pair(reader);
    a.ref();
    a.onEntry = (entry) => (entry.tag === SEND ? process.exit(7) : undefined);
    b.flush(toA.session, ...numbers(toA, 1000));
  },
  'throw in a batch': async (reader) => {
    const { a, b, toA } = await pair(reader);
    a.ref();
    a.onEntry = (entry) => {
      if (entry.tag === SEND) throw new Error('thrown in a batch');
      return undefined;
    };
    b.flush(toA.session, ...numbers(toA, 1000));
  },
  /** The same, survived: what comes later is delivered. */
  'throw and go on': async (reader) => {
    const { a, b, toA } = await pair(reader);
    a.ref();
    process.on('uncaughtException', (error) => {
      console.log('caught', error.message);
      b.send(toA, 2);
    });
    a.onEntry = (entry) => {
      if (entry.tag !== SEND) return undefined;
      const value = entry.body.readInt32LE(10);
      if (value === 1) throw new Error('thrown in a batch');
      console.log('value', value);
      void Promise.all([a.close(), b.close()]).then(() => console.log('closed', threads()));
      return undefined;
    };
    b.send(toA, 1);
  },
  'close waits': async (reader) => {
    const { a, b, toA } = await pair(reader);
    // Few enough to be read within the second that an orderly end waits for that, however busy the machine is.
    for (let round = 0; round < 20; round++) b.flush(toA.session, ...numbers(toA, 1000));
    // Neither is referenced: `close` itself keeps the process until it is done.
    await b.close();
    await a.close();
    console.log('received', a.numbers().length, 'threads', threads());
  },
  'a message and an end': async (reader) => {
    const { a, b, toA } = await pair(reader);
    b.send(toA, 1);
    await Promise.all([a.close(), b.close()]);
  },
  'stay until SIGTERM': async (reader) => {
    const { a, b } = await pair(reader);
    a.ref();
    b.ref();
    console.log('ready');
  },
  'unref lets it end': async (reader) => {
    const { a } = await pair(reader);
    a.ref();
    a.native.unref(a.handle);
  },
  'start and stop': async (reader) => {
    for (let round = 0; round < 20; round++) {
      const { a, b } = await pair(reader);
      await Promise.all([a.close(), b.close()]);
    }
    console.log('threads', threads());
  },
  /** A worker owns nodes and is terminated while batches come in. */
  'terminate a worker': async (reader) => {
    for (let round = 0; round < 5; round++) {
      const worker = start('flood for ever', reader);
      await once(worker, 'message');
      await worker.terminate();
    }
    console.log('threads', threads());
  },
  'terminate a worker at once': async (reader) => {
    for (let round = 0; round < 10; round++) {
      const worker = start('flood for ever', reader);
      // At another moment of its start each time.
      await new Promise((resolve) => setTimeout(resolve, round * 15));
      await worker.terminate();
    }
    console.log('threads', threads());
  },
  'a worker exits': async (reader) => {
    const worker = start('exit in a batch', reader);
    const [code] = await once(worker, 'exit');
    console.log('worker', code, 'threads', threads());
  },
  'twenty workers': async (reader) => {
    const workers = Array.from({ length: 20 }, () => start('a message and an end', reader));
    const codes = await Promise.all(workers.map(async (worker) => (await once(worker, 'exit'))[0]));
    console.log('codes', codes.join(''), 'threads', threads());
  },
  'flood for ever': async (reader) => {
    const { a, b, toA } = await pair(reader);
    let told = false;
    a.onEntry = (entry) => {
      if (entry.tag === SEND && !told) {
        told = true;
        parentPort?.postMessage('in a batch');
      }
      return false;
    };
    const frames = numbers(toA, 1000);
    const again = (): void => {
      b.flush(toA.session, ...frames);
      setImmediate(again);
    };
    again();
  },
  /** A worker is a second lane of the main thread's node. */
  'second lane': async (reader) => {
    const { a, toB, b, toA } = await pair(reader);
    b.flush(toA.session, shape(0, 'early'));
    await a.find('the shape', (entry) => entry.tag === 0x31);
    const worker = start('lane', reader, { handle: a.handle });
    a.ref();
    const [lane] = await once(worker, 'message');
    b.flush(toA.session, shape(1, 'late'), sendFrame(toA.nc, localOn(lane), 41), sendFrame(toA.nc, 1, 40));
    const [story] = await once(worker, 'message');
    await a.find('a message for the main lane', (entry) => entry.tag === SEND);
    console.log(JSON.stringify({ lane, toB: toB.session, ...story, main: a.numbers() }));
    worker.postMessage('end');
    await once(worker, 'exit');
    b.send(toA, 42, localOn(lane));
    await a.find(
      'the first lane answers for one that left',
      (entry) => a.numbers().includes(42) && entry.tag === SEND,
    );
    await Promise.all([a.close(), b.close()]);
    console.log('threads', threads());
  },
  /**
   * Answers nothing by itself: lines on stdin say what to do, each is answered by one line of JSON. `block file`: the event loop
   * stands still until the file is there.
   */
  obey: async (reader) => {
    const options = JSON.parse(process.argv[4] ?? '{}') as RawOptions;
    const node = new RawNode({ name: 'o@127.0.0.1:0', reader, ...options });
    node.ref();
    console.log(JSON.stringify({ name: node.name, port: node.port }));
    for await (const line of createInterface({ input: process.stdin })) {
      const [verb, ...words] = line.split(' ');
      if (verb === 'block') {
        // Inside a callback of a pipe: to the native side the loop seems to wait.
        const nothing = new Int32Array(new SharedArrayBuffer(4));
        while (!existsSync(words.join(' '))) Atomics.wait(nothing, 0, 0, 10);
      }
      if (verb === 'send') for (const value of words) node.send(await node.up(), Number(value));
      if (verb === 'await') await until('all of them', () => node.numbers().length >= Number(words[0]));
      if (verb === 'close') await node.close();
      const downs = node.entries.filter((entry) => entry.tag === NativeEvent.SESSION_DOWN).length;
      const { takeovers, spinHits, spinMisses } =
        verb === 'close' ? { takeovers: 0, spinHits: 0, spinMisses: 0 } : node.stats;
      console.log(JSON.stringify({ verb, numbers: node.numbers(), downs, takeovers, spinHits, spinMisses }));
      if (verb === 'close') break;
    }
  },
  /** Counts what comes in between two turns of the event loop, until `bytes` are there; then says how much at most. */
  'count a turn': async (reader) => {
    const [bytes, options] = [Number(process.argv[4]), { name: 'c@127.0.0.1:0', reader, tickMs: 10_000 }];
    let [all, turn, most, turns] = [0, 0, 0, 0];
    const onEntry = ({ tag, body }: { tag: number; body: Buffer }): boolean => {
      if (tag === SEND) turn += body.length;
      return tag !== SEND;
    };
    const node = new RawNode({ ...options, onEntry });
    node.ref();
    console.log(JSON.stringify({ name: node.name, port: node.port }));
    const next = (): void => {
      if (turn > 0) turns += 1;
      [all, most, turn] = [all + turn, Math.max(most, turn), 0];
      if (all < bytes) setImmediate(next);
      else void node.close().then(() => console.log(JSON.stringify({ most, turns })));
    };
    next();
  },
  lane: async () => {
    const lane = new RawLane();
    lane.handle = workerData.handle;
    lane.lane = lane.native.attach(lane.handle, lane.rx, lane.onBatch);
    lane.native.ref(lane.handle);
    await lane.event(NativeEvent.SESSION_UP);
    parentPort?.postMessage(lane.lane);
    await lane.find('a message for this lane', (entry) => entry.tag === SEND);
    const tags = lane.entries.map((entry) => entry.tag);
    parentPort?.postMessage({ tags, values: lane.numbers() });
    parentPort?.once('message', () => {
      lane.native.detach(lane.handle, lane.lane);
      parentPort?.close();
    });
  },
};

async function pair(
  reader: 'loop' | 'thread',
): Promise<{ a: RawNode; toB: RawPeer; b: RawNode; toA: RawPeer }> {
  const [a, b] = [
    new RawNode({ name: 'a@127.0.0.1:0', reader }),
    new RawNode({ name: 'b@127.0.0.1:0', reader }),
  ];
  // Waits need a living loop; afterwards nothing is held unless the scenario says so.
  a.ref();
  const toA = await b.connect(a.name, a.port);
  const toB = await a.up();
  a.native.unref(a.handle);
  return { a, toB, b, toA };
}

function numbers(peer: RawPeer, count: number): Buffer[] {
  return Array.from({ length: count }, (_, value) => sendFrame(peer.nc, 1, value));
}

function shape(id: number, key: string): Buffer {
  const head = Buffer.from([0, 0, 0, 0, 0x31, id, 0, 1, 0, key.length, 0]);
  head.writeUInt32LE(7 + key.length);
  return Buffer.concat([head, Buffer.from(key)]);
}

/** Threads of this process that the native core started; known on Linux only. */
function threads(): number {
  if (process.platform !== 'linux') return 0;
  const names = readdirSync('/proc/self/task').map((id) => {
    try {
      return readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim();
    } catch {
      return '';
    }
  });
  return names.filter((name) => name.startsWith('snowmesh')).length;
}

/** Runs a scenario in a worker thread. Uncompiled, tsx must be registered there anew. */
function start(scenario: string, reader: string, data: object = {}): Worker {
  const file = import.meta.url;
  const options = { argv: [scenario, reader], workerData: data };
  if (!file.endsWith('.ts')) return new Worker(new URL(file), options);
  const tsx = import.meta.resolve('tsx/esm/api');
  const code = `import('${tsx}').then((tsx) => { tsx.register(); return import('${file}'); })`;
  return new Worker(code, { ...options, eval: true, execArgv: [] });
}

const [scenario = '', reader = 'loop'] = process.argv.slice(2);
if (!isMainThread) loadNative();
await scenarios[scenario]?.(reader as 'loop' | 'thread');
