// One child of a one_for_one supervisor crashes again and again; the next crash is sent when the replacement is up. There are two lengths
// of bursts, because the supervisor's list of restarts may add to the cost.
import {
  childSpec,
  defineHandler,
  defineSupervisor,
  type Pid,
  type Self,
  silentLogger,
} from '../../ts/index.ts';
import { type BenchCase, type Round, type Settings, timed } from '../harness.ts';
import { type Lab, openLab } from '../lab.ts';
import { FIELD } from './field.ts';

export const restart: readonly BenchCase[] = [
  {
    name: 'local/restart_one-for-one',
    about:
      'Restarts of a crashing child, in bursts of 200 and of 10 000 under one supervisor; no_stack: it throws a text instead of an error.',
    rivals: {
      erlang: {
        case: 'supervisor_restart',
        metrics: { burst_200: '.burst_200', burst_10000: '.burst_10000' },
      },
      node: FIELD.restart,
    },
    async open(settings) {
      const lab = await openLab({ logger: silentLogger });
      return {
        round: async () => ({
          ...(await bursts(lab, settings, 200, 50)),
          ...(await bursts(lab, settings, 10_000, 1)),
          ...withoutStacks(await bursts(lab, settings, 200, 50, 'on purpose')),
        }),
        stop: () => lab.stop(),
      };
    },
  },
  {
    name: 'local/restart_by-hand',
    about:
      'An actor catches what it threw, a text without a stack, and goes on: it does as little as effect, which retries the same fiber. No new actor, no supervisor, no report.',
    rivals: {
      erlang: { case: 'supervisor_restart', metrics: { burst_10000: '.burst_10000' } },
      node: FIELD.restart,
    },
    async open(settings) {
      const lab = await openLab();
      return {
        async round() {
          const length = settings.quick ? 200 : 10_000;
          const { seconds, cpu } = await timed(() => retries(lab, length));
          return {
            burst_10000: { value: length / seconds, unit: 'restarts/s' },
            burst_10000_per_cpu_s: { value: length / cpu, unit: 'restarts/CPU-s' },
          };
        },
        stop: () => lab.stop(),
      };
    },
  },
];

/** @param thrown what the child throws; absent: a new error, whose stack V8 records. */
async function bursts(
  lab: Lab,
  { quick }: Settings,
  length: number,
  times: number,
  thrown?: string,
): Promise<Round> {
  const each = quick ? Math.min(length, 200) : length;
  const count = each * (quick ? 1 : times);
  let seconds = 0;
  const { cpu } = await timed(async () => {
    for (let left = count; left > 0; left -= each) seconds += await crashLoop(lab, each, thrown);
  });
  return {
    [`burst_${length}`]: { value: count / seconds, unit: 'restarts/s' },
    [`burst_${length}_per_cpu_s`]: { value: count / cpu, unit: 'restarts/CPU-s' },
  };
}

/** The same figures under names of their own: nobody else's restarts leave the stack out. */
function withoutStacks(round: Round): Round {
  return Object.fromEntries(Object.entries(round).map(([name, figure]) => [`no_stack_${name}`, figure]));
}

/** The time of so many restarts in a row under a new supervisor. Unit: seconds. */
async function crashLoop(lab: Lab, count: number, thrown: string | undefined): Promise<number> {
  let start = 0;
  let left = count + 1;
  let onDone!: (seconds: number) => void;
  const done = new Promise<number>((resolve) => (onDone = resolve));
  const up = (pid: Pid<'crash'>): void => {
    left -= 1;
    if (left === 0) onDone((performance.now() - start) / 1000);
    else if (start > 0) lab.send(pid, 'crash');
  };
  let child!: Pid<'crash'>;
  const crasher = defineHandler('crasher', (self: Self<'crash'>) => {
    child = self.pid;
    up(self.pid);
    return {
      onMessage() {
        throw thrown ?? new Error('on purpose');
      },
    };
  });
  const supervisor = defineSupervisor({
    name: 'bench-supervisor',
    intensity: 1_000_000,
    period: 1000,
    children: [childSpec('crasher', crasher)],
  });
  const pid = await supervisor.start(lab.runtime);
  start = performance.now();
  lab.send(child, 'crash');
  const seconds = await done;
  lab.sendExit(pid, 'shutdown');
  return seconds;
}

function retries(lab: Lab, count: number): Promise<void> {
  return new Promise((done) => {
    lab.spawn(async (self: Self<'crash'>) => {
      for (let left = count; left > 0; left--) {
        self.send(self.pid, 'crash');
        try {
          throw await self.receive();
        } catch (thrown) {
          if (thrown !== 'crash') throw thrown;
        }
      }
      done();
    });
  });
}
