// The other process of a duet: a node whose actor `door` starts sinks, echoes and idle actors.
import type { Pid, Self } from '../../ts/index.ts';
import { cpuSeconds } from '../harness.ts';
import { type Lab, openLab } from '../lab.ts';
import { DOOR, type DuetOptions, type DuetOrder, type DuetReport, noop, type Wish } from './duet.ts';

let lab: Lab | undefined;

process.on('message', (order: DuetOrder) => {
  if ('cpu' in order) tell({ cpu: cpuSeconds() });
  else void start(order.start.cookie, order.start.options);
});
// The channel closes when the case is over, or when the process at its other end died.
process.on('disconnect', () => void lab?.stop());

const tell = (report: DuetReport): void => void process.send?.(report);

async function start(cookie: string, options: DuetOptions): Promise<void> {
  const here = await openLab({ name: 'receiver@127.0.0.1:0', cookie, ...options });
  lab = here;
  here.expose(noop);
  here.spawn(async (self) => {
    self.register(DOOR);
    tell({ up: here.name });
    for (;;) {
      const wish = (await self.receive()) as Wish;
      self.send(wish[1], ['made', grant(here, wish)]);
    }
  });
}

function grant(here: Lab, wish: Wish): unknown {
  if (wish[0] === 'sink') return sink(here, wish[1], wish[2]);
  if (wish[0] === 'echo') return echo(here);
  return Array.from({ length: wish[2] }, () => here.spawnHandler(() => ({ onMessage() {} })));
}

/** Counts, and acknowledges now and then. */
function sink(here: Lab, from: Pid<unknown>, every: number): Pid<unknown> {
  return here.spawnHandler((self) => {
    let count = 0;
    return {
      onMessage() {
        count += 1;
        if (count % every === 0) self.send(from, ['ack', count]);
      },
    };
  });
}

type Ping = readonly [string, Pid<unknown>, number, Uint8Array];

function echo(here: Lab): Pid<unknown> {
  return here.spawnHandler((self: Self<unknown>) => ({
    onMessage: (message) => {
      const [, from, n, body] = message as Ping;
      self.send(from, ['pong', n, body]);
    },
  }));
}
