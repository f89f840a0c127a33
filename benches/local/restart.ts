// Let it crash: one child of a one_for_one supervisor that crashes, again and again. The next crash is sent when the
// replacement is up. Two lengths of burst, because what a supervisor remembers of its restarts may cost.
import {
  childSpec,
  defineHandler,
  defineSupervisor,
  type Pid,
  type Self,
  silentLogger,
} from '../../ts/index.ts';
import type { BenchCase, Figure, Settings } from '../harness.ts';
import { type Lab, openLab } from '../lab.ts';

export const restart: readonly BenchCase[] = [
  {
    name: 'local/restart_one-for-one',
    about: 'Restarts of a crashing child, in bursts of 200 and of 10 000 under one supervisor.',
    rivals: {
      erlang: {
        case: 'supervisor_restart',
        metrics: { burst_200: '.burst_200', burst_10000: '.burst_10000' },
      },
      node: { case: 'restart', rivals: ['nact', 'effect'] },
    },
    async open(settings) {
      const lab = await openLab({ logger: silentLogger });
      return {
        round: async () => ({
          burst_200: await bursts(lab, settings, 200, 50),
          burst_10000: await bursts(lab, settings, 10_000, 1),
        }),
        stop: () => lab.stop(),
      };
    },
  },
];

async function bursts(lab: Lab, settings: Settings, length: number, times: number): Promise<Figure> {
  const each = settings.quick ? Math.min(length, 200) : length;
  let seconds = 0;
  for (let burst = 0; burst < (settings.quick ? 1 : times); burst++) seconds += await crashLoop(lab, each);
  return { value: (each * (settings.quick ? 1 : times)) / seconds, unit: 'restarts/s' };
}

/** The time of so many restarts in a row under a new supervisor. Unit: seconds. */
async function crashLoop(lab: Lab, count: number): Promise<number> {
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
        throw new Error('on purpose');
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
  lab.exit(pid, 'shutdown');
  return seconds;
}
