// The news of many deaths: a hundred thousand monitored actors are killed.

import { Down, type Pid } from '../../ts/index.ts';
import { type BenchCase, type Round, type Settings } from '../harness.ts';
import { type Lab, openLab } from '../lab.ts';

export const monitorDown: readonly BenchCase[] = [
  {
    name: 'local/monitor-down_100k',
    about: 'Actors killed, and the DOWN of each received by one watcher.',
    rivals: {
      erlang: { case: 'monitor_down', metrics: { rate: '' } },
      node: { case: 'watched-stop_100k', rivals: ['xstate', 'effect'] },
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
      const start = performance.now();
      for (const pid of pids) self.sendExit(pid, 'kill');
      for (let left = count; left > 0; left--) await self.receive(Down);
      done({ rate: { value: (count * 1000) / (performance.now() - start), unit: 'DOWN/s' } });
    });
  });
}
