// One message there and back, one at a time: latency, with the adaptive spin of the reader and without.
import type { Pid } from '../../ts/index.ts';
import {
  type BenchCase,
  cpuSeconds,
  percentile,
  type Round,
  type Running,
  type Settings,
} from '../harness.ts';
import { DOOR, type Duet, type DuetOptions, openDuet } from './duet.ts';
import { payloadOf } from './payload.ts';

const rivals = {
  erlang: {
    case: 'rtt_64B',
    metrics: { p50: '.p50', p99: '.p99', p999: '.p999', cpu: '.cpu_per_round_trip' },
  },
  node: { case: 'rtt_64B', rivals: ['tls-msgpackr'] },
} as const;

/** 60 000 trips and more: in the first 40 000, while V8 compiles, p99.9 is 1 to 3 ms. */
const WARM_SECONDS = 6;

export const roundTrip: readonly BenchCase[] = [
  {
    name: 'cluster/round-trip_64B',
    about: 'Round trip over TLS, one at a time, both nodes with their default settings (adaptive spin).',
    rivals,
    warmSeconds: WARM_SECONDS,
    open: (settings) => openRoundTrip(settings, {}),
  },
  {
    name: 'cluster/round-trip_64B_no-spin',
    about: 'The same with spinning switched off on both nodes.',
    rivals,
    warmSeconds: WARM_SECONDS,
    open: (settings) => openRoundTrip(settings, { spinUs: 0 }),
  },
  {
    name: 'cluster/round-trip_64B_no-spin_young-16',
    about:
      'The same with a young generation of 16 MiB from the start in both processes: its collections are rare.',
    rivals,
    nodeOptions: ['--min-semi-space-size=16'],
    warmSeconds: WARM_SECONDS,
    open: (settings) => openRoundTrip(settings, { spinUs: 0 }),
  },
];

async function openRoundTrip(settings: Settings, options: DuetOptions): Promise<Running> {
  const duet = await openDuet(options);
  const count = settings.quick ? 50 : 10_000;
  return {
    async round(): Promise<Round> {
      const receiverBefore = await duet.otherCpu();
      const senderBefore = cpuSeconds();
      const samples = (await trips(duet, count)).sort();
      const cpu = cpuSeconds() - senderBefore + (await duet.otherCpu()) - receiverBefore;
      return {
        p50: { value: percentile(samples, 0.5), unit: 'us' },
        p99: { value: percentile(samples, 0.99), unit: 'us' },
        p999: { value: percentile(samples, 0.999), unit: 'us' },
        cpu: { value: (cpu * 1e6) / count, unit: 'us/round-trip' },
      };
    },
    stop: () => duet.stop(),
  };
}

/** The time of each trip. Unit: microseconds. */
function trips({ lab, other }: Duet, count: number): Promise<Float64Array> {
  const { message } = payloadOf('64B');
  const [, , body] = message(0) as readonly [string, number, Uint8Array];
  return new Promise((done) => {
    lab.spawn(async (self) => {
      self.send({ name: DOOR, node: other }, ['echo', self.pid]);
      const [, echo] = (await self.receive()) as readonly ['made', Pid<unknown>];
      const samples = new Float64Array(count);
      for (let n = 0; n < count; n++) {
        const start = performance.now();
        self.send(echo, ['ping', self.pid, n, body]);
        await self.receive();
        samples[n] = (performance.now() - start) * 1000;
      }
      self.sendExit(echo, 'kill');
      done(samples);
    });
  });
}
