// What an observer costs while actors send messages: the same work without and with it, in turns within each round.
import type { Pid, Self } from '../../ts/index.ts';
import { DOOR, type Duet, openDuet } from '../cluster/duet.ts';
import {
  type BenchCase,
  cpuSeconds,
  type Round,
  type Running,
  type Settings,
  scaleCount,
} from '../harness.ts';
import { type Lab, openLab } from '../lab.ts';
import { type Observer, observers } from './observers.ts';

/** Work that can be repeated: `count` messages, which begin in `begin`. */
interface Work {
  readonly lab: Lab;
  run(count: number, begin: (act: () => void) => void): Promise<void>;
  /** CPU time of all processes of the case. Unit: seconds. */
  cpu(): Promise<number>;
  stop(): Promise<void>;
}

/** Parts of a round. The first and the last are without the observer, so that changes in speed affect both alike. */
const PARTS = [false, true, true, false] as const;

export const watching: readonly BenchCase[] = observers.flatMap((observer): BenchCase[] => [
  {
    name: `watching/local_${observer.name}`,
    about: `Messages between two handlers, without and with ${observer.about}.`,
    open: (settings) => inTurns(settings, observer, openLocal),
  },
  ...(observer.endsAtPeer
    ? []
    : [
        {
          name: `watching/nodes_${observer.name}`,
          about: `Round trips to a handler on another node, the sender without and with ${observer.about}.`,
          open: (settings: Settings) => inTurns(settings, observer, openNodes),
        },
      ]),
]);

async function inTurns(settings: Settings, observer: Observer, open: () => Promise<Work>): Promise<Running> {
  const work = await open();
  const count = await scaleCount(settings, async (each) => {
    const start = performance.now();
    await part(work, each, undefined);
    await part(work, each, observer); // warm, too
    return (performance.now() - start) / 1000;
  });
  return {
    async round(): Promise<Round> {
      const spent = { off: { seconds: 0, cpu: 0 }, on: { seconds: 0, cpu: 0 } };
      for (const isOn of PARTS) {
        const { seconds, cpu } = await part(work, count, isOn ? observer : undefined);
        const sum = isOn ? spent.on : spent.off;
        sum.seconds += seconds;
        sum.cpu += cpu;
      }
      const { off, on } = spent;
      const rate = (seconds: number): number => (2 * count) / seconds;
      return {
        rate: { value: rate(on.seconds), unit: 'msg/s' },
        off_rate: { value: rate(off.seconds), unit: 'msg/s' },
        per_cpu_s: { value: rate(on.cpu), unit: 'msg/CPU-s' },
        off_per_cpu_s: { value: rate(off.cpu), unit: 'msg/CPU-s' },
        kept: { value: off.cpu / on.cpu, unit: 'of unobserved' },
      };
    },
    stop: () => work.stop(),
  };
}

async function part(
  work: Work,
  count: number,
  observer: Observer | undefined,
): Promise<{ seconds: number; cpu: number }> {
  const observing = observer?.observe(work.lab);
  const cpu = await work.cpu();
  const start = performance.now();
  await work.run(count, observing?.begin ?? ((act) => act()));
  const seconds = (performance.now() - start) / 1000;
  const spent = (await work.cpu()) - cpu;
  observing?.end();
  return { seconds, cpu: spent };
}

async function openLocal(): Promise<Work> {
  const lab = await openLab();
  const echo = echoOn(lab);
  return {
    lab,
    run: (count, begin) => play(lab, echo, count, begin),
    cpu: () => Promise.resolve(cpuSeconds()),
    stop: () => lab.stop(),
  };
}

async function openNodes(): Promise<Work> {
  const duet = await openDuet();
  const { lab } = duet;
  const echo = await farEcho(duet);
  return {
    lab,
    run: (count, begin) => play(lab, echo, count, begin),
    cpu: async () => cpuSeconds() + (await duet.otherCpu()),
    stop: () => duet.stop(),
  };
}

type Ping = readonly [string, Pid<unknown>, number, Uint8Array];
const BODY = new Uint8Array(16);

function echoOn(lab: Lab): Pid<unknown> {
  return lab.spawnHandler((self: Self<unknown>) => ({
    onMessage: (message) => {
      const [, from, n, body] = message as Ping;
      self.send(from, ['pong', n, body]);
    },
  }));
}

function farEcho({ lab, other }: Duet): Promise<Pid<unknown>> {
  return new Promise((resolve) => {
    lab.spawn(async (self: Self<unknown>) => {
      self.send({ name: DOOR, node: other }, ['echo', self.pid]);
      const [, echo] = (await self.receive()) as readonly ['made', Pid<unknown>];
      resolve(echo);
    });
  });
}

/** 16 messages are under way at once; over when `count` have been sent and as many have come back in all. */
function play(lab: Lab, echo: Pid<unknown>, count: number, begin: (act: () => void) => void): Promise<void> {
  const trips = Math.max(1, Math.ceil(count / 2));
  return new Promise((done) => {
    let left = trips;
    let unsent = trips;
    const player = lab.spawnHandler((self: Self<unknown>) => {
      const serve = (): void => {
        if (unsent-- > 0) self.send(echo, ['ping', self.pid, unsent, BODY]);
      };
      return {
        onMessage(message) {
          if (message === 'begin') for (let each = 0; each < 16; each++) serve();
          else if (--left > 0) serve();
          else {
            lab.sendExit(self.pid, 'kill');
            done();
          }
        },
      };
    });
    begin(() => lab.send(player, 'begin'));
  });
}
