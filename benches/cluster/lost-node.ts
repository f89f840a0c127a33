// A node is killed while one actor here monitors, or is linked to, a hundred thousand of its actors. Measures the time from the kill until
// the signal for the last of them.
import { Down, Exit, type Pid, type Self } from '../../ts/index.ts';
import type { BenchCase, Round, Settings } from '../harness.ts';
import { DOOR, type Duet, openDuet } from './duet.ts';

type Tie = 'monitors' | 'links';

export const lostNode: readonly BenchCase[] = [
  {
    name: 'cluster/lost-node_100k',
    about:
      'A node killed with SIGKILL: time to the last of 100 000 DOWN messages, then (a new node) of as many EXITs.',
    rivals: {
      erlang: { case: 'link_noconnection', metrics: { monitors: '.monitors', links: '.links' } },
    },
    open: (settings) => ({ round: () => oneRound(settings) }),
  },
];

async function oneRound(settings: Settings): Promise<Round> {
  const count = settings.quick ? 500 : 100_000;
  return {
    monitors: { value: await loseNode('monitors', count), unit: 'ms' },
    links: { value: await loseNode('links', count), unit: 'ms' },
  };
}

async function loseNode(tie: Tie, count: number): Promise<number> {
  const duet = await openDuet();
  try {
    return await new Promise((done) => {
      duet.lab.spawn(async (self) => done(await watch(self, duet, tie, count)));
    });
  } finally {
    await duet.stop();
  }
}

/** Unit: milliseconds. */
async function watch(self: Self<unknown>, duet: Duet, tie: Tie, count: number): Promise<number> {
  self.trapExit(true);
  const door = { name: DOOR, node: duet.other };
  self.send(door, ['idle', self.pid, count]);
  const [, pids] = (await self.receive()) as readonly ['made', readonly Pid[]];
  for (const pid of pids) {
    if (tie === 'links') self.link(pid);
    else self.monitor(pid);
  }
  self.send(door, ['idle', self.pid, 0]); // its answer comes after all links and monitors have arrived
  await self.receive();
  const start = performance.now();
  duet.kill();
  for (let left = count; left > 0; left--) {
    const { reason } = await (tie === 'links' ? self.receive(Exit) : self.receive(Down));
    if (reason !== 'noconnection') throw new Error(`an actor ended before its node: ${String(reason)}`);
  }
  return performance.now() - start;
}
