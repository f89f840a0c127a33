// A million actors that wait: how fast they are spawned, and how much memory each takes.

import type { Pid, Self } from '../../ts/index.ts';
import { type BenchCase, collectGarbage, type Round, type Settings, timed } from '../harness.ts';
import { type Lab, openLab } from '../lab.ts';
import { FIELD } from './field.ts';

const rivals = {
  erlang: { case: 'spawn_1m', metrics: { rate: '', memory: '.bytes_vm_total', rss: '.bytes_rss' } },
  node: FIELD.spawn,
} as const;
const nodeOptions = ['--max-old-space-size=12000'];
/** A million of some rivals' actors take half a minute to make and to take down. */
const ROUNDS = 3;

export const spawn: readonly BenchCase[] = [
  {
    name: 'local/spawn_1M_await',
    about: 'Actors spawned until each waits in receive(), and bytes an idle actor.',
    rivals,
    nodeOptions,
    rounds: ROUNDS,
    open: (settings) => ({ round: () => spawnMany(settings, spawnAwaiting) }),
  },
  {
    name: 'local/spawn_1M_handler',
    about: 'Handler actors spawned until each is ready, and bytes an idle actor.',
    rivals,
    nodeOptions,
    rounds: ROUNDS,
    open: (settings) => ({ round: () => spawnMany(settings, spawnHandling) }),
  },
];

type SpawnIdle = (lab: Lab, onReady: () => void) => Pid;

// As in the other systems, all actors run one function: a closure for each would be memory of the bench.
const awaiting = async (self: Self, onReady: () => void): Promise<void> => {
  onReady();
  await self.receive();
};
const spawnAwaiting: SpawnIdle = (lab, onReady) => lab.spawn(awaiting, onReady);

const handling = (_self: Self, onReady: () => void): typeof IDLE => {
  onReady();
  return IDLE;
};
const IDLE = { onMessage(): void {} };
const spawnHandling: SpawnIdle = (lab, onReady) => lab.spawnHandler(handling, onReady);

/** A node a round, so that each starts with an empty actor table. */
async function spawnMany(settings: Settings, spawnIdle: SpawnIdle): Promise<Round> {
  const count = settings.quick ? 20_000 : 1_000_000;
  const lab = await openLab();
  const pids: Pid[] = Array.from({ length: count });
  collectGarbage();
  const before = process.memoryUsage();
  const { seconds, cpu } = await timed(
    () =>
      new Promise<void>((done) => {
        let left = count;
        const onReady = (): void => {
          if (--left === 0) done();
        };
        for (let at = 0; at < count; at++) pids[at] = spawnIdle(lab, onReady);
      }),
  );
  collectGarbage();
  const after = process.memoryUsage();
  const heap = after.heapUsed + after.external - before.heapUsed - before.external;
  pids.length = 0;
  await lab.stop();
  return {
    rate: { value: count / seconds, unit: 'actors/s' },
    per_cpu_s: { value: count / cpu, unit: 'actors/CPU-s' },
    memory: { value: heap / count, unit: 'B/actor' },
    rss: { value: (after.rss - before.rss) / count, unit: 'B/actor' },
  };
}
