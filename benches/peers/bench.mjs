// node --expose-gc bench.mjs <rival> <case> [--rounds=5] [--seconds=0.8] [--quick]
// One rival doing one case: a warm-up by growing counts, one round that is thrown away, then the measured rounds.
// Prints {"suite","metric","unit","rounds":[…]} for every figure.
import { readFileSync } from 'node:fs';

const [rival, kase, ...flags] = process.argv.slice(2);
const flag = (name, otherwise) =>
  Number(flags.find((f) => f.startsWith(`--${name}=`))?.split('=')[1] ?? otherwise);
const settings = {
  rounds: flag('rounds', 5),
  seconds: flag('seconds', 0.8),
  quick: flags.includes('--quick'),
};

const version = (name) =>
  JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const time = async (work) => {
  const t = performance.now();
  await work();
  return (performance.now() - t) / 1000;
};

/** Finds the count for which `work(count)` lasts about a round. */
async function scale(work, { start = 64, step = 1, most = 1e8 } = {}) {
  const whole = (n) => Math.min(most, Math.max(step, Math.ceil(n / step) * step));
  let n = whole(start),
    s = await time(() => work(n));
  while (s < settings.seconds * 0.3 && n < most) {
    n = whole(n * 4);
    s = await time(() => work(n));
  }
  return whole((n * settings.seconds) / s);
}

/** `work(n)` does n operations; rate and CPU of each round. `otherCpu`: seconds used by a second process so far. */
async function throughput(
  unit,
  work,
  { per = 1, otherCpu = async () => 0, extra = () => ({}), ...range } = {},
) {
  const n = await scale(work, range);
  return async () => {
    const cpu0 = cpu() + (await otherCpu());
    const s = await time(() => work(n));
    const used = cpu() + (await otherCpu()) - cpu0;
    return {
      rate: [(n * per) / s, `${unit}/s`],
      per_cpu_s: [(n * per) / used, `${unit}/CPU-s`],
      ...extra((n * per) / s),
    };
  };
}

const percentile = (sorted, part) =>
  sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(part * sorted.length) - 1))];

const local = {
  'ping-pong': (peer) => throughput('round-trips', peer.pingPong),
  'fan-in_8-to-1': (peer) => throughput('msg', peer.fanIn, { start: 8000, step: 8000 }),
  ring_1000: (peer) => throughput('hops', (laps) => peer.ring(1000, laps), { start: 1, per: 1000 }),
  call: (peer) => throughput('calls', peer.ask),
  restart: (peer) => async () => {
    const burst = async (length, times) => {
      const s = await time(async () => {
        for (let i = 0; i < times; i++) await peer.restarts(length);
      });
      return [(length * times) / s, 'restarts/s'];
    };
    return settings.quick
      ? { burst_200: await burst(200, 1), burst_10000: await burst(200, 1) }
      : { burst_200: await burst(200, 50), burst_10000: await burst(10_000, 1) };
  },
  'watched-stop_100k': async (peer) => async () => {
    const n = settings.quick ? 1000 : 100_000;
    const stop = await peer.watched(n);
    const s = await time(stop);
    return { rate: [n / s, 'DOWN/s'] };
  },
  spawn_1M: async (peer) => async () => {
    const n = settings.quick ? 10_000 : (peer.spawnMost ?? 1_000_000);
    gc();
    gc();
    const before = process.memoryUsage();
    let keep;
    const s = await time(async () => {
      keep = await peer.spawn(n);
    });
    gc();
    gc();
    const after = process.memoryUsage();
    globalThis.keep = keep;
    const bytes = (after.heapUsed + after.external - before.heapUsed - before.external) / n;
    globalThis.keep = undefined;
    return { rate: [n / s, 'actors/s'], memory: [bytes, 'B/actor'] };
  },
  timers_1M: async (peer) => async () => {
    const n = settings.quick ? 10_000 : 1_000_000;
    return peer.timers(n, time);
  },
};

async function wire(name, what) {
  const { open } = await import(`./wire/${name}.mjs`);
  const channel = await open(what);
  if (what === 'rtt_64B') {
    return async () => {
      const samples = await channel.trips(settings.quick ? 50 : 10_000);
      const sorted = Float64Array.from(samples).sort();
      return Object.fromEntries(
        [
          ['p50', 0.5],
          ['p99', 0.99],
          ['p999', 0.999],
        ].map(([k, p]) => [k, [percentile(sorted, p), 'us']]),
      );
    };
  }
  const { bytes, step } = channel;
  return throughput('msg', channel.oneWay, {
    start: step,
    step,
    otherCpu: channel.otherCpu,
    extra: (rate) => (bytes === undefined ? {} : { bytes: [(rate * bytes) / 1e6, 'MB/s'] }),
  });
}

async function open() {
  if (rival === 'tls-msgpackr')
    return { suite: `node:tls + msgpackr@${version('msgpackr')}`, round: await wire(rival, kase) };
  if (rival === 'msgpackr') {
    const { codec } = await import('./codec.mjs');
    return { suite: `msgpackr@${version('msgpackr')}`, round: () => codec(kase, settings) };
  }
  const peer = await import(`./local/${rival}.mjs`);
  const suite = peer.library
    ? `${peer.library}@${version(peer.library)}`
    : `node@${process.versions.node} ${rival}`;
  return { suite, round: await local[kase](peer) };
}

const { suite, round } = await open();
await round();
const rounds = [];
for (let i = 0; i < settings.rounds; i++) {
  gc();
  rounds.push(await round());
}
for (const [metric, [, unit]] of Object.entries(rounds[0])) {
  console.log(JSON.stringify({ suite, metric, unit, rounds: rounds.map((r) => r[metric][0]) }));
}
process.exit(0);
