// The round trip of a small message while another actor keeps sending large ones to the same node. The sender of the large ones waits
// while its peer is busy.
import type { Pid } from '../../ts/index.ts';
import { type BenchCase, percentile, type Round, type Running, type Settings } from '../harness.ts';
import { DOOR, type Duet, openDuet } from './duet.ts';

const MIB = 1_048_576;

export const behindBulk: readonly BenchCase[] = [
  {
    name: 'cluster/round-trip_behind_64MiB',
    about: 'Round trip of 64 B while another actor streams messages of 64 MiB to the same node.',
    rivals: {
      erlang: {
        case: 'hol_64MiB',
        metrics: { p50: '.loaded.p50', p99: '.loaded.p99', bulk: '.bulk' },
      },
    },
    open: (settings) => openBehindBulk(settings, 64 * MIB),
  },
];

async function openBehindBulk(settings: Settings, size: number): Promise<Running> {
  const duet = await openDuet({});
  return {
    round: () => measure(duet, size, settings.quick ? 300 : 3000),
    stop: () => duet.stop(),
  };
}

async function measure(duet: Duet, size: number, ms: number): Promise<Round> {
  const end = performance.now() + ms;
  const bulk = stream(duet, size, end);
  const samples = Float64Array.from(await pings(duet, end)).sort();
  const rate = await bulk;
  return {
    p50: { value: percentile(samples, 0.5), unit: 'us' },
    p99: { value: percentile(samples, 0.99), unit: 'us' },
    bulk: { value: rate / 1e6, unit: 'MB/s' },
  };
}

/** Sends large messages, one at least, until the time is over and all are there. Unit: bytes/s. */
function stream({ lab, other }: Duet, size: number, end: number): Promise<number> {
  const body = new Uint8Array(size).fill(7);
  return new Promise((done) => {
    lab.spawn(async (self) => {
      self.send({ name: DOOR, node: other }, ['sink', self.pid, 1]);
      const [, sink] = (await self.receive()) as readonly ['made', Pid<unknown>];
      const start = performance.now();
      let sent = 0;
      do await self.sendWait(sink, ['msg', sent++, body]);
      while (performance.now() < end);
      for (let arrived = 0; arrived < sent; arrived++) await self.receive();
      self.sendExit(sink, 'kill');
      done((sent * size * 1000) / (performance.now() - start));
    });
  });
}

/** The time of each trip. Unit: microseconds. */
function pings({ lab, other }: Duet, end: number): Promise<number[]> {
  const body = new Uint8Array(64).fill(7);
  return new Promise((done) => {
    lab.spawn(async (self) => {
      self.send({ name: DOOR, node: other }, ['echo', self.pid]);
      const [, echo] = (await self.receive()) as readonly ['made', Pid<unknown>];
      const samples: number[] = [];
      do {
        const start = performance.now();
        self.send(echo, ['ping', self.pid, samples.length, body]);
        await self.receive();
        samples.push((performance.now() - start) * 1000);
      } while (performance.now() < end);
      self.sendExit(echo, 'kill');
      done(samples);
    });
  });
}
