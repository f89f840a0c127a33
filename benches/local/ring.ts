// A token goes round a ring of a thousand actors. Measures the wake-up of actors that are not in the processor's cache.

import type { Pid, Self } from '../../ts/index.ts';
import { type BenchCase, throughput } from '../harness.ts';
import { inLab, type Lab } from '../lab.ts';
import { FIELD } from './field.ts';

interface Token {
  readonly type: 'token';
  readonly n: number;
}

const SIZE = 1000;

const rivals = {
  erlang: { case: 'ring', metrics: { rate: '', per_cpu_s: '.per_cpu_s' } },
  node: FIELD.ring,
} as const;
const scale = { start: 1, per: SIZE };

export const ring: readonly BenchCase[] = [
  {
    name: 'local/ring_1000_await',
    about: 'Hops of a token through 1000 actors that await receive().',
    rivals,
    open: (settings) => throughput(settings, 'hops', inLab(awaiting), scale),
  },
  {
    name: 'local/ring_1000_handler',
    about: 'Hops of a token through 1000 handler actors.',
    rivals,
    open: (settings) => throughput(settings, 'hops', inLab(handling), scale),
  },
];

/** Adds members until there are SIZE, each sending to the one before; `first` is the last to be made. */
function closeRing(lab: Lab, last: Pid<Token>, member: (next: Pid<Token>) => Pid<Token>): Pid<Token>[] {
  const members = [last];
  while (members.length < SIZE) members.push(member(members.at(-1) as Pid<Token>));
  return members;
}

async function awaiting(lab: Lab, laps: number): Promise<void> {
  return new Promise((done) => {
    const last = lab.spawn(async (self: Self<Token>) => {
      const first = members.at(-1) as Pid<Token>;
      for (let n = laps; n > 0; n--) {
        self.send(first, { type: 'token', n });
        await self.receive();
      }
      for (const pid of members) if (pid !== self.pid) lab.sendExit(pid, 'kill');
      done();
    });
    const members = closeRing(lab, last, (next) =>
      lab.spawn(async (self: Self<Token>) => {
        for (;;) self.send(next, (await self.receive()) as Token);
      }),
    );
  });
}

async function handling(lab: Lab, laps: number): Promise<void> {
  return new Promise((done) => {
    const last = lab.spawnHandler((self: Self<Token>) => ({
      onMessage({ n }) {
        if (n > 0) {
          self.send(members.at(-1) as Pid<Token>, { type: 'token', n: n - 1 });
          return;
        }
        for (const pid of members) lab.sendExit(pid, 'kill');
        done();
      },
    }));
    const members = closeRing(lab, last, (next) =>
      lab.spawnHandler((self: Self<Token>) => ({ onMessage: (token) => self.send(next, token) })),
    );
    lab.send(last, { type: 'token', n: laps });
  });
}
