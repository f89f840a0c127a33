// Many senders, one receiver: a mailbox that is always full.

import type { Pid, Self } from '../../ts/index.ts';
import { type BenchCase, throughput } from '../harness.ts';
import type { Lab } from '../lab.ts';
import { inLab } from '../lab.ts';
import { FIELD } from './field.ts';

interface Item {
  readonly type: 'item';
  readonly n: number;
  readonly from: Pid;
}
type Go = { readonly type: 'go' };

const SENDERS = 8;
const BURST = 1000;

const rivals = {
  erlang: { case: 'fanin', metrics: { rate: '', per_cpu_s: '.per_cpu_s' } },
  node: FIELD.fanIn,
} as const;
const scale = { start: SENDERS * BURST, step: SENDERS * BURST };

export const fanIn: readonly BenchCase[] = [
  {
    name: 'local/fan-in_8-to-1_await',
    about: 'Messages from eight actors to one that awaits receive().',
    rivals,
    open: (settings) => throughput(settings, 'msg', inLab(awaiting), scale),
  },
  {
    name: 'local/fan-in_8-to-1_handler',
    about: 'Messages from eight handler actors to one.',
    rivals,
    open: (settings) => throughput(settings, 'msg', inLab(handling), scale),
  },
];

async function awaiting(lab: Lab, count: number): Promise<void> {
  return new Promise((done) => {
    const sink = lab.spawn(async (self: Self<Item>) => {
      for (let left = count; left > 0; left--) await self.receive();
      done();
    });
    for (let sender = 0; sender < SENDERS; sender++) startSender(lab, sink, count / SENDERS);
  });
}

async function handling(lab: Lab, count: number): Promise<void> {
  return new Promise((done) => {
    let left = count;
    const sink = lab.spawnHandler((self: Self<Item>) => ({
      onMessage() {
        if (--left > 0) return;
        lab.sendExit(self.pid, 'kill');
        done();
      },
    }));
    for (let sender = 0; sender < SENDERS; sender++) startSender(lab, sink, count / SENDERS);
  });
}

/** Sends in bursts and then lets others run. */
function startSender(lab: Lab, sink: Pid<Item>, count: number): void {
  const sender = lab.spawnHandler((self: Self<Go>) => {
    let todo = count;
    return {
      onMessage() {
        for (let n = 0; n < BURST; n++) self.send(sink, { type: 'item', n, from: self.pid });
        todo -= BURST;
        if (todo > 0) self.send(self.pid, { type: 'go' });
        else lab.sendExit(self.pid, 'kill');
      },
    };
  });
  lab.send(sender, { type: 'go' });
}
