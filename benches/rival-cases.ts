// The cases of the Node.js rivals. A file of benches/peers/ does the work with a library; counting, warming up and timing are those of our
// own cases (harness.ts).
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  collectGarbage,
  cpuSeconds,
  type Figure,
  percentile,
  type Round,
  type Running,
  type Settings,
  scaleCount,
  throughput,
  timed,
} from './harness.ts';
import { openRoomRival } from './rooms/broadcast.ts';
import type { Opening } from './serve.ts';

const FOLDER = resolve('benches/peers');

/** What a file of benches/peers/local/ exports: a function for each job that the library can do. */
interface Peer {
  /** The npm package; undefined: plain Node.js. */
  readonly library?: string;
  pingPong(trips: number): Promise<void>;
  fanIn(messages: number): Promise<void>;
  ring(size: number, laps: number): Promise<void>;
  ask(calls: number): Promise<void>;
  restarts(count: number): Promise<void>;
  /** Starts watched actors; the result stops them all and waits until the watcher knows of each end. */
  watched(count: number): StopAll | Promise<StopAll>;
  /** Spawns idle actors; the result keeps them alive. */
  spawn(count: number): unknown;
  /** Stops them, if they stay alive until they are stopped. */
  drop?(kept: unknown): Promise<void> | void;
  /** The most actors, if a million would take too long or too much memory. */
  readonly spawnMost?: number;
  readonly timers: TimerMoves;
  /** Receives `count` messages, each behind `queued` others; `kind` says how they are selected. */
  selective(kind: string, queued: number, count: number): Promise<void>;
}
type StopAll = () => Promise<void>;

interface TimerMoves {
  readonly most?: number;
  start(count: number, delayOf: (n: number) => number): unknown;
  cancel(started: unknown): Promise<void> | void;
  /** Until every one has fired. */
  fire(count: number, delayOf: (n: number) => number): Promise<void>;
}

type Open = (peer: Peer, settings: Settings) => Promise<Running> | Running;

const LOCAL: Readonly<Record<string, Open>> = {
  'ping-pong': (peer, settings) => throughput(settings, 'round-trips', (trips) => peer.pingPong(trips)),
  'fan-in_8-to-1': (peer, settings) =>
    throughput(settings, 'msg', (messages) => peer.fanIn(messages), { start: 8000, step: 8000 }),
  ring_1000: (peer, settings) =>
    throughput(settings, 'hops', (laps) => peer.ring(1000, laps), { start: 1, per: 1000 }),
  call: (peer, settings) => throughput(settings, 'calls', (calls) => peer.ask(calls)),
  restart: (peer, settings) => ({ round: () => restarts(peer, settings) }),
  'watched-stop_100k': (peer, settings) => ({ round: () => watchedStop(peer, settings) }),
  spawn_1M: (peer, settings) => ({ round: () => spawnMany(peer, settings) }),
  timers_1M: (peer, settings) => ({ round: () => manyTimers(peer.timers, settings) }),
  'selective-receive_10000': (peer, settings) => ({ round: () => receiveBehind(peer, settings) }),
};

/** One rival, ready for rounds of one case. */
export async function openRival(rival: string, name: string, settings: Settings): Promise<Opening> {
  if (name.startsWith('rooms/')) return openRoomRival(rival, name, settings);
  if (rival === 'tls-msgpackr') {
    return { suite: `node:tls + ${versioned('msgpackr')}`, running: await openWire(rival, name, settings) };
  }
  if (rival === 'msgpackr') {
    const { codec } = (await load('codec')) as { codec: (name: string, seconds: number) => Round };
    return { suite: versioned('msgpackr'), running: { round: () => codec(name, settings.roundSeconds) } };
  }
  const peer = (await load(`local/${rival}`)) as Peer;
  const open = LOCAL[name];
  if (open === undefined) throw new Error(`no rival does ${name}`);
  const suite =
    peer.library === undefined ? `node@${process.versions.node} ${rival}` : versioned(peer.library);
  return { suite, running: await open(peer, settings) };
}

const load = (name: string): Promise<unknown> => import(pathToFileURL(join(FOLDER, `${name}.mjs`)).href);

function versioned(library: string): string {
  const { version } = JSON.parse(
    readFileSync(join(FOLDER, 'node_modules', library, 'package.json'), 'utf8'),
  ) as { version: string };
  return `${library}@${version}`;
}

async function restarts(peer: Peer, { quick }: Settings): Promise<Round> {
  const burst = async (name: string, length: number, times: number): Promise<Round> => {
    const { seconds, cpu } = await timed(async () => {
      for (let n = 0; n < times; n++) await peer.restarts(length);
    });
    return {
      [name]: { value: (length * times) / seconds, unit: 'restarts/s' },
      [`${name}_per_cpu_s`]: { value: (length * times) / cpu, unit: 'restarts/CPU-s' },
    };
  };
  return {
    ...(await burst('burst_200', 200, quick ? 1 : 50)),
    ...(await burst('burst_10000', quick ? 200 : 10_000, 1)),
  };
}

async function watchedStop(peer: Peer, { quick }: Settings): Promise<Round> {
  const count = quick ? 500 : 100_000;
  const stopAll = await peer.watched(count);
  const { seconds, cpu } = await timed(stopAll);
  return {
    rate: { value: count / seconds, unit: 'DOWN/s' },
    per_cpu_s: { value: count / cpu, unit: 'DOWN/CPU-s' },
  };
}

async function spawnMany(peer: Peer, { quick }: Settings): Promise<Round> {
  const count = quick ? 20_000 : (peer.spawnMost ?? 1_000_000);
  const kept: unknown[] = [];
  collectGarbage();
  const before = process.memoryUsage();
  const { seconds, cpu } = await timed(async () => void kept.push(await peer.spawn(count)));
  collectGarbage();
  const after = process.memoryUsage();
  const heap = after.heapUsed + after.external - before.heapUsed - before.external;
  await peer.drop?.(kept.pop());
  kept.length = 0;
  return {
    rate: { value: count / seconds, unit: 'actors/s' },
    per_cpu_s: { value: count / cpu, unit: 'actors/CPU-s' },
    // Without the array that keeps them alive: 8 bytes each.
    memory: { value: heap / count - 8, unit: 'B/actor' },
    rss: { value: (after.rss - before.rss) / count, unit: 'B/actor' },
  };
}

async function manyTimers(moves: TimerMoves, { quick }: Settings): Promise<Round> {
  const count = quick ? 2000 : (moves.most ?? 1_000_000);
  const rate = (seconds: number): Figure => ({ value: count / seconds, unit: 'timers/s' });
  const perCpu = (cpu: number): Figure => ({ value: count / cpu, unit: 'timers/CPU-s' });
  const pending: unknown[] = [];
  collectGarbage();
  const heap = process.memoryUsage().heapUsed;
  const start = await timed(
    async () => void pending.push(await moves.start(count, (n) => 60_000 + ((n * 7919) % 600_000))),
  );
  collectGarbage();
  const bytes = (process.memoryUsage().heapUsed - heap) / count - 8;
  const cancel = await timed(() => moves.cancel(pending[0]));
  pending.length = 0;
  const fire = await timed(() => moves.fire(count, (n) => 1 + (n % 100)));
  return {
    start: rate(start.seconds),
    cancel: rate(cancel.seconds),
    fire: rate(fire.seconds),
    fire_per_cpu_s: perCpu(fire.cpu),
    memory: { value: bytes, unit: 'B/timer' },
  };
}

async function receiveBehind(peer: Peer, { quick }: Settings): Promise<Round> {
  const round: Record<string, Figure> = {};
  const count = quick ? 20 : 2000;
  for (const kind of ['scan', 'tag', 'fresh_ref']) {
    const { seconds } = await timed(() => peer.selective(kind, 10_000, count));
    round[kind] = { value: (seconds * 1e9) / count, unit: 'ns' };
  }
  return round;
}

/** Two processes over TLS. */
interface Wire {
  readonly bytes?: number;
  readonly step: number;
  /** CPU time of the other process so far. Unit: seconds. */
  otherCpu(): Promise<number>;
  oneWay(count: number): Promise<void>;
  /** The time of each. Unit: microseconds. */
  trips(count: number): Promise<Float64Array>;
}

async function openWire(rival: string, name: string, settings: Settings): Promise<Running> {
  const { open } = (await load(`wire/${rival}`)) as { open: (name: string) => Promise<Wire> };
  const wire = await open(name);
  if (name === 'rtt_64B') return { round: () => roundTrips(wire, settings) };
  const seconds = async (count: number): Promise<number> => (await timed(() => wire.oneWay(count))).seconds;
  const count = await scaleCount(settings, seconds, { start: wire.step, step: wire.step });
  return { round: () => oneWay(wire, count) };
}

async function oneWay(wire: Wire, count: number): Promise<Round> {
  const cpu = cpuSeconds() + (await wire.otherCpu());
  const { seconds } = await timed(() => wire.oneWay(count));
  const used = cpuSeconds() + (await wire.otherCpu()) - cpu;
  const round: Round = {
    rate: { value: count / seconds, unit: 'msg/s' },
    per_cpu_s: { value: count / used, unit: 'msg/CPU-s' },
  };
  if (wire.bytes === undefined) return round;
  return { ...round, bytes: { value: (count * wire.bytes) / seconds / 1e6, unit: 'MB/s' } };
}

async function roundTrips(wire: Wire, { quick }: Settings): Promise<Round> {
  const sorted = (await wire.trips(quick ? 50 : 10_000)).toSorted();
  return {
    p50: { value: percentile(sorted, 0.5), unit: 'us' },
    p99: { value: percentile(sorted, 0.99), unit: 'us' },
    p999: { value: percentile(sorted, 0.999), unit: 'us' },
  };
}
