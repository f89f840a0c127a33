// A million timers: started, cancelled, fired.

import type { TimerRef } from '../../ts/index.ts';
import { type BenchCase, collectGarbage, type Round, type Settings, timed } from '../harness.ts';
import { type Lab, openLab } from '../lab.ts';
import { FIELD } from './field.ts';

export const timers: readonly BenchCase[] = [
  {
    name: 'local/timers_1M',
    about: 'Timers started, cancelled, and fired as messages within 100 ms; bytes a pending timer.',
    rivals: {
      erlang: {
        case: 'timers_1m',
        script: 'timers.escript',
        metrics: { start: '.start', cancel: '.cancel', fire: '.fire' },
      },
      node: FIELD.timers,
    },
    nodeOptions: ['--max-old-space-size=8000'],
    async open(settings) {
      const lab = await openLab();
      return { round: () => manyTimers(lab, settings), stop: () => lab.stop() };
    },
  },
];

function manyTimers(lab: Lab, settings: Settings): Promise<Round> {
  const count = settings.quick ? 2000 : 1_000_000;
  return new Promise((done) => {
    lab.spawn(async (self) => {
      const refs: TimerRef[] = Array.from({ length: count });
      const seconds = (since: number): number => (performance.now() - since) / 1000;
      collectGarbage();
      const heap = process.memoryUsage().heapUsed;
      let since = performance.now();
      for (let n = 0; n < count; n++)
        refs[n] = self.sendAfter(60_000 + ((n * 7919) % 600_000), self.pid, 'late');
      const started = seconds(since);
      collectGarbage();
      const bytes = (process.memoryUsage().heapUsed - heap) / count;
      since = performance.now();
      for (let n = 0; n < count; n++) self.cancelTimer(refs[n] as TimerRef);
      const cancelled = seconds(since);
      const fired = await timed(async () => {
        for (let n = 0; n < count; n++) self.sendAfter(1 + (n % 100), self.pid, 'due');
        for (let left = count; left > 0; left--) await self.receive();
      });
      done({
        start: { value: count / started, unit: 'timers/s' },
        cancel: { value: count / cancelled, unit: 'timers/s' },
        fire: { value: count / fired.seconds, unit: 'timers/s' },
        fire_per_cpu_s: { value: count / fired.cpu, unit: 'timers/CPU-s' },
        memory: { value: bytes, unit: 'B/timer' },
      });
    });
  });
}
