// Actors started on another node, which end at once: one after another, and all asked for before the first answer.
import type { Self } from '../../ts/index.ts';
import type { BenchCase, Round, Running, Settings } from '../harness.ts';
import { type Duet, noop, openDuet } from './duet.ts';

export const remoteSpawn: readonly BenchCase[] = [
  {
    name: 'cluster/remote-spawn',
    about:
      '10 000 actors started on another node, each after the answer to the one before; then 50 000 at once.',
    rivals: {
      erlang: { case: 'remote_spawn', metrics: { sequential: '.sequential', pipelined: '.pipelined' } },
    },
    open: openRemoteSpawn,
  },
];

async function openRemoteSpawn(settings: Settings): Promise<Running> {
  const duet = await openDuet();
  const [sequential, pipelined] = settings.quick ? [50, 200] : [10_000, 50_000];
  return {
    round: () => oneRound(duet, sequential, pipelined),
    stop: () => duet.stop(),
  };
}

function oneRound({ lab, other }: Duet, sequential: number, pipelined: number): Promise<Round> {
  return new Promise((done) => {
    lab.spawn(async (self: Self<unknown>) => {
      const start = performance.now();
      for (let n = 0; n < sequential; n++) await self.spawnOn(other, noop, []);
      const middle = performance.now();
      await Promise.all(Array.from({ length: pipelined }, () => self.spawnOn(other, noop, [])));
      const end = performance.now();
      done({
        sequential: { value: (sequential * 1000) / (middle - start), unit: 'spawn/s' },
        pipelined: { value: (pipelined * 1000) / (end - middle), unit: 'spawn/s' },
      });
    });
  });
}
