// One node process: starts a node that offers counters to the others, does what the launcher orders over the channel,
// and ends when it is told to or when the launcher is gone.
import {
  childSpec,
  Down,
  defineServer,
  defineSupervisor,
  multiCall,
  type Node,
  type Self,
  silentLogger,
  startNode,
} from '../../ts/index.ts';
import { counter } from './counter.ts';
import type { Order, Progress, Report, Sight } from './orders.ts';
import { type Job, type ReaderPort, readDocuments } from './reader.ts';

/** Each node's desk tells whom it sees. */
const desk = defineServer({
  name: 'word-count-desk',
  init: () => undefined,
  calls: { peers: (): string[] => node?.nodes().toSorted() ?? [] },
});

/** A reader that fails starts again at the beginning; one that fails again and again ends its supervisor. */
const reading = defineSupervisor({
  name: 'word-count-reading',
  intensity: 3,
  period: 60_000,
  children: (_self, here: Node, job: Job) => [
    childSpec('reader', reader, { args: [here, job], restart: 'transient' }),
  ],
});

const PROGRESS_MS = 100;

type OrderOf<T extends Order['type']> = Extract<Order, { type: T }>;

let node: Node | undefined;
let goOn: () => void = () => {};
let isStopping = false;

process.on('message', (order: Order) => {
  obey(order).catch((error: unknown) => tell({ type: 'failed', why: reasonOf(error) }));
});
process.once('disconnect', () => {
  if (!isStopping) process.exit(1); // the launcher is gone: nobody will tell us to stop
});
// Ctrl-C reaches every process of the terminal; the launcher decides what it means.
process.on('SIGINT', () => {});

async function obey(order: Order): Promise<void> {
  if (order.type === 'start') await start(order);
  else if (order.type === 'stop') await stop();
  else if (order.type === 'goOn') goOn();
  else if (node === undefined) throw new Error(`ordered to ${order.type} before the start`);
  else if (order.type === 'connect') await connect(node, order.nodes);
  else await read(node, order.job);
}

async function start({ name, cookie }: OrderOf<'start'>): Promise<void> {
  // The display tells of lost nodes; a warning on the terminal would break it.
  const logger = { ...silentLogger, error: (facts: object, text: string) => console.error(text, facts) };
  node = await startNode({ name, cookie, logger });
  node.expose(counter);
  node.spawnWith({ name: desk.name }, desk);
  tell({ type: 'up', name: node.name });
}

async function connect(here: Node, nodes: readonly string[]): Promise<void> {
  for (const other of nodes) {
    if (!(await here.connect(other))) throw new Error(`${here.name} could not connect to ${other}`);
  }
  tell({ type: 'connected', peers: here.nodes() });
}

async function stop(): Promise<void> {
  isStopping = true;
  await node?.stop();
  process.disconnect(); // the last thing that keeps this process alive
}

async function read(here: Node, job: Job): Promise<void> {
  const supervisor = await reading.start(here, here, job);
  here.spawn(async (self: Self) => {
    self.monitor(supervisor);
    const { reason } = await self.receive(Down);
    tell({ type: 'failed', why: `its reader failed again and again: ${reasonOf(reason)}` });
  });
}

async function reader(self: Self, here: Node, job: Job): Promise<void> {
  const nodes = (): string[] => [here.name, ...here.nodes()];
  await readDocuments(self, job, portOf(nodes));
  const desks = nodes().map((name) => desk.at(desk.name, name));
  const { replies } = await multiCall(self, desks, 'peers', []);
  tell({ type: 'counted', peers: replies.map(({ server, value }): Sight => [nodeOf(server), value]) });
}

const nodeOf = (address: unknown): string => (address as { node: string }).node;

/** The reader's words for the launcher. */
function portOf(nodes: () => readonly string[]): ReaderPort {
  let toldAt = 0;
  let last: Progress | undefined;
  const showLast = (): void => {
    if (last !== undefined) tell({ type: 'progress', progress: last });
    toldAt = performance.now();
  };
  return {
    nodes,
    begun: () => tell({ type: 'begun' }),
    progress: (progress) => {
      last = progress;
      if (performance.now() - toldAt >= PROGRESS_MS) showLast();
    },
    moved: (moved) => tell({ type: 'moved', moved }),
    halfway: () => {
      tell({ type: 'halfway' });
      return new Promise((resolve) => {
        goOn = resolve;
      });
    },
    streamed: (stream) => {
      showLast();
      tell({ type: 'streamed', stream });
    },
    counted: (entries) => tellSlowly({ type: 'counts', entries }),
  };
}

function tell(report: Report): void {
  process.send?.(report, () => {}); // a broken channel shows as 'disconnect'
}

/** Waits until the channel has taken the report, so that a large vocabulary does not pile up. */
function tellSlowly(report: Report): Promise<void> {
  return new Promise((resolve) => {
    if (!process.send?.(report, () => resolve())) setImmediate(resolve);
  });
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
