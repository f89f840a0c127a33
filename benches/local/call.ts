// A request and its answer: a call to a server, one at a time.
import { call, defineServer, type Pid, type Self } from '../../ts/index.ts';
import { type BenchCase, throughput } from '../harness.ts';
import { inLab, type Lab } from '../lab.ts';
import { FIELD } from './field.ts';

export const callEcho: readonly BenchCase[] = [
  {
    name: 'local/call_echo',
    about: 'Calls to a server that answers with their argument, one at a time.',
    rivals: {
      erlang: { case: 'call', metrics: { rate: '', per_cpu_s: '.per_cpu_s' } },
      node: FIELD.call,
    },
    open: (settings) => throughput(settings, 'calls', inLab(calls)),
  },
  {
    name: 'local/call_by-hand',
    about:
      'The same by two sends, which does as little as the calls of actor and effect: no time limit, and a dead server is not noticed.',
    rivals: {
      erlang: { case: 'call', metrics: { rate: '', per_cpu_s: '.per_cpu_s' } },
      node: FIELD.call,
    },
    open: (settings) => throughput(settings, 'calls', inLab(askings)),
  },
];

const echo = defineServer({
  name: 'bench-echo',
  init: () => undefined,
  calls: { echo: (_context, n: number) => n },
});

function calls(lab: Lab, count: number): Promise<void> {
  return new Promise((done) => {
    lab.spawn(async (self) => {
      const server = self.spawn(echo);
      for (let n = count; n > 0; n--) {
        if ((await call(self, server, 'echo', n)) !== n) throw new Error('the wrong answer');
      }
      self.sendExit(server, 'kill');
      done();
    });
  });
}

interface Request {
  readonly from: Pid<number>;
  readonly n: number;
}

function askings(lab: Lab, count: number): Promise<void> {
  return new Promise((done) => {
    const server = lab.spawnHandler((self: Self<Request>) => ({
      onMessage: ({ from, n }) => self.send(from, n),
    }));
    lab.spawn(async (self: Self<number>) => {
      for (let n = count; n > 0; n--) {
        self.send(server, { from: self.pid, n });
        if ((await self.receive()) !== n) throw new Error('the wrong answer');
      }
      self.sendExit(server, 'kill');
      done();
    });
  });
}
