// Two actors and one message between them: what a send, a copy, a wake-up and a receive cost together.

import type { Pid, Self } from '../../ts/index.ts';
import { type BenchCase, throughput } from '../harness.ts';
import { inLab, type Lab } from '../lab.ts';
import { FIELD } from './field.ts';

interface Ball {
  readonly type: 'ping' | 'pong';
  readonly from: Pid<Ball>;
  readonly n: number;
  readonly id: number;
}

const rivals = {
  erlang: { case: 'pingpong', metrics: { rate: '', per_cpu_s: '.per_cpu_s' } },
  node: FIELD.pingPong,
} as const;

export const pingPong: readonly BenchCase[] = [
  {
    name: 'local/ping-pong_await',
    about: 'Round trips between two actors that await receive().',
    rivals,
    open: (settings) => throughput(settings, 'round-trips', inLab(awaiting)),
  },
  {
    name: 'local/ping-pong_handler',
    about: 'Round trips between two handler actors.',
    rivals,
    open: (settings) => throughput(settings, 'round-trips', inLab(handling)),
  },
];

function awaiting(lab: Lab, count: number): Promise<void> {
  return new Promise((done) => {
    const echo = lab.spawn(async (self: Self<Ball>) => {
      for (;;) {
        const { from, n, id } = (await self.receive()) as Ball;
        self.send(from, { type: 'pong', from: self.pid, n, id });
        if (n === 1) return;
      }
    });
    lab.spawn(async (self: Self<Ball>) => {
      for (let n = count; n > 0; n--) {
        self.send(echo, { type: 'ping', from: self.pid, n, id: 7 });
        await self.receive();
      }
      done();
    });
  });
}

function handling(lab: Lab, count: number): Promise<void> {
  return new Promise((done) => {
    const echo = lab.spawnHandler((self: Self<Ball>) => ({
      onMessage({ from, n, id }) {
        self.send(from, { type: 'pong', from: self.pid, n, id });
      },
    }));
    const player = lab.spawnHandler((self: Self<Ball>) => ({
      onMessage({ n }) {
        if (n === 1) {
          lab.sendExit(echo, 'kill');
          lab.sendExit(self.pid, 'kill');
          done();
          return;
        }
        self.send(echo, { type: 'ping', from: self.pid, n: n - 1, id: 7 });
      },
    }));
    lab.send(echo, { type: 'ping', from: player, n: count, id: 7 });
  });
}
