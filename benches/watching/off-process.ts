// A process of the cases watching/off_…: the same work by two copies of the package, in many short turns.
import type * as Snow from '../../ts/index.ts';
import type { Pid, Self } from '../../ts/index.ts';
import { cpuSeconds, median } from '../harness.ts';

export interface OffOrder {
  readonly work: 'handler' | 'await';
  /** Entries of the copy that is judged, and of the one that it is compared with. */
  readonly judged: string;
  readonly reference: string;
  /** Whether the reference is loaded first, and begins. */
  readonly isReversed: boolean;
  /** Messages of a slice; 0: as many as take {@link SLICE_SECONDS}. */
  readonly messages: number;
  readonly slices: number;
}

export interface OffReport {
  /** Rate of the judged copy divided by that of the reference: the median over all pairs of slices. */
  readonly kept: number;
}

const SLICE_SECONDS = 0.02;
const WARM_SECONDS = 0.6;
/** At the same time on their way. */
const IN_FLIGHT = 16;

type Ping = readonly [tag: string, from: Pid<unknown>, n: number, body: Uint8Array];
type Work = (count: number) => Promise<void>;
const BODY = new Uint8Array(16);

process.once('message', (order) => {
  void measure(order as OffOrder).then((report) => {
    process.send?.(report);
    process.disconnect();
  });
});

async function measure(order: OffOrder): Promise<OffReport> {
  const { work, judged, reference, isReversed, messages, slices } = order;
  const [first, second] = isReversed ? [reference, judged] : [judged, reference];
  const works = [await load(first, work), await load(second, work)] as const;
  const slice = async (at: 0 | 1, count: number): Promise<number> => {
    const before = cpuSeconds();
    await works[at](count);
    return cpuSeconds() - before;
  };
  let count = messages === 0 ? 1000 : messages;
  for (let spent = 0; messages === 0 && spent < WARM_SECONDS; ) {
    const seconds = ((await slice(0, count)) + (await slice(1, count))) / 2;
    spent += 2 * seconds;
    count = Math.max(1000, Math.round((count * SLICE_SECONDS) / Math.max(seconds, SLICE_SECONDS / 4)));
  }
  const ratios: number[] = [];
  for (let each = 0; each < slices; each++) {
    const [a, b, c, d] = [
      await slice(0, count),
      await slice(1, count),
      await slice(1, count),
      await slice(0, count),
    ];
    ratios.push(isReversed ? (a + d) / (b + c) : (b + c) / (a + d));
  }
  return { kept: median(ratios.toSorted((one, other) => one - other)) };
}

async function load(entry: string, work: OffOrder['work']): Promise<Work> {
  const { startNode, silentLogger } = (await import(entry)) as typeof Snow;
  const node = await startNode({ logger: silentLogger });
  return work === 'handler' ? betweenHandlers(node) : betweenFunctions(node);
}

function betweenHandlers(node: Snow.Node): Work {
  const echo = node.spawnHandler((self: Self<unknown>) => ({
    onMessage(message) {
      const [, from, n, body] = message as Ping;
      self.send(from, ['pong', n, body]);
    },
  }));
  return (count) =>
    new Promise((done) => {
      let left = Math.ceil(count / 2);
      let unsent = left;
      const player = node.spawnHandler((self: Self<unknown>) => {
        const serve = (): void => {
          if (unsent-- > 0) self.send(echo, ['ping', self.pid, unsent, BODY]);
        };
        return {
          onMessage(message) {
            if (message === 'begin') for (let each = 0; each < IN_FLIGHT; each++) serve();
            else if (--left > 0) serve();
            else {
              node.sendExit(self.pid, 'kill');
              done();
            }
          },
        };
      });
      node.send(player, 'begin');
    });
}

function betweenFunctions(node: Snow.Node): Work {
  const echo = node.spawn(async (self: Self<unknown>) => {
    for (;;) {
      const [, from, n, body] = (await self.receive()) as Ping;
      self.send(from, ['pong', n, body]);
    }
  });
  return (count) =>
    new Promise((done) => {
      node.spawn(async (self: Self<unknown>) => {
        const trips = Math.ceil(count / 2);
        const serve = (n: number): void => self.send(echo, ['ping', self.pid, n, BODY]);
        for (let n = 0; n < Math.min(IN_FLIGHT, trips); n++) serve(n);
        for (let n = IN_FLIGHT; n < trips + IN_FLIGHT; n++) {
          await self.receive();
          if (n < trips) serve(n);
        }
        done();
      });
    });
}
