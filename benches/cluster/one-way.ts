// Messages one way over TLS, between two processes: throughput, and the CPU that both processes spend on it.
import type { Pid } from '../../ts/index.ts';
import {
  type BenchCase,
  cpuSeconds,
  type Round,
  type Running,
  type Settings,
  scaleCount,
} from '../harness.ts';
import { DOOR, type Duet, openDuet } from './duet.ts';
import { type Payload, payloadOf } from './payload.ts';

const METRICS = {
  rate: '',
  per_cpu_s: '.per_cpu_s',
  sender_cpu: '.sender_cpu',
  receiver_cpu: '.receiver_cpu',
};

export const oneWay: readonly BenchCase[] = [
  ...['16B', '64B', '1KiB', '64KiB', '1MiB'].map(
    (size): BenchCase => ({
      name: `cluster/one-way_${size}`,
      about: `Messages [tag, n, ${size} binary] from one node to another over TLS.`,
      rivals: {
        erlang: { case: `send_${size}`, metrics: { ...METRICS, bytes: '.bytes' } },
        node: { case: `one-way_${size}`, rivals: ['tls-msgpackr'] },
      },
      open: (settings) => openOneWay(settings, size, 1),
    }),
  ),
  {
    name: 'cluster/one-way_map',
    about: 'Messages {id, name, tags[3], at} from one node to another over TLS.',
    rivals: {
      erlang: { case: 'send_map', metrics: METRICS },
      node: { case: 'one-way_map', rivals: ['tls-msgpackr'] },
    },
    open: (settings) => openOneWay(settings, 'map', 1),
  },
  {
    name: 'cluster/one-way_8-to-8_64B',
    about: 'The same from eight actors to eight, all pairs at once.',
    rivals: { erlang: { case: 'send_8x8_64B', metrics: { ...METRICS, bytes: '.bytes' } } },
    open: (settings) => openOneWay(settings, '64B', 8),
  },
];

async function openOneWay(settings: Settings, what: string, pairs: number): Promise<Running> {
  const duet = await openDuet();
  const payload = payloadOf(what);
  const each = await scaleCount(
    settings,
    async (count) => (await send(duet, payload, pairs, count)).seconds,
    {
      start: payload.window,
      step: payload.window / 4,
    },
  );
  return {
    async round(): Promise<Round> {
      const { seconds, senderCpu, receiverCpu } = await send(duet, payload, pairs, each);
      const count = each * pairs;
      const { bytes } = payload;
      return {
        rate: { value: count / seconds, unit: 'msg/s' },
        ...(bytes === undefined ? {} : { bytes: { value: (count * bytes) / seconds / 1e6, unit: 'MB/s' } }),
        per_cpu_s: { value: count / (senderCpu + receiverCpu), unit: 'msg/CPU-s' },
        sender_cpu: { value: (senderCpu * 1e6) / count, unit: 'us/msg' },
        receiver_cpu: { value: (receiverCpu * 1e6) / count, unit: 'us/msg' },
      };
    },
    stop: () => duet.stop(),
  };
}

/** `each` messages a pair; over when every sink has acknowledged its last one. */
async function send(
  duet: Duet,
  payload: Payload,
  pairs: number,
  each: number,
): Promise<{ seconds: number; senderCpu: number; receiverCpu: number }> {
  let open!: () => void;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const senders = Array.from({ length: pairs }, () => startSender(duet, payload, each, gate));
  await Promise.all(senders.map(({ ready }) => ready));
  const receiverBefore = await duet.otherCpu();
  const senderBefore = cpuSeconds();
  const start = performance.now();
  open();
  await Promise.all(senders.map(({ finished }) => finished));
  const seconds = (performance.now() - start) / 1000;
  return {
    seconds,
    senderCpu: cpuSeconds() - senderBefore,
    receiverCpu: (await duet.otherCpu()) - receiverBefore,
  };
}

interface Sender {
  /** Its sink has been made. */
  readonly ready: Promise<void>;
  readonly finished: Promise<void>;
}

function startSender(
  { lab, other }: Duet,
  { message, window }: Payload,
  count: number,
  gate: Promise<void>,
): Sender {
  let onReady!: () => void;
  const ready = new Promise<void>((resolve) => (onReady = resolve));
  const finished = new Promise<void>((done) => {
    lab.spawn(async (self) => {
      self.send({ name: DOOR, node: other }, ['sink', self.pid, window / 4]);
      const [, sink] = (await self.receive()) as readonly ['made', Pid<unknown>];
      onReady();
      await gate;
      let acknowledged = 0;
      for (let n = 0; n < count; n++) {
        while (n - acknowledged >= window)
          acknowledged = ((await self.receive()) as readonly ['ack', number])[1];
        self.send(sink, message(n));
      }
      while (acknowledged < count) acknowledged = ((await self.receive()) as readonly ['ack', number])[1];
      self.sendExit(sink, 'kill');
      done();
    });
  });
  return { ready, finished };
}
