// A hundred thousand monitored actors are killed; one watcher receives the DOWN messages.

import { Down, type Pid } from '../../ts/index.ts';
import { type BenchCase, type Round, type Settings, timed } from '../harness.ts';
import { type Lab, openLab } from '../lab.ts';
import { FIELD } from './field.ts';

export const monitorDown: readonly BenchCase[] = [
  {
    name: 'local/monitor-down_100k',
    about: 'Actors killed, and the DOWN of each received by one watcher.',
    rivals: {
      erlang: { case: 'monitor_down', metrics: { rate: '' } },
      node: FIELD.monitorDown,
    },
    async open(settings) {
      const lab = await openLab();
      return { round: () => killAll(lab, settings), stop: () => lab.stop() };
    },
  },
];

function killAll(lab: Lab, settings: Settings): Promise<Round> {
  const count = settings.quick ? 500 : 100_000;
  return new Promise((done) => {
    lab.spawn(async (self) => {
      const pids: Pid[] = [];
      for (let n = 0; n < count; n++) {
        pids.push(
          self.spawnMonitor(async (idle) => {
            await idle.receive();
          }).pid,
        );
      }
      await self.sleep(1); // all of them have reached their receive
      const { seconds, cpu } = await timed(async () => {
        for (const pid of pids) self.sendExit(pid, 'kill');
        for (let left = count; left > 0; left--) await self.receive(Down);
      });
      done({
        rate: { value: count / seconds, unit: 'DOWN/s' },
        per_cpu_s: { value: count / cpu, unit: 'DOWN/CPU-s' },
      });
    });
  });
}
