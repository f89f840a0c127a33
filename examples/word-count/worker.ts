// One node process: starts a node with its counters, does what the launcher orders over the channel, and ends when it
// is told to or when the launcher is gone.
import { call, defineServer, type Node, type Self, startNode } from '../../ts/index.ts';
import { type Counter, counter } from './counter.ts';
import type { Document } from './documents.ts';
import type { Order, Progress, Report } from './orders.ts';
import { readDocuments } from './reader.ts';

/** Each node's desk tells the others which counters live there, and whom it sees. */
const desk = defineServer({
  name: 'word-count-desk',
  init: () => undefined,
  calls: {
    counters: (): readonly Counter[] => ownCounters,
    peers: (): string[] => node?.nodes().toSorted() ?? [],
  },
});
const PROGRESS_MS = 100;

type OrderOf<T extends Order['type']> = Extract<Order, { type: T }>;

let node: Node | undefined;
let ownCounters: readonly Counter[] = [];
let bytesRead = 0;
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
  else if (node === undefined) throw new Error(`ordered to ${order.type} before the start`);
  else if (order.type === 'connect') await connect(node, order.nodes);
  else if (order.type === 'finish') tell({ type: 'finished', progress: await progressOf(node) });
  else read(node, order);
}

async function start({ name, cookie, counters }: OrderOf<'start'>): Promise<void> {
  node = await startNode({ name, cookie });
  const here = node;
  ownCounters = Array.from({ length: counters }, () => here.spawn(counter));
  here.spawnWith({ name: desk.name }, desk);
  here.spawn(reportProgress);
  tell({ type: 'up', name: here.name });
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

/** Tells the launcher again and again. */
async function reportProgress(self: Self): Promise<void> {
  for (;;) {
    tell({ type: 'progress', progress: await progressOf(self) });
    await self.sleep(PROGRESS_MS);
  }
}

/** Asks the counters of this node. */
async function progressOf(caller: Self | Node): Promise<Progress> {
  const figures = await Promise.all(ownCounters.map((pid) => call(caller, pid, 'figures')));
  const words = figures.reduce((sum, each) => sum + each.words, 0);
  const different = figures.reduce((sum, each) => sum + each.different, 0);
  return { words, different, bytesRead };
}

function read(here: Node, { nodes, documents }: OrderOf<'read'>): void {
  here.spawn(async (self: Self) => {
    try {
      await readAll(self, nodes, documents);
    } catch (error) {
      tell({ type: 'failed', why: reasonOf(error) });
    }
  });
}

async function readAll(self: Self, nodes: readonly string[], documents: readonly Document[]): Promise<void> {
  const desks = nodes.map((name) => desk.at(desk.name, name));
  const counters = (await Promise.all(desks.map((address) => call(self, address, 'counters')))).flat();
  await readDocuments(self, documents, counters, {
    read: (bytes) => void (bytesRead += bytes),
    streamed: (stream) => tell({ type: 'streamed', stream }),
    counted: (entries) => tellSlowly({ type: 'counts', entries }),
  });
  const peers = await Promise.all(desks.map((address) => call(self, address, 'peers')));
  tell({ type: 'counted', peers: nodes.map((name, at) => [name, peers[at] ?? []] as const) });
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
